//! What stands in the inbox: the bucket's listing, page by page, joined with what the table says of each version.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::Client as S3;
use aws_sdk_s3::types::ObjectVersion;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vestibule_domain::hall::{Patience, Standing, judge, unknown_key, unreadable};
use vestibule_domain::message::Message;
use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::work::Work;

use crate::documents;
use crate::error::StoreError;
use crate::objects::InboxVersion;
use crate::table::{self, Item, message_sk, room_pk, work_sk};

mod abandoned;

pub use abandoned::Aborted;

/// Most versions of one page: what S3 answers at most.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
pub const MOST: u16 = 1000;

/// The inbox and what is known of it.
#[derive(Clone)]
pub struct Hall {
    s3: S3,
    dynamodb: DynamoDb,
    bucket: String,
    table: String,
}

/// Where a listing goes on: behind this version of this key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The key.
    pub key: String,
    /// The version; without it, behind all versions of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct Page {
    /// The versions on it, in the order of the listing: by key, the newest first.
    pub versions: Vec<Standee>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Place>,
}

/// A version that stands in the inbox.
#[derive(Debug, Clone)]
pub struct Standee {
    /// Its key, whatever it is.
    pub key: String,
    /// Its version id, as S3 has it.
    pub version: String,
    /// Its bytes.
    pub size: u64,
    /// When it came.
    pub uploaded_at: Timestamp,
    /// What ingest would work on, when its key and version are ours.
    pub upload: Option<InboxVersion>,
    /// The document that its key names, if there is one.
    pub message: Option<Message>,
    /// The hints about its tries, if there are any.
    pub work: Option<Work>,
    /// Why it stands there, and what becomes of it by itself.
    pub standing: Standing,
}

impl Hall {
    /// The hall of `bucket`, whose documents are in `table`.
    pub fn new(s3: S3, dynamodb: DynamoDb, bucket: String, table: String) -> Self {
        Self { s3, dynamodb, bucket, table }
    }

    /// Looks at up to `most` versions (at most [`MOST`]) whose keys begin with `prefix`, from `after` on. Memory is bounded by `most`.
    ///
    /// # Errors
    /// [`StoreError`], when the bucket cannot be listed or the table not be read.
    pub async fn page(
        &self,
        prefix: &str,
        after: Option<&Place>,
        most: u16,
        now: Timestamp,
        patience: Patience,
    ) -> Result<Page, StoreError> {
        const OPERATION: &str = "ListObjectVersions of the inbox";
        let list = self.s3.list_object_versions().bucket(&self.bucket).max_keys(i32::from(most.min(MOST)));
        let list = list.set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()));
        let list = list.set_key_marker(after.map(|place| place.key.clone()));
        let list = list.set_version_id_marker(after.and_then(|place| place.version.clone()));
        let answer = list.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        let next = answer.next_key_marker().filter(|_| answer.is_truncated() == Some(true));
        let next = next
            .map(|key| Place { key: key.to_owned(), version: answer.next_version_id_marker().map(ToOwned::to_owned) });
        let (versions, next) = between_keys(answer.versions(), next);
        let versions = self.judged(versions, now, patience).await?;
        Ok(Page { versions, next })
    }

    /// Looks at all versions of one key, whatever it is.
    ///
    /// # Errors
    /// [`StoreError`], when the bucket cannot be listed or the table not be read.
    pub async fn versions_of(&self, key: &str, now: Timestamp, patience: Patience) -> Result<Vec<Standee>, StoreError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(key, after.as_ref(), MOST, now, patience).await?;
            let is_last = page.versions.last().is_some_and(|last| last.key != key);
            found.extend(page.versions.into_iter().filter(|standee| standee.key == key));
            after = page.next;
            if after.is_none() || is_last {
                return Ok(found);
            }
        }
    }

    async fn judged(
        &self,
        versions: &[ObjectVersion],
        now: Timestamp,
        patience: Patience,
    ) -> Result<Vec<Standee>, StoreError> {
        let listed: Vec<Listed> = versions.iter().map(Listed::of).collect();
        let wanted: Vec<_> = listed.iter().filter_map(|listed| listed.upload.as_ref()).flat_map(places).collect();
        let found = self.read(wanted).await?;
        let judged = listed.into_iter().map(|Listed { key, version, size, uploaded_at, upload }| {
            let Some(upload) = upload else {
                let standing = unknown_key();
                let (message, work) = (None, None);
                return Standee { key, version, size, uploaded_at, upload, message, work, standing };
            };
            let [message, work] = places(&upload).map(|(pk, sk)| found.get(&(plain(&pk), plain(&sk))).cloned());
            // What cannot be read is the matter of one version, and must not hide the others.
            let work: Option<Work> = work.and_then(|item| readable("a try of the inbox", item));
            let (message, standing) = match message.map(|item| readable::<Message>("a message of the inbox", item)) {
                Some(None) => (None, unreadable(uploaded_at, work.as_ref(), now, patience)),
                message => {
                    let message = message.flatten();
                    let id = &upload.key.attachment;
                    let standing = judge(id, uploaded_at, message.as_ref(), work.as_ref(), now, patience);
                    (message, standing)
                }
            };
            Standee { key, version, size, uploaded_at, upload: Some(upload), message, work, standing }
        });
        Ok(judged.collect())
    }

    /// The items at these places, each read once.
    async fn read(
        &self,
        mut places: Vec<(AttributeValue, AttributeValue)>,
    ) -> Result<HashMap<(String, String), Item>, StoreError> {
        places.sort_by_key(|(pk, sk)| (plain(pk), plain(sk)));
        places.dedup();
        let mut found = HashMap::with_capacity(places.len());
        for some in places.chunks(documents::MOST) {
            let items =
                documents::read(&self.dynamodb, &self.table, "BatchGetItem of what stands in the inbox", some).await?;
            let some = some.iter().map(|(pk, sk)| (plain(pk), plain(sk)));
            found.extend(some.zip(items).filter_map(|(place, item)| Some((place, item?))));
        }
        Ok(found)
    }
}

