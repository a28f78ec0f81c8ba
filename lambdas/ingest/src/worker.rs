//! The same work outside Lambda: a process that polls the queue itself, as in a container for what a function is too small for.

use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use serde_json::{Value, json};
use tokio::time::sleep;
use vestibule_runtime::logs::chain;
use vestibule_store::error::StoreError;

use crate::handler::handle;
use crate::world::World;

/// Messages at a time, as many as the function gets by default.
const BATCH: i32 = 5;
/// How long a poll waits for a message, in seconds.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
const POLL_SECONDS: i32 = 10;
/// Before the queue is asked again when it did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Works until `told_to_stop`, and then to the end of the batch in hand. Whatever is in the way of one batch is logged: its messages come
/// again by themselves.
pub async fn work(world: &World, told_to_stop: impl Future<Output = ()>) {
    tokio::pin!(told_to_stop);
    loop {
        let received = tokio::select! {
            received = receive(world, POLL_SECONDS) => received,
            () = &mut told_to_stop => return,
        };
        let done = match received {
            Ok(messages) => batch(world, messages).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = done {
            tracing::error!(outcome = "fault", error.message = %chain(error.as_ref()), "the batch was not finished");
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = &mut told_to_stop => return,
            }
        }
    }
}

/// Works off one batch, waiting up to `wait_seconds` for it, and answers how many messages it had.
///
/// # Errors
/// When the queue or the handler failed: the messages come again by themselves.
pub async fn once(world: &World, wait_seconds: i32) -> Result<usize, lambda_runtime::Error> {
    let messages = receive(world, wait_seconds).await?;
    let count = messages.len();
    batch(world, messages).await?;
    Ok(count)
}

async fn receive(world: &World, wait_seconds: i32) -> Result<Vec<Message>, StoreError> {
    let receive = world.queue.receive_message().queue_url(&world.config.queue_url).max_number_of_messages(BATCH);
    let receive = receive.wait_time_seconds(wait_seconds);
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
    let received = receive.send().await.map_err(|error| StoreError::classify("ReceiveMessage of uploads", error))?;
    Ok(received.messages.unwrap_or_default())
}

/// Hands the messages to the handler as Lambda would, and deletes those that it does not want back.
async fn batch(world: &World, messages: Vec<Message>) -> Result<(), lambda_runtime::Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let records: Vec<Value> = messages.iter().map(record).collect();
    let answer = handle(world, json!({ "Records": records })).await?;
    let failures = answer.get("batchItemFailures").and_then(Value::as_array);
    let failed: HashSet<&str> =
        failures.into_iter().flatten().filter_map(|failure| failure.get("itemIdentifier")?.as_str()).collect();
    let done = messages.iter().filter(|message| !message.message_id().is_some_and(|id| failed.contains(id)));
    let entries: Result<Vec<_>, _> = done
        .enumerate()
        .map(|(place, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string());
            entry.receipt_handle(message.receipt_handle().unwrap_or_default()).build()
        })
        .collect();
    let entries = entries?;
    if !entries.is_empty() {
        let delete = world.queue.delete_message_batch().queue_url(&world.config.queue_url);
        let deleted = delete.set_entries(Some(entries)).send().await;
        deleted.map_err(|error| StoreError::classify("DeleteMessageBatch of uploads", error))?;
    }
    Ok(())
}

/// A message, as Lambda brings it.
fn record(message: &Message) -> Value {
    let attributes: serde_json::Map<String, Value> = message
        .attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
        .collect();
    json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    })
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::sqs::SqsEvent;

    use super::*;

    #[test]
    fn a_message_reads_as_lambda_brings_it() {
        let message = Message::builder().message_id("m").receipt_handle("r").body("{}");
        let message = message.attributes(MessageSystemAttributeName::ApproximateReceiveCount, "3").build();
        let batch: SqsEvent = serde_json::from_value(json!({ "Records": [record(&message)] })).unwrap();
        let read = &batch.records[0];
        assert_eq!((read.message_id.as_deref(), read.receipt_handle.as_deref()), (Some("m"), Some("r")));
        assert_eq!(read.attributes.get("ApproximateReceiveCount").map(String::as_str), Some("3"));
    }
}
