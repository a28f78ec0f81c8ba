//! The protocol over its complete state space, its broken variants, and some histories to read.

use std::time::Instant;

use stateright::{Checker, Model, Path, Property};

use crate::action::Action::{self, Call, Collect, Delete, Deliver, LoseAnswer, Reclaim, Redrive, Upload};
use crate::model::Ingest;
use crate::pair::Version::{First, Second};
use crate::pair::Worker::A;
use crate::properties::{
    self, IT_HEALS, NO_GHOSTS, NOTHING_LOST, ONLY_EXAMINED_BYTES_LEAVE, READY_IS_WHOLE, THE_FIRST_DECISION_IS_FINAL,
};
use crate::protocol::Protocol;
use crate::state::Bytes::{Invalid, Valid};
use crate::state::Step::{Ask, Copied, Copy, Inspect, Publish, Quarantine, Reject, Retire, Thumbnails};
use crate::state::{Entry, Objects, Slot, State, Step};

/// Fewer states than this would mean that actions have gone missing.
const LEAST_STATES: usize = 1_000_000;

#[test]
fn the_protocol_keeps_all_its_promises_in_every_state() {
    let begun = Instant::now();
    let search = Ingest { protocol: Protocol::Correct, asked: properties::always() };
    let search = search.checker().threads(2).spawn_bfs().join();
    let (states, calls) = (search.unique_state_count(), search.state_count());
    println!("correct: {states} states, {calls} actions, in {:.1?}", begun.elapsed());
    for (name, path) in search.discoveries() {
        println!("broken: {name}\n{}", history(&path));
    }
    search.assert_properties();
    assert!(states > LEAST_STATES, "{states} states");
}

#[test]
fn what_must_be_possible_is() {
    for property in properties::sometimes() {
        let name = property.name;
        let (path, states) = shortest(Protocol::Correct, property);
        let path = path.unwrap_or_else(|| panic!("out of reach: {name}"));
        println!("\"{name}\" in {} (of {states} states)\n{}", length(&path), history(&path));
    }
}

#[test]
fn a_collector_that_deletes_while_pending_leaves_a_ready_entry_that_points_at_nothing() {
    breaks(Protocol::CollectorWhilePending, READY_IS_WHOLE);
}

#[test]
fn an_unconditional_publish_brings_back_what_was_deleted() {
    let history = breaks(Protocol::UnconditionalPublish, NO_GHOSTS);
    assert!(history.contains(&Delete), "a message was deleted");
}

#[test]
fn an_unconditional_publish_makes_ready_what_was_collected() {
    breaks(Protocol::UnconditionalPublish, READY_IS_WHOLE);
}

#[test]
fn an_unconditional_publish_replaces_a_decision() {
    breaks(Protocol::UnconditionalPublish, THE_FIRST_DECISION_IS_FINAL);
}

#[test]
fn publishing_before_the_copy_points_at_nothing() {
    breaks(Protocol::PublishBeforeCopy, READY_IS_WHOLE);
}

#[test]
fn retiring_before_the_publish_loses_the_file() {
    breaks(Protocol::RetireBeforePublish, NOTHING_LOST);
}

#[test]
fn retiring_the_key_deletes_an_upload_that_nobody_has_looked_at() {
    breaks(Protocol::RetireByKey, ONLY_EXAMINED_BYTES_LEAVE);
}

#[test]
fn without_a_collector_orphans_stay() {
    breaks(Protocol::NoCollector, IT_HEALS);
}

#[test]
fn a_collect_without_its_delay_leaves_orphans_to_the_audit() {
    breaks(Protocol::CollectWithoutDelay, IT_HEALS);
}

#[test]
fn an_own_success_that_is_read_as_a_loss_puts_a_published_file_into_quarantine() {
    let history = breaks(Protocol::OwnSuccessReadAsLoss, THE_FIRST_DECISION_IS_FINAL);
    assert!(history.contains(&LoseAnswer(A)), "the SDK sent the write again");
}

#[test]
fn a_valid_file_is_published_and_leaves_the_inbox() {
    let end =
        play(&[Upload(First, Valid), Deliver(First, A)], &[Ask, Inspect, Thumbnails, Copy, Copied, Publish, Retire]);
    assert_eq!((end.entry, end.inbox[First]), (Entry::Ready(First), Slot::Gone(Valid)));
    assert_eq!(end.processed[First], Objects { thumbnails: true, original: true });
    assert!(!end.quarantine[First]);
}

