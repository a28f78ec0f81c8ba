//! Rooms: one customer, one operator, and never two open rooms of one customer.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use vestibule_domain::id::{RoomId, UserId};
use vestibule_domain::room::Room;

use crate::error::StoreError;
use crate::table::{self, Item, customer_pk, customer_slot_sk, meta_sk, room_pk};

mod claim;
mod close;
mod list;
mod open;
mod transfer;

pub use claim::Claim;
pub use list::OpenRooms;
pub use open::Opening;
pub use transfer::Transfer;

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
        read(&self.client, &self.table, room).await
    }

    /// The room that `customer` has open, as it is now.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or an item is not what it should be.
    pub async fn open_of_customer(&self, customer: &UserId) -> Result<Option<Room>, StoreError> {
        const OPERATION: &str = "GetItem of a customer's slot";
        let slot = item(&self.client, &self.table, OPERATION, customer_pk(customer), customer_slot_sk()).await?;
        match slot {
            Some(slot) => self.get(&room_of_slot(OPERATION, &slot)?).await,
            None => Ok(None),
        }
    }
}

/// Reads a room as it is now.
pub(crate) async fn read(client: &Client, table: &str, room: &RoomId) -> Result<Option<Room>, StoreError> {
    const OPERATION: &str = "GetItem of a room";
    let item = item(client, table, OPERATION, room_pk(room), meta_sk()).await?;
    item.map(|item| table::from_item(OPERATION, item)).transpose()
}

async fn item(
    client: &Client,
    table: &str,
    operation: &'static str,
    pk: AttributeValue,
    sk: AttributeValue,
) -> Result<Option<Item>, StoreError> {
    let get = client.get_item().table_name(table).key("PK", pk).key("SK", sk).consistent_read(true);
    let answer = get.send().await.map_err(|error| StoreError::classify(operation, error))?;
    Ok(answer.item)
}

/// Which room a customer's slot holds.
fn room_of_slot(operation: &'static str, slot: &Item) -> Result<RoomId, StoreError> {
    let room = slot.get("room").and_then(|room| room.as_s().ok());
    let room = room.ok_or_else(|| StoreError::unreadable(operation, "a slot without a room"))?;
    room.parse().map_err(|source| StoreError::unreadable(operation, source))
}