/// Ends a page between two keys, where it has more than one: nobody can be told to go on behind a version that is gone by then.
fn between_keys(versions: &[ObjectVersion], next: Option<Place>) -> (&[ObjectVersion], Option<Place>) {
    let Some(place) = &next else { return (versions, next) };
    let whole = versions.iter().rposition(|version| version.key() != Some(place.key.as_str()));
    match whole.and_then(|last| Some((versions.get(..=last)?, versions.get(last)?.key()?))) {
        Some((whole, key)) => (whole, Some(Place { key: key.to_owned(), version: None })),
        None => (versions, next),
    }
}

/// The document of an item; `None` when it cannot be read, which is said here.
fn readable<T: DeserializeOwned>(operation: &'static str, item: Item) -> Option<T> {
    match table::from_item(operation, item) {
        Ok(document) => Some(document),
        Err(error) => {
            tracing::error!(error.message = ?error, "an item cannot be read");
            None
        }
    }
}

/// A version, as the bucket lists it.
struct Listed {
    key: String,
    version: String,
    size: u64,
    uploaded_at: Timestamp,
    upload: Option<InboxVersion>,
}

impl Listed {
    fn of(version: &ObjectVersion) -> Self {
        let key = version.key().unwrap_or_default().to_owned();
        let size = u64::try_from(version.size().unwrap_or_default()).unwrap_or_default();
        let millis = version.last_modified().and_then(|moment| moment.to_millis().ok());
        let version = version.version_id().unwrap_or_default().to_owned();
        let upload = match (key.parse(), version.parse()) {
            (Ok(key), Ok(version)) => Some(InboxVersion { key, version, size }),
            _ => None,
        };
        Self { key, version, size, uploaded_at: Timestamp::from_millis(millis.unwrap_or_default()), upload }
    }
}

/// Where the document of a version and the hints about it are.
fn places(upload: &InboxVersion) -> [(AttributeValue, AttributeValue); 2] {
    let room = room_pk(&upload.key.room);
    [(room.clone(), message_sk(upload.key.message)), (room, work_sk(&upload.key.attachment, &upload.version))]
}

fn plain(value: &AttributeValue) -> String {
    value.as_s().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(keys: &[&str], next: Option<&str>) -> (Vec<String>, Option<Place>) {
        let versions: Vec<_> = keys.iter().map(|key| ObjectVersion::builder().key(*key).build()).collect();
        let next = next.map(|key| Place { key: key.to_owned(), version: Some("v".to_owned()) });
        let (versions, next) = between_keys(&versions, next);
        (versions.iter().filter_map(|version| version.key().map(ToOwned::to_owned)).collect(), next)
    }

    #[test]
    fn a_page_ends_between_two_keys_where_it_can() {
        let behind = |key: &str, version: Option<&str>| {
            Some(Place { key: key.to_owned(), version: version.map(ToOwned::to_owned) })
        };
        assert_eq!(page(&["a", "a", "b"], Some("b")), (vec!["a".to_owned(); 2], behind("a", None)));
        assert_eq!(page(&["a", "a"], Some("a")), (vec!["a".to_owned(); 2], behind("a", Some("v"))));
        assert_eq!(page(&["a", "b"], None), (vec!["a".to_owned(), "b".to_owned()], None));
        assert_eq!(page(&[], Some("a")), (vec![], behind("a", Some("v"))));
    }
}
