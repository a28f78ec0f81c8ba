//! What stands in the inbox, and why: the class of a version, and whether it is to be put into the queue again.
//!
//! The bucket's listing is the truth. The document says whether the version is decided, and the hints of its tries say
//! the rest. `sweep` and `vestibule inbox` judge by these same rules.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::attachment::Attachment;
use crate::id::{AttachmentId, InvalidId};
use crate::message::Message;
use crate::timestamp::Timestamp;
use crate::work::Work;

/// The code of a version whose worker vanished in the middle of its work.
pub const INTERRUPTED: &str = "interrupted";

/// The code of a version whose document cannot be read.
pub const UNREADABLE: &str = "unreadable";

/// Waits double with every drive, this often at the most.
const MOST_DOUBLINGS: u32 = 6;

/// Why a version stands in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It came a moment ago.
    Fresh,
    /// Somebody is at work on it; or it was put into the queue again a moment ago, and nobody tried since. What had gone wrong before that is
    /// still its code.
    InFlight,
    /// Its last try failed, or whoever tried vanished. Its code is in the [`Standing`].
    Failed,
    /// It has been here for a while, and nobody ever tried: its event was lost, or the queue stands still.
    NeverNotified,
    /// The attachment is decided, removed, or its message deleted: only the last step is missing.
    Leftover,
    /// There is no such message, or no such attachment in it. Absent is not deleted, so it stays.
    MessageGone,
    /// Its key is outside the grammar, or its version id is none. It stays.
    UnknownKey,
}

impl Class {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Fresh,
        Self::InFlight,
        Self::Failed,
        Self::NeverNotified,
        Self::Leftover,
        Self::MessageGone,
        Self::UnknownKey,
    ];

    /// The class as it is written in listings, filters, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::InFlight => "in-flight",
            Self::Failed => "failed",
            Self::NeverNotified => "never-notified",
            Self::Leftover => "leftover",
            Self::MessageGone => "message-gone",
            Self::UnknownKey => "unknown-key",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Class {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let found = Self::ALL.into_iter().find(|class| class.as_str() == text);
        found.ok_or_else(|| InvalidId::new("a class of what stands in the inbox", text))
    }
}

/// How long things may take before they count as stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A version younger than this, in seconds, is still on its way: more than the queue takes to bring a failed message again.
    pub fresh_seconds: i64,
    /// Tries after which it is left alone until somebody replays it.
    pub max_tries: u32,
}

/// Why a version stands in the inbox, and what becomes of it by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Why.
    pub class: Class,
    /// The stable word for what went wrong, where something did.
    pub code: Option<String>,
    /// What the sweep does about it.
    pub next: Next,
}

/// What the sweep does about a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// Nothing yet: it is being worked on, or will be.
    Wait,
    /// Puts it into the queue again.
    Drive,
    /// Nothing: it failed too often, and waits for somebody to look and to replay it.
    GivenUp,
    /// Nothing: it belongs to nothing, and somebody must look.
    Stay,
}

impl Next {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Wait, Self::Drive, Self::GivenUp, Self::Stay];

    /// The word as it is written in listings and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Drive => "drive",
            Self::GivenUp => "given-up",
            Self::Stay => "stay",
        }
    }
}

impl FromStr for Next {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let found = Self::ALL.into_iter().find(|next| next.as_str() == text);
        found.ok_or_else(|| InvalidId::new("what the sweep does", text))
    }
}

/// Judges a version with a key of ours, of which the table says `message` and `work`.
pub fn judge(
    attachment: &AttachmentId,
    uploaded_at: Timestamp,
    message: Option<&Message>,
    work: Option<&Work>,
    now: Timestamp,
    patience: Patience,
) -> Standing {
    let (class, code) = classify(attachment, uploaded_at, message, work, now, patience);
    let next = match class {
        Class::Fresh | Class::InFlight => Next::Wait,
        Class::MessageGone | Class::UnknownKey => Next::Stay,
        // Its tries were at something else than the one step that is missing now.
        Class::Leftover => wait_or_drive(uploaded_at, work, now, patience),
        Class::Failed | Class::NeverNotified => next(uploaded_at, work, now, patience),
    };
    Standing { class, code, next }
}

/// What becomes of a version whose document cannot be read: the same as of one that failed, since ingest cannot read it either.
pub fn unreadable(uploaded_at: Timestamp, work: Option<&Work>, now: Timestamp, patience: Patience) -> Standing {
    let next = next(uploaded_at, work, now, patience);
    Standing { class: Class::Failed, code: Some(UNREADABLE.to_owned()), next }
}

/// What becomes of an object that can be no upload.
pub fn unknown_key() -> Standing {
    Standing { class: Class::UnknownKey, code: None, next: Next::Stay }
}

