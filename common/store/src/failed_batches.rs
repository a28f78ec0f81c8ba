//! Batches of the table's stream that Lambda gave up, in the bucket that it puts them into with all that they held.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use aws_sdk_s3::Client;
use serde::Deserialize;
use vestibule_domain::timestamp::Timestamp;

use crate::error::StoreError;

/// Largest object that is read. A batch has at most 6 MB, and as text in JSON every character of it may take two.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// The failure bucket.
#[derive(Clone)]
pub struct FailedBatches {
    client: Client,
    bucket: String,
}

/// An object of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
    /// When it was written.
    pub written_at: Timestamp,
}

/// What one says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedBatch {
    /// The ARN of the function that could not take it.
    pub function: String,
    /// Why Lambda gave up, such as `RetryAttemptsExhausted`.
    pub condition: String,
    /// How many records it holds.
    pub records: u64,
    /// The event that the function was called with, word for word.
    pub payload: String,
}

/// What Lambda writes, as far as it is read here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    request_context: Context,
    #[serde(rename = "DDBStreamBatchInfo")]
    batch: Batch,
    payload: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    function_arn: String,
    #[serde(default)]
    condition: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    batch_size: u64,
}

impl FailedBatches {
    /// The batches in `bucket`.
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// A page of the listing behind the key `after`; an empty one is the end.
    ///
    /// # Errors
    /// [`StoreError`], when the bucket cannot be listed.
    pub async fn page(&self, after: Option<&str>) -> Result<Vec<Listed>, StoreError> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).set_start_after(after.map(ToOwned::to_owned));
        let page = list.send().await.map_err(|error| StoreError::classify("ListObjectsV2 of failed batches", error))?;
        let listed = page.contents().iter().map(|object| Listed {
            key: object.key().unwrap_or_default().to_owned(),
            size: object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            written_at: Timestamp::from_millis(
                object.last_modified().and_then(|moment| moment.to_millis().ok()).unwrap_or_default(),
            ),
        });
        Ok(listed.collect())
    }

    /// Reads one; `None` when it is gone.
    ///
    /// # Errors
    /// [`StoreError`], when it cannot be read, or is not what Lambda writes.
    pub async fn read(&self, object: &Listed) -> Result<Option<FailedBatch>, StoreError> {
        const OPERATION: &str = "GetObject of a failed batch";
        if object.size > MAX_BYTES {
            return Err(StoreError::unreadable(OPERATION, format!("it has {} bytes", object.size)));
        }
        let mut body = match self.client.get_object().bucket(&self.bucket).key(&object.key).send().await {
            Ok(answer) => answer.body,
            Err(error) => {
                StoreError::classify(OPERATION, error).or_absent()?;
                return Ok(None);
            }
        };
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| StoreError::cut_off(OPERATION, error))?;
            // It may have been written anew since it was listed.
            if bytes.len() as u64 + piece.len() as u64 > MAX_BYTES {
                return Err(StoreError::unreadable(OPERATION, format!("it has more than {MAX_BYTES} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        FailedBatch::of(&bytes).map(Some).map_err(|source| StoreError::unreadable(OPERATION, source))
    }

    /// Deletes one for good.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not do it.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.client.delete_object().bucket(&self.bucket).key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) => StoreError::classify("DeleteObject of a failed batch", error).or_absent(),
        }
    }
}

impl FailedBatch {
    fn of(bytes: &[u8]) -> serde_json::Result<Self> {
        let written: Written = serde_json::from_slice(bytes)?;
        Ok(Self {
            function: written.request_context.function_arn,
            condition: written.request_context.condition,
            records: written.batch.batch_size,
            payload: written.payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_lambda_writes_is_read_and_anything_else_is_not() {
        let written = json!({
            "requestContext": {
                "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81", "functionArn": "arn:aws:lambda:us-east-1:1:function:archive",
                "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3,
            },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "version": "1.0", "timestamp": "2026-11-22T22:35:14.000Z",
            "DDBStreamBatchInfo": { "shardId": "s", "startSequenceNumber": "1", "endSequenceNumber": "2", "batchSize": 2, "streamArn": "a" },
            "payload": "{\"Records\":[]}",
        });
        let read = FailedBatch::of(written.to_string().as_bytes()).unwrap();
        let expected = FailedBatch {
            function: "arn:aws:lambda:us-east-1:1:function:archive".to_owned(),
            condition: "RetryAttemptsExhausted".to_owned(),
            records: 2,
            payload: "{\"Records\":[]}".to_owned(),
        };
        assert_eq!(read, expected);
        for other in
            ["", "{}", "[]", "{\"requestContext\":{\"functionArn\":\"a\"},\"DDBStreamBatchInfo\":{\"batchSize\":1}}"]
        {
            assert!(FailedBatch::of(other.as_bytes()).is_err(), "{other}");
        }
    }
}
