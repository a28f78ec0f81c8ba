//! One change of one message, as the table's stream tells it, and what cannot be taken for one.

use std::collections::BTreeMap;

use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::timestamp::Timestamp;

use crate::value::Value;

/// An item of the table.
pub type Item = BTreeMap<String, Value>;

/// What the stream says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Event {
    /// The item was made.
    Insert,
    /// The item was changed.
    Modify,
    /// The item was deleted, which nothing of ours does to a message.
    Remove,
}

/// A change, as the stream tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The stream's own id of the change: the same in every delivery.
    pub event_id: String,
    /// What happened.
    pub event: Event,
    /// When, in the stream's word, which is whole seconds on AWS.
    pub time: Timestamp,
    /// The change's place in its shard, as a decimal number.
    pub sequence: String,
    /// Whether DynamoDB deleted the item by itself, because its time was over.
    pub expired: bool,
    /// The item's partition key.
    pub pk: String,
    /// The item's sort key.
    pub sk: String,
    /// The item before; absent for an insert.
    pub old: Option<Item>,
    /// The item after; absent for a removal.
    pub new: Option<Item>,
}

/// Why a change cannot be filed as one of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Poison {
    /// Some field that every record of a stream has is not there or cannot be read.
    #[error("it is no record of a stream")]
    NoRecord,
    /// The keys are not those of a message.
    #[error("its keys are not a message's")]
    ForeignKeys,
    /// An image that the event promises is not there.
    #[error("an image is missing")]
    NoImage,
    /// The message has no version.
    #[error("it has no version")]
    NoVersion,
    /// A number is none.
    #[error("a number in it is none")]
    NotANumber,
    /// An attribute is of a type that is not known.
    #[error("an attribute in it is of an unknown type")]
    UnknownType,
}

/// Reads a message's keys.
pub(crate) fn message_of(pk: &str, sk: &str) -> Result<(RoomId, MessageSeq), Poison> {
    let room = pk.strip_prefix("ROOM#").and_then(|room| room.parse().ok());
    let seq = sk.strip_prefix("MSG#").and_then(|digits| MessageSeq::from_digits(digits).ok());
    room.zip(seq).ok_or(Poison::ForeignKeys)
}
