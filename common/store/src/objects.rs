//! The objects: exact versions in the inbox, and what is made of them in the other buckets.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use sha2::{Digest, Sha256};
use vestibule_domain::content_type::ContentType;
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::id::VersionId;
use vestibule_domain::inspection::PartDigests;
use vestibule_domain::key::InboxKey;

use crate::error::StoreError;

pub mod copy;

/// Browsers and CDNs may keep what never changes under its key, for a year; shared caches may not.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// One uploaded version: the only thing that ingest ever works on.
#[derive(Debug, Clone)]
pub struct InboxVersion {
    /// Where it was uploaded.
    pub key: InboxKey,
    /// Which of the uploads.
    pub version: VersionId,
    /// Its bytes, as its event says.
    pub size: u64,
}

/// The three buckets, as ingest sees them.
#[derive(Clone)]
pub struct Objects {
    pub(crate) client: Client,
    pub(crate) buckets: Buckets,
    pub(crate) part_size: u64,
}

/// The buckets' names.
#[derive(Debug, Clone)]
pub struct Buckets {
    /// Versioned; holds what is not decided.
    pub inbox: String,
    /// Holds what was examined and accepted.
    pub processed: String,
    /// Holds what was refused, for a while.
    pub quarantine: String,
}

/// What a copy is to be.
#[derive(Debug, Clone)]
pub struct Destination<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: String,
    /// The type under which it is served.
    pub content_type: ContentType,
    /// How it is served: see `vestibule_domain::disposition`.
    pub disposition: String,
}

/// What became of a copy.
#[derive(Debug, PartialEq, Eq)]
pub enum Copied {
    /// It is there. S3 said this of its bytes; the local cloud says nothing.
    Whole(CopyDigest),
    /// The source version is gone: somebody else has finished with it.
    SourceGone,
}

/// What S3 says of the bytes that it copied.
#[derive(Debug, PartialEq, Eq)]
pub enum CopyDigest {
    /// SHA-256 of the whole.
    Whole(Sha256Digest),
    /// SHA-256 of each part.
    Parts(PartDigests),
    /// Nothing.
    Unsaid,
}

impl Objects {
    /// Objects in `buckets`; versions of more than `part_size` bytes are copied in parts of that size.
    pub fn new(client: Client, buckets: Buckets, part_size: u64) -> Self {
        Self { client, buckets, part_size }
    }

    /// The buckets' names.
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// A URL with which anyone may read exactly this version until `lifetime` is over. A secret.
    ///
    /// # Errors
    /// [`StoreError`], when there are no credentials to sign with.
    pub async fn presign(&self, source: &InboxVersion, lifetime: Duration) -> Result<String, StoreError> {
        const OPERATION: &str = "presigning GetObject of an inbox version";
        let config =
            PresigningConfig::expires_in(lifetime).map_err(|source| StoreError::unreadable(OPERATION, source))?;
        let request = self.client.get_object().bucket(&self.buckets.inbox).key(source.key.to_string());
        let request = request.version_id(source.version.as_str()).presigned(config).await;
        Ok(request.map_err(|error| StoreError::classify(OPERATION, error))?.uri().to_owned())
    }

    /// Writes a thumbnail. The same key always gets the same bytes, so that doing it twice is harmless.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not take it.
    pub async fn put_thumbnail(&self, key: &str, content_type: &ContentType, bytes: Vec<u8>) -> Result<(), StoreError> {
        let put = self.client.put_object().bucket(&self.buckets.processed).key(key);
        let put = put.content_type(content_type.as_str()).content_disposition("inline").cache_control(IMMUTABLE);
        put.body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|error| StoreError::classify("PutObject of a thumbnail", error))?;
        Ok(())
    }

    /// SHA-256 of a version, by reading all of it in small pieces; `None` when it is gone.
    ///
    /// # Errors
    /// [`StoreError`], when it cannot be read to its end.
    pub async fn digest(&self, source: &InboxVersion) -> Result<Option<Sha256Digest>, StoreError> {
        const OPERATION: &str = "GetObject of an inbox version";
        let get = self.client.get_object().bucket(&self.buckets.inbox).key(source.key.to_string());
        let mut body = match get.version_id(source.version.as_str()).send().await {
            Ok(object) => object.body,
            Err(error) => {
                StoreError::classify(OPERATION, error).or_absent()?;
                return Ok(None);
            }
        };
        let mut hash = Sha256::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| StoreError::cut_off(OPERATION, error))?;
            hash.update(&piece);
        }
        Ok(Some(Sha256Digest::new(hash.finalize().into())))
    }

    /// Deletes exactly this version. Deleting what is gone is no error.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not do it.
    pub async fn retire(&self, source: &InboxVersion) -> Result<(), StoreError> {
        let delete = self.client.delete_object().bucket(&self.buckets.inbox).key(source.key.to_string());
        match delete.version_id(source.version.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) => StoreError::classify("DeleteObject of an inbox version", error).or_absent(),
        }
    }
}
