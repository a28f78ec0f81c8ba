//! What heals the inbox: the sweep alone when S3's events are lost, workers that are killed, and bursts.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsOutput;
use aws_sdk_s3::types::NotificationConfiguration;
use aws_sdk_sqs::types::QueueAttributeName;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use vestibule::stack::Stack;

use crate::demo_from_outside::executable;
use crate::support::cloud::Cloud;
use crate::support::crowd::Crowd;
use crate::support::wait::until_within;

/// Uploads at a time.
const AT_ONCE: usize = 8;
/// The longest that a batch may take. It takes a tenth of it.
const LONG: Duration = Duration::from_mins(4);

/// Another stack, with times so short that what heals is seen to.
async fn hasty_stack(cloud: &Cloud, name: &str) -> anyhow::Result<Stack> {
    cloud.another_stack(name, hasty_parameters()).await
}

fn hasty_parameters() -> BTreeMap<String, String> {
    let parameters = [
        ("IngestTimeoutSeconds", "20"),
        ("InspectTimeoutSeconds", "18"),
        ("IngestVisibilitySeconds", "6"),
        ("IngestMaxReceives", "50"),
        ("SweepMaxTries", "1000"),
        ("IngestRetrySeconds", "1"),
        ("SweepAfterSeconds", "2"),
        // The test runs it.
        ("SweepSchedule", ""),
        ("CollectDelaySeconds", "0"),
    ];
    parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The bucket's notification is taken away, so that no event ever comes: the sweep brings every file to its verdict.
pub(crate) async fn without_any_event_the_sweep_alone_brings_every_file_to_its_verdict(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    const FILES: usize = 24;
    let stack = hasty_stack(&cloud, "unnotified").await?;
    let inbox = stack.output("InboxBucket")?;
    let none = NotificationConfiguration::builder().build();
    cloud.s3.put_bucket_notification_configuration().bucket(inbox).notification_configuration(none).send().await?;
    let crowd = Crowd::announce(&cloud, &stack, FILES).await?;
    crowd.upload_all(AT_ONCE).await?;
    let mut classes = Value::Null;
    until_within(LONG, "verdicts by the sweep alone", async || {
        let swept = cloud.invoke_of(&stack, "SweepFunction", &json!({})).await?;
        ensure!(swept["finished"] == true, "{swept}");
        if swept["driven"] != 0 {
            classes = swept["seen"].clone();
        }
        Ok(crowd.is_decided().await?.then_some(()))
    })
    .await?;
    ensure!(!classes["never-notified"].is_null(), "what the sweep drove had never been notified: {classes}");
    crowd.ends_well().await
}

/// Two workers, killed by SIGKILL again and again in the middle of two hundred files, and started again.
pub(crate) async fn workers_that_are_killed_lose_nothing_and_double_nothing(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    const FILES: usize = 200;
    const KILLS: usize = 10;
    let stack = hasty_stack(&cloud, "killed").await?;
    // The function is taken off the queue, so that nobody but the workers works.
    cloud.take_off_its_queue(&stack, "IngestFunction").await?;
    let crowd = Crowd::announce(&cloud, &stack, FILES).await?;
    crowd.upload_all(AT_ONCE).await?;
    let mut workers = vec![worker(&cloud, &stack)?, worker(&cloud, &stack)?];
    let mut left = FILES;
    let seed = rand::random();
    eprintln!("    workers are killed by the seed {seed}");
    let mut rng = rand::rngs::SmallRng::seed_from_u64(seed);
    for _ in 0..KILLS {
        // Whenever some more are done: in the middle of the work, wherever that is.
        let wanted = left.saturating_sub(FILES / (KILLS + 4));
        left = until_within(LONG, "some more decided", async || {
            let left = crowd.undecided().await?;
            Ok((left <= wanted).then_some(left))
        })
        .await?;
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..300))).await;
        let place = rng.random_range(0..workers.len());
        workers[place].kill().await.context("the worker was there to be killed")?;
        workers[place] = worker(&cloud, &stack)?;
    }
    // What the dead had in hand comes again after the queue's visibility time-out, or the sweep brings it.
    until_within(LONG, "every file decided", async || {
        cloud.invoke_of(&stack, "SweepFunction", &json!({})).await?;
        Ok(crowd.is_decided().await?.then_some(()))
    })
    .await?;
    crowd.ends_well().await?;
    let hints = crowd.hints().await?;
    ensure!(hints.values().any(|hint| hint["tries"].as_u64() > Some(1)), "nobody was killed in the middle of a file");
    for mut worker in workers {
        worker.kill().await?;
    }
    Ok(())
}

