//! What we put into queues ourselves: uploads that are to be looked at again, and attachments whose objects are to be collected.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use vestibule_domain::reclaim::Reclaim;
use vestibule_domain::timestamp::Timestamp;

use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::objects::InboxVersion;

/// Most messages of one call, and so of one batch here.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
pub const BATCH: usize = 10;
/// Batches that are sent at a time.
const BATCHES_AT_ONCE: usize = 8;
/// Longest delay of a message: 15 minutes.
pub const MAX_DELAY_SECONDS: u16 = 900;

/// The queue that brings uploads to ingest.
#[derive(Clone)]
pub struct IngestQueue {
    queue: Queue,
    bucket: String,
}

impl IngestQueue {
    /// The queue at `url`, for uploads to `bucket`.
    pub fn new(client: Client, url: String, bucket: String) -> Self {
        Self { queue: Queue { client, url }, bucket }
    }

    /// Brings `uploads` to ingest again, in the words in which S3 told of them first. `by` says who does.
    ///
    /// # Errors
    /// [`StoreError`], when not all of them were taken. Those that were are brought all the same, which is harmless.
    pub async fn drive(&self, uploads: &[InboxVersion], by: &str, at: Timestamp) -> Result<(), StoreError> {
        let bodies = uploads.iter().map(|upload| (event(&self.bucket, upload, by, at).to_string(), 0)).collect();
        self.queue.send("SendMessageBatch to the ingest queue", bodies).await
    }
}

/// The queue that brings attachments to reclaim.
#[derive(Clone)]
pub struct ReclaimQueue {
    queue: Queue,
}

impl ReclaimQueue {
    /// The queue at `url`.
    pub fn new(client: Client, url: String) -> Self {
        Self { queue: Queue { client, url } }
    }

    /// Asks for each attachment after its delay in seconds, at most [`MAX_DELAY_SECONDS`].
    ///
    /// # Errors
    /// [`StoreError`], when not all of them were taken. Those that were are looked at all the same, which is harmless.
    pub async fn ask(&self, requests: &[(Reclaim, u16)]) -> Result<(), StoreError> {
        const OPERATION: &str = "SendMessageBatch to the reclaim queue";
        let bodies = requests.iter().map(|(request, delay)| {
            let body = serde_json::to_string(request).map_err(|source| StoreError::unreadable(OPERATION, source))?;
            Ok((body, (*delay).min(MAX_DELAY_SECONDS)))
        });
        self.queue.send(OPERATION, bodies.collect::<Result<_, StoreError>>()?).await
    }
}

#[derive(Clone)]
struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// Sends all, ten at a time, some tens at once.
    async fn send(&self, operation: &'static str, bodies: Vec<(String, u16)>) -> Result<(), StoreError> {
        let batches = bodies.chunks(BATCH).map(|some| self.send_batch(operation, some));
        stream::iter(batches).buffer_unordered(BATCHES_AT_ONCE).try_collect().await
    }

    /// Sends one batch. What SQS does not take for a reason of its own is sent again for a while: an answer of 200 with failures in it is no
    /// error to the SDK.
    async fn send_batch(&self, operation: &'static str, bodies: &[(String, u16)]) -> Result<(), StoreError> {
        let mut left = Vec::with_capacity(bodies.len());
        for (place, (body, delay)) in bodies.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body);
            let entry = entry.delay_seconds(i32::from(*delay)).build();
            left.push(entry.map_err(|source| StoreError::unreadable(operation, source))?);
        }
        let mut backoff = Backoff::new(operation);
        loop {
            let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(left.clone())).send();
            let sent = call.await.map_err(|error| StoreError::classify(operation, error))?;
            let Some(failed) = sent.failed().first() else { return Ok(()) };
            let source = failed.message().unwrap_or("not taken").to_owned().into();
            let code = failed.code().to_owned();
            if sent.failed().iter().any(aws_sdk_sqs::types::BatchResultErrorEntry::sender_fault) {
                return Err(StoreError::Malformed { operation, code, source });
            }
            left.retain(|entry| sent.failed().iter().any(|failed| failed.id() == entry.id()));
            if !backoff.again().await {
                return Err(StoreError::Unavailable { operation, code, source });
            }
        }
    }
}

/// An event that says what S3's said of `upload`. Our ids need no encoding, so the key is its own form-encoded text.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
pub fn event(bucket: &str, upload: &InboxVersion, by: &str, at: Timestamp) -> Value {
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": at,
        "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": by },
        "requestParameters": {},
        "responseElements": {},
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": { "name": bucket, "ownerIdentity": {}, "arn": format!("arn:aws:s3:::{bucket}") },
            "object": { "key": upload.key.to_string(), "size": upload.size, "versionId": upload.version.as_str() },
        },
    }] })
}
