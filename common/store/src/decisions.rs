//! What ingest asks of the message documents and writes to them: the two calls around a decision.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use vestibule_domain::attachment::Attachment;
use vestibule_domain::key::InboxKey;
use vestibule_domain::message::{Cause, INGEST, Message};
use vestibule_domain::timestamp::Timestamp;

use crate::error::StoreError;
use crate::table::{self, changed_pk, changed_sk, message_sk, number, room_pk, text};

/// The message documents, as ingest sees them.
#[derive(Clone)]
pub struct Decisions {
    client: Client,
    table: String,
}

/// What became of a decision.
#[derive(Debug)]
pub enum Decided {
    /// It stands.
    Written,
    /// The attachment was not pending. This is the message as it was found; `None` when there is none at all.
    Lost(Option<Box<Message>>),
}

impl Decisions {
    /// Documents in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads the message that `key` belongs to, as it is now.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or the item is not a message.
    pub async fn ask(&self, key: &InboxKey) -> Result<Option<Message>, StoreError> {
        const OPERATION: &str = "GetItem of a message";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", room_pk(&key.room))
            .key("SK", message_sk(key.message))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::classify(OPERATION, error))?;
        answer.item.map(|item| table::from_item(OPERATION, item)).transpose()
    }

    /// Writes a decision, if and only if the attachment is still pending. The first decision is final.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written; whether the write happened is then unknown, and asking again tells.
    pub async fn decide(
        &self,
        key: &InboxKey,
        entry: &Attachment,
        cause: Cause,
        at: Timestamp,
    ) -> Result<Decided, StoreError> {
        const OPERATION: &str = "UpdateItem of a message";
        let entry =
            serde_dynamo::to_attribute_value(entry).map_err(|source| StoreError::unreadable(OPERATION, source))?;
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("PK", room_pk(&key.room))
            .key("SK", message_sk(key.message))
            .update_expression(
                "SET attachments.#attachment = :entry, ver = ver + :one, #by = :by, #cause = :cause, #at = :at, \
                 GSI1PK = :changed, GSI1SK = :changed_at",
            )
            .condition_expression("attachments.#attachment.#state = :pending")
            .expression_attribute_names("#attachment", key.attachment.as_str())
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#by", "by")
            .expression_attribute_names("#cause", "cause")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":entry", entry)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":by", text(INGEST))
            .expression_attribute_values(":cause", text(cause.as_str()))
            .expression_attribute_values(":at", text(at.to_string()))
            .expression_attribute_values(":changed", changed_pk(&key.room))
            .expression_attribute_values(":changed_at", changed_sk(at, key.message))
            .expression_attribute_values(":pending", text("pending"))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Decided::Written),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let found = failed.item().cloned().map(|item| table::from_item(OPERATION, item)).transpose()?;
                    Ok(Decided::Lost(found.map(Box::new)))
                }
                _ => Err(StoreError::classify(OPERATION, error)),
            },
        }
    }
}
