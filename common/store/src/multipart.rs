//! Multipart uploads into the inbox: parts are signed one at a time, just before they are sent, and put together here, so that what
//! comes into the inbox has the promised length.

use std::time::Duration;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, MultipartUpload};
use tokio::time::timeout;
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId};
use vestibule_domain::key::InboxKey;
use vestibule_domain::parts::{Part, PartChecksum};
use vestibule_domain::timestamp::Timestamp;

use crate::error::StoreError;
use crate::signed_urls::{SignedUrls, Upload, config, headers};

/// Which checksum each part of an upload is sent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksums {
    /// SHA-256.
    Sha256,
    /// CRC-64/NVME.
    Crc64Nvme,
}

/// What became of putting parts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// The file is in the inbox, or was: perhaps S3 had done it already when it was asked again.
    Done,
    /// S3 has not finished. Ask again.
    InProgress,
    /// There is no such upload, nor a file of its length: it was aborted, or is too old.
    Gone,
    /// Another file came in for the attachment before this one.
    Overtaken,
    /// S3 refuses the parts as they are.
    Refused,
}

/// Uploads in parts of one attachment that may be under way: another tab's, and one that was given up without a word. Whatever is older
/// is aborted, so that nobody stores many files under one promise.
const UNDER_WAY: usize = 2;

impl SignedUrls {
    /// Begins an upload and answers its id. Of the attachment's earlier uploads only the newest goes on.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not do it.
    pub async fn begin(
        &self,
        key: &InboxKey,
        content_type: &str,
        checksums: Option<Checksums>,
    ) -> Result<String, StoreError> {
        const OPERATION: &str = "CreateMultipartUpload in the inbox";
        let mut under_way = self.under_way(&key.to_string()).await?;
        under_way.retain(|(of, ..)| *of == key.to_string());
        under_way.sort_by_key(|(_, _, begun)| *begun);
        for (_, upload, _) in under_way.iter().rev().skip(UNDER_WAY - 1) {
            self.abort(key, upload).await?;
        }
        let mut create = self.client.create_multipart_upload().bucket(&self.inbox).key(key.to_string());
        create = create.content_type(content_type);
        if let Some(checksums) = checksums {
            // S3 makes one of the whole of CRCs, and one of the parts' of SHA-256.
            let (algorithm, of) = match checksums {
                Checksums::Sha256 => (ChecksumAlgorithm::Sha256, ChecksumType::Composite),
                Checksums::Crc64Nvme => (ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject),
            };
            create = create.checksum_algorithm(algorithm).checksum_type(of);
        }
        let created = create.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        created.upload_id.ok_or_else(|| StoreError::unreadable(OPERATION, "an upload without an id"))
    }

    /// Leave to send one part of exactly `length` bytes.
    ///
    /// # Errors
    /// [`StoreError`], when there are no credentials to sign with.
    pub async fn part(
        &self,
        key: &InboxKey,
        upload: &str,
        (number, length): (u32, u64),
        checksum: Option<&PartChecksum>,
        now: Timestamp,
    ) -> Result<Upload, StoreError> {
        const OPERATION: &str = "presigning UploadPart";
        let unreadable = |source: std::num::TryFromIntError| StoreError::unreadable(OPERATION, source);
        let part = self.client.upload_part().bucket(&self.inbox).key(key.to_string()).upload_id(upload);
        let mut part = part
            .part_number(i32::try_from(number).map_err(unreadable)?)
            .content_length(i64::try_from(length).map_err(unreadable)?);
        part = match checksum {
            Some(PartChecksum::Sha256(sum)) => part.checksum_sha256(sum),
            Some(PartChecksum::Crc64Nvme(sum)) => part.checksum_crc64_nvme(sum),
            None => part,
        };
        let request = part.presigned(config(OPERATION, self.upload_seconds, now)?).await;
        let request = request.map_err(|error| StoreError::classify(OPERATION, error))?;
        let expires = now.plus_seconds(self.upload_seconds.into());
        Ok(Upload { url: request.uri().to_owned(), headers: headers(&request), expires })
    }

