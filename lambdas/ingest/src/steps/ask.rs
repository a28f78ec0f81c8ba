//! Step 1: what does the message document say of this version?

use vestibule_domain::attachment::{Attachment, Promise};
use vestibule_domain::message::Message;
use vestibule_store::objects::InboxVersion;

use crate::error::IngestError;
use crate::ingest::{End, Outcome};
use crate::world::World;

/// What the document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The attachment waits for its bytes: look at them.
    Pending(Promise),
    /// Its fate is known.
    Decided(End),
}

/// Reads the document, as it is now.
///
/// # Errors
/// [`IngestError::Store`], when the table cannot be read.
pub async fn ask(world: &World, upload: &InboxVersion) -> Result<Standing, IngestError> {
    let message = world.decisions.ask(&upload.key).await?;
    Ok(standing(message.as_ref(), upload))
}

/// After a write that found the attachment decided: reads the same off the document that the write answered.
///
/// # Errors
/// [`IngestError::Contradiction`], when that document says that the attachment is pending after all.
pub fn after_a_lost_write(message: Option<&Message>, upload: &InboxVersion) -> Result<End, IngestError> {
    match standing(message, upload) {
        Standing::Decided(end) => Ok(end),
        Standing::Pending(_) => Err(IngestError::Contradiction(upload.key.clone())),
    }
}

/// Absent is not deleted: only a tombstone or a removed entry lets bytes go, while a message or an entry that was never there
/// (or is not there any more, after the table went back in time) leaves them where they are.
fn standing(message: Option<&Message>, upload: &InboxVersion) -> Standing {
    let Some(message) = message else { return Standing::Decided(End::Stay(Outcome::Unknown)) };
    if message.deleted {
        return Standing::Decided(End::Retire(Outcome::Retired));
    }
    Standing::Decided(match message.attachment(&upload.key.attachment) {
        None => End::Stay(Outcome::Unknown),
        Some(Attachment::Pending(entry)) => return Standing::Pending(entry.promise.clone()),
        Some(Attachment::Ready(entry)) if entry.inbox_version == upload.version => End::Retire(Outcome::Retired),
        Some(Attachment::Ready(_) | Attachment::Rejected(_) | Attachment::Cancelled(_)) => {
            End::Quarantine(Outcome::Quarantined)
        }
        Some(Attachment::Removed) => End::Retire(Outcome::Retired),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
    const ATTACHMENT: &str = "01jd3v8q0zk5w6x7y8z9abcdeg";
    const AT: &str = "2026-11-22T22:00:00.000Z";

    fn upload() -> InboxVersion {
        let key = format!("{ROOM}/000000000001/{ATTACHMENT}").parse().unwrap();
        InboxVersion { key, version: "mine".parse().unwrap(), size: 3 }
    }

    fn message(entry: &Value) -> Message {
        serde_json::from_value(json!({
            "room": ROOM, "seq": 1, "ver": 1, "by": "anna", "cause": "sent", "at": AT, "author": "anna", "createdAt": AT,
            "text": "hello", "attachments": { ATTACHMENT: entry }, "attachmentOrder": [ATTACHMENT],
        }))
        .unwrap()
    }

    fn entry(state: &str, more: &Value) -> Value {
        let mut entry = json!({ "state": state, "id": ATTACHMENT, "name": "a", "size": 3, "declaredType": "image/png", "createdAt": AT });
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    }

    fn ready(version: &str) -> Value {
        let facts = json!({ "type": "image/png" });
        entry(
            "ready",
            &json!({ "facts": facts, "original": { "key": "k", "size": 3 }, "inboxVersion": version, "decidedAt": AT }),
        )
    }

    fn fate(entry: &Value) -> Standing {
        standing(Some(&message(entry)), &upload())
    }

    #[test]
    fn a_pending_attachment_is_looked_at() {
        assert!(matches!(fate(&entry("pending", &json!({}))), Standing::Pending(promise) if promise.size == 3));
    }

    #[test]
    fn what_was_published_from_this_version_only_has_to_leave_the_inbox() {
        assert_eq!(fate(&ready("mine")), Standing::Decided(End::Retire(Outcome::Retired)));
    }

    #[test]
    fn a_version_that_came_after_the_decision_goes_to_quarantine() {
        let rejection = json!({ "code": "damaged", "message": "x" });
        let rejected =
            |version| entry("rejected", &json!({ "rejection": rejection, "inboxVersion": version, "decidedAt": AT }));
        for decided in
            [ready("other"), rejected("mine"), rejected("other"), entry("cancelled", &json!({ "decidedAt": AT }))]
        {
            assert_eq!(fate(&decided), Standing::Decided(End::Quarantine(Outcome::Quarantined)), "{decided}");
        }
    }

    #[test]
    fn a_tombstone_or_a_removed_entry_lets_the_bytes_go() {
        assert_eq!(fate(&json!({ "state": "removed" })), Standing::Decided(End::Retire(Outcome::Retired)));
        let tombstone =
            Message { deleted: true, text: None, attachments: None, ..message(&entry("pending", &json!({}))) };
        assert_eq!(standing(Some(&tombstone), &upload()), Standing::Decided(End::Retire(Outcome::Retired)));
    }

    #[test]
    fn absent_is_not_deleted() {
        assert_eq!(standing(None, &upload()), Standing::Decided(End::Stay(Outcome::Unknown)));
        let other = Message { attachments: Some(std::collections::BTreeMap::new()), ..message(&ready("mine")) };
        assert_eq!(standing(Some(&other), &upload()), Standing::Decided(End::Stay(Outcome::Unknown)));
    }
}