fn classify(
    attachment: &AttachmentId,
    uploaded_at: Timestamp,
    message: Option<&Message>,
    work: Option<&Work>,
    now: Timestamp,
    patience: Patience,
) -> (Class, Option<String>) {
    if work.is_some_and(|work| work.is_leased(now)) {
        return (Class::InFlight, None);
    }
    let code = work.and_then(|work| code(work, now));
    let Some(message) = message else { return (Class::MessageGone, code) };
    match message.attachment(attachment) {
        _ if message.deleted => return (Class::Leftover, code),
        None => return (Class::MessageGone, code),
        Some(Attachment::Pending(_)) => {}
        Some(Attachment::Ready(_) | Attachment::Rejected(_) | Attachment::Cancelled(_) | Attachment::Removed) => {
            return (Class::Leftover, code);
        }
    }
    let is_recent = |moment: Timestamp| moment.plus_seconds(patience.fresh_seconds) > now;
    let is_on_its_way = |work: &Work| work.driven_at.is_some_and(is_recent) && work.was_driven_last();
    if code.is_some() && !work.is_some_and(is_on_its_way) {
        return (Class::Failed, code);
    }
    match work.and_then(|work| work.driven_at) {
        Some(driven_at) if is_recent(driven_at) => (Class::InFlight, code),
        _ if is_recent(uploaded_at) => (Class::Fresh, None),
        Some(_) | None => (Class::NeverNotified, None),
    }
}

/// What went wrong last, if anything did.
fn code(work: &Work, now: Timestamp) -> Option<String> {
    if work.was_interrupted(now) {
        return Some(INTERRUPTED.to_owned());
    }
    work.failure.as_ref().map(|failure| failure.code.clone())
}

/// What failed too often is left alone.
fn next(uploaded_at: Timestamp, work: Option<&Work>, now: Timestamp, patience: Patience) -> Next {
    if work.is_some_and(|work| work.tries >= patience.max_tries) {
        return Next::GivenUp;
    }
    wait_or_drive(uploaded_at, work, now, patience)
}

