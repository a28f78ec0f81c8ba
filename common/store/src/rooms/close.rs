//! Closing a room: the room and the customer's slot in one transaction, so that the customer can open another at once.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};
use vestibule_domain::room::Room;
use vestibule_domain::timestamp::Timestamp;

use super::Rooms;
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::table::{customer_pk, customer_slot_sk, meta_sk, room_pk, text};
use crate::transaction::{Cancelled, Reason};

const OPERATION: &str = "TransactWriteItems that closes a room";

impl Rooms {
    /// Closes `room` and frees its customer's slot. Closing a closed room changes nothing. Answers the room as it is then;
    /// `None` when there is no such room.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or written.
    pub async fn close(&self, room: &Room, at: Timestamp) -> Result<Option<Room>, StoreError> {
        let mut backoff = Backoff::new(room.room.as_str());
        while let Some(reason) = self.try_to_close(room, at).await? {
            if !backoff.again().await {
                return Err(reason);
            }
        }
        self.get(&room.room).await
    }

    /// `None` once the room is not open any more, or why it is worth another try.
    async fn try_to_close(&self, room: &Room, at: Timestamp) -> Result<Option<StoreError>, StoreError> {
        let unreadable = |source| StoreError::unreadable(OPERATION, source);
        let document = self.closed(room, at).map_err(unreadable)?;
        let slot = self.freed(room).map_err(unreadable)?;
        let transaction = self.client.transact_write_items().transact_items(document).transact_items(slot);
        let reasons = match transaction.send().await {
            Ok(_) => return Ok(None),
            Err(error) => match Cancelled::<2>::read(OPERATION, error) {
                Cancelled::Reasons(reasons) => reasons,
                Cancelled::Failed(error) => return Err(error),
            },
        };
        match &reasons {
            // It is closed already, or does not exist.
            [Reason::Condition(_), _] => Ok(None),
            _ if Reason::is_busy(&reasons) => Ok(Some(Reason::fault(OPERATION, &reasons))),
            // An open room whose customer's slot holds another one cannot come about: every open takes the slot.
            _ => Err(Reason::fault(OPERATION, &reasons)),
        }
    }

    fn closed(&self, room: &Room, at: Timestamp) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("PK", room_pk(&room.room))
            .key("SK", meta_sk())
            .update_expression("SET #status = :closed, #closed_at = :at REMOVE GSI1PK, GSI1SK")
            .condition_expression("#status = :open")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#closed_at", "closedAt")
            .expression_attribute_values(":closed", text("closed"))
            .expression_attribute_values(":open", text("open"))
            .expression_attribute_values(":at", text(at.to_string()))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn freed(&self, room: &Room) -> Result<TransactWriteItem, BuildError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("PK", customer_pk(&room.customer))
            .key("SK", customer_slot_sk())
            .condition_expression("attribute_not_exists(PK) OR #room = :room")
            .expression_attribute_names("#room", "room")
            .expression_attribute_values(":room", text(room.room.as_str()))
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
