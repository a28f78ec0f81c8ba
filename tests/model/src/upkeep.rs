//! Collector and reclaim: who deletes processed objects, and when they may.

use crate::pair::Version;
use crate::protocol::Protocol;
use crate::state::{Audit, Entry, Object, State};

const OBJECTS: [Object; 2] = [Object::Thumbnails, Object::Original];

/// The collector's one rule: what it may spare and what it may delete, as the document says now. `None`: nothing at all, for
/// while an attachment is pending, an object that nothing points at may be about to be published; and absent is not deleted.
pub fn look(protocol: Protocol, entry: Entry) -> Option<Audit> {
    let may = match protocol {
        Protocol::NoCollector => false,
        Protocol::CollectorWhilePending => entry.is_decided() || entry == Entry::Pending,
        Protocol::Correct
        | Protocol::UnconditionalPublish
        | Protocol::PublishBeforeCopy
        | Protocol::RetireBeforePublish
        | Protocol::RetireByKey
        | Protocol::CollectWithoutDelay
        | Protocol::OwnSuccessReadAsLoss => entry.is_decided(),
    };
    may.then(|| Audit { keep: entry.published() })
}

/// What an audit that has looked may delete.
pub fn orphans(state: &State, audit: Audit) -> impl Iterator<Item = (Version, Object)> {
    let versions = Version::ALL.into_iter().filter(move |&version| audit.keep != Some(version));
    let all = versions.flat_map(|version| OBJECTS.into_iter().map(move |object| (version, object)));
    all.filter(|&(version, object)| state.processed[version].holds(object))
}

/// Whether the delayed collect may run: its delay is longer than any run lasts, and any copy, so that nothing which began
/// before the decision still writes. An audit does not wait; so a collect that comes too early is looked at as well.
pub fn may_collect(protocol: Protocol, state: &State) -> bool {
    state.collect_due && (protocol == Protocol::CollectWithoutDelay || !state.objects_may_appear())
}

/// Looks, deletes, and takes the order off the queue.
pub fn collect(protocol: Protocol, state: &mut State) {
    state.collect_due = false;
    let Some(audit) = look(protocol, state.entry) else { return };
    let found: Vec<_> = orphans(state, audit).collect();
    for (version, object) in found {
        state.processed[version].delete(object);
    }
}

/// Deletes all that the attachment had. It may come before a slow worker's last write: the collect comes behind that.
pub fn reclaim(state: &mut State) {
    state.reclaim_due = false;
    if !state.entry.is_taken_away() {
        return;
    }
    for version in Version::ALL {
        for object in OBJECTS {
            state.processed[version].delete(object);
        }
    }
}