/// `vestibule-ingest worker`, which polls the stack's queue.
fn worker(cloud: &Cloud, stack: &Stack) -> anyhow::Result<Child> {
    let executable = executable()?.with_file_name("vestibule-ingest");
    let settings = [
        ("TABLE_NAME", stack.output("TableName")?),
        ("INBOX_BUCKET", stack.output("InboxBucket")?),
        ("PROCESSED_BUCKET", stack.output("ProcessedBucket")?),
        ("QUARANTINE_BUCKET", stack.output("QuarantineBucket")?),
        ("INGEST_QUEUE_URL", stack.output("IngestQueueUrl")?),
        ("INSPECT_FUNCTION", stack.output("InspectFunction")?),
        ("INGEST_TIMEOUT_SECONDS", "20"),
        ("RETRY_SECONDS", "1"),
        ("LOG_LEVEL", "error"),
        ("AWS_ENDPOINT_URL", cloud.endpoint()),
        ("AWS_REGION", vestibule::aws::LOCAL_REGION),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let mut command = Command::new(executable);
    command.arg("worker").env_clear().envs(settings).kill_on_drop(true);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

/// While ingest cannot ask its inspector, uploads fail, say why, and end among the dead letters with their bytes in the inbox; once it can, those
/// that run the system bring them again.
pub(crate) async fn what_keeps_failing_becomes_a_dead_letter_and_is_replayed(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    const FILES: usize = 12;
    const RECEIVES: u64 = 3;
    let mut parameters = hasty_parameters();
    parameters.insert("IngestMaxReceives".to_owned(), RECEIVES.to_string());
    parameters.insert("SweepMaxTries".to_owned(), RECEIVES.to_string());
    let stack = cloud.another_stack("poisoned", parameters).await?;
    let function = stack.output("IngestFunction")?;
    let known = cloud.lambda.get_function_configuration().function_name(function).send().await?;
    let known = known.environment.and_then(|environment| environment.variables).context("it has settings")?;
    let set = async |inspector: &str| {
        let mut settings = known.clone();
        settings.insert("INSPECT_FUNCTION".to_owned(), inspector.to_owned());
        let settings = aws_sdk_lambda::types::Environment::builder().set_variables(Some(settings)).build();
        cloud.lambda.update_function_configuration().function_name(function).environment(settings).send().await?;
        anyhow::Ok(())
    };
    set("nobody").await?;
    let crowd = Crowd::announce(&cloud, &stack, FILES).await?;
    crowd.upload_all(AT_ONCE).await?;
    let dead = stack.output("IngestDeadLetterQueueUrl")?;
    until_within(LONG, "dead letters", async || {
        let count = cloud.sqs.get_queue_attributes().queue_url(dead);
        let count = count.attribute_names(QueueAttributeName::ApproximateNumberOfMessages).send().await?;
        let count = count.attributes().and_then(|all| all.values().next()).context("a count")?.parse::<usize>()?;
        Ok((count == FILES).then_some(()))
    })
    .await?;
    ensure!(crowd.undecided().await? == FILES && crowd.in_inbox().await? == FILES, "nothing was lost or decided");
    for (key, hint) in crowd.hints().await? {
        ensure!(hint["failure"]["code"] == "inspector-silent" && hint["tries"] == RECEIVES, "{key}: {hint}");
    }
    let swept = cloud.invoke_of(&stack, "SweepFunction", &json!({})).await?;
    ensure!(swept["driven"] == 0, "what failed too often is left alone: {swept}");
    set(&known["INSPECT_FUNCTION"]).await?;
    let replay =
        ["inbox", "replay", "--class", "failed", "--wait", "--endpoint-url", cloud.endpoint(), "--stack", stack.name()];
    let replayed = Command::new(executable()?).args(replay).kill_on_drop(true).output().await?;
    ensure!(replayed.status.success(), "{replayed:?}");
    until_within(LONG, "every file decided", async || Ok(crowd.is_decided().await?.then_some(()))).await?;
    crowd.ends_well().await
}

/// Many at once: nothing times out, nothing is given up, nothing is done twice.
pub(crate) async fn a_burst_of_uploads_neither_times_out_nor_doubles(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    burst(&cloud, "burst", 300).await
}

/// Very many at once.
pub(crate) async fn a_large_burst_of_uploads_neither_times_out_nor_doubles(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    burst(&cloud, "large-burst", 2000).await
}

async fn burst(cloud: &Arc<Cloud>, name: &str, files: usize) -> anyhow::Result<()> {
    // The times of the tests' own stack: a function that takes longer than its time-out, or a message that comes back, would show.
    let parameters =
        [("IngestTimeoutSeconds", "30"), ("InspectTimeoutSeconds", "25"), ("IngestVisibilitySeconds", "180")];
    let parameters: BTreeMap<_, _> = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let stack = cloud.another_stack(name, parameters).await?;
    // What bounds ingest, and so inspect, is the queue's mapping.
    let mappings =
        cloud.lambda.list_event_source_mappings().function_name(stack.output("IngestFunction")?).send().await?;
    let bounds: Vec<_> = mappings
        .event_source_mappings()
        .iter()
        .map(|mapping| mapping.scaling_config()?.maximum_concurrency())
        .collect();
    ensure!(bounds == [Some(10)], "{bounds:?}");
    let crowd = Crowd::announce(cloud, &stack, files).await?;
    crowd.upload_all(2 * AT_ONCE).await?;
    until_within(LONG * 4, "every file decided", async || Ok(crowd.is_decided().await?.then_some(()))).await?;
    crowd.ends_well().await?;
    crowd.was_done_once().await?;
    let dead = cloud.sqs.get_queue_attributes().queue_url(stack.output("IngestDeadLetterQueueUrl")?);
    let dead = dead.attribute_names(QueueAttributeName::ApproximateNumberOfMessages).send().await?;
    ensure!(dead.attributes().into_iter().flatten().all(|(_, count)| count == "0"), "{dead:?}");
    // A time-out is the platform's line in the function's log, and a fault our own.
    let logs = cloud.logs.filter_log_events().log_group_name(stack.output("IngestLogs")?).into_paginator().send();
    let pages: Vec<_> = logs.try_collect().await?;
    let mut lines = pages.iter().flat_map(FilterLogEventsOutput::events).filter_map(|line| line.message());
    let bad = lines.find(|line| line.contains("timed out") || line.contains("\"fault\""));
    ensure!(bad.is_none(), "{bad:?}");
    Ok(())
}
