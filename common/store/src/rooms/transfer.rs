//! Handing a room on: from its operator to another, or back to those that wait.

use aws_sdk_dynamodb::types::{ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use serde::Serialize;
use vestibule_domain::id::{RoomId, UserId};
use vestibule_domain::room::{Room, RoomStatus};
use vestibule_domain::timestamp::Timestamp;

use super::Rooms;
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::table::{self, Item, meta_sk, number, open_rooms_pk, operator_sk, room_pk, since_1970, text, user_pk};
use crate::transaction::{Cancelled, Reason};

const OPERATION: &str = "TransactWriteItems that hands a room on";
/// How long somebody is known as an operator after they were last seen as one, in seconds.
const KNOWN_SECONDS: i64 = 30 * 24 * 60 * 60;

/// What became of handing a room on.
#[derive(Debug, PartialEq, Eq)]
pub enum Transfer {
    /// The room is the other's, or waits, since now or since before.
    Done(Room),
    /// There is no such room.
    Missing,
    /// It is not the room of who hands it on.
    NotTheirs,
    /// It is closed.
    Closed,
    /// The other is its customer, or was not seen as an operator lately.
    NoOperator,
}

/// The item at `OPERATOR`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    seen_at: Timestamp,
    ttl: u64,
}

impl Rooms {
    /// Notes that `user` is an operator, so that rooms can be handed on to them.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn note_operator(&self, user: &UserId, now: Timestamp) -> Result<(), StoreError> {
        const OPERATION: &str = "PutItem of an operator";
        let seen = Seen { seen_at: now, ttl: since_1970(now.plus_seconds(KNOWN_SECONDS)) };
        let put = self.client.put_item().table_name(&self.table);
        let put = put.set_item(Some(table::to_item(OPERATION, &seen)?));
        let put = put.item("PK", user_pk(user)).item("SK", operator_sk());
        put.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        Ok(())
    }

    /// Hands `room` on from its operator `from` to the operator `to`, or to nobody: then it waits.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn transfer(
        &self,
        room: &RoomId,
        from: &UserId,
        to: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Transfer, StoreError> {
        let mut backoff = Backoff::new(from.as_str());
        loop {
            match self.try_to_transfer(room, from, to, now).await {
                Err(StoreError::Conflict { .. }) if backoff.again().await => {}
                ended => return ended,
            }
        }
    }

    async fn try_to_transfer(
        &self,
        room: &RoomId,
        from: &UserId,
        to: Option<&UserId>,
        now: Timestamp,
    ) -> Result<Transfer, StoreError> {
        let unreadable = |source| StoreError::unreadable(OPERATION, source);
        let moved = Update::builder()
            .table_name(&self.table)
            .key("PK", room_pk(room))
            .key("SK", meta_sk())
            .condition_expression("#status = :is_open AND #operator = :from AND #customer <> :to")
            .expression_attribute_names("#operator", "operator")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#customer", "customer")
            .expression_attribute_values(":is_open", text("open"))
            .expression_attribute_values(":from", text(from.as_str()))
            .expression_attribute_values(":to", text(to.map_or("-", UserId::as_str)))
            .expression_attribute_values(":open", open_rooms_pk(to))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let moved = match to {
            Some(_) => moved.update_expression("SET #operator = :to, GSI1PK = :open"),
            None => moved.update_expression("SET GSI1PK = :open REMOVE #operator"),
        };
        let moved = TransactWriteItem::builder().update(moved.build().map_err(unreadable)?).build();
        let mut transaction = self.client.transact_write_items().transact_items(moved);
        if let Some(to) = to {
            let known = ConditionCheck::builder()
                .table_name(&self.table)
                .key("PK", user_pk(to))
                .key("SK", operator_sk())
                .condition_expression("#ttl > :now")
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":now", number(since_1970(now)));
            let known = known.build().map_err(unreadable)?;
            transaction = transaction.transact_items(TransactWriteItem::builder().condition_check(known).build());
        }
        let reasons = match transaction.send().await {
            Ok(_) => return Ok(self.get(room).await?.map_or(Transfer::Missing, Transfer::Done)),
            Err(error) => match Cancelled::<2>::read_first(OPERATION, if to.is_some() { 2 } else { 1 }, error) {
                Cancelled::Reasons(reasons) => reasons,
                Cancelled::Failed(error) => return Err(error),
            },
        };
        match reasons {
            [Reason::Condition(found), _] => judge(found, from, to),
            [_, Reason::Condition(_)] => Ok(Transfer::NoOperator),
            reasons => Err(Reason::fault(OPERATION, &reasons)),
        }
    }
}

/// Why the room as it stands could not be handed on.
fn judge(found: Option<Item>, from: &UserId, to: Option<&UserId>) -> Result<Transfer, StoreError> {
    let Some(found) = found else { return Ok(Transfer::Missing) };
    let room: Room = table::from_item(OPERATION, found)?;
    Ok(match room.operator.as_ref() {
        _ if room.status == RoomStatus::Closed => Transfer::Closed,
        operator if operator == to => Transfer::Done(room),
        operator if operator != Some(from) => Transfer::NotTheirs,
        // What is left of the condition: the other is the customer.
        _ => Transfer::NoOperator,
    })
}
