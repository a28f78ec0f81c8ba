//! Turns what the queue brings into attachments to look at, and their ends into what Lambda wants to hear. Only this file logs failures.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use serde_json::Value;
use tokio::time::{Duration, Instant, timeout_at};
use tracing::Instrument as _;
use vestibule_domain::correlation::CorrelationId;
use vestibule_domain::reclaim::Reclaim;
use vestibule_runtime::logs::chain;

use crate::reclaim::{Outcome, reclaim};
use crate::world::World;

/// How long a batch may take: the function's time-out, as the template says it, without what it takes to answer.
const TIME: Duration = Duration::from_secs(50);

/// Handles a batch of the queue, one message after the other; each is answered for itself.
///
/// # Errors
/// When the event is no batch of a queue, or a message that failed has no id.
pub async fn handle(world: &World, event: Value) -> Result<Value, lambda_runtime::Error> {
    let batch: SqsEvent = serde_json::from_value(event)?;
    let mut response = SqsBatchResponse::default();
    let end = Instant::now() + TIME;
    for message in batch.records {
        // What does not get its turn comes again; what was done before it is done with.
        let is_done = timeout_at(end, settle(world, &message)).await.unwrap_or_else(|_elapsed| {
            tracing::warn!(
                outcome = "fault",
                error.code = "out-of-time",
                "its turn did not come, or did not end, in time"
            );
            false
        });
        if !is_done {
            let mut failure = BatchItemFailure::default();
            let id = message.message_id.filter(|id| !id.is_empty());
            failure.item_identifier = id.ok_or("a queue message without an id failed")?;
            response.batch_item_failures.push(failure);
        }
    }
    Ok(serde_json::to_value(response)?)
}

/// Whether the message is done with.
async fn settle(world: &World, message: &SqsMessage) -> bool {
    let request: Reclaim = match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
        Ok(request) => request,
        Err(error) => {
            tracing::error!(outcome = "fault", error.message = %chain(&error), "not a request to collect");
            return false;
        }
    };
    let key = &request.key.0;
    let span = tracing::info_span!(
        "reclaim",
        correlation.id = %CorrelationId::from(&key.attachment),
        room.id = %key.room,
        message.seq = key.message.get(),
        attachment.id = %key.attachment,
        reason = request.why.as_str(),
    );
    async {
        match reclaim(world, key).await {
            Ok(Outcome::Collected(collected)) => {
                tracing::info!(
                    outcome = "collected",
                    objects.count = collected.objects,
                    copies.count = collected.copies,
                    "what nothing points at is gone"
                );
                true
            }
            Ok(Outcome::Pending) => {
                tracing::info!(outcome = "pending", "not decided: nothing was touched");
                true
            }
            Ok(Outcome::Unknown) => {
                tracing::error!(outcome = "unknown", "no such message or attachment: nothing was touched");
                true
            }
            Err(error) => {
                tracing::error!(outcome = "fault", error.code = error.code(), error.message = %chain(&error), "not collected");
                false
            }
        }
    }
    .instrument(span)
    .await
}
