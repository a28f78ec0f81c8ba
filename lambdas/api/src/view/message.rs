//! A message as callers see it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::attachment::Promise;
use vestibule_domain::id::{RoomId, UserId};
use vestibule_domain::message::{Cause, Message};
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::signed_urls::Download;

use super::attachment::AttachmentView;

/// A message, or its tombstone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub struct MessageView {
    /// Its room.
    #[schema(value_type = String)]
    room: RoomId,
    /// Its place in the room: 1, 2, 3, … without gaps.
    seq: u64,
    /// How often it was written: 1, 2, 3, … without gaps.
    ver: u64,
    /// Who wrote last: a user's id, or `ingest`.
    by: String,
    /// Why they wrote: `sent`, `edited`, `deleted`, `attachment-ready`, `attachment-rejected`, `attachment-cancelled` or
    /// `attachment-removed`.
    #[schema(value_type = String)]
    cause: Cause,
    /// When they wrote.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who sent it.
    #[schema(value_type = String)]
    author: UserId,
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the text was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    edited_at: Option<Timestamp>,
    /// Whether this is a tombstone: text and attachments are gone, the place in the room stays.
    deleted: bool,
    /// What it says; empty in a message of attachments alone, absent in a tombstone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    text: Option<String>,
    /// Its attachments, in the order in which they are shown; empty in a tombstone.
    attachments: Vec<AttachmentView>,
}

impl MessageView {
    /// The view of `message`, whose thumbnails are at `urls` by their keys.
    pub(crate) fn new(
        message: &Message,
        urls: &BTreeMap<String, Download>,
        lapse: impl Fn(&Promise) -> Timestamp,
    ) -> Self {
        let attachments = message.attachments_in_order();
        Self {
            room: message.room.clone(),
            seq: message.seq.get(),
            ver: message.ver,
            by: message.by.clone(),
            cause: message.cause,
            at: message.at,
            author: message.author.clone(),
            created_at: message.created_at,
            edited_at: message.edited_at,
            deleted: message.deleted,
            text: message.text.clone(),
            attachments: attachments.map(|(id, entry)| AttachmentView::new(id, entry, urls, &lapse)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn view(message: Value) -> Value {
        let message: Message = serde_json::from_value(message).unwrap();
        let expires = "2026-11-22T22:40:14.000Z".parse().unwrap();
        let url = |key: &str| (key.to_owned(), Download { url: format!("https://processed/{key}?signed"), expires });
        let urls = ["k/r1/320", "k/r1/1280"].map(url).into();
        serde_json::to_value(MessageView::new(&message, &urls, |promise| promise.created_at.plus_seconds(86_400)))
            .unwrap()
    }

    fn message() -> Value {
        json!({
            "room": "01jd3v8q0zk5w6x7y8z9abcdef", "seq": 42, "ver": 3, "by": "ingest", "cause": "attachment-ready",
            "at": "2026-11-22T22:35:15.000Z", "author": "customer", "createdAt": "2026-11-22T22:35:14.000Z",
            "deleted": false, "text": "look",
        })
    }

    fn entry(state: &str, more: &Value) -> Value {
        let mut entry = json!({
            "id": "01jd3v8q0zk5w6x7y8z9abcde0", "name": "a.jpg", "size": 9, "declaredType": "image/jpeg",
            "createdAt": "2026-11-22T22:35:14.000Z", "state": state,
        });
        for (name, value) in more.as_object().unwrap() {
            entry[name] = value.clone();
        }
        entry
    }

    #[test]
    fn attachments_come_in_their_order_and_each_state_shows_what_it_has() {
        let mut message = message();
        let thumbnail = |side: u32| json!({ "key": format!("k/r1/{side}"), "type": "image/jpeg", "width": side, "height": side, "size": 7 });
        message["attachments"] = json!({
            "01jd3v8q0zk5w6x7y8z9abcde1": entry("ready", &json!({
                "facts": { "type": "image/jpeg", "sha256": "0".repeat(64), "width": 4000, "height": 3000,
                    "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI", "recipe": "r1" },
                "original": { "key": "k/original", "size": 9 },
                "variants": { "320": thumbnail(320), "1280": thumbnail(1280) },
                "inboxVersion": "v1", "decidedAt": "2026-11-22T22:35:15.000Z",
            })),
            "01jd3v8q0zk5w6x7y8z9abcde2": entry("rejected", &json!({
                "rejection": { "code": "damaged", "message": "This file is damaged." },
                "inboxVersion": "v2", "decidedAt": "2026-11-22T22:35:15.000Z",
            })),
            "01jd3v8q0zk5w6x7y8z9abcde3": entry("cancelled", &json!({ "decidedAt": "2026-11-22T22:35:15.000Z" })),
            "01jd3v8q0zk5w6x7y8z9abcde4": entry("pending", &json!({})),
            "01jd3v8q0zk5w6x7y8z9abcde5": { "state": "removed" },
        });
        message["attachmentOrder"] = [4, 1, 5, 2, 3].iter().map(|n| format!("01jd3v8q0zk5w6x7y8z9abcde{n}")).collect();
        insta::assert_json_snapshot!(view(message));
    }

    #[test]
    fn a_tombstone_keeps_its_place_and_nothing_else() {
        let mut message = message();
        message.as_object_mut().unwrap().remove("text");
        message["deleted"] = json!(true);
        message["cause"] = json!("deleted");
        message["by"] = json!("customer");
        insta::assert_json_snapshot!(view(message));
    }

    #[test]
    fn an_edited_message_says_when() {
        let mut message = message();
        message["editedAt"] = json!("2026-11-22T22:36:00.000Z");
        assert_eq!(view(message)["editedAt"], "2026-11-22T22:36:00.000Z");
    }
}
