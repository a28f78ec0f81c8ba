//! What the protocol promises in every state, and what some history must reach, lest the promises hold of nothing.

use stateright::Property;

use crate::healing::{heal, is_healed};
use crate::model::Ingest;
use crate::pair::{Version, Worker};
use crate::state::{Bytes, Entry, Objects, Run, Slot, State, Step};

/// A `ready` entry points at an original and thumbnails made from one validated version, all present.
pub const READY_IS_WHOLE: &str = "ready is whole";
/// While an uploaded attachment is not decided, its bytes are in the inbox.
pub const NOTHING_LOST: &str = "nothing lost";
/// A version leaves the inbox only published, quarantined, or because its tombstone stands (or its entry is removed).
pub const ONLY_EXAMINED_BYTES_LEAVE: &str = "only examined bytes leave";
/// Nothing brings back a deleted message, a removed attachment, or a message that is absent.
pub const NO_GHOSTS: &str = "no ghosts";
/// From here, sweep, collector and reclaim reach an empty inbox, a decided attachment and no orphans.
pub const IT_HEALS: &str = "it heals";
/// No decision is replaced by another, and the bytes agree with it: what is published is not in quarantine as well.
pub const THE_FIRST_DECISION_IS_FINAL: &str = "the first decision is final";

/// What must hold in every state that can be reached.
pub fn always() -> Vec<Property<Ingest>> {
    vec![
        Property::always(READY_IS_WHOLE, |_, state: &State| ready_is_whole(state)),
        Property::always(NOTHING_LOST, |_, state: &State| nothing_lost(state)),
        Property::always(ONLY_EXAMINED_BYTES_LEAVE, |_, state: &State| only_examined_bytes_leave(state)),
        Property::always(NO_GHOSTS, |_, state: &State| !state.history.revived),
        Property::always(THE_FIRST_DECISION_IS_FINAL, |_, state: &State| the_first_decision_is_final(state)),
        Property::always(IT_HEALS, it_heals),
    ]
}

/// What must be reached by some history. Were one of these out of reach, the search would prove less than it seems to.
pub fn sometimes() -> Vec<Property<Ingest>> {
    vec![
        Property::sometimes("published", |_, state: &State| state.entry.published().is_some()),
        Property::sometimes("rejected", |_, state: &State| state.entry == Entry::Rejected),
        Property::sometimes("the second version is published, and not the first", |_, state: &State| {
            state.entry == Entry::Ready(Version::Second)
        }),
        Property::sometimes("the second version is in quarantine, the first is published", |_, state: &State| {
            state.entry == Entry::Ready(Version::First) && state.quarantine[Version::Second]
        }),
        // One run alone: the success that it is about to meet can be nobody else's.
        Property::sometimes("a publish is sent again after its own success", |_, state: &State| {
            state.starts == 1
                && at_work(state, |run| (run.step, state.entry) == (Step::Publish, Entry::Ready(run.version)))
        }),
        Property::sometimes("two workers are about to publish one version", |_, state: &State| {
            let [a, b] = Worker::ALL.map(|worker| state.workers[worker]);
            a == b && a.is_some_and(|run| run.step == Step::Publish)
        }),
        Property::sometimes("an object appears after the reclaim", |_, state: &State| {
            state.entry == Entry::Deleted && !state.reclaim_due && state.processed[Version::First].original
        }),
        Property::sometimes("what belongs to no message stays", |_, state: &State| {
            let looked_for = state.starts > 0 && !at_work(state, |_| true);
            state.entry == Entry::Absent && state.inbox[Version::First].standing().is_some() && looked_for
        }),
        Property::sometimes("the audit looked before the file was taken away", |_, state: &State| {
            state.entry.is_taken_away() && state.audit.is_some_and(|audit| audit.keep.is_some())
        }),
    ]
}

fn ready_is_whole(state: &State) -> bool {
    state.entry.published().is_none_or(|version| {
        state.inbox[version].holds(Bytes::Valid)
            && state.processed[version] == Objects { thumbnails: true, original: true }
    })
}

fn nothing_lost(state: &State) -> bool {
    state.entry.is_decided() || Version::ALL.into_iter().all(|version| !matches!(state.inbox[version], Slot::Gone(_)))
}

fn only_examined_bytes_leave(state: &State) -> bool {
    Version::ALL.into_iter().all(|version| match state.inbox[version] {
        Slot::Empty | Slot::Standing(_) => true,
        Slot::Gone(_) => {
            state.entry.published() == Some(version) || state.quarantine[version] || state.entry.is_taken_away()
        }
    })
}

fn the_first_decision_is_final(state: &State) -> bool {
    !state.history.redecided && state.entry.published().is_none_or(|version| !state.quarantine[version])
}

/// Both orders in which sweep may find the two versions.
fn it_heals(model: &Ingest, state: &State) -> bool {
    let [first, second] = Version::ALL;
    [[first, second], [second, first]].into_iter().all(|order| is_healed(&heal(model.protocol, state, order)))
}

/// Whether all that does not look ahead holds.
pub(crate) fn is_safe(state: &State) -> bool {
    ready_is_whole(state)
        && nothing_lost(state)
        && only_examined_bytes_leave(state)
        && !state.history.revived
        && the_first_decision_is_final(state)
}

fn at_work(state: &State, is: impl Fn(Run) -> bool) -> bool {
    Worker::ALL.into_iter().filter_map(|worker| state.workers[worker]).any(is)
}
