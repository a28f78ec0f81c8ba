//! The one table: its keys and how documents lie in it. The drawing is in docs/ARCHITECTURE.md.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vestibule_domain::id::{AttachmentId, ClientMessageId, ConnectionId, MessageSeq, RoomId, UserId, VersionId};
use vestibule_domain::key::VersionTag;
use vestibule_domain::live::Ticket;
use vestibule_domain::timestamp::Timestamp;

use crate::error::StoreError;

/// An item as DynamoDB has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The index of open rooms and of changed messages.
pub(crate) const GSI1: &str = "GSI1";

/// A text attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A moment as DynamoDB's `ttl` has it: whole seconds since 1970.
pub(crate) fn since_1970(moment: Timestamp) -> u64 {
    u64::try_from(moment.seconds()).unwrap_or(0)
}

/// A number attribute.
pub(crate) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The partition of a room: its META, its messages and their hints.
pub(crate) fn room_pk(room: &RoomId) -> AttributeValue {
    text(format!("ROOM#{room}"))
}

/// The sort key of a room's own document.
pub(crate) fn meta_sk() -> AttributeValue {
    text("META")
}

/// The sort key of a message.
pub(crate) fn message_sk(seq: MessageSeq) -> AttributeValue {
    text(format!("MSG#{}", seq.digits()))
}

/// The sort key of the hint that makes a retried send recognisable.
pub(crate) fn sent_once_sk(id: &ClientMessageId) -> AttributeValue {
    text(format!("CMID#{id}"))
}

/// The sort key of the hints about the tries at one version of an attachment.
pub(crate) fn work_sk(attachment: &AttachmentId, version: &VersionId) -> AttributeValue {
    text(format!("WORK#{attachment}#{}", VersionTag::of(version)))
}

/// What the sort keys of the hints about all versions of an attachment begin with.
pub(crate) fn work_sks(attachment: &AttachmentId) -> AttributeValue {
    text(format!("WORK#{attachment}#"))
}

/// The partition of a customer's slot, whose item `ACTIVE` exists while they have an open room.
pub(crate) fn customer_pk(customer: &UserId) -> AttributeValue {
    text(format!("CUST#{customer}"))
}

/// The sort key of a customer's slot.
pub(crate) fn customer_slot_sk() -> AttributeValue {
    text("ACTIVE")
}

/// The partition of a ticket that opens the WebSocket: a digest, never the ticket itself.
pub(crate) fn ticket_pk(ticket: &Ticket) -> AttributeValue {
    text(format!("TICKET#{}", ticket.digest()))
}

/// The sort key of a ticket.
pub(crate) fn ticket_sk() -> AttributeValue {
    text("T")
}

/// The partition of a person: their connections and quotas, and that they are an operator.
pub(crate) fn user_pk(user: &UserId) -> AttributeValue {
    text(format!("USER#{user}"))
}

/// The sort key of a connection, which is also its partition in the index: who closes it knows its id alone.
pub(crate) fn connection_sk(connection: &ConnectionId) -> AttributeValue {
    text(format!("{CONNECTION}{connection}"))
}

/// The partition of an object's URLs.
pub(crate) fn stored_url_pk(key: &str) -> AttributeValue {
    text(format!("URL#{key}"))
}

/// The sort key of the URL of the window that begins then.
pub(crate) fn stored_url_sk(begin: Timestamp) -> AttributeValue {
    text(begin.to_string())
}

/// The sort key of the note that a person is an operator.
pub(crate) fn operator_sk() -> AttributeValue {
    text("OPERATOR")
}

/// The sort key of what a person has announced in the window that begins then.
pub(crate) fn window_quota_sk(begin: Timestamp) -> AttributeValue {
    text(format!("QUOTA#{begin}"))
}

/// The sort key of what of a person's is pending.
pub(crate) fn pending_quota_sk() -> AttributeValue {
    text("QUOTA#PENDING")
}

/// Partitions of the index of who has something reserved. One alone takes 1,000 writes a second.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
pub(crate) const RESERVED_SHARDS: u8 = 4;

/// The index partition of those who have something reserved, by a number below [`RESERVED_SHARDS`].
pub(crate) fn reserved_pk(shard: u8) -> AttributeValue {
    text(format!("RESERVED#{shard}"))
}

/// Which of the partitions a person is in.
pub(crate) fn reserved_shard(user: &UserId) -> u8 {
    user.as_str().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % RESERVED_SHARDS
}

/// The index sort key of one who reserved something, or was looked at, then.
pub(crate) fn reserved_sk(at: Timestamp, user: &UserId) -> AttributeValue {
    text(format!("{at}#{user}"))
}

/// The partition of the sweep's own item.
pub(crate) fn sweep_pk() -> AttributeValue {
    text("SWEEP")
}

/// The sort key of the sweep's own item.
pub(crate) fn sweep_sk() -> AttributeValue {
    text("PROGRESS")
}

/// What the sort keys of connections begin with.
pub(crate) const CONNECTION: &str = "CONN#";

/// The index partition of an operator's open rooms, or of the rooms that wait for an operator.
pub(crate) fn open_rooms_pk(operator: Option<&UserId>) -> AttributeValue {
    text(format!("OP#{}#OPEN", operator.map_or("-", UserId::as_str)))
}

/// The index sort key of an open room: the rooms come in the order of their last activity.
pub(crate) fn open_rooms_sk(last_activity: Timestamp, room: &RoomId) -> AttributeValue {
    text(format!("{last_activity}#{room}"))
}

/// The index partition of a room's changes.
pub(crate) fn changed_pk(room: &RoomId) -> AttributeValue {
    text(format!("ROOM#{room}#CHG"))
}

/// The index sort key of a changed message.
pub(crate) fn changed_sk(at: Timestamp, seq: MessageSeq) -> AttributeValue {
    text(format!("{at}#{}", seq.digits()))
}

/// A document as an item, without its keys.
///
/// # Errors
/// [`StoreError::Malformed`] for a value that DynamoDB cannot hold.
pub(crate) fn to_item(operation: &'static str, document: &impl Serialize) -> Result<Item, StoreError> {
    serde_dynamo::to_item(document).map_err(|source| StoreError::unreadable(operation, source))
}

/// The document of an item. The table's own attributes (keys, ttl) are passed over.
///
/// # Errors
/// [`StoreError::Malformed`] when the item is not such a document.
pub(crate) fn from_item<T: DeserializeOwned>(operation: &'static str, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|source| StoreError::unreadable(operation, source))
}
