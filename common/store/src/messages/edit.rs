//! Editing: the room must be open and the message its author's, and both are conditions of one transaction.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use vestibule_domain::message::{Cause, Message};

use super::Messages;
use super::change::{Change, Expression, Refusal, STAMP, Writer, why};
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::table::{self, message_sk, meta_sk, room_pk, text};
use crate::transaction::{Cancelled, Reason};

const OPERATION: &str = "TransactWriteItems that edits a message";

impl Messages {
    /// Gives a message another text. An empty one is allowed where there are attachments.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or written.
    pub async fn edit(&self, writer: &Writer, new_text: &str) -> Result<Change, StoreError> {
        let mut backoff = Backoff::new(writer.user.as_str());
        loop {
            let Some(reasons) = self.try_to_edit(writer, new_text).await? else { return self.edited(writer).await };
            match reasons {
                [_, Reason::Condition(found)] => {
                    let found = found.map(|item| table::from_item(OPERATION, item)).transpose()?;
                    return Ok(why(found, &writer.user, nothing_left));
                }
                [Reason::Condition(_), _] => return Ok(Change::Refused(Refusal::RoomClosed)),
                reasons if Reason::is_busy(&reasons) && backoff.again().await => {}
                reasons => return Err(Reason::fault(OPERATION, &reasons)),
            }
        }
    }

    /// A transaction does not answer what it wrote.
    async fn edited(&self, writer: &Writer) -> Result<Change, StoreError> {
        let message = self.get(&writer.room, writer.seq).await?;
        Ok(message.map_or(Change::Refused(Refusal::Missing), |message| Change::Made(Box::new(message))))
    }

    /// `None` once it is written, or why it is not.
    async fn try_to_edit(&self, writer: &Writer, new_text: &str) -> Result<Option<[Reason; 2]>, StoreError> {
        let unreadable = |source| StoreError::unreadable(OPERATION, source);
        let room = self.room_is_open(writer).map_err(unreadable)?;
        let message = self.new_text(writer, new_text).map_err(unreadable)?;
        let transaction = self.client.transact_write_items().transact_items(room).transact_items(message);
        match transaction.send().await {
            Ok(_) => Ok(None),
            Err(error) => match Cancelled::<2>::read(OPERATION, error) {
                Cancelled::Reasons(reasons) => Ok(Some(reasons)),
                Cancelled::Failed(error) => Err(error),
            },
        }
    }

    fn room_is_open(&self, writer: &Writer) -> Result<TransactWriteItem, BuildError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("PK", room_pk(&writer.room))
            .key("SK", meta_sk())
            .condition_expression("#status = :open")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":open", text("open"))
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    fn new_text(&self, writer: &Writer, new_text: &str) -> Result<TransactWriteItem, BuildError> {
        let mut expression = Expression::of(writer, Cause::Edited);
        expression.update = format!("SET {STAMP}, #text = :text, #edited_at = :at");
        expression.name("#text", "text");
        expression.name("#edited_at", "editedAt");
        expression.value(":text", text(new_text));
        if new_text.trim().is_empty() {
            expression.condition.push_str(" AND attribute_exists(#order)");
            expression.name("#order", "attachmentOrder");
        }
        let update = Update::builder()
            .table_name(&self.table)
            .key("PK", room_pk(&writer.room))
            .key("SK", message_sk(writer.seq))
            .update_expression(expression.update)
            .condition_expression(expression.condition)
            .set_expression_attribute_names(Some(expression.names))
            .set_expression_attribute_values(Some(expression.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// What is left of the condition for a message that is the author's and not deleted.
fn nothing_left(found: &Message) -> Option<Result<(), Refusal>> {
    (!found.deleted).then_some(Err(Refusal::NothingLeft))
}
