//! A worker's calls: the table in docs/ARCHITECTURE.md, a function for each row. It answers the next call; `None` ends the run,
//! and its event is acknowledged.

use crate::pair::{Version, Worker};
use crate::protocol::Protocol;
use crate::state::{Bytes, Entry, Run, State, Step};

/// Starts a run over `version`.
pub fn start(state: &mut State, worker: Worker, version: Version) {
    state.workers[worker] = Some(Run { step: Step::Ask, version });
}

/// Makes the worker's next call.
pub fn call(protocol: Protocol, state: &mut State, worker: Worker) {
    let Some(Run { step, version }) = state.workers[worker] else { return };
    let next = match step {
        Step::Ask => ask(state, version),
        Step::Inspect => inspect(state, version),
        Step::Thumbnails => Some(thumbnails(protocol, state, version)),
        Step::Copy => copy(state, version),
        Step::Copied => Some(copied(protocol, state, version)),
        Step::Publish => publish(protocol, state, version),
        Step::Reject => reject(state, version),
        Step::Quarantine => Some(quarantine(state, version)),
        Step::Retire => {
            retire(protocol, state, version);
            None
        }
        Step::RetireTooEarly => {
            retire(protocol, state, version);
            Some(Step::Publish)
        }
    };
    state.workers[worker] = next.map(|step| Run { step, version });
}

/// What the document says of the version. `ready` with this very version is the work of a run like this one, or of this one.
fn ask(state: &State, version: Version) -> Option<Step> {
    match state.entry {
        Entry::Absent => None,
        Entry::Pending => Some(Step::Inspect),
        Entry::Ready(published) if published == version => Some(Step::Retire),
        Entry::Ready(_) | Entry::Rejected | Entry::Cancelled => Some(Step::Quarantine),
        Entry::Removed | Entry::Deleted => Some(Step::Retire),
    }
}

/// Somebody else has finished, when the version is gone.
fn inspect(state: &State, version: Version) -> Option<Step> {
    state.inbox[version].standing().map(|bytes| match bytes {
        Bytes::Valid | Bytes::Mistaken => Step::Thumbnails,
        Bytes::Invalid => Step::Reject,
    })
}

/// They come from the inspector: whether the version still stands makes no difference.
fn thumbnails(protocol: Protocol, state: &mut State, version: Version) -> Step {
    state.processed[version].thumbnails = true;
    if protocol == Protocol::PublishBeforeCopy { Step::Publish } else { Step::Copy }
}

/// S3 needs the source to begin, and no longer.
fn copy(state: &State, version: Version) -> Option<Step> {
    state.inbox[version].standing().map(|_| Step::Copied)
}

/// S3 tells the digest of what it copied, and only now it may turn out to be another than the sender's.
fn copied(protocol: Protocol, state: &mut State, version: Version) -> Step {
    state.processed[version].original = true;
    if state.inbox[version].holds(Bytes::Mistaken) {
        return Step::Reject;
    }
    match protocol {
        Protocol::PublishBeforeCopy => Step::Retire,
        Protocol::RetireBeforePublish => Step::RetireTooEarly,
        Protocol::Correct
        | Protocol::CollectorWhilePending
        | Protocol::UnconditionalPublish
        | Protocol::RetireByKey
        | Protocol::NoCollector
        | Protocol::CollectWithoutDelay
        | Protocol::OwnSuccessReadAsLoss => Step::Publish,
    }
}

fn publish(protocol: Protocol, state: &mut State, version: Version) -> Option<Step> {
    let unconditional = protocol == Protocol::UnconditionalPublish;
    if state.entry == Entry::Pending || unconditional {
        state.write(Entry::Ready(version));
        return Some(if protocol == Protocol::PublishBeforeCopy { Step::Copy } else { Step::Retire });
    }
    if protocol == Protocol::OwnSuccessReadAsLoss && state.entry == Entry::Ready(version) {
        return Some(Step::Quarantine);
    }
    after_a_lost_write(state, version)
}

fn reject(state: &mut State, version: Version) -> Option<Step> {
    if state.entry == Entry::Pending {
        state.write(Entry::Rejected);
        return Some(Step::Quarantine);
    }
    after_a_lost_write(state, version)
}

/// 5′. The refused write answers the document as it found it; what that says is read as in step 1.
fn after_a_lost_write(state: &State, version: Version) -> Option<Step> {
    ask(state, version)
}

/// When the version is gone, somebody else has done it.
fn quarantine(state: &mut State, version: Version) -> Step {
    if state.inbox[version].standing().is_some() {
        state.quarantine[version] = true;
    }
    Step::Retire
}

fn retire(protocol: Protocol, state: &mut State, version: Version) {
    if protocol == Protocol::RetireByKey {
        for any in Version::ALL {
            state.inbox[any].retire();
        }
    }
    state.inbox[version].retire();
}
