//! The archive's bucket, as the function sees it that fills it: it puts, and nothing else.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;

use crate::error::StoreError;

/// The archive.
#[derive(Clone)]
pub struct Archive {
    client: Client,
    bucket: String,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is there, since now.
    Now,
    /// It is there, since before: nothing is ever written over.
    Before,
}

impl Archive {
    /// The archive in `bucket`.
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Puts an object whose key says what is in it. Where there is one already, it is the same and stays.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not take it.
    pub async fn keep(&self, key: &str, bytes: Vec<u8>) -> Result<Kept, StoreError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).if_none_match("*");
        let put = put.content_type("application/zstd").checksum_algorithm(ChecksumAlgorithm::Sha256);
        let Err(error) = put.body(ByteStream::from(bytes)).send().await else { return Ok(Kept::Now) };
        let error = StoreError::classify("PutObject of archive records", error);
        if matches!(error, StoreError::Condition { .. }) { Ok(Kept::Before) } else { Err(error) }
    }
}
