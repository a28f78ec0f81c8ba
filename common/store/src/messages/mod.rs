//! Messages, as the people of a room send, change and read them. What ingest writes to them is in [`crate::decisions`].

use aws_sdk_dynamodb::Client;
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::message::Message;

use crate::error::StoreError;
use crate::table::{self, message_sk, room_pk};

mod change;
mod edit;
mod list;
mod parts;
mod send;

pub use change::{Change, Refusal, Writer};
pub use list::Since;
pub use send::{Draft, Sending};

/// The message documents.
#[derive(Clone)]
pub struct Messages {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Messages {
    /// Messages in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads a message as it is now.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or the item is not a message.
    pub async fn get(&self, room: &RoomId, seq: MessageSeq) -> Result<Option<Message>, StoreError> {
        const OPERATION: &str = "GetItem of a message";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", room_pk(room))
            .key("SK", message_sk(seq))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::classify(OPERATION, error))?;
        answer.item.map(|item| table::from_item(OPERATION, item)).transpose()
    }
}
