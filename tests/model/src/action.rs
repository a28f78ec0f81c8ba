//! Everything that can happen next, in any order.

use crate::pair::{Version, Worker};
use crate::state::{Bytes, Object, Step};

/// One call, or one mishap. Whatever a call changes, it changes at once; what takes longer is two actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Somebody uploads to the key: at any time, also after the decision, and twice.
    Upload(Version, Bytes),
    /// The sender gives the pending attachment up.
    Cancel,
    /// The sender takes the attachment out of the message.
    Remove,
    /// The author deletes the message.
    Delete,
    /// The table goes back to a time before the message.
    LoseMessage,
    /// The queue delivers an event about a version to an idle worker. Events come late, out of order, more than once, after
    /// they were acknowledged, or not at all: so the queue needs no state, and any version that was ever uploaded may be
    /// named at any time.
    Deliver(Version, Worker),
    /// Sweep finds the version standing in the inbox and sends it through the same door.
    Redrive(Version, Worker),
    /// The worker makes its next call and gets the answer. Its version and step are named for the reader of a history.
    Call(Worker, Version, Step),
    /// The worker's write takes effect and the answer is lost: the SDK will send the write again.
    LoseAnswer(Worker),
    /// The worker's copy goes on without it: the client waits no longer and will ask for the copy again, or die next.
    AbandonCopy(Worker),
    /// The worker dies. Its event is not acknowledged.
    Crash(Worker),
    /// A copy that was abandoned lands.
    LandCopy(Version),
    /// The audit (the collector, not asked by anybody) reads the document.
    AuditLooks,
    /// It deletes an object that the document, as it read it, does not point at.
    AuditDeletes(Version, Object),
    /// It ends, or dies.
    AuditEnds,
    /// The collect that a decision enqueued runs.
    Collect,
    /// The reclaim that a removal or a deletion enqueued runs.
    Reclaim,
}
