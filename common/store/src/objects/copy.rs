//! Copies of one exact version, by S3 itself: in one call, or in parallel parts when the version is large.

use aws_sdk_s3::config::{StalledStreamProtectionConfig, timeout::TimeoutConfig};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, MetadataDirective, TaggingDirective,
};
use base64::Engine as _;
use futures::{StreamExt as _, TryStreamExt as _};
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::inspection::PartDigests;

use super::{Copied, CopyDigest, Destination, IMMUTABLE, InboxVersion, Objects};
use crate::error::StoreError;

/// Parts in flight at once. S3 copies inside; we only wait.
const PARALLEL_PARTS: usize = 8;

impl Objects {
    /// Copies `source` to `to`. Metadata and tags are replaced, never carried along: an uploader's tag must not reach a
    /// bucket that trusts tags.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not do it; parts that were copied by then are given up.
    pub async fn copy(&self, source: &InboxVersion, to: &Destination<'_>) -> Result<Copied, StoreError> {
        let done = if source.size > self.part_size {
            self.copy_in_parts(source, to).await
        } else {
            self.copy_at_once(source, to).await
        };
        match done {
            Ok(digest) => Ok(Copied::Whole(digest)),
            Err(StoreError::Missing { code, .. }) if code == "NoSuchKey" || code == "NoSuchVersion" => {
                Ok(Copied::SourceGone)
            }
            Err(fault) => Err(fault),
        }
    }

    /// `bucket/key?versionId=…` as the header wants it: URL-encoded. Keys are our own ids and need none; version ids may.
    fn copy_source(&self, source: &InboxVersion) -> String {
        let version =
            percent_encoding::utf8_percent_encode(source.version.as_str(), percent_encoding::NON_ALPHANUMERIC);
        format!("{}/{}?versionId={version}", self.buckets.inbox, source.key)
    }

    async fn copy_at_once(&self, source: &InboxVersion, to: &Destination<'_>) -> Result<CopyDigest, StoreError> {
        const OPERATION: &str = "CopyObject of an inbox version";
        let copy = self.client.copy_object().copy_source(self.copy_source(source)).bucket(to.bucket).key(&to.key);
        let copy = copy
            .metadata_directive(MetadataDirective::Replace)
            .tagging_directive(TaggingDirective::Replace)
            .content_type(to.content_type.as_str())
            .content_disposition(&to.disposition)
            .cache_control(IMMUTABLE)
            .checksum_algorithm(ChecksumAlgorithm::Sha256);
        let answer = copy.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        match answer.copy_object_result().and_then(|result| result.checksum_sha256()) {
            Some(checksum) => Ok(CopyDigest::Whole(decode(OPERATION, checksum)?)),
            None => Ok(CopyDigest::Unsaid),
        }
    }

    async fn copy_in_parts(&self, source: &InboxVersion, to: &Destination<'_>) -> Result<CopyDigest, StoreError> {
        let create = self.client.create_multipart_upload().bucket(to.bucket).key(&to.key);
        let create = create
            .content_type(to.content_type.as_str())
            .content_disposition(&to.disposition)
            .cache_control(IMMUTABLE)
            .checksum_algorithm(ChecksumAlgorithm::Sha256);
        let created = create.send().await.map_err(|error| StoreError::classify("CreateMultipartUpload", error))?;
        let upload = created.upload_id().unwrap_or_default();
        match self.copy_parts(source, to, upload).await {
            Ok(digest) => Ok(digest),
            Err(fault) => {
                let abort = self.client.abort_multipart_upload().bucket(to.bucket).key(&to.key).upload_id(upload);
                if let Err(error) = abort.send().await {
                    // The bucket's lifecycle rule gives up what stays behind; the copy's own fault is the one to report.
                    let error = StoreError::classify("AbortMultipartUpload", error);
                    tracing::warn!(error.message = %error, "an incomplete copy stays until the lifecycle rule ends it");
                }
                Err(fault)
            }
        }
    }

    async fn copy_parts(
        &self,
        source: &InboxVersion,
        to: &Destination<'_>,
        upload: &str,
    ) -> Result<CopyDigest, StoreError> {
        let parts = ranges(source.size, self.part_size);
        let copies = parts.into_iter().map(|part| self.copy_part(source, to, upload, part));
        let mut done: Vec<CompletedPart> =
            futures::stream::iter(copies).buffer_unordered(PARALLEL_PARTS).try_collect().await?;
        done.sort_by_key(CompletedPart::part_number);
        let digest = part_digests(&done, self.part_size)?;
        let complete = self.client.complete_multipart_upload().bucket(to.bucket).key(&to.key).upload_id(upload);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
        let complete = complete.multipart_upload(parts).send().await;
        complete.map_err(|error| StoreError::classify("CompleteMultipartUpload of a copy", error))?;
        Ok(digest)
    }

