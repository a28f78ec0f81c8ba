//! A room as callers see it.

use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::id::{RoomId, UserId};
use vestibule_domain::room::{Room, RoomStatus};
use vestibule_domain::timestamp::Timestamp;

/// A room: one customer, one operator, one conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Room)]
pub struct RoomView {
    /// Its id.
    #[schema(value_type = String, example = "01jd3v8q0zk5w6x7y8z9abcdef")]
    room: RoomId,
    /// The customer.
    #[schema(value_type = String)]
    customer: UserId,
    /// The operator; absent while the customer waits for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    operator: Option<UserId>,
    /// `open`: both may write; `closed`: both may read.
    #[schema(value_type = String, pattern = "^(open|closed)$")]
    status: RoomStatus,
    /// The number of the last message; 0 before the first.
    last_seq: u64,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// When it was opened or last written in.
    #[schema(value_type = String, format = DateTime)]
    last_activity: Timestamp,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    closed_at: Option<Timestamp>,
}

impl From<Room> for RoomView {
    fn from(room: Room) -> Self {
        Self {
            room: room.room,
            customer: room.customer,
            operator: room.operator,
            status: room.status,
            last_seq: room.last_seq,
            opened_at: room.opened_at,
            last_activity: room.last_activity,
            closed_at: room.closed_at,
        }
    }
}
