//! Changing a message: each change is one conditional write that bumps `ver`, and a condition that failed is read back.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use vestibule_domain::attachment::Attachment;
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId, UserId};
use vestibule_domain::message::{Cause, Message};
use vestibule_domain::timestamp::Timestamp;

use super::Messages;
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::table::{self, changed_sk, message_sk, number, room_pk, text};

const OPERATION: &str = "UpdateItem of a message";

/// What each change writes besides its own.
pub(super) const STAMP: &str = "#ver = #ver + :one, #by = :by, #cause = :cause, #at = :at, GSI1SK = :changed_at";

/// Somebody who wants to change one message.
#[derive(Debug, Clone)]
pub struct Writer {
    /// The message's room, of which the caller knows that the writer is in it.
    pub room: RoomId,
    /// The message.
    pub seq: MessageSeq,
    /// Who wants to change it.
    pub user: UserId,
    /// When.
    pub at: Timestamp,
}

/// What became of a change.
#[derive(Debug)]
pub enum Change {
    /// The message is as was wanted, since now or since before.
    Made(Box<Message>),
    /// It is not, and cannot be.
    Refused(Refusal),
}

/// Why a message cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such message, or no such attachment in it.
    Missing,
    /// Somebody else wrote it.
    NotTheAuthor,
    /// It was deleted.
    Deleted,
    /// Its room is closed.
    RoomClosed,
    /// Nothing would be left of it: no text, and it has no attachments.
    NothingLeft,
    /// The attachment is not pending any more.
    Decided,
}

/// A write, in the words of DynamoDB.
pub(super) struct Expression {
    pub(super) update: String,
    pub(super) condition: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Messages {
    /// Deletes a message: what is left is its tombstone. Deleting a tombstone changes nothing.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn delete(&self, writer: &Writer) -> Result<Change, StoreError> {
        let mut expression = Expression::of(writer, Cause::Deleted);
        expression.update = format!("SET {STAMP}, #deleted = :yes REMOVE #text, #attachments, #order");
        expression.name("#text", "text");
        expression.name("#attachments", "attachments");
        expression.name("#order", "attachmentOrder");
        expression.value(":yes", AttributeValue::Bool(true));
        self.change(writer, &expression, |found| found.deleted.then_some(Ok(()))).await
    }

