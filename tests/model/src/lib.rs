//! The ingest protocol as an executable specification: a file comes into the inbox, and whatever happens then, exactly one
//! of three things becomes of it. Read this page, then [`state`], [`action`] and [`steps`], and you know the protocol; run
//! `cargo test -p vestibule-model -- --nocapture`, and every state that it can get into is looked at.
//!
//! # The protocol
//!
//! A message document announces an attachment: its entry is `pending`. The sender then uploads to one key of a *versioned*
//! inbox bucket, perhaps more than once. For each version an event comes, at least once, and a worker starts:
//!
//! 1. **ask** the document. Pending: go on. `ready` with this very version, removed or deleted: go to 6. Decided otherwise:
//!    go to Q. No such message: *unknown*, leave everything as it is.
//! 2. **inspect** the version. Refused: go to R. Gone: somebody else has finished.
//! 3. put the **thumbnails**, under keys that hold the version.
//! 4. **copy** the version to the processed bucket. What turns out to be another file than the sender announced: go to R.
//! 5. **publish**: write `ready` if, and only if, the entry is `pending`. 5′: otherwise read the document that the refused
//!    write answered as in 1. An SDK that sends a write twice, the first answer being lost, meets its own success there.
//! 6. **retire** that version: delete it from the inbox. It is the only trace of work left to do, so it goes last.
//!
//! R. **reject**: write `rejected` under the same condition, then Q. **Q**: copy that version to **quarantine**, then 6.
//!
//! Beside the workers there are *sweep*, which sends what stands in the inbox through the same door; *reclaim*, which deletes
//! the processed objects of what people took away; and the *collector*, which deletes processed objects that the document
//! does not point at, but never while the attachment is pending. Each decision enqueues a delayed collect of its attachment.
//!
//! # What may go wrong
//!
//! All of [`action::Action`]: workers die between any two calls; S3 goes on copying for a client that is dead or has given up;
//! the answer to a write is lost; events are late, doubled, reordered or lost; people upload again, cancel, remove and delete at
//! any time; the table is restored to a time before the message; an audit runs at any time, asked by nobody, one deletion after
//! the other, by a document that it read long ago.
//!
//! The bounds are two versions of one key, two workers at once and [`model::MAX_STARTS`] starts. A call changes the world at
//! once, for so do DynamoDB and S3 with one item or object; copies alone take time, and are two actions. Of states that differ
//! in names alone, one is looked at: [`state::State::order_workers`] and the uploads in [`model`] say why that is enough.
//!
//! Left out, since nothing depends on it: work items, leases, tries and reservations (hints, on which no decision rests),
//! the live updates and the archive (they read what is written here), and multipart uploads (a version appears when S3
//! says that it is complete). A publish that takes effect after its client died is a worker that makes this call last. A copy
//! to quarantine is one action, since nobody reads what it makes.
//!
//! # What holds
//!
//! [`properties::always`], in every state. "It heals" speaks of the future, and needs care: Stateright's own `eventually`
//! misses counterexamples where histories meet again or go round in circles, as its documentation says, and it would have to
//! assume that faults end. So it is checked as a property of each single state: from there, [`healing::heal`] runs what is under way,
//! sweep, reclaim and collector without any fault, in both orders of the two versions, and [`healing::is_healed`] looks where
//! that ends. A state in which a worker is about to die or a copy is lost needs no healing of its own: what it leaves is
//! another state of the search, and is healed as well. One assumption stands behind it: the delay of a collect is longer than
//! any run and any copy ([`upkeep::may_collect`]); what lands later still is left to the audit.
//!
//! [`properties::sometimes`] are states that the search must reach, so that the others do not hold of nothing. Each
//! [`protocol::Protocol`] but the correct one is broken in one place, and its test demands a counterexample to a property by name.
//!
//! The search is complete within its bounds. It knows a state by 64 bits of its digest; that two of some million
//! share one, and one of them is passed over, has a probability of less than one in a million.
//!
//! # Where it is in the code
//!
//! | here | there |
//! |---|---|
//! | [`action::Action::Upload`] | the sender, by the URL that `lambdas/api` signed |
//! | `Cancel`, `Remove`, `Delete` | `common/store/src/messages/change.rs`, called by `lambdas/api` |
//! | `Deliver`, `Redrive` | `lambdas/ingest/src/handler.rs`, one door for S3's events and for sweep |
//! | the order of the calls | `lambdas/ingest/src/ingest.rs` |
//! | `Call` of `Ask`; 5′ | `lambdas/ingest/src/steps/ask.rs`: `ask`, `after_a_lost_write` |
//! | `Call` of `Inspect` | `lambdas/ingest/src/steps/inspect.rs` |
//! | `Call` of `Thumbnails`, `Copy`, `Copied`, `Publish` | `lambdas/ingest/src/steps/publish.rs` |
//! | `Call` of `Reject` | `lambdas/ingest/src/steps/reject.rs` |
//! | `Call` of `Quarantine` | `lambdas/ingest/src/steps/quarantine.rs` |
//! | `Call` of `Retire` | the last call in `lambdas/ingest/src/ingest.rs` |
//! | `LoseAnswer`, `AbandonCopy`, `LandCopy` | the AWS SDK's retries and time-outs |
//! | `Collect`, `Reclaim`, the audit | collector and reclaim, whose rule is [`upkeep::look`] |

pub mod action;
pub mod healing;
pub mod model;
pub mod pair;
pub mod properties;
pub mod protocol;
pub mod state;
pub mod steps;
pub mod upkeep;

#[cfg(test)]
mod tests;
