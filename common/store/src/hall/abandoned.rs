//! Uploads in parts that nobody will finish: their tickets have run out, so no part can be sent any more.

use vestibule_domain::key::InboxKey;
use vestibule_domain::timestamp::Timestamp;

use super::{Hall, Place};
use crate::error::StoreError;

/// What became of a page of uploads in parts.
#[derive(Debug)]
pub struct Aborted {
    /// How many were abandoned, and are given up.
    pub count: u64,
    /// What failed first, where some that should have been could not be.
    pub trouble: Option<StoreError>,
    /// Where the next page begins: `version` is the upload's id. `None` after the last.
    pub next: Option<Place>,
}

impl Hall {
    /// Gives up the uploads in parts on one page that began before `before`. Those with keys that are not ours are left to the
    /// bucket's lifecycle rule. One that cannot be given up keeps no other from it.
    ///
    /// # Errors
    /// [`StoreError`], when they cannot be listed.
    pub async fn abort_abandoned(&self, after: Option<&Place>, before: Timestamp) -> Result<Aborted, StoreError> {
        let list = self.s3.list_multipart_uploads().bucket(&self.bucket);
        let list = list.set_key_marker(after.map(|place| place.key.clone()));
        let list = list.set_upload_id_marker(after.and_then(|place| place.version.clone()));
        let listed =
            list.send().await.map_err(|error| StoreError::classify("ListMultipartUploads of the inbox", error))?;
        let (mut count, mut trouble) = (0, None);
        for upload in listed.uploads() {
            let begun_at = upload.initiated().and_then(|moment| moment.to_millis().ok()).map(Timestamp::from_millis);
            let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
            if begun_at.is_none_or(|begun_at| begun_at >= before) || key.parse::<InboxKey>().is_err() {
                continue;
            }
            let abort = self.s3.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id).send().await;
            let abort = abort.map(|_| ()).or_else(|error| {
                StoreError::classify("AbortMultipartUpload of an abandoned upload", error).or_absent()
            });
            match abort {
                Ok(()) => count += 1,
                Err(error) => {
                    trouble.get_or_insert(error);
                }
            }
        }
        let next = listed.next_key_marker().filter(|_| listed.is_truncated() == Some(true));
        let version = listed.next_upload_id_marker().map(ToOwned::to_owned);
        Ok(Aborted { count, trouble, next: next.map(|key| Place { key: key.to_owned(), version }) })
    }
}
