//! Every object of the processed and the quarantine bucket, page by page, with what the documents say of it.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::Client as S3;
use serde::Serialize;
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::key::InboxKey;
use vestibule_domain::message::Message;
use vestibule_domain::reclaim::{Keep, Why, keep, owner};
use vestibule_domain::timestamp::Timestamp;

use crate::documents;
use crate::error::StoreError;
use crate::table::{self, message_sk, room_pk};

/// Most objects of one page: what S3 answers at most.
pub const MOST: u16 = 1000;

/// Which bucket an object is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bucket {
    /// What was examined and accepted.
    Processed,
    /// What was refused.
    Quarantine,
}

impl Bucket {
    /// The bucket as it is written in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Quarantine => "quarantine",
        }
    }
}

/// What the documents say of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// It is pointed at, or is a refused file that quarantine keeps for its time.
    InPlace,
    /// Its attachment is pending, so that something may be about to point at it.
    Pending,
    /// Its attachment is decided, and nothing points at it.
    Unreferenced,
    /// Its attachment was removed or its message deleted.
    Deleted,
    /// There is no such message or attachment. Absent is not deleted, so it stays.
    Unknown,
    /// The document cannot be read, so nobody can say. It stays.
    Unreadable,
    /// Its key is not of our making. It stays.
    UnknownKey,
}

impl Finding {
    /// The finding as it is written in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::Pending => "pending",
            Self::Unreferenced => "unreferenced",
            Self::Deleted => "deleted",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
            Self::UnknownKey => "unknown-key",
        }
    }

    /// Whether reclaim deletes such an object, once it is asked to look at the attachment.
    pub fn is_orphan(self) -> bool {
        match self {
            Self::Unreferenced | Self::Deleted => true,
            Self::InPlace | Self::Pending | Self::Unknown | Self::Unreadable | Self::UnknownKey => false,
        }
    }
}

/// An object and what was found of it.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
    /// When it was written.
    pub written_at: Timestamp,
    /// The attachment that it belongs to, when its key is ours.
    pub owner: Option<InboxKey>,
    /// What the documents say of it.
    pub finding: Finding,
}

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its objects in the order of their keys, so that those of one attachment follow one another.
    pub objects: Vec<Object>,
    /// The key behind which the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// The two buckets and the table.
#[derive(Clone)]
pub struct Audit {
    s3: S3,
    dynamodb: DynamoDb,
    table: String,
    processed: String,
    quarantine: String,
}

impl Audit {
    /// Looks into the buckets `processed` and `quarantine`, whose documents are in `table`.
    pub fn new(s3: S3, dynamodb: DynamoDb, table: String, processed: String, quarantine: String) -> Self {
        Self { s3, dynamodb, table, processed, quarantine }
    }

    /// Looks at up to `most` objects (at most [`MOST`]) of `bucket` whose keys begin with `prefix`, behind the key `after`.
    ///
    /// The documents are read after the listing. A decision is final, so what they give up stays given up; what they do not may be so
    /// only for now.
    ///
    /// # Errors
    /// [`StoreError`], when the bucket cannot be listed or the table not be read.
    pub async fn page(&self, bucket: Bucket, prefix: &str, after: Option<&str>, most: u16) -> Result<Page, StoreError> {
        const OPERATION: &str = "ListObjectsV2 of an audit";
        let name = match bucket {
            Bucket::Processed => &self.processed,
            Bucket::Quarantine => &self.quarantine,
        };
        let list = self.s3.list_objects_v2().bucket(name).max_keys(i32::from(most.min(MOST)));
        let list = list.set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()));
        let answer = list.set_start_after(after.map(ToOwned::to_owned)).send().await;
        let answer = answer.map_err(|error| StoreError::classify(OPERATION, error))?;
        let mut objects: Vec<Object> = answer
            .contents()
            .iter()
            .map(|object| {
                let key = object.key().unwrap_or_default().to_owned();
                let written_at = object.last_modified().and_then(|moment| moment.to_millis().ok());
                Object {
                    size: object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
                    written_at: Timestamp::from_millis(written_at.unwrap_or_default()),
                    owner: owner(&key),
                    finding: Finding::UnknownKey,
                    key,
                }
            })
            .collect();
        let documents = self.documents(objects.iter().filter_map(|object| object.owner.as_ref())).await?;
        for object in &mut objects {
            if let Some(owner) = &object.owner {
                object.finding = finding(bucket, &object.key, (owner, documents.of(owner)));
            }
        }
        let next = objects.last().filter(|_| answer.is_truncated() == Some(true)).map(|last| last.key.clone());
        Ok(Page { objects, next })
    }

    /// The documents of these attachments, a hundred with a call, and each read once. One that cannot be read stands in nobody's way.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read.
    pub async fn documents(&self, owners: impl Iterator<Item = &InboxKey>) -> Result<Documents, StoreError> {
        const OPERATION: &str = "BatchGetItem of an audit";
        let mut wanted: Vec<_> = owners.map(|owner| (owner.room.clone(), owner.message)).collect();
        wanted.sort();
        wanted.dedup();
        let mut found = HashMap::with_capacity(wanted.len());
        for some in wanted.chunks(documents::MOST) {
            let keys: Vec<(AttributeValue, AttributeValue)> =
                some.iter().map(|(room, seq)| (room_pk(room), message_sk(*seq))).collect();
            let items = documents::read(&self.dynamodb, &self.table, OPERATION, &keys).await?;
            let read = some.iter().zip(items).filter_map(|(place, item)| {
                let document = table::from_item(OPERATION, item?);
                Some((
                    place.clone(),
                    document.map_or(Document::Unreadable, |message| Document::Message(Box::new(message))),
                ))
            });
            found.extend(read);
        }
        Ok(Documents(found))
    }
}

