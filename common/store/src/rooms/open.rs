//! Opening a room: the customer's slot and the room in one transaction, so that a customer cannot have two.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use vestibule_domain::room::{Room, RoomStatus};

use super::{Rooms, room_of_slot};
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::table::{self, customer_pk, customer_slot_sk, meta_sk, open_rooms_pk, open_rooms_sk, room_pk, text};
use crate::transaction::{Cancelled, Reason};

const OPERATION: &str = "TransactWriteItems that opens a room";

/// What became of a wish for a room.
#[derive(Debug)]
pub enum Opening {
    /// It is open.
    Opened,
    /// The customer has this one open, and so no other was opened.
    Standing(Room),
}

/// One try's end.
enum Try {
    Done(Opening),
    /// Somebody was in the way, or the room in the way was closed just now.
    Again(StoreError),
}

impl Rooms {
    /// Opens `room`, unless its customer has an open room.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or written.
    pub async fn open(&self, room: &Room) -> Result<Opening, StoreError> {
        let mut backoff = Backoff::new(room.room.as_str());
        loop {
            match self.try_to_open(room).await? {
                Try::Done(opening) => return Ok(opening),
                Try::Again(reason) => {
                    if !backoff.again().await {
                        return Err(reason);
                    }
                }
            }
        }
    }

    async fn try_to_open(&self, room: &Room) -> Result<Try, StoreError> {
        let slot = self.slot(room).map_err(|source| StoreError::unreadable(OPERATION, source))?;
        let document = self.document(room)?;
        let transaction = self.client.transact_write_items().transact_items(slot).transact_items(document);
        let reasons = match transaction.send().await {
            Ok(_) => return Ok(Try::Done(Opening::Opened)),
            Err(error) => match Cancelled::<2>::read(OPERATION, error) {
                Cancelled::Reasons(reasons) => reasons,
                Cancelled::Failed(error) => return Err(error),
            },
        };
        let standing = match &reasons {
            [Reason::Condition(Some(slot)), _] => self.get(&room_of_slot(OPERATION, slot)?).await?,
            [Reason::Condition(None), _] => self.open_of_customer(&room.customer).await?,
            _ if Reason::is_busy(&reasons) => return Ok(Try::Again(Reason::fault(OPERATION, &reasons))),
            _ => return Err(Reason::fault(OPERATION, &reasons)),
        };
        match standing {
            // Our own: the transaction was sent twice, and the first time it took effect without an answer.
            Some(standing) if standing.room == room.room => Ok(Try::Done(Opening::Opened)),
            Some(standing) if standing.status == RoomStatus::Open => Ok(Try::Done(Opening::Standing(standing))),
            _ => Ok(Try::Again(StoreError::Conflict { operation: OPERATION, code: "slot".to_owned() })),
        }
    }

    fn slot(&self, room: &Room) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("PK", customer_pk(&room.customer))
            .item("SK", customer_slot_sk())
            .item("room", text(room.room.as_str()))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn document(&self, room: &Room) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(table::to_item(OPERATION, room)?))
            .item("PK", room_pk(&room.room))
            .item("SK", meta_sk())
            .item("GSI1PK", open_rooms_pk(room.operator.as_ref()))
            .item("GSI1SK", open_rooms_sk(room.last_activity, &room.room))
            .condition_expression("attribute_not_exists(PK)")
            .build()
            .map_err(|source| StoreError::unreadable(OPERATION, source))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
