//! A message's document: dense in its room (`seq`), dense in its history (`ver`), and dated (`by`, `cause`, `at`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::attachment::Attachment;
use crate::id::{AttachmentId, MessageSeq, RoomId, UserId};
use crate::timestamp::Timestamp;

/// Why a message changed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It was sent: `ver` is 1.
    Sent,
    /// Its author changed the text.
    Edited,
    /// Its author deleted it; what is left is the tombstone.
    Deleted,
    /// Ingest published an attachment.
    AttachmentReady,
    /// Ingest refused an attachment.
    AttachmentRejected,
    /// Its author gave up an upload.
    AttachmentCancelled,
    /// Its author took an attachment out.
    AttachmentRemoved,
}

impl Cause {
    /// The cause as it stands in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::AttachmentReady => "attachment-ready",
            Self::AttachmentRejected => "attachment-rejected",
            Self::AttachmentCancelled => "attachment-cancelled",
            Self::AttachmentRemoved => "attachment-removed",
        }
    }
}

/// Who changes a message when no person does.
pub const INGEST: &str = "ingest";

/// A message as it stands in the table (without the table's own key attributes) and in the archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its room.
    pub room: RoomId,
    /// Its place in the room: dense, from 1.
    pub seq: MessageSeq,
    /// How often it was written: dense, from 1.
    pub ver: u64,
    /// Who wrote last: a user id, or [`INGEST`].
    pub by: String,
    /// Why they wrote.
    pub cause: Cause,
    /// When they wrote.
    pub at: Timestamp,
    /// Who sent it.
    pub author: UserId,
    /// When it was sent.
    pub created_at: Timestamp,
    /// When the text was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Whether this is a tombstone: text and attachments are gone, the place in the sequence stays.
    #[serde(default)]
    pub deleted: bool,
    /// What it says; absent in a tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its attachments by id; absent in a tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<BTreeMap<AttachmentId, Attachment>>,
    /// The order in which its attachments are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachment_order: Vec<AttachmentId>,
}

impl Message {
    /// The entry of one attachment.
    pub fn attachment(&self, id: &AttachmentId) -> Option<&Attachment> {
        self.attachments.as_ref()?.get(id)
    }

    /// The attachments in the order in which they are shown.
    pub fn attachments_in_order(&self) -> impl Iterator<Item = (&AttachmentId, &Attachment)> {
        self.attachment_order.iter().filter_map(|id| Some((id, self.attachment(id)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_written_as_it_serialises() {
        for cause in [
            Cause::Sent,
            Cause::Edited,
            Cause::Deleted,
            Cause::AttachmentReady,
            Cause::AttachmentRejected,
            Cause::AttachmentCancelled,
            Cause::AttachmentRemoved,
        ] {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }
}