    async fn copy_part(
        &self,
        source: &InboxVersion,
        to: &Destination<'_>,
        upload: &str,
        part: Part,
    ) -> Result<CompletedPart, StoreError> {
        const OPERATION: &str = "UploadPartCopy of an inbox version";
        let copy = self.client.upload_part_copy().copy_source(self.copy_source(source)).bucket(to.bucket).key(&to.key);
        let copy = copy.upload_id(upload).part_number(part.number).copy_source_range(part.range);
        // S3 keeps the connection open without a byte while it copies, which the SDK would take for a stalled stream.
        let patient = aws_sdk_s3::config::Builder::new()
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(TimeoutConfig::disabled());
        let answer = copy.customize().config_override(patient).send().await;
        let answer = answer.map_err(|error| StoreError::classify(OPERATION, error))?;
        let result = answer.copy_part_result();
        let done = CompletedPart::builder().part_number(part.number);
        let done = done.set_e_tag(result.and_then(|result| result.e_tag().map(ToOwned::to_owned)));
        Ok(done.set_checksum_sha256(result.and_then(|result| result.checksum_sha256().map(ToOwned::to_owned))).build())
    }
}

/// One part of a copy: its number from 1, and its bytes as a `Range` header's value.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    number: i32,
    range: String,
}

/// Cuts `size` bytes into parts of `part_size`, the last one shorter.
fn ranges(size: u64, part_size: u64) -> Vec<Part> {
    let starts = (0..size).step_by(usize::try_from(part_size.max(1)).unwrap_or(usize::MAX));
    let part = |(number, start): (i32, u64)| Part {
        number,
        range: format!("bytes={start}-{}", (start + part_size).min(size) - 1),
    };
    (1..).zip(starts).map(part).collect()
}

fn part_digests(done: &[CompletedPart], part_size: u64) -> Result<CopyDigest, StoreError> {
    let digests: Option<Vec<&str>> = done.iter().map(CompletedPart::checksum_sha256).collect();
    let Some(digests) = digests else { return Ok(CopyDigest::Unsaid) };
    let sha256 = digests
        .into_iter()
        .map(|checksum| decode("UploadPartCopy of an inbox version", checksum))
        .collect::<Result<_, _>>()?;
    Ok(CopyDigest::Parts(PartDigests { part_size, sha256 }))
}

fn decode(operation: &'static str, checksum: &str) -> Result<Sha256Digest, StoreError> {
    let mut bytes = [0; 32];
    match base64::engine::general_purpose::STANDARD.decode_slice(checksum, &mut bytes) {
        Ok(32) => Ok(Sha256Digest::new(bytes)),
        _ => Err(StoreError::unreadable(operation, format!("{checksum:?} is not a SHA-256 checksum"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_byte_once() {
        let cut = |size, part| ranges(size, part).into_iter().map(|part| part.range).collect::<Vec<_>>();
        assert_eq!(cut(10, 5), ["bytes=0-4", "bytes=5-9"]);
        assert_eq!(cut(11, 5), ["bytes=0-4", "bytes=5-9", "bytes=10-10"]);
        assert_eq!(cut(5, 5), ["bytes=0-4"]);
        assert_eq!(ranges(11, 5)[2].number, 3);
        assert_eq!(ranges(5 << 30, 256 << 20).len(), 20);
    }

    #[test]
    fn a_checksum_of_another_length_is_refused() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(
            decode("test", empty).unwrap().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert!(decode("test", "AAAA").is_err());
        assert!(decode("test", &format!("{empty}-2")).is_err());
    }

    #[test]
    fn digests_of_parts_are_all_or_nothing() {
        let with = CompletedPart::builder()
            .part_number(1)
            .checksum_sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
            .build();
        let without = CompletedPart::builder().part_number(2).build();
        assert!(matches!(part_digests(std::slice::from_ref(&with), 5), Ok(CopyDigest::Parts(_))));
        assert_eq!(part_digests(&[with, without], 5).unwrap(), CopyDigest::Unsaid);
    }
}
