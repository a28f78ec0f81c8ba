//! Flows across the whole system, against the local cloud: the template, the functions and the roles as they are deployed.
//!
//! One stack for the run, one room for each test. A module is an arrow of the picture in the README, and its tests are named by
//! what must hold. Checks that the local cloud is laxer about than AWS say so.

#![expect(
    clippy::indexing_slicing,
    reason = "what a test reads from JSON that is not there is null, and the test fails"
)]
#![expect(clippy::disallowed_methods, reason = "bodies are read whole where it is the local cloud that answers")]

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

mod a_full_inbox;
mod client_to_api;
mod client_to_inbox;
mod demo_from_outside;
mod events_to_ingest;
mod faults;
mod hall_heals;
mod inbox_to_processed;
mod inbox_to_quarantine;
mod interleavings;
mod logs_of_one_upload;
mod names_are_data;
mod objects_to_nowhere;
mod operations_are_as_written;
mod ops_see_and_replay;
mod random_histories;
mod roles;
mod rooms_and_messages;
mod send_from_a_terminal;
mod soak;
mod support;
mod sweeping;
mod table_to_archive;
mod table_to_people;
mod uploads_in_parts;

use support::cloud::Cloud;

/// Tests at once. They wait for the local cloud most of the time.
const THREADS: usize = 4;

/// A test of the whole system.
type Flow = fn(Arc<Cloud>) -> futures::future::LocalBoxFuture<'static, anyhow::Result<()>>;

/// Lists tests by name: `flows![module: a_test, another]`.
macro_rules! flows {
    ($($module:ident: $($test:ident),+ $(,)?;)+) => {
        &[$($((concat!(stringify!($module), "::", stringify!($test)), (|cloud| Box::pin($module::$test(cloud))) as Flow)),+),+]
    };
}

