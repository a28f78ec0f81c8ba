//! An attachment's entry in its message document: `pending → ready | rejected | cancelled`, and `removed` after any of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::content_type::ContentType;
use crate::digest::Sha256Digest;
use crate::id::{AttachmentId, VersionId};
use crate::inspection::Facts;
use crate::rejection::Rejection;
use crate::timestamp::Timestamp;

/// An entry of a message's `attachments` map. The first decision is final: nothing leads back to [`Self::Pending`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Attachment {
    /// Announced; its bytes may or may not have arrived.
    Pending(Pending),
    /// Examined and published.
    Ready(Box<Ready>),
    /// Examined and refused; its bytes are in quarantine for a while.
    Rejected(Rejected),
    /// Given up by its sender before it was decided.
    Cancelled(Cancelled),
    /// Taken out of the message by its sender. Nothing but the state is left: the file is really gone.
    Removed,
}

/// What the sender announced. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promise {
    /// The attachment's id.
    pub id: AttachmentId,
    /// The file's name: the sender's text, never part of a key.
    pub name: String,
    /// How many bytes will come.
    pub size: u64,
    /// The content type that the sender claims.
    pub declared_type: ContentType,
    /// The digest that the sender claims, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_sha256: Option<Sha256Digest>,
    /// When it was announced.
    pub created_at: Timestamp,
}

/// See [`Attachment::Pending`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What the sender announced.
    #[serde(flatten)]
    pub promise: Promise,
}

/// See [`Attachment::Ready`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// What the sender announced.
    #[serde(flatten)]
    pub promise: Promise,
    /// What the bytes said.
    pub facts: Facts,
    /// The whole file in the processed bucket.
    pub original: StoredObject,
    /// Its thumbnails in the processed bucket, by name.
    #[serde(default)]
    pub variants: BTreeMap<String, Variant>,
    /// The inbox version that was examined, copied and deleted.
    pub inbox_version: VersionId,
    /// When it was published.
    pub decided_at: Timestamp,
}

/// See [`Attachment::Rejected`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    /// What the sender announced.
    #[serde(flatten)]
    pub promise: Promise,
    /// Why.
    pub rejection: Rejection,
    /// The inbox version that was examined and moved to quarantine.
    pub inbox_version: VersionId,
    /// When it was refused.
    pub decided_at: Timestamp,
}

/// See [`Attachment::Cancelled`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled {
    /// What the sender announced.
    #[serde(flatten)]
    pub promise: Promise,
    /// When it was given up.
    pub decided_at: Timestamp,
}

/// An object in the processed bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
}

/// A thumbnail in the processed bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its key.
    pub key: String,
    /// Its content type.
    #[serde(rename = "type")]
    pub content_type: ContentType,
    /// Pixels across, as shown.
    pub width: u32,
    /// Pixels down, as shown.
    pub height: u32,
    /// Its bytes.
    pub size: u64,
}

impl Attachment {
    /// The state as it stands in documents.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Ready(_) => "ready",
            Self::Rejected(_) => "rejected",
            Self::Cancelled(_) => "cancelled",
            Self::Removed => "removed",
        }
    }

    /// What the sender announced; `None` once the attachment is removed.
    pub fn promise(&self) -> Option<&Promise> {
        match self {
            Self::Pending(entry) => Some(&entry.promise),
            Self::Ready(entry) => Some(&entry.promise),
            Self::Rejected(entry) => Some(&entry.promise),
            Self::Cancelled(entry) => Some(&entry.promise),
            Self::Removed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_flat_and_tagged_by_its_state() {
        let entry = Attachment::Pending(Pending {
            promise: Promise {
                id: "01jd3v8q0zk5w6x7y8z9abcdef".parse().unwrap(),
                name: "../photo\u{202e}.jpg".to_owned(),
                size: 3,
                declared_type: "image/jpeg".parse().unwrap(),
                declared_sha256: None,
                created_at: Timestamp::from_millis(0),
            },
        });
        let json = serde_json::json!({
            "state": "pending",
            "id": "01jd3v8q0zk5w6x7y8z9abcdef",
            "name": "../photo\u{202e}.jpg",
            "size": 3,
            "declaredType": "image/jpeg",
            "createdAt": "1970-01-01T00:00:00.000Z",
        });
        assert_eq!(serde_json::to_value(&entry).unwrap(), json);
        assert_eq!(serde_json::from_value::<Attachment>(json).unwrap(), entry);
        assert_eq!(serde_json::to_value(Attachment::Removed).unwrap(), serde_json::json!({ "state": "removed" }));
    }
}
