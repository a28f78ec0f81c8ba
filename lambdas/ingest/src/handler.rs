//! Turns what Lambda brings into uploads, and their ends into what Lambda wants to hear. Only this file logs failures.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::join_all;
use serde_json::Value;
use tokio::time::timeout;
use tracing::Instrument as _;
use vestibule_domain::correlation::CorrelationId;
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::logs::chain;
use vestibule_store::error::Fault;
use vestibule_store::objects::InboxVersion;

use crate::arrival::{self, Arrival, Unknown};
use crate::attempt::Delivery;
use crate::error::IngestError;
use crate::ingest::{Outcome, ingest};
use crate::world::World;

/// Longest delay after a transient fault, in seconds.
const MAX_DELAY_SECONDS: u64 = 300;
/// Longest visibility time-out of a message: twelve hours.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>
const MAX_VISIBILITY_SECONDS: u64 = 43_200;
/// How long putting a message back may take: part of what is left of the function's time when the steps were given up.
const TO_PUT_BACK: Duration = Duration::from_secs(2);
/// Deliveries of an event that found somebody else at work, after which it is done with.
const MOST_WAITS: u32 = 3;

/// Handles one event: a batch of queue messages (each answered for itself), or an event of S3 or EventBridge.
///
/// # Errors
/// When an event that came without a queue could not be finished: Lambda then brings it again. For a batch, only when a
/// message has no id: an answer without it would count every message as failed, or none.
pub async fn handle(world: &World, event: Value) -> Result<Value, lambda_runtime::Error> {
    if !is_queue_batch(&event) {
        settle(world, event, Delivery::Direct).await.map_err(|error| Box::new(error) as lambda_runtime::Error)?;
        return Ok(Value::Null);
    }
    let batch: SqsEvent = serde_json::from_value(event)?;
    let answers = join_all(batch.records.into_iter().map(|message| answer(world, message))).await;
    let failures: Result<Vec<Option<BatchItemFailure>>, _> = answers.into_iter().collect();
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures?.into_iter().flatten().collect();
    Ok(serde_json::to_value(response)?)
}

fn is_queue_batch(event: &Value) -> bool {
    let first = event.get("Records").and_then(|records| records.get(0));
    first.and_then(|record| record.get("eventSource")).and_then(Value::as_str) == Some("aws:sqs")
}

/// Handles one message of the queue: `Some` puts it back.
async fn answer(world: &World, message: SqsMessage) -> Result<Option<BatchItemFailure>, lambda_runtime::Error> {
    let body = message.body.as_deref().unwrap_or_default();
    let settled = match serde_json::from_str(body) {
        Ok(event) => settle(world, event, Delivery::Queued).await,
        Err(error) => {
            let error = IngestError::UnknownEvent(error);
            log_failure(&error);
            Err(error)
        }
    };
    let Err(error) = settled else { return Ok(None) };
    let receives = receives(&message);
    match error {
        // Enough waiting: whoever is at it has an event of their own, and the sweep looks after both. To wait on would make a dead
        // letter of a file that is well.
        IngestError::Held { .. } if receives >= MOST_WAITS => return Ok(None),
        IngestError::Held { until } => put_back(world, &message, seconds_until(until, world.clock.now())).await,
        IngestError::Store(_)
        | IngestError::NoAnswer { .. }
        | IngestError::Contradiction(_)
        | IngestError::UnknownEvent(_)
        | IngestError::OutOfTime => {
            if error.fault() == Fault::Transient {
                let delay = delay_seconds(world.config.retry_delay.as_secs(), receives);
                put_back(world, &message, spread(delay, message.message_id.as_deref(), receives)).await;
            }
        }
    }
    let id = message.message_id.filter(|id| !id.is_empty()).ok_or("a queue message without an id failed")?;
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    Ok(Some(failure))
}

/// Works through an event to its last record, also after a failure, and answers the first one.
async fn settle(world: &World, event: Value, delivery: Delivery) -> Result<(), IngestError> {
    let arrivals = arrival::read(event, &world.config.buckets.inbox)
        .map_err(IngestError::UnknownEvent)
        .inspect_err(log_failure)?;
    let mut first = Ok(());
    for arrival in arrivals {
        match arrival {
            Arrival::Nothing => {}
            Arrival::Unknown(unknown) => log_unknown(&unknown),
            Arrival::Upload(upload) => first = first.and(settle_upload(world, &upload, delivery).await),
        }
    }
    first
}