const FLOWS: &[(&str, Flow)] = flows![
    client_to_api:
        a_customer_has_one_open_room_however_many_are_opened_at_once,
        to_a_stranger_the_room_does_not_exist,
        only_a_whole_access_token_opens_the_api,
        a_retried_send_returns_the_first_answer,
        messages_sent_at_once_are_numbered_without_a_gap,
        an_author_edits_and_deletes_and_nobody_else,
        a_bad_request_is_told_what_is_wrong;
    rooms_and_messages:
        pages_of_rooms_follow_one_another_and_a_closed_room_is_on_none,
        of_two_operators_who_take_a_room_one_gets_it,
        a_room_is_handed_on_and_given_back_by_its_operator_alone,
        an_upload_is_cancelled_and_an_attachment_removed_once_and_for_all,
        in_a_closed_room_nothing_is_written_but_what_was_sent_can_be_taken_back,
        a_client_message_id_is_free_again_after_a_day,
        edits_and_sends_at_once_all_get_through,
        changes_are_paged_in_their_order,
        a_download_is_a_redirect_or_a_document,
        within_a_window_everybody_gets_the_same_url_whoever_signs_it;
    client_to_inbox:
        what_was_not_promised_is_refused_by_s3,
        the_signature_covers_what_the_sender_promised,
        a_second_upload_does_not_replace_the_first,
        an_upload_can_be_issued_again_until_it_is_decided,
        an_expired_ticket_is_refused_by_s3,
        an_upload_that_has_lapsed_is_not_issued_again;
    uploads_in_parts:
        a_file_in_parts_arrives_whole_and_completing_it_again_changes_nothing,
        a_part_is_signed_for_this_file_alone,
        what_was_not_promised_is_not_put_together,
        of_many_uploads_of_one_file_two_stay,
        parts_may_come_with_checksums,
        a_form_uploads_exactly_what_was_promised,
        a_person_has_a_quota_of_a_window_and_of_what_is_pending;
    inbox_to_processed:
        a_photo_comes_back_with_upright_thumbnails,
        a_file_that_is_no_picture_passes_with_facts,
        a_large_version_is_copied_in_parts,
        every_event_again_and_in_reverse_changes_nothing,
        duplicates_in_flight_publish_once;
    inbox_to_quarantine:
        two_versions_of_one_key_end_in_one_published_and_one_quarantined,
        a_cancelled_upload_that_arrives_all_the_same_is_quarantined,
        bytes_of_another_length_are_refused,
        bytes_of_another_digest_are_refused,
        a_truncated_photo_is_damaged,
        an_empty_file_is_refused_as_empty;
    events_to_ingest:
        a_version_without_a_message_stays_and_is_reported,
        a_deleted_message_is_never_made_again,
        a_removed_attachment_lets_its_late_bytes_go,
        direct_and_eventbridge_events_do_the_same_as_queued_ones,
        a_bad_message_of_a_batch_fails_alone,
        a_transient_fault_puts_the_message_back_early;
    logs_of_one_upload:
        a_film_of_64_mb_costs_a_few_ranges,
        the_inspector_says_at_its_start_which_layers_are_around_its_children,
        one_id_joins_the_lines_of_all_functions_and_no_line_holds_a_secret,
        tickets_and_texts_are_in_no_line_of_what_is_live_or_archived;
    table_to_archive:
        every_change_says_who_why_and_when,
        batches_that_come_again_or_are_split_lose_and_clobber_nothing,
        poison_behind_healthy_records_is_answered_by_its_place,
        poison_lands_in_the_failure_bucket_and_holds_nothing_up;
    table_to_people:
        two_people_see_every_change_and_a_stranger_none,
        a_ticket_opens_one_connection_and_only_for_a_while,
        nothing_is_said_before_hello_and_what_is_not_understood_is_said,
        a_connection_that_is_gone_is_forgotten_and_keeps_no_other_from_its_pushes,
        a_connection_that_fails_is_closed_and_keeps_no_other_from_its_pushes;
    names_are_data:
        a_hostile_name_survives_as_text_and_reaches_no_key_or_header;
    send_from_a_terminal:
        each_verdict_is_said_and_a_refusal_shows_in_the_exit_code,
        a_large_file_survives_a_kill_and_no_finished_part_is_sent_again;
    ops_see_and_replay:
        every_version_is_listed_with_why_it_is_there,
        one_attachment_is_explained_from_its_announcement_to_its_decision,
        what_stands_still_is_brought_to_its_verdict_and_twice_is_once,
        a_replay_that_is_stopped_goes_on_where_it_was,
        dead_letters_are_seen_sent_back_and_deleted,
        stream_batches_that_were_given_up_are_handed_over_again,
        an_audit_finds_what_nothing_points_at_and_reclaim_collects_it;
    operations_are_as_written:
        every_alarm_and_every_default_is_the_templates,
        every_code_of_ours_is_explained,
        every_command_does_what_is_written_with_the_permissions_that_are_written;
    a_full_inbox:
        ten_thousand_versions_are_listed_at_once_and_in_flat_memory;
    random_histories:
        numbers_stay_dense_and_the_archive_rebuilds_every_message;
    faults:
        every_call_fails_once_and_nothing_is_lost_or_doubled,
        whoever_comes_in_between_at_any_call_nothing_is_lost_or_doubled,
        a_sample_of_pairs_of_faults_is_survived;
    interleavings:
        whatever_the_order_nothing_is_lost_or_doubled;
    hall_heals:
        without_any_event_the_sweep_alone_brings_every_file_to_its_verdict,
        what_keeps_failing_becomes_a_dead_letter_and_is_replayed,
        workers_that_are_killed_lose_nothing_and_double_nothing,
        a_burst_of_uploads_neither_times_out_nor_doubles;
    objects_to_nowhere:
        a_deleted_message_and_a_removed_attachment_take_their_objects_with_them,
        nothing_stays_of_a_message_that_is_deleted_while_its_file_is_worked_on,
        only_what_nothing_points_at_is_collected;
    sweeping:
        a_pass_goes_on_where_the_last_runs_time_was_over,
        what_failed_too_often_is_left_alone_until_it_is_replayed,
        a_try_that_never_began_is_counted_like_another,
        a_lease_of_a_clock_far_ahead_holds_nobody,
        what_cannot_be_noted_does_not_end_a_pass,
        a_place_that_is_gone_does_not_end_a_pass,
        a_run_that_failed_is_not_repeated_before_the_schedule,
        throttling_is_waited_for_and_then_left_to_redelivery,
        what_hangs_is_given_up_in_time_and_noted,
        a_duplicate_waits_while_somebody_is_at_work,
        reservations_that_have_lapsed_are_freed,
        an_abandoned_upload_in_parts_is_given_up;
    soak:
        the_long_runs_are_for_who_asks_for_them,
        what_is_too_long_for_one_run_is_gone_on_with_in_the_next;
    roles:
        every_function_has_a_role_of_its_own_without_wildcards;
    demo_from_outside:
        the_demo_ends_well_and_python_agrees;
];

/// The long ones, which are run when they are given time.
const LONG_FLOWS: &[(&str, Flow)] = flows![
    faults:
        every_pair_of_faults_is_survived;
    interleavings:
        whatever_the_order_for_a_long_time;
    hall_heals:
        a_large_burst_of_uploads_neither_times_out_nor_doubles;
    a_full_inbox:
        a_hundred_thousand_versions_are_listed_at_once_and_in_flat_memory;
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // What is long is not to starve what else is long.
    arguments.test_threads = arguments.test_threads.or(Some(if soak::is_wanted() { 1 } else { THREADS }));
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("the local cloud: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let flows = if soak::is_wanted() { LONG_FLOWS } else { FLOWS };
    if arguments.list {
        let listed = flows.iter().map(|(name, _)| Trial::test(*name, || Ok(()))).collect();
        return Ok(libtest_mimic::run(arguments, listed).exit_code());
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let cloud = Arc::new(runtime.block_on(Cloud::start())?);
    let trials = flows.iter().map(|(name, flow)| {
        let (handle, cloud) = (runtime.handle().clone(), Arc::clone(&cloud));
        Trial::test(*name, move || handle.block_on(flow(cloud)).map_err(|error| Failed::from(format!("{error:?}"))))
    });
    let conclusion = libtest_mimic::run(arguments, trials.collect());
    let cloud = Arc::into_inner(cloud);
    if let Some(cloud) = cloud {
        runtime.block_on(cloud.stop())?;
    }
    Ok(conclusion.exit_code())
}
