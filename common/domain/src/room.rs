//! A room: one operator, one customer, one conversation.

use serde::{Deserialize, Serialize};

use crate::id::{RoomId, UserId};
use crate::timestamp::Timestamp;

/// Whether people may still write in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomStatus {
    /// Both people may write.
    Open,
    /// Both people may read.
    Closed,
}

/// A room's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Its id.
    pub room: RoomId,
    /// The customer, who has at most one open room.
    pub customer: UserId,
    /// The operator; absent while the customer waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<UserId>,
    /// Open or closed.
    pub status: RoomStatus,
    /// The sequence number of the last message; 0 before the first.
    pub last_seq: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was opened or last written in.
    pub last_activity: Timestamp,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

impl Room {
    /// Whether `user` is one of the two people of the room.
    pub fn has(&self, user: &UserId) -> bool {
        self.customer == *user || self.operator.as_ref() == Some(user)
    }
}