    /// The parts that S3 has, in the order of their numbers; `None` when it has no such upload.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not tell.
    pub async fn parts(&self, key: &InboxKey, upload: &str) -> Result<Option<Vec<Part>>, StoreError> {
        const OPERATION: &str = "ListParts";
        let list = self.client.list_parts().bucket(&self.inbox).key(key.to_string()).upload_id(upload);
        let mut pages = list.into_paginator().send();
        let mut parts = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = StoreError::classify(OPERATION, error);
                    return error.or_absent().map(|()| None);
                }
            };
            for part in page.parts() {
                let unreadable = || StoreError::unreadable(OPERATION, "a part without number, length or tag");
                let checksum = part.checksum_sha256().map(|sum| PartChecksum::Sha256(sum.to_owned()));
                let checksum =
                    checksum.or_else(|| part.checksum_crc64_nvme().map(|sum| PartChecksum::Crc64Nvme(sum.to_owned())));
                parts.push(Part {
                    number: part.part_number().and_then(|number| number.try_into().ok()).ok_or_else(unreadable)?,
                    size: part.size().and_then(|size| size.try_into().ok()).ok_or_else(unreadable)?,
                    etag: part.e_tag().ok_or_else(unreadable)?.to_owned(),
                    checksum,
                });
            }
        }
        parts.sort_by_key(|part| part.number);
        Ok(Some(parts))
    }

    /// Puts `parts`, which are the whole of `size` bytes, together, and waits for it no longer than `patience`. Asked again it answers
    /// the same: where S3 has finished meanwhile, its upload is gone and a file of its length is there.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not do it for another reason.
    pub async fn complete(
        &self,
        key: &InboxKey,
        upload: &str,
        parts: &[Part],
        size: u64,
        patience: Duration,
    ) -> Result<Completed, StoreError> {
        const OPERATION: &str = "CompleteMultipartUpload";
        let completed = parts.iter().map(|part| {
            let completed = CompletedPart::builder().e_tag(&part.etag);
            let completed = completed.part_number(i32::try_from(part.number).unwrap_or(i32::MAX));
            match &part.checksum {
                Some(PartChecksum::Sha256(sum)) => completed.checksum_sha256(sum),
                Some(PartChecksum::Crc64Nvme(sum)) => completed.checksum_crc64_nvme(sum),
                None => completed,
            }
            .build()
        });
        let completed = CompletedMultipartUpload::builder().set_parts(Some(completed.collect())).build();
        let length = i64::try_from(size).map_err(|source| StoreError::unreadable(OPERATION, source))?;
        let complete = self.client.complete_multipart_upload().bucket(&self.inbox).key(key.to_string());
        let complete = complete.upload_id(upload).mpu_object_size(length).if_none_match("*");
        let Ok(answer) = timeout(patience, complete.multipart_upload(completed).send()).await else {
            return Ok(Completed::InProgress);
        };
        let Err(error) = answer else { return Ok(Completed::Done) };
        match StoreError::classify(OPERATION, error) {
            // The SDK asks again by itself when an answer is lost, and so may meet its own success.
            StoreError::Missing { .. } | StoreError::Condition { .. } if self.has_arrived(key, size).await? => {
                Ok(Completed::Done)
            }
            StoreError::Missing { .. } => Ok(Completed::Gone),
            StoreError::Condition { .. } => Ok(Completed::Overtaken),
            // Another completion is under way: the first try's, whose answer did not come, or that of another file.
            StoreError::Conflict { .. } => self.after_conflict(key, upload, size).await,
            StoreError::Malformed { .. } => Ok(Completed::Refused),
            error @ (StoreError::Unavailable { .. } | StoreError::Denied { .. }) => Err(error),
        }
    }

    async fn after_conflict(&self, key: &InboxKey, upload: &str, size: u64) -> Result<Completed, StoreError> {
        if self.has_arrived(key, size).await? {
            return Ok(Completed::Done);
        }
        let is_open = self.parts(key, upload).await?.is_some();
        Ok(if is_open { Completed::InProgress } else { Completed::Overtaken })
    }

    /// Whether a version of `size` bytes is in the inbox under `key`.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not tell.
    pub async fn has_arrived(&self, key: &InboxKey, size: u64) -> Result<bool, StoreError> {
        let key = key.to_string();
        let listed = self.client.list_object_versions().bucket(&self.inbox).prefix(&key).send().await;
        let listed = listed.map_err(|error| StoreError::classify("ListObjectVersions of an upload", error))?;
        let is_it = |found: Option<&str>, of: Option<i64>| {
            found == Some(key.as_str()) && of.and_then(|of| u64::try_from(of).ok()) == Some(size)
        };
        Ok(listed.versions().iter().any(|version| is_it(version.key(), version.size())))
    }

    /// Gives every upload in parts of an attachment up, or of a message.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not do it.
    pub async fn abort_all(
        &self,
        room: &RoomId,
        seq: MessageSeq,
        attachment: Option<&AttachmentId>,
    ) -> Result<(), StoreError> {
        let prefix = format!("{room}/{}/{}", seq.digits(), attachment.map_or("", AttachmentId::as_str));
        for (key, upload, _) in self.under_way(&prefix).await? {
            // What stands under another key is not ours to touch.
            if let Ok(key) = key.parse() {
                self.abort(&key, &upload).await?;
            }
        }
        Ok(())
    }

    /// The uploads in parts under a prefix: key, id, and when each began. At most a thousand, which is more than there may be.
    async fn under_way(&self, prefix: &str) -> Result<Vec<(String, String, Option<i64>)>, StoreError> {
        let listed = self.client.list_multipart_uploads().bucket(&self.inbox).prefix(prefix).send().await;
        let listed = listed.map_err(|error| StoreError::classify("ListMultipartUploads", error))?;
        let upload = |upload: &MultipartUpload| {
            let begun = upload.initiated().and_then(|begun| begun.to_millis().ok());
            Some((upload.key()?.to_owned(), upload.upload_id()?.to_owned(), begun))
        };
        Ok(listed.uploads().iter().filter_map(upload).collect())
    }

    /// Gives an upload up. Doing so again is no error.
    ///
    /// # Errors
    /// [`StoreError`], when S3 does not do it.
    pub async fn abort(&self, key: &InboxKey, upload: &str) -> Result<(), StoreError> {
        let abort = self.client.abort_multipart_upload().bucket(&self.inbox).key(key.to_string());
        match abort.upload_id(upload).send().await {
            Ok(_) => Ok(()),
            Err(error) => StoreError::classify("AbortMultipartUpload", error).or_absent(),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_sdk_s3::config::retry::RetryConfig;
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const KEY: &str = "01jd3v8q0zk5w6x7y8z9abcdef/000000000042/01jd3v8q0zk5w6x7y8z9abcdeg";

    /// S3's answer to completing, and the size of the version that is in the inbox, if one is; `None` for no answer at all. The upload is
    /// still known when the answer is `OperationAborted`.
    async fn completed(answer: Option<(u16, &str)>, version: Option<u64>) -> Result<Completed, StoreError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .force_path_style(true)
            .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
            .build();
        let credentials = SharedCredentialsProvider::new(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"));
        let client = aws_sdk_s3::Client::from_conf(config);
        let urls = SignedUrls::new(&client, credentials, "inbox".to_owned(), "processed".to_owned(), 900);
        let server = async {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                let asks = |request: &[u8]| String::from_utf8_lossy(request).contains("</CompleteMultipartUpload>");
                while !request.starts_with(b"GET") || !request.ends_with(b"\r\n\r\n") {
                    if asks(&request) || stream.read_buf(&mut request).await.unwrap() == 0 {
                        break;
                    }
                }
                let head = String::from_utf8_lossy(&request).to_lowercase();
                let (status, body) = if head.contains("x-id=listparts") {
                    match answer {
                        Some((_, "OperationAborted")) => (200, "<ListPartsResult/>".to_owned()),
                        _ => (404, "<Error><Code>NoSuchUpload</Code></Error>".to_owned()),
                    }
                } else if head.starts_with("get") {
                    let found = version.map(|size| {
                        format!("<Version><Key>{KEY}</Key><VersionId>v</VersionId><Size>{size}</Size></Version>")
                    });
                    let other = format!("<Version><Key>{KEY}x</Key><VersionId>v</VersionId><Size>7</Size></Version>");
                    let found = found.unwrap_or_default();
                    (200, format!("<ListVersionsResult>{found}{other}</ListVersionsResult>"))
                } else {
                    for condition in ["x-amz-mp-object-size: 7", "if-none-match: *"] {
                        assert!(head.contains(condition), "{condition} in {head}");
                    }
                    let Some((status, code)) = answer else { std::future::pending().await };
                    let ok = "<CompleteMultipartUploadResult/>".to_owned();
                    (status, if code.is_empty() { ok } else { format!("<Error><Code>{code}</Code></Error>") })
                };
                let answer =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        };
        let parts = [Part { number: 1, size: 7, etag: "\"e\"".to_owned(), checksum: None }];
        let patience = if answer.is_some() { Duration::from_mins(1) } else { Duration::from_millis(50) };
        let key = KEY.parse().unwrap();
        tokio::select! {
            ended = urls.complete(&key, "upload", &parts, 7, patience) => ended,
            () = server => panic!("the server never ends"),
        }
    }

    /// After S3's documentation of `CompleteMultipartUpload`. The local cloud is never slow, and loses no answer.
    #[tokio::test]
    async fn whatever_s3_answers_it_is_known_whether_the_file_is_there() {
        for (answer, version, expected) in [
            (Some((200, "")), None, Completed::Done),
            // An answer that begins well and ends with an error.
            (Some((200, "InternalError")), None, Completed::InProgress),
            (Some((404, "NoSuchUpload")), Some(7), Completed::Done),
            (Some((404, "NoSuchUpload")), Some(8), Completed::Gone),
            (Some((404, "NoSuchUpload")), None, Completed::Gone),
            (Some((412, "PreconditionFailed")), Some(7), Completed::Done),
            (Some((412, "PreconditionFailed")), Some(8), Completed::Overtaken),
            (Some((409, "ConditionalRequestConflict")), None, Completed::Overtaken),
            (Some((409, "ConditionalRequestConflict")), Some(7), Completed::Done),
            (Some((409, "OperationAborted")), None, Completed::InProgress),
            (Some((400, "InvalidPart")), None, Completed::Refused),
            (None, None, Completed::InProgress),
        ] {
            match completed(answer, version).await {
                Ok(completed) => assert_eq!(completed, expected, "{answer:?} {version:?}"),
                Err(error) => {
                    // Our caller asks again, and so does its own.
                    assert_eq!((answer, error.fault()), (Some((200, "InternalError")), crate::error::Fault::Transient));
                }
            }
        }
        assert!(matches!(completed(Some((403, "AccessDenied")), None).await, Err(StoreError::Denied { .. })));
    }
}
