//! The three writes of every send.

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use serde::{Deserialize, Serialize};
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::id::{MessageSeq, UserId};
use vestibule_domain::message::Message;
use vestibule_domain::room::Room;
use vestibule_domain::timestamp::Timestamp;

use super::Draft;
use crate::error::StoreError;
use crate::table::{
    self, changed_pk, changed_sk, message_sk, meta_sk, number, open_rooms_sk, room_pk, sent_once_sk, since_1970, text,
};

const OPERATION: &str = "a part of TransactWriteItems that sends a message";

/// How long a retried send is recognised, in seconds: a day.
const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

/// The hint at `CMID#…`: which message was sent under that name.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SentOnce {
    pub(super) seq: MessageSeq,
    pub(super) author: UserId,
    pub(super) digest: Sha256Digest,
    /// When DynamoDB may delete it, in seconds since 1970.
    ttl: u64,
}

impl SentOnce {
    /// Whether its time is over. DynamoDB may be days late to delete it; until then it counts as deleted.
    pub(super) fn is_past(&self, now: Timestamp) -> bool {
        self.ttl <= since_1970(now)
    }
}

/// The room goes from its last number to the message's, if it is open and nobody was faster.
pub(super) fn numbered(table: &str, room: &Room, message: &Message) -> Result<TransactWriteItem, StoreError> {
    let update = Update::builder()
        .table_name(table)
        .key("PK", room_pk(&room.room))
        .key("SK", meta_sk())
        .update_expression("SET #last_seq = :seq, #last_activity = :at, GSI1SK = :activity")
        .condition_expression("#last_seq = :last AND #status = :open")
        .expression_attribute_names("#last_seq", "lastSeq")
        .expression_attribute_names("#last_activity", "lastActivity")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":seq", number(message.seq.get()))
        .expression_attribute_values(":last", number(room.last_seq))
        .expression_attribute_values(":open", text("open"))
        .expression_attribute_values(":at", text(message.at.to_string()))
        .expression_attribute_values(":activity", open_rooms_sk(message.at, &room.room))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|source| StoreError::unreadable(OPERATION, source))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// The message itself. No number is ever given twice, so it cannot exist.
pub(super) fn document(table: &str, message: &Message) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(table::to_item(OPERATION, message)?))
        .item("PK", room_pk(&message.room))
        .item("SK", message_sk(message.seq))
        .item("GSI1PK", changed_pk(&message.room))
        .item("GSI1SK", changed_sk(message.at, message.seq))
        .condition_expression("attribute_not_exists(PK)")
        .build()
        .map_err(|source| StoreError::unreadable(OPERATION, source))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// The hint, unless one stands whose time is not over.
pub(super) fn sent_once(table: &str, message: &Message, draft: &Draft) -> Result<TransactWriteItem, StoreError> {
    let hint = SentOnce {
        seq: message.seq,
        author: draft.author.clone(),
        digest: draft.digest,
        ttl: since_1970(draft.at.plus_seconds(REMEMBERED_SECONDS)),
    };
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(table::to_item(OPERATION, &hint)?))
        .item("PK", room_pk(&message.room))
        .item("SK", sent_once_sk(&draft.client_message_id))
        .condition_expression("attribute_not_exists(PK) OR #ttl <= :now")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":now", number(since_1970(draft.at)))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|source| StoreError::unreadable(OPERATION, source))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Flattened and tagged documents are read through serde's buffers, where numbers and absent fields get lost easily.
    #[test]
    fn a_message_comes_back_from_the_table_as_it_went() {
        let promise = |id: &str| {
            json!({ "id": id, "name": "\u{202e}a\u{0}", "size": 5_368_709_120_u64, "declaredType": "image/png",
                "createdAt": "2026-11-22T22:35:14.000Z", "state": "pending" })
        };
        let mut ready = promise("01jd3v8q0zk5w6x7y8z9abcde1");
        let facts = json!({ "type": "image/png", "width": 4000, "height": 3000, "recipe": "r1" });
        let variant = json!({ "key": "k/320", "type": "image/jpeg", "width": 320, "height": 240, "size": 7 });
        for (name, value) in [
            ("state", json!("ready")),
            ("facts", facts),
            ("original", json!({ "key": "k/original", "size": 9 })),
            ("variants", json!({ "320": variant })),
            ("inboxVersion", json!("v1")),
            ("decidedAt", json!("2026-11-22T22:35:15.000Z")),
        ] {
            ready[name] = value;
        }
        let message: Message = serde_json::from_value(json!({
            "room": "01jd3v8q0zk5w6x7y8z9abcdef", "seq": 42, "ver": 3, "by": "ingest", "cause": "attachment-ready",
            "at": "2026-11-22T22:35:15.000Z", "author": "me", "createdAt": "2026-11-22T22:35:14.000Z", "deleted": false,
            "text": "", "attachmentOrder": ["01jd3v8q0zk5w6x7y8z9abcde1", "01jd3v8q0zk5w6x7y8z9abcde0"],
            "attachments": {
                "01jd3v8q0zk5w6x7y8z9abcde0": promise("01jd3v8q0zk5w6x7y8z9abcde0"),
                "01jd3v8q0zk5w6x7y8z9abcde1": ready,
                "01jd3v8q0zk5w6x7y8z9abcde2": { "state": "removed" },
            },
        }))
        .unwrap();
        let mut item = table::to_item("Test", &message).unwrap();
        item.insert("PK".to_owned(), room_pk(&message.room));
        item.insert("GSI1SK".to_owned(), changed_sk(message.at, message.seq));
        assert_eq!(table::from_item::<Message>("Test", item).unwrap(), message);
    }

    #[test]
    fn a_hint_counts_for_a_day_whether_or_not_it_was_deleted() {
        let hint = SentOnce {
            seq: MessageSeq::try_from(1).unwrap(),
            author: "a".parse().unwrap(),
            digest: Sha256Digest::new([0; 32]),
            ttl: 100,
        };
        assert!(!hint.is_past(Timestamp::from_millis(99_999)));
        assert!(hint.is_past(Timestamp::from_millis(100_000)));
    }
}
