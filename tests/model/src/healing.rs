//! What becomes of a state when nothing goes wrong any more.

use crate::pair::{Version, Worker};
use crate::protocol::Protocol;
use crate::state::{Entry, Objects, Slot, State};
use crate::{properties, steps, upkeep};

/// More calls than any run makes: a run that is longer goes round in circles, and so heals nothing.
const MAX_CALLS_OF_A_RUN: usize = 12;

/// Runs what is under way to its end, then sweep, reclaim and collector, each once, without a fault. Sweep takes the versions
/// in the order given. Events are not counted on.
pub fn heal(protocol: Protocol, state: &State, order: [Version; 2]) -> State {
    let mut state = state.clone();
    for worker in Worker::ALL {
        finish(protocol, &mut state, worker);
    }
    for version in Version::ALL {
        land_copy(&mut state, version);
    }
    state.audit = None;
    for version in order {
        if state.inbox[version].standing().is_some() {
            steps::start(&mut state, Worker::A, version);
            finish(protocol, &mut state, Worker::A);
        }
    }
    if state.reclaim_due {
        upkeep::reclaim(&mut state);
    }
    if upkeep::may_collect(protocol, &state) {
        upkeep::collect(protocol, &mut state);
    }
    state
}

/// A copy that was abandoned lands, if there is one.
pub fn land_copy(state: &mut State, version: Version) {
    if std::mem::take(&mut state.copies_in_flight[version]) {
        state.processed[version].original = true;
    }
}

fn finish(protocol: Protocol, state: &mut State, worker: Worker) {
    for _ in 0..MAX_CALLS_OF_A_RUN {
        steps::call(protocol, state, worker);
    }
}

/// Whether nothing is left to do: an empty inbox, a decision for whatever was uploaded, no orphans, and the other properties
/// hold here as well. What belongs to no message is unknown, and stays.
pub fn is_healed(state: &State) -> bool {
    let idle = Worker::ALL.into_iter().all(|worker| state.workers[worker].is_none());
    let empty = Version::ALL.into_iter().all(|version| state.inbox[version].standing().is_none());
    let decided =
        state.entry.is_decided() || Version::ALL.into_iter().all(|version| state.inbox[version] == Slot::Empty);
    let no_orphans = Version::ALL
        .into_iter()
        .all(|version| state.entry.published() == Some(version) || state.processed[version] == Objects::default());
    let settled = state.entry == Entry::Absent || (empty && decided && no_orphans);
    idle && settled && properties::is_safe(state)
}
