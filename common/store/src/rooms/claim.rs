//! Taking a room that waits for an operator: one conditional write, so that two operators cannot both have it.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use vestibule_domain::id::{RoomId, UserId};
use vestibule_domain::room::{Room, RoomStatus};

use super::Rooms;
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::table::{self, meta_sk, open_rooms_pk, room_pk, text};

const OPERATION: &str = "UpdateItem that claims a room";

/// What became of a claim.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The room is the operator's, since now or since before.
    Held(Room),
    /// There is no such room.
    Missing,
    /// Another operator has it.
    Taken,
    /// The operator is its customer.
    Own,
    /// It was closed before anybody took it.
    Closed,
}

impl Rooms {
    /// Makes `operator` the room's operator, if it is open and has none.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn claim(&self, room: &RoomId, operator: &UserId) -> Result<Claim, StoreError> {
        let mut backoff = Backoff::new(operator.as_str());
        loop {
            match self.try_to_claim(room, operator).await {
                Err(StoreError::Conflict { .. }) if backoff.again().await => {}
                ended => return ended,
            }
        }
    }

    async fn try_to_claim(&self, room: &RoomId, operator: &UserId) -> Result<Claim, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("PK", room_pk(room))
            .key("SK", meta_sk())
            .update_expression("SET #operator = :operator, GSI1PK = :open")
            .condition_expression("#status = :is_open AND attribute_not_exists(#operator) AND #customer <> :operator")
            .expression_attribute_names("#operator", "operator")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#customer", "customer")
            .expression_attribute_values(":operator", text(operator.as_str()))
            .expression_attribute_values(":open", open_rooms_pk(Some(operator)))
            .expression_attribute_values(":is_open", text("open"))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(done) => Ok(Claim::Held(table::from_item(OPERATION, done.attributes.unwrap_or_default())?)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let found = failed.item().cloned().map(|item| table::from_item(OPERATION, item)).transpose()?;
                    Ok(judge(found, operator))
                }
                _ => Err(StoreError::classify(OPERATION, error)),
            },
        }
    }
}

/// Why the room as it stands could not be claimed.
fn judge(found: Option<Room>, operator: &UserId) -> Claim {
    match found {
        None => Claim::Missing,
        Some(room) if room.operator.as_ref() == Some(operator) => Claim::Held(room),
        Some(room) if room.operator.is_some() => Claim::Taken,
        Some(room) if room.status == RoomStatus::Closed => Claim::Closed,
        // What is left of the condition.
        Some(_) => Claim::Own,
    }
}

#[cfg(test)]
mod tests {
    use vestibule_domain::timestamp::Timestamp;

    use super::*;

    fn room(operator: Option<&str>, status: RoomStatus) -> Room {
        Room {
            room: "01jd3v8q0zk5w6x7y8z9abcdef".parse().unwrap(),
            customer: "customer".parse().unwrap(),
            operator: operator.map(|id| id.parse().unwrap()),
            status,
            last_seq: 0,
            opened_at: Timestamp::from_millis(0),
            last_activity: Timestamp::from_millis(0),
            closed_at: None,
        }
    }

    #[test]
    fn a_claim_that_failed_says_why() {
        let me = "me".parse().unwrap();
        let mine = room(Some("me"), RoomStatus::Open);
        assert_eq!(judge(None, &me), Claim::Missing);
        assert_eq!(judge(Some(mine.clone()), &me), Claim::Held(mine));
        assert_eq!(judge(Some(room(Some("other"), RoomStatus::Open)), &me), Claim::Taken);
        assert_eq!(judge(Some(room(Some("other"), RoomStatus::Closed)), &me), Claim::Taken);
        assert_eq!(judge(Some(room(None, RoomStatus::Closed)), &me), Claim::Closed);
        assert_eq!(judge(Some(room(None, RoomStatus::Open)), &"customer".parse().unwrap()), Claim::Own);
    }
}