    /// Gives an upload up: the attachment goes from pending to cancelled. Cancelling it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn cancel(&self, writer: &Writer, attachment: &AttachmentId) -> Result<Change, StoreError> {
        let mut expression = Expression::of(writer, Cause::AttachmentCancelled);
        expression.update =
            format!("SET {STAMP}, #attachments.#id.#state = :cancelled, #attachments.#id.#decided_at = :at");
        expression.condition.push_str(" AND #attachments.#id.#state = :pending");
        expression.entry(attachment);
        expression.name("#decided_at", "decidedAt");
        expression.value(":cancelled", text("cancelled"));
        expression.value(":pending", text("pending"));
        let judge = |found: &Message| match found.attachment(attachment)? {
            Attachment::Cancelled(_) => Some(Ok(())),
            Attachment::Ready(_) | Attachment::Rejected(_) | Attachment::Removed => Some(Err(Refusal::Decided)),
            Attachment::Pending(_) => None,
        };
        self.change(writer, &expression, judge).await
    }

    /// Takes an attachment out, whatever its state. Taking it out again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn remove(&self, writer: &Writer, attachment: &AttachmentId) -> Result<Change, StoreError> {
        let mut expression = Expression::of(writer, Cause::AttachmentRemoved);
        expression.update = format!("SET {STAMP}, #attachments.#id = :entry");
        expression
            .condition
            .push_str(" AND attribute_exists(#attachments.#id) AND #attachments.#id.#state <> :removed");
        expression.entry(attachment);
        expression.value(":removed", text("removed"));
        let entry = serde_dynamo::to_attribute_value(Attachment::Removed);
        expression.value(":entry", entry.map_err(|source| StoreError::unreadable(OPERATION, source))?);
        let judge = |found: &Message| matches!(found.attachment(attachment)?, Attachment::Removed).then_some(Ok(()));
        self.change(writer, &expression, judge).await
    }

    /// Writes `expression`. When its condition fails, `judge` says whether the message as found is what was wanted
    /// (`Ok`), cannot become it (`Err`), or is not its concern (`None`).
    async fn change(
        &self,
        writer: &Writer,
        expression: &Expression,
        judge: impl Fn(&Message) -> Option<Result<(), Refusal>>,
    ) -> Result<Change, StoreError> {
        let mut backoff = Backoff::new(writer.user.as_str());
        loop {
            match self.update(writer, expression).await {
                Ok(Ok(message)) => return Ok(Change::Made(Box::new(message))),
                Ok(Err(found)) => return Ok(why(found, &writer.user, &judge)),
                Err(StoreError::Conflict { .. }) if backoff.again().await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The message as written or, when the condition failed, as found.
    async fn update(
        &self,
        writer: &Writer,
        expression: &Expression,
    ) -> Result<Result<Message, Option<Message>>, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("PK", room_pk(&writer.room))
            .key("SK", message_sk(writer.seq))
            .update_expression(&expression.update)
            .condition_expression(&expression.condition)
            .set_expression_attribute_names(Some(expression.names.clone()))
            .set_expression_attribute_values(Some(expression.values.clone()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(done) => Ok(Ok(table::from_item(OPERATION, done.attributes.unwrap_or_default())?)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let found = failed.item().filter(|item| !item.is_empty()).cloned();
                    Ok(Err(found.map(|item| table::from_item(OPERATION, item)).transpose()?))
                }
                _ => Err(StoreError::classify(OPERATION, error)),
            },
        }
    }
}

/// Why the message, as found, was not changed.
pub(super) fn why(
    found: Option<Message>,
    user: &UserId,
    judge: impl Fn(&Message) -> Option<Result<(), Refusal>>,
) -> Change {
    let Some(found) = found else { return Change::Refused(Refusal::Missing) };
    if found.author != *user {
        return Change::Refused(Refusal::NotTheAuthor);
    }
    match judge(&found) {
        Some(Ok(())) => Change::Made(Box::new(found)),
        Some(Err(refusal)) => Change::Refused(refusal),
        None if found.deleted => Change::Refused(Refusal::Deleted),
        None => Change::Refused(Refusal::Missing),
    }
}

impl Expression {
    /// What all changes have in common: only the author may, and only while the message is not deleted.
    pub(super) fn of(writer: &Writer, cause: Cause) -> Self {
        let mut expression = Self {
            update: String::new(),
            condition: "#author = :by AND #deleted = :no".to_owned(),
            names: HashMap::new(),
            values: HashMap::new(),
        };
        for name in ["ver", "by", "cause", "at", "author", "deleted"] {
            expression.name(&format!("#{name}"), name);
        }
        expression.value(":one", number(1));
        expression.value(":by", text(writer.user.as_str()));
        expression.value(":cause", text(cause.as_str()));
        expression.value(":at", text(writer.at.to_string()));
        expression.value(":changed_at", changed_sk(writer.at, writer.seq));
        expression.value(":no", AttributeValue::Bool(false));
        expression
    }

    pub(super) fn name(&mut self, placeholder: &str, attribute: &str) {
        self.names.insert(placeholder.to_owned(), attribute.to_owned());
    }

    pub(super) fn value(&mut self, placeholder: &str, value: AttributeValue) {
        self.values.insert(placeholder.to_owned(), value);
    }

    fn entry(&mut self, attachment: &AttachmentId) {
        self.name("#attachments", "attachments");
        self.name("#id", attachment.as_str());
        self.name("#state", "state");
    }
}
