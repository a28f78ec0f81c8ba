//! Rooms: one customer, one operator, and never two open rooms of one customer.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use vestibule_domain::id::{RoomId, UserId};
use vestibule_domain::room::Room;

use crate::error::StoreError;
use crate::table::{self, customer_pk, customer_slot_sk, meta_sk, room_pk};

mod claim;
mod close;
mod list;
mod open;

pub use claim::Claim;
pub use list::OpenRooms;
pub use open::Opening;

/// The rooms' documents.
#[derive(Clone)]
pub struct Rooms {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Rooms {
    /// Rooms in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads a room as it is now.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or the item is not a room.
    pub async fn get(&self, room: &RoomId) -> Result<Option<Room>, StoreError> {
        const OPERATION: &str = "GetItem of a room";
        let item = self.item(OPERATION, room_pk(room), meta_sk()).await?;
        item.map(|item| table::from_item(OPERATION, item)).transpose()
    }

    /// The room that `customer` has open, as it is now.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or an item is not what it should be.
    pub async fn open_of_customer(&self, customer: &UserId) -> Result<Option<Room>, StoreError> {
        const OPERATION: &str = "GetItem of a customer's slot";
        let slot = self.item(OPERATION, customer_pk(customer), customer_slot_sk()).await?;
        match slot {
            Some(slot) => self.get(&room_of_slot(OPERATION, &slot)?).await,
            None => Ok(None),
        }
    }

    async fn item(
        &self,
        operation: &'static str,
        pk: AttributeValue,
        sk: AttributeValue,
    ) -> Result<Option<table::Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key("PK", pk).key("SK", sk).consistent_read(true);
        let answer = get.send().await.map_err(|error| StoreError::classify(operation, error))?;
        Ok(answer.item)
    }
}

/// Which room a customer's slot holds.
fn room_of_slot(operation: &'static str, slot: &HashMap<String, AttributeValue>) -> Result<RoomId, StoreError> {
    let room = slot.get("room").and_then(|room| room.as_s().ok());
    let room = room.ok_or_else(|| StoreError::unreadable(operation, "a slot without a room"))?;
    room.parse().map_err(|source| StoreError::unreadable(operation, source))
}
