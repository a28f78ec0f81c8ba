//! The protocol as a graph that can be searched: which actions are possible in a state, and where each leads.

use stateright::{Model, Property};

use crate::action::Action;
use crate::healing::land_copy;
use crate::pair::{Version, Worker};
use crate::protocol::Protocol;
use crate::state::{Bytes, Entry, Slot, State, Step};
use crate::{steps, upkeep};

/// How often a worker is started, by event or sweep: two runs that disturb each other, and a third that finds what they left.
/// It bounds crashes as well, since each ends a run. Nothing else is bounded but the uploads, of which there are two: one to
/// publish, and one that comes too late.
pub const MAX_STARTS: u8 = 3;

/// One protocol and what is asked of it.
pub struct Ingest {
    /// The rules.
    pub protocol: Protocol,
    /// The properties to look at.
    pub asked: Vec<Property<Self>>,
}

impl Model for Ingest {
    type State = State;
    type Action = Action;

    /// The message is announced, or was never made.
    fn init_states(&self) -> Vec<State> {
        vec![State::new(Entry::Pending), State::new(Entry::Absent)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        people(state, actions);
        queue(state, actions);
        workers(state, actions);
        upkeep(self.protocol, state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        apply(self.protocol, &mut state, action);
        state.order_workers();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.asked.clone()
    }
}

fn people(state: &State, actions: &mut Vec<Action>) {
    for bytes in Bytes::ALL {
        match (state.inbox[Version::First], state.inbox[Version::Second]) {
            (Slot::Empty, _) => actions.push(Action::Upload(Version::First, bytes)),
            // A version that nobody has looked at changes no call about the other. So it may as well have come first, and of
            // every two files one order is enough: whatever happens in the other order happens here under swapped names.
            (Slot::Standing(first) | Slot::Gone(first), Slot::Empty) if bytes >= first => {
                actions.push(Action::Upload(Version::Second, bytes));
            }
            _ => {}
        }
    }
    if state.entry == Entry::Pending {
        actions.push(Action::Cancel);
    }
    if state.entry != Entry::Absent && state.entry != Entry::Deleted {
        actions.push(Action::Delete);
        if state.entry != Entry::Removed {
            actions.push(Action::Remove);
        }
    }
    // Once decided, the bytes have left the inbox, and a lost decision is for ops to mend.
    if state.entry == Entry::Pending {
        actions.push(Action::LoseMessage);
    }
}

fn queue(state: &State, actions: &mut Vec<Action>) {
    let Some(worker) = state.idle_worker().filter(|_| state.starts < MAX_STARTS) else { return };
    for version in Version::ALL {
        if state.inbox[version] != Slot::Empty {
            actions.push(Action::Deliver(version, worker));
        }
        if state.inbox[version].standing().is_some() {
            actions.push(Action::Redrive(version, worker));
        }
    }
}

fn workers(state: &State, actions: &mut Vec<Action>) {
    for worker in Worker::ALL {
        let Some(run) = state.workers[worker] else { continue };
        actions.extend([Action::Call(worker, run.version, run.step), Action::Crash(worker)]);
        if matches!(run.step, Step::Publish | Step::Reject) && state.entry == Entry::Pending {
            actions.push(Action::LoseAnswer(worker));
        }
        if run.step == Step::Copied {
            actions.push(Action::AbandonCopy(worker));
        }
    }
    let in_flight = Version::ALL.into_iter().filter(|&version| state.copies_in_flight[version]);
    actions.extend(in_flight.map(Action::LandCopy));
}

fn upkeep(protocol: Protocol, state: &State, actions: &mut Vec<Action>) {
    match state.audit {
        None if upkeep::look(protocol, state.entry).is_some() => actions.push(Action::AuditLooks),
        None => {}
        Some(audit) => {
            actions.push(Action::AuditEnds);
            let orphans = upkeep::orphans(state, audit);
            actions.extend(orphans.map(|(version, object)| Action::AuditDeletes(version, object)));
        }
    }
    if upkeep::may_collect(protocol, state) {
        actions.push(Action::Collect);
    }
    if state.reclaim_due {
        actions.push(Action::Reclaim);
    }
}

fn apply(protocol: Protocol, state: &mut State, action: Action) {
    match action {
        Action::Upload(version, bytes) => state.inbox[version] = Slot::Standing(bytes),
        Action::Cancel => state.write(Entry::Cancelled),
        Action::Remove => state.write(Entry::Removed),
        Action::Delete => state.write(Entry::Deleted),
        Action::LoseMessage => state.entry = Entry::Absent,
        Action::Deliver(version, worker) | Action::Redrive(version, worker) => {
            state.starts += 1;
            steps::start(state, worker, version);
        }
        Action::Call(worker, ..) => steps::call(protocol, state, worker),
        Action::LoseAnswer(worker) => {
            let run = state.workers[worker];
            steps::call(protocol, state, worker);
            state.workers[worker] = run;
        }
        Action::AbandonCopy(worker) => {
            if let Some(run) = &mut state.workers[worker] {
                run.step = Step::Copy;
                let version = run.version;
                state.copies_in_flight[version] = true;
            }
        }
        Action::Crash(worker) => state.workers[worker] = None,
        Action::LandCopy(version) => land_copy(state, version),
        Action::AuditLooks => state.audit = upkeep::look(protocol, state.entry),
        Action::AuditDeletes(version, object) => state.processed[version].delete(object),
        Action::AuditEnds => state.audit = None,
        Action::Collect => upkeep::collect(protocol, state),
        Action::Reclaim => upkeep::reclaim(state),
    }
}
