//! Which objects of an attachment may be deleted: the one rule of the collector.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::attachment::Attachment;
use crate::id::{AttachmentId, InvalidId};
use crate::key::InboxKey;
use crate::message::Message;

/// What of an attachment's objects is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Everything: the attachment is pending, so that somebody may be about to point at any of them, or nobody knows of it.
    All(Why),
    /// In the processed bucket only these keys, and in quarantine everything: it is decided.
    Referenced(BTreeSet<String>),
    /// Nothing, in either bucket: it was removed, or its message deleted.
    Nothing,
}

/// Why everything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is not decided. Objects that nothing points at yet may be the ones that a publication is about to point at.
    Pending,
    /// Absent is not deleted.
    Unknown,
}

/// What of `attachment`'s objects is kept, by the document as it is now. A decision is final, so what may go now may go ever after.
pub fn keep(message: Option<&Message>, attachment: &AttachmentId) -> Keep {
    let Some(message) = message else { return Keep::All(Why::Unknown) };
    if message.deleted {
        return Keep::Nothing;
    }
    match message.attachment(attachment) {
        None => Keep::All(Why::Unknown),
        Some(Attachment::Pending(_)) => Keep::All(Why::Pending),
        Some(Attachment::Ready(ready)) => {
            let variants = ready.variants.values().map(|variant| variant.key.clone());
            Keep::Referenced(variants.chain([ready.original.key.clone()]).collect())
        }
        Some(Attachment::Rejected(_) | Attachment::Cancelled(_)) => Keep::Referenced(BTreeSet::new()),
        Some(Attachment::Removed) => Keep::Nothing,
    }
}

/// A request to look at one attachment's objects, as it stands in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reclaim {
    /// The attachment.
    pub key: Place,
    /// Why it was asked for; for the logs alone, since the document decides.
    pub why: Reason,
}

/// What led to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The attachment was decided: what others left of it on the way may go.
    Decided,
    /// The attachment was removed.
    Removed,
    /// Its message was deleted.
    Deleted,
    /// Somebody went through all objects and found one that nothing points at.
    Audited,
}

impl Reason {
    /// The reason as it is written in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Removed => "removed",
            Self::Deleted => "deleted",
            Self::Audited => "audited",
        }
    }
}

/// An [`InboxKey`] written as its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place(pub InboxKey);

impl TryFrom<String> for Place {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Ok(Self(InboxKey::from_str(&text)?))
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The attachment that an object of the processed or the quarantine bucket belongs to; `None` for a key that is not ours.
pub fn owner(object_key: &str) -> Option<InboxKey> {
    let mut segments = object_key.splitn(4, '/');
    let (room, message, attachment) = (segments.next()?, segments.next()?, segments.next()?);
    segments.next()?;
    format!("{room}/{message}/{attachment}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::timestamp::Timestamp;

    const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
    const ATTACHMENT: &str = "01jd3v8q0zk5w6x7y8z9abcdeg";

    fn message(entry: &Value) -> Message {
        let moment = Timestamp::from_millis(0);
        serde_json::from_value(json!({
            "room": ROOM, "seq": 1, "ver": 1, "by": "anna", "cause": "sent", "at": moment, "author": "anna", "createdAt": moment,
            "attachments": { ATTACHMENT: entry }, "attachmentOrder": [ATTACHMENT],
        }))
        .unwrap()
    }

    fn entry(state: &str) -> Value {
        let moment = Timestamp::from_millis(0);
        json!({
            "state": state, "id": ATTACHMENT, "name": "a", "size": 3, "declaredType": "image/png", "createdAt": moment,
            "decidedAt": moment, "inboxVersion": "v", "facts": { "type": "image/png" },
            "original": { "key": "the original", "size": 3 },
            "variants": { "320": { "key": "the thumbnail", "type": "image/png", "width": 1, "height": 1, "size": 3 } },
            "rejection": { "code": "damaged", "message": "x" },
        })
    }

    fn kept(message: Option<&Message>) -> Keep {
        keep(message, &ATTACHMENT.parse().unwrap())
    }

    #[test]
    fn nothing_of_a_pending_attachment_is_ever_collected() {
        assert_eq!(kept(Some(&message(&entry("pending")))), Keep::All(Why::Pending));
    }

    #[test]
    fn what_is_referenced_stays_and_the_rest_of_a_decided_attachment_goes() {
        let referenced = BTreeSet::from(["the original".to_owned(), "the thumbnail".to_owned()]);
        assert_eq!(kept(Some(&message(&entry("ready")))), Keep::Referenced(referenced));
        for state in ["rejected", "cancelled"] {
            assert_eq!(kept(Some(&message(&entry(state)))), Keep::Referenced(BTreeSet::new()));
        }
    }

    #[test]
    fn of_what_was_taken_out_or_deleted_nothing_stays() {
        assert_eq!(kept(Some(&message(&json!({ "state": "removed" })))), Keep::Nothing);
        let tombstone = Message { deleted: true, attachments: None, ..message(&entry("ready")) };
        assert_eq!(kept(Some(&tombstone)), Keep::Nothing);
    }

    #[test]
    fn absent_is_not_deleted() {
        assert_eq!(kept(None), Keep::All(Why::Unknown));
        let without = Message { attachments: None, ..message(&entry("ready")) };
        assert_eq!(kept(Some(&without)), Keep::All(Why::Unknown));
    }

    #[test]
    fn a_request_is_a_key_and_a_reason() {
        let text = format!("{ROOM}/000000000001/{ATTACHMENT}");
        let request = Reclaim { key: Place(text.parse().unwrap()), why: Reason::Deleted };
        let wire = json!({ "key": text, "why": "deleted" });
        assert_eq!(serde_json::to_value(&request).unwrap(), wire);
        assert_eq!(serde_json::from_value::<Reclaim>(wire).unwrap(), request);
        assert!(serde_json::from_value::<Reclaim>(json!({ "key": "a/b", "why": "deleted" })).is_err());
    }

    #[test]
    fn an_object_belongs_to_the_attachment_whose_key_it_begins_with() {
        let key = format!("{ROOM}/000000000001/{ATTACHMENT}");
        assert_eq!(owner(&format!("{key}/0123456789abcdef/original")).unwrap().to_string(), key);
        assert_eq!(owner(&format!("{key}/0123456789abcdef/r1/320")).unwrap().to_string(), key);
        for foreign in [key.as_str(), "", "a/b/c/d", "favicon.ico"] {
            assert_eq!(owner(foreign), None, "{foreign}");
        }
    }
}
