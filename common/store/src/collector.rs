//! Deletes what nothing points at: objects of one attachment, and copies of it that were begun and never ended.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use vestibule_domain::key::InboxKey;
use vestibule_domain::reclaim::Keep;

use crate::error::StoreError;

/// The buckets that may hold what nothing points at.
#[derive(Clone)]
pub struct Collector {
    client: Client,
    processed: String,
    quarantine: String,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects.
    pub objects: usize,
    /// Multipart copies that were given up.
    pub copies: usize,
}

impl Collector {
    /// Collects in these buckets.
    pub fn new(client: Client, processed: String, quarantine: String) -> Self {
        Self { client, processed, quarantine }
    }

    /// Deletes of the attachment at `key` what `keep` does not keep. Doing it again is harmless.
    ///
    /// # Errors
    /// [`StoreError`], when a bucket cannot be listed or an object not be deleted.
    pub async fn collect(&self, key: &InboxKey, keep: &Keep) -> Result<Collected, StoreError> {
        let none = BTreeSet::new();
        let kept = match keep {
            Keep::All(_) => return Ok(Collected::default()),
            Keep::Referenced(kept) => kept,
            Keep::Nothing => &none,
        };
        // What is in quarantine whole is kept for a while, unless its file is to be gone.
        let is_gone = *keep == Keep::Nothing;
        // The slash keeps to this attachment, whatever other ids begin with the same letters.
        let prefix = format!("{key}/");
        let mut collected = Collected::default();
        for (bucket, has_leftovers) in [(&self.processed, true), (&self.quarantine, is_gone)] {
            collected.copies += self.give_up_copies(bucket, &prefix).await?;
            let objects = if has_leftovers { self.keys(bucket, &prefix).await? } else { Vec::new() };
            for object in objects.iter().filter(|object| !kept.contains(*object)) {
                self.delete(bucket, object).await?;
                collected.objects += 1;
            }
        }
        Ok(collected)
    }

    /// All keys below `prefix`. An attachment has a handful.
    async fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut pages = self.client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreError::classify("ListObjectsV2 of an attachment", error))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)));
        }
        Ok(keys)
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        match self.client.delete_object().bucket(bucket).key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) => StoreError::classify("DeleteObject of an attachment", error).or_absent(),
        }
    }

    async fn give_up_copies(&self, bucket: &str, prefix: &str) -> Result<usize, StoreError> {
        let mut given_up = 0;
        let mut after = (None, None);
        loop {
            let list = self.client.list_multipart_uploads().bucket(bucket).prefix(prefix);
            let list = list.set_key_marker(after.0).set_upload_id_marker(after.1).send().await;
            let list = list.map_err(|error| StoreError::classify("ListMultipartUploads of an attachment", error))?;
            for upload in list.uploads() {
                let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
                let abort = self.client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id).send().await;
                if let Err(error) = abort {
                    StoreError::classify("AbortMultipartUpload of a copy", error).or_absent()?;
                }
                given_up += 1;
            }
            if list.is_truncated() != Some(true) || list.next_key_marker().is_none() {
                return Ok(given_up);
            }
            after = (list.next_key_marker, list.next_upload_id_marker);
        }
    }
}
