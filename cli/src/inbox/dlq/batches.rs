//! Batches of the table's stream that Lambda gave up: handed to their function again, which must take all of one before it goes.

use aws_sdk_lambda::primitives::Blob;
use serde::Serialize;
use serde_json::Value;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::error::StoreError;
use vestibule_store::failed_batches::{FailedBatch, FailedBatches, Listed};

use crate::aws;
use crate::inbox::dlq::{Deed, Outcome, Queue};
use crate::inbox::duration;
use crate::inbox::world::World;
use crate::terminal;

/// Longest answer of a function that is shown, in characters.
const MAX_ANSWER_CHARS: usize = 300;

/// What is told of a batch.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    queue: Queue,
    id: &'a str,
    failed_at: Timestamp,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    /// Why it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<&'a str>,
}

/// Does it with up to `most` batches, in the order of their keys. One that fails stays, and the next is tried.
///
/// # Errors
/// When the bucket cannot be read or written. What was done until then is done.
pub(crate) async fn go_through(world: &World, deed: Deed, most: u64, json: bool) -> anyhow::Result<Outcome> {
    let bucket = world.failed_batches()?;
    let mut outcome = Outcome::default();
    let mut after: Option<String> = None;
    loop {
        let page = bucket.page(after.as_deref()).await?;
        let Some(last) = page.last() else { return Ok(outcome) };
        after = Some(last.key.clone());
        for object in page {
            if outcome.done + outcome.left >= most {
                outcome.is_limited = true;
                return Ok(outcome);
            }
            let read = match deed {
                // What cannot be read can be deleted all the same.
                Deed::Purge => Ok(None),
                Deed::List | Deed::Redrive => bucket.read(&object).await,
            };
            let (batch, left) = match read {
                // Another operator has done with it meanwhile.
                Ok(None) if deed != Deed::Purge => continue,
                Ok(batch) => {
                    let left = treat(world, &bucket, (&object, batch.as_ref()), deed).await?;
                    (batch, left)
                }
                Err(error @ StoreError::Malformed { .. }) => (None, Some(terminal::one_line(&error.into()))),
                Err(error) => return Err(error.into()),
            };
            match left {
                Some(_) if deed == Deed::Redrive => outcome.left += 1,
                _ => outcome.done += 1,
            }
            terminal::print(&told(&object, batch.as_ref(), (left.as_deref(), deed), (world.now(), json))?)?;
        }
    }
}

/// Answers why it stays, if it does.
async fn treat(
    world: &World,
    bucket: &FailedBatches,
    (object, batch): (&Listed, Option<&FailedBatch>),
    deed: Deed,
) -> anyhow::Result<Option<String>> {
    if deed == Deed::List {
        return Ok(None);
    }
    if let (Deed::Redrive, Some(batch)) = (deed, batch)
        && let Err(why) = hand_over(&world.lambda(), batch).await
    {
        return Ok(Some(terminal::one_line(&why)));
    }
    bucket.delete(&object.key).await?;
    Ok(None)
}

/// Calls the function with the event that it could not take, as Lambda did.
async fn hand_over(lambda: &aws_sdk_lambda::Client, batch: &FailedBatch) -> anyhow::Result<()> {
    let call = lambda.invoke().function_name(&batch.function).payload(Blob::new(batch.payload.as_bytes()));
    let answer = call.send().await.map_err(aws::failed("cannot call the function"))?;
    let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
    taken(answer.function_error.as_deref(), &payload)
}

/// Whether the function took all of it.
fn taken(error: Option<&str>, answer: &[u8]) -> anyhow::Result<()> {
    let said = || terminal::shown(&String::from_utf8_lossy(answer)).chars().take(MAX_ANSWER_CHARS).collect::<String>();
    anyhow::ensure!(error.is_none(), "the function failed: {}", said());
    let answer: Value = serde_json::from_slice(answer).unwrap_or(Value::Null);
    match answer.get("batchItemFailures") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(failures)) if failures.is_empty() => Ok(()),
        Some(_) => anyhow::bail!("the function did not take all of it: {}", said()),
    }
}

fn told(
    object: &Listed,
    batch: Option<&FailedBatch>,
    (left, deed): (Option<&str>, Deed),
    (now, json): (Timestamp, bool),
) -> anyhow::Result<String> {
    let Listed { key, size, written_at } = object;
    if json {
        let row = Row {
            queue: Queue::Streams,
            id: key,
            failed_at: *written_at,
            size: *size,
            function: batch.map(|batch| batch.function.as_str()),
            condition: batch.map(|batch| batch.condition.as_str()),
            records: batch.map(|batch| batch.records),
            left,
        };
        return Ok(serde_json::to_string(&row)?);
    }
    let is_left = left.is_some() && deed == Deed::Redrive;
    let (queue, done) = (Queue::Streams.as_str(), if is_left { "left" } else { deed.done() });
    let about = batch.map(|FailedBatch { function, condition, records, .. }| {
        let function = function.rsplit(":function:").next().unwrap_or(function);
        let plural = if *records == 1 { "" } else { "s" };
        format!("  {records} record{plural} of {}, {}", terminal::shown(function), terminal::shown(condition))
    });
    let why = left.map(|why| format!(": {why}"));
    let (age, key) = (duration::age(*written_at, now), terminal::shown(key));
    Ok(format!("{queue:<8} {done:<8}  {key}  {age:>5}{}{}", about.unwrap_or_default(), why.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_function_took_whole_may_go() {
        for whole in ["", "null", "{}", "{\"batchItemFailures\":[]}", "{\"batchItemFailures\":null}", "\"done\""] {
            assert!(taken(None, whole.as_bytes()).is_ok(), "{whole}");
        }
        let partly = taken(None, b"{\"batchItemFailures\":[{\"itemIdentifier\":\"7\"}]}").unwrap_err();
        assert!(partly.to_string().starts_with("the function did not take all of it: {"), "{partly}");
        assert!(taken(None, b"{\"batchItemFailures\":\"7\"}").is_err());
        let failed = taken(Some("Unhandled"), b"{\"errorMessage\":\"poison\"}").unwrap_err();
        assert_eq!(failed.to_string(), "the function failed: {\"errorMessage\":\"poison\"}");
    }

    #[test]
    fn a_batch_is_told_with_its_function_and_why_it_stays() {
        let object = Listed { key: "aws/lambda/x".to_owned(), size: 9, written_at: Timestamp::from_millis(0) };
        let batch = FailedBatch {
            function: "arn:aws:lambda:us-east-1:1:function:archive".to_owned(),
            condition: "RetryAttemptsExhausted".to_owned(),
            records: 2,
            payload: String::new(),
        };
        let now = Timestamp::from_millis(60_000);
        let lines = [
            told(&object, Some(&batch), (None, Deed::List), (now, false)).unwrap(),
            told(&object, Some(&batch), (Some("the function failed: x"), Deed::Redrive), (now, false)).unwrap(),
            told(&object, None, (None, Deed::Purge), (now, false)).unwrap(),
            told(&object, Some(&batch), (Some("the function failed: x"), Deed::Redrive), (now, true)).unwrap(),
        ];
        insta::assert_snapshot!(lines.join("\n"));
    }
}