/// What is known of some attachments.
#[derive(Debug, Clone, Default)]
pub struct Documents(HashMap<(RoomId, MessageSeq), Document>);

/// A document, as the table has it.
#[derive(Debug, Clone)]
pub enum Document {
    /// It is a message.
    Message(Box<Message>),
    /// It is there, and none that can be read.
    Unreadable,
}

impl Documents {
    /// The document of one of those that were asked for; `None` when there is none.
    pub fn of(&self, owner: &InboxKey) -> Option<&Document> {
        self.0.get(&(owner.room.clone(), owner.message))
    }
}

/// What is kept decides; quarantine keeps what was refused for its time, whatever points at it.
fn finding(bucket: Bucket, key: &str, (owner, document): (&InboxKey, Option<&Document>)) -> Finding {
    let message = match document {
        Some(Document::Unreadable) => return Finding::Unreadable,
        Some(Document::Message(message)) => Some(&**message),
        None => None,
    };
    by_rule(bucket, key, &keep(message, &owner.attachment))
}

fn by_rule(bucket: Bucket, key: &str, kept: &Keep) -> Finding {
    match kept {
        Keep::All(Why::Pending) => Finding::Pending,
        Keep::All(Why::Unknown) => Finding::Unknown,
        Keep::Referenced(kept) if bucket == Bucket::Quarantine || kept.contains(key) => Finding::InPlace,
        Keep::Referenced(_) => Finding::Unreferenced,
        Keep::Nothing => Finding::Deleted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_collector_would_delete_is_an_orphan() {
        let referenced = Keep::Referenced(["a".to_owned()].into());
        let cases = [
            (Bucket::Processed, &referenced, "a", Finding::InPlace, false),
            (Bucket::Processed, &referenced, "b", Finding::Unreferenced, true),
            (Bucket::Quarantine, &referenced, "b", Finding::InPlace, false),
            (Bucket::Processed, &Keep::Nothing, "a", Finding::Deleted, true),
            (Bucket::Quarantine, &Keep::Nothing, "a", Finding::Deleted, true),
            (Bucket::Processed, &Keep::All(Why::Pending), "a", Finding::Pending, false),
            (Bucket::Quarantine, &Keep::All(Why::Unknown), "a", Finding::Unknown, false),
        ];
        for (bucket, kept, key, expected, orphan) in cases {
            let found = by_rule(bucket, key, kept);
            assert_eq!((found, found.is_orphan()), (expected, orphan), "{bucket:?} {kept:?} {key}");
        }
    }

    #[test]
    fn absent_or_unreadable_is_not_deleted() {
        let owner: InboxKey = "01jd3v8q0zk5w6x7y8z9abcdef/000000000001/01jd3v8q0zk5w6x7y8z9abcdeg".parse().unwrap();
        let documents = |known: Option<Document>| {
            Documents(known.map(|document| ((owner.room.clone(), owner.message), document)).into_iter().collect())
        };
        for bucket in [Bucket::Processed, Bucket::Quarantine] {
            for (known, expected) in [(None, Finding::Unknown), (Some(Document::Unreadable), Finding::Unreadable)] {
                let found = finding(bucket, "a", (&owner, documents(known).of(&owner)));
                assert_eq!((found, found.is_orphan()), (expected, false));
            }
        }
    }

    #[test]
    fn findings_are_written_as_they_serialise() {
        use Finding::{Deleted, InPlace, Pending, Unknown, UnknownKey, Unreadable, Unreferenced};
        for finding in [InPlace, Pending, Unreferenced, Deleted, Unknown, Unreadable, UnknownKey] {
            assert_eq!(serde_json::to_value(finding).unwrap(), finding.as_str());
        }
    }
}