async fn settle_upload(world: &World, upload: &InboxVersion, delivery: Delivery) -> Result<(), IngestError> {
    let span = tracing::info_span!(
        "upload",
        correlation.id = %CorrelationId::from(&upload.key.attachment),
        room.id = %upload.key.room,
        message.seq = upload.key.message.get(),
        attachment.id = %upload.key.attachment,
        object.version = %upload.version,
        object.size = upload.size,
    );
    async {
        let started = tokio::time::Instant::now();
        let outcome = Box::pin(ingest(world, upload, delivery)).await.inspect_err(log_failure)?;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &outcome {
            Outcome::Unknown => {
                tracing::error!(outcome = "unknown", "nobody announced this upload; it stays in the inbox");
            }
            Outcome::Rejected(code) => {
                tracing::info!(outcome = "rejected", rejection.code = code.as_str(), duration.ms = millis, "decided");
            }
            Outcome::Published | Outcome::Retired | Outcome::Quarantined | Outcome::Gone => {
                tracing::info!(outcome = outcome.as_str(), duration.ms = millis, "decided");
            }
        }
        Ok(())
    }
    .instrument(span)
    .await
}

fn log_unknown(unknown: &Unknown) {
    tracing::error!(
        outcome = "unknown",
        object.key = unknown.key,
        reason = unknown.reason,
        "not one of our uploads; it stays where it is"
    );
}

fn log_failure(error: &IngestError) {
    if let IngestError::Held { until } = error {
        tracing::info!(outcome = "held", held.until = %until, "somebody else is at work on it; it comes again when they have ended");
        return;
    }
    let fault = match error.fault() {
        Fault::Transient => "transient",
        Fault::Permanent => "permanent",
    };
    tracing::error!(outcome = "fault", fault, error.code = error.code(), error.message = %chain(error), "the upload was not finished");
}

/// Puts a message back for `seconds`, rather than for the queue's long visibility time-out. It comes back all the same when that fails or takes
/// too long.
async fn put_back(world: &World, message: &SqsMessage, seconds: i32) {
    let change = world.queue.change_message_visibility().queue_url(&world.config.queue_url);
    let change = change.set_receipt_handle(message.receipt_handle.clone()).visibility_timeout(seconds);
    match timeout(TO_PUT_BACK, change.send()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(error.message = %chain(&error), "the message could not be put back early"),
        Err(_elapsed) => tracing::warn!("the message could not be put back in time"),
    }
}