/// The queue brings a version again by itself for a while; after that the wait doubles with every drive. It is counted from the last
/// thing that happened, and at first from the upload.
fn wait_or_drive(uploaded_at: Timestamp, work: Option<&Work>, now: Timestamp, patience: Patience) -> Next {
    let doublings = work.map_or(0, |work| work.drives).min(MOST_DOUBLINGS);
    let wait = patience.fresh_seconds.saturating_mul(1 << doublings);
    let since = work.and_then(Work::last_at).map_or(uploaded_at, |last| last.max(uploaded_at));
    if since.plus_seconds(wait) > now { Next::Wait } else { Next::Drive }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::work::Failure;

    const ATTACHMENT: &str = "01jd3v8q0zk5w6x7y8z9abcdeg";
    const PATIENCE: Patience = Patience { fresh_seconds: 100, max_tries: 3 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn message(entry: &Value) -> Message {
        let (room, moment) = ("01jd3v8q0zk5w6x7y8z9abcdef", at(0));
        serde_json::from_value(json!({
            "room": room, "seq": 1, "ver": 1, "by": "anna", "cause": "sent", "at": moment, "author": "anna", "createdAt": moment,
            "attachments": { ATTACHMENT: entry }, "attachmentOrder": [ATTACHMENT],
        }))
        .unwrap()
    }

    fn entry(state: &str) -> Value {
        json!({ "state": state, "id": ATTACHMENT, "name": "a", "size": 3, "declaredType": "image/png", "createdAt": at(0), "decidedAt": at(0) })
    }

    fn work() -> Work {
        serde_json::from_value(json!({ "version": "v" })).unwrap()
    }

    fn failed(tries: u32, seconds: i64) -> Work {
        Work { tries, failure: Some(Failure::new("SlowDown", "x", at(seconds))), ..work() }
    }

    /// The standing of a version that was uploaded at 0, pending.
    fn pending(work: Option<&Work>, now: i64) -> (Class, Option<String>, Next) {
        let found =
            judge(&ATTACHMENT.parse().unwrap(), at(0), Some(&message(&entry("pending"))), work, at(now), PATIENCE);
        (found.class, found.code, found.next)
    }

    #[test]
    fn what_nobody_tried_is_fresh_and_then_was_never_notified() {
        assert_eq!(pending(None, 99), (Class::Fresh, None, Next::Wait));
        assert_eq!(pending(None, 100), (Class::NeverNotified, None, Next::Drive));
    }

    #[test]
    fn a_lease_or_a_drive_of_a_moment_ago_is_in_flight() {
        let leased = Work { tries: 1, begun_at: Some(at(190)), lease_until: Some(at(310)), ..work() };
        assert_eq!(pending(Some(&leased), 200), (Class::InFlight, None, Next::Wait));
        let interrupted = Some(INTERRUPTED.to_owned());
        assert_eq!(pending(Some(&leased), 310), (Class::Failed, interrupted.clone(), Next::Drive));
        assert_eq!(pending(Some(&leased), 289), (Class::InFlight, None, Next::Wait));
        assert_eq!(pending(Some(&leased), 400), (Class::Failed, interrupted, Next::Drive));
        let driven = Work { drives: 1, driven_at: Some(at(200)), ..work() };
        assert_eq!(pending(Some(&driven), 299), (Class::InFlight, None, Next::Wait));
        // The second wait is twice as long.
        assert_eq!(pending(Some(&driven), 300), (Class::NeverNotified, None, Next::Wait));
        assert_eq!(pending(Some(&driven), 400), (Class::NeverNotified, None, Next::Drive));
    }

    #[test]
    fn what_failed_is_in_flight_for_a_while_once_it_was_driven_or_replayed() {
        let code = Some("SlowDown".to_owned());
        let driven_at = |seconds| Work { drives: 1, driven_at: Some(at(seconds)), ..failed(1, 150) };
        assert_eq!(pending(Some(&driven_at(200)), 299), (Class::InFlight, code.clone(), Next::Wait));
        assert_eq!(pending(Some(&driven_at(200)), 300), (Class::Failed, code.clone(), Next::Wait));
        assert_eq!(pending(Some(&driven_at(140)), 200), (Class::Failed, code.clone(), Next::Wait), "it failed since");
        let replayed = Work { drives: 0, tries: 0, driven_at: Some(at(200)), ..failed(3, 150) };
        assert_eq!(pending(Some(&replayed), 250), (Class::InFlight, code, Next::Wait));
        let interrupted = Some(INTERRUPTED.to_owned());
        let vanished = |begun| Work { begun_at: Some(at(begun)), lease_until: Some(at(220)), ..driven_at(200) };
        assert_eq!(pending(Some(&vanished(160)), 250), (Class::InFlight, interrupted.clone(), Next::Wait));
        assert_eq!(pending(Some(&vanished(210)), 250), (Class::Failed, interrupted, Next::Wait), "it began since");
    }

    #[test]
    fn what_failed_is_driven_later_and_later_and_then_left_alone() {
        let code = Some("SlowDown".to_owned());
        let driven = |drives, tries, seconds| Work { drives, ..failed(tries, seconds) };
        assert_eq!(pending(Some(&driven(0, 1, 50)), 149), (Class::Failed, code.clone(), Next::Wait));
        assert_eq!(pending(Some(&driven(0, 2, 50)), 150), (Class::Failed, code.clone(), Next::Drive));
        assert_eq!(pending(Some(&driven(1, 2, 50)), 249), (Class::Failed, code.clone(), Next::Wait));
        assert_eq!(pending(Some(&driven(1, 2, 50)), 250), (Class::Failed, code.clone(), Next::Drive));
        assert_eq!(pending(Some(&driven(60, 2, 50)), 50 + 6399), (Class::Failed, code.clone(), Next::Wait));
        assert_eq!(pending(Some(&driven(60, 2, 50)), 50 + 6400), (Class::Failed, code.clone(), Next::Drive));
        assert_eq!(pending(Some(&driven(0, 3, 50)), 1_000_000), (Class::Failed, code, Next::GivenUp));
        assert_eq!(unreadable(at(0), Some(&failed(3, 50)), at(1_000_000), PATIENCE).next, Next::GivenUp);
        assert_eq!(unreadable(at(0), None, at(100), PATIENCE).next, Next::Drive);
    }

    #[test]
    fn what_was_given_up_and_then_deleted_or_cancelled_leaves_all_the_same() {
        let tombstone = Message { deleted: true, attachments: None, ..message(&entry("pending")) };
        for decided in [tombstone, message(&entry("cancelled"))] {
            let work = failed(99, 50);
            let found = judge(&ATTACHMENT.parse().unwrap(), at(0), Some(&decided), Some(&work), at(150), PATIENCE);
            assert_eq!((found.class, found.next), (Class::Leftover, Next::Drive));
        }
    }

    #[test]
    fn what_is_decided_only_has_to_leave() {
        let judged =
            |found: Option<&Message>, now| judge(&ATTACHMENT.parse().unwrap(), at(0), found, None, at(now), PATIENCE);
        for decided in [entry("cancelled"), json!({ "state": "removed" })] {
            let found = judged(Some(&message(&decided)), 100);
            assert_eq!((found.class, found.next), (Class::Leftover, Next::Drive));
            assert_eq!(judged(Some(&message(&decided)), 99).next, Next::Wait);
        }
        let tombstone = Message { deleted: true, attachments: None, ..message(&entry("pending")) };
        assert_eq!(judged(Some(&tombstone), 100).class, Class::Leftover);
    }

    #[test]
    fn absent_is_not_deleted() {
        let judged =
            |found: Option<&Message>| judge(&ATTACHMENT.parse().unwrap(), at(0), found, None, at(10_000), PATIENCE);
        assert_eq!((judged(None).class, judged(None).next), (Class::MessageGone, Next::Stay));
        let other = Message { attachments: None, ..message(&entry("pending")) };
        assert_eq!((judged(Some(&other)).class, judged(Some(&other)).next), (Class::MessageGone, Next::Stay));
        assert_eq!(unknown_key().next, Next::Stay);
    }

    #[test]
    fn classes_are_read_as_they_are_written() {
        for class in Class::ALL {
            assert_eq!(class.to_string().parse::<Class>().unwrap(), class);
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
        assert!("lost".parse::<Class>().is_err());
        for next in Next::ALL {
            assert_eq!(next.as_str().parse::<Next>().unwrap(), next);
            assert_eq!(serde_json::to_value(next).unwrap(), next.as_str());
        }
        assert!("given up".parse::<Next>().is_err());
    }
}