#[test]
fn an_invalid_file_is_rejected_and_kept_in_quarantine() {
    let end = play(&[Upload(First, Invalid), Deliver(First, A)], &[Ask, Inspect, Reject, Quarantine, Retire]);
    assert_eq!((end.entry, end.inbox[First]), (Entry::Rejected, Slot::Gone(Invalid)));
    assert!(end.quarantine[First]);
}

#[test]
fn late_bytes_of_a_deleted_message_go_without_a_look_also_when_sweep_finds_them() {
    for start in [Deliver(First, A), Redrive(First, A)] {
        let end = play(&[Delete, Reclaim, Collect, Upload(First, Valid), start], &[Ask, Retire]);
        assert_eq!((end.entry, end.inbox[First]), (Entry::Deleted, Slot::Gone(Valid)));
        assert_eq!((end.processed[First], end.quarantine[First]), (Objects::default(), false));
    }
}

#[test]
fn a_publish_that_meets_its_own_success_retires() {
    let first_try = [Ask, Inspect, Thumbnails, Copy, Copied].map(|step| Call(A, First, step));
    let before = [&[Upload(First, Valid), Deliver(First, A)], &first_try[..], &[LoseAnswer(A)]].concat();
    let end = play(&before, &[Publish, Retire]);
    assert_eq!((end.entry, end.inbox[First], end.quarantine[First]), (Entry::Ready(First), Slot::Gone(Valid), false));
}

#[test]
fn what_is_uploaded_after_the_decision_goes_to_quarantine() {
    let first = [Ask, Inspect, Thumbnails, Copy, Copied, Publish, Retire].map(|step| Call(A, First, step));
    let before = [&[Upload(First, Valid), Deliver(First, A)], &first[..], &[Upload(Second, Valid)]].concat();
    let second = [Ask, Quarantine, Retire].map(|step| Call(A, Second, step));
    let end = play(&[&before[..], &[Deliver(Second, A)], &second[..]].concat(), &[]);
    assert_eq!((end.entry, end.inbox[Second], end.quarantine[Second]), (Entry::Ready(First), Slot::Gone(Valid), true));
}

/// Finds a shortest history in which `protocol` breaks the property, and says it.
fn breaks(protocol: Protocol, name: &str) -> Vec<Action> {
    let property = properties::always().into_iter().find(|property| property.name == name).unwrap();
    let (path, states) = shortest(protocol, property);
    let path = path.unwrap_or_else(|| panic!("{protocol:?} does not break: {name}"));
    println!("{protocol:?} breaks \"{name}\" in {} (of {states} states)\n{}", length(&path), history(&path));
    path.into_actions()
}

/// A shortest history that discovers the property, and how many states were reached. One thread and one property: with more,
/// Stateright may report a longer one.
fn shortest(protocol: Protocol, property: Property<Ingest>) -> (Option<Path<State, Action>>, usize) {
    let name = property.name;
    let search = Ingest { protocol, asked: vec![property] }.checker().threads(1).spawn_bfs().join();
    (search.discovery(name), search.unique_state_count())
}

fn length(path: &Path<State, Action>) -> String {
    match path.clone().into_actions().len() {
        1 => "1 action".to_owned(),
        length => format!("{length} actions"),
    }
}

/// The history, an action a line.
fn history(path: &Path<State, Action>) -> String {
    let actions = path.clone().into_actions();
    let lines: Vec<_> = actions.iter().zip(1..).map(|(action, at)| format!("  {at:2}. {action:?}")).collect();
    lines.join("\n")
}

/// Plays `before` and then the calls of worker A about the first version. Each must be possible.
fn play(before: &[Action], calls: &[Step]) -> State {
    let model = Ingest { protocol: Protocol::Correct, asked: Vec::new() };
    let history: Vec<_> = before.iter().copied().chain(calls.iter().map(|&step| Call(A, First, step))).collect();
    let path = Path::from_actions(&model, State::new(Entry::Pending), &history).expect("every action is possible");
    path.last_state().clone()
}