/// How often the queue has brought a message.
fn receives(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Whole seconds until then, rounded up.
fn seconds_until(then: Timestamp, now: Timestamp) -> i32 {
    let millis = u64::try_from(then.millis().saturating_sub(now.millis())).unwrap_or(0);
    i32::try_from(millis.div_ceil(1000).min(MAX_VISIBILITY_SECONDS)).unwrap_or(i32::MAX)
}

/// Something from half of `seconds` to all of it, another for every message and delivery: what failed together comes back apart.
fn spread(seconds: i32, message: Option<&str>, receives: u32) -> i32 {
    let mut hasher = DefaultHasher::new();
    (message, receives).hash(&mut hasher);
    let half = u64::try_from(seconds / 2).unwrap_or(0);
    seconds - i32::try_from(hasher.finish() % (half + 1)).unwrap_or(0)
}

/// Seconds to wait after the `tries`-th try: it doubles with every one.
fn delay_seconds(base: u64, tries: u32) -> i32 {
    let doubled = base.saturating_mul(2_u64.saturating_pow(tries.saturating_sub(1)));
    i32::try_from(doubled.min(MAX_DELAY_SECONDS)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_delay_doubles_up_to_five_minutes() {
        let delays: Vec<i32> = [0, 1, 2, 3, 6, 7, 8, 1000].into_iter().map(|tries| delay_seconds(5, tries)).collect();
        assert_eq!(delays, [5, 5, 10, 20, 160, 300, 300, 300]);
        assert_eq!(delay_seconds(0, 9), 0);
    }

    #[test]
    fn who_is_held_off_comes_back_when_the_other_has_ended() {
        let at = Timestamp::from_millis;
        assert_eq!(seconds_until(at(5001), at(0)), 6);
        assert_eq!(seconds_until(at(5000), at(0)), 5);
        assert_eq!(seconds_until(at(0), at(5000)), 0);
        assert_eq!(seconds_until(at(1_000_000), at(0)), 1000);
    }

    #[test]
    fn what_failed_together_comes_back_apart_and_never_later_than_its_delay() {
        let delays: Vec<i32> = (0..50).map(|number| spread(100, Some(&format!("message-{number}")), 1)).collect();
        assert!(delays.iter().all(|delay| (50..=100).contains(delay)), "{delays:?}");
        let distinct: std::collections::BTreeSet<_> = delays.iter().collect();
        assert!(distinct.len() > 20, "{delays:?}");
        assert_eq!((spread(0, None, 1), spread(1, None, 1)), (0, 1));
    }

    #[test]
    fn only_queue_messages_make_a_batch() {
        assert!(is_queue_batch(&json!({ "Records": [{ "eventSource": "aws:sqs" }] })));
        assert!(!is_queue_batch(&json!({ "Records": [{ "eventSource": "aws:s3" }] })));
        assert!(!is_queue_batch(&json!({ "Records": [] })));
        assert!(!is_queue_batch(&json!({ "detail-type": "Object Created" })));
    }

    /// What an event says of `bucket`: key and version of each upload or unknown object, and the messages that are no events.
    fn told(event: Value, bucket: &str) -> (Vec<(String, Option<String>)>, Vec<String>) {
        let events: Vec<(String, String)> = if is_queue_batch(&event) {
            let batch: SqsEvent = serde_json::from_value(event).unwrap();
            batch.records.into_iter().map(|message| (message.message_id.unwrap(), message.body.unwrap())).collect()
        } else {
            vec![("no queue".to_owned(), event.to_string())]
        };
        let (mut objects, mut failures) = (Vec::new(), Vec::new());
        for (id, body) in events {
            match serde_json::from_str(&body).and_then(|event| arrival::read(event, bucket)) {
                Err(_) => failures.push(id),
                Ok(arrivals) => objects.extend(arrivals.into_iter().filter_map(|arrival| match arrival {
                    Arrival::Nothing => None,
                    Arrival::Unknown(unknown) => Some((unknown.key, None)),
                    Arrival::Upload(upload) => Some((upload.key.to_string(), Some(upload.version.to_string()))),
                })),
            }
        }
        (objects, failures)
    }

    #[test]
    fn every_recorded_and_documented_event_says_what_its_manifest_says() {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/events");
        let read =
            |file: &str| -> Value { serde_json::from_slice(&std::fs::read(fixtures.join(file)).unwrap()).unwrap() };
        let manifest = read("manifest.json");
        let manifest = manifest.as_array().unwrap();
        assert!(manifest.len() >= 30);
        for row in manifest {
            let uploads = row["expect"]["uploads"].as_array().unwrap();
            let bucket = uploads.first().map_or("inbox", |upload| upload["bucket"].as_str().unwrap());
            let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
            let expected: Vec<_> = uploads
                .iter()
                .map(|upload| {
                    let ours = upload["key"].as_str().unwrap().parse::<vestibule_domain::key::InboxKey>().is_ok();
                    (text(&upload["key"]).unwrap(), text(&upload["versionId"]).filter(|_| ours))
                })
                .collect();
            let failures: Vec<_> = row["expect"]["failures"].as_array().unwrap().iter().filter_map(text).collect();
            let file = row["file"].as_str().unwrap();
            assert_eq!(told(read(file), bucket), (expected, failures), "{file}");
        }
    }

    #[test]
    fn a_failure_is_logged_with_its_causes() {
        let cause = serde_json::from_str::<Value>("{").unwrap_err();
        assert_eq!(
            chain(&IngestError::UnknownEvent(cause)),
            "not an event of an uploaded object: EOF while parsing an object at line 1 column 1"
        );
    }
}
