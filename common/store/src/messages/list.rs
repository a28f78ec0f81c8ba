//! Reading messages: by their place in the room, or by when they changed last.

use aws_sdk_dynamodb::types::AttributeValue;
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::message::Message;
use vestibule_domain::timestamp::Timestamp;

use super::Messages;
use crate::cursor::ChangeCursor;
use crate::documents;
use crate::error::StoreError;
use crate::table::{self, GSI1, Item, changed_pk, message_sk, room_pk, text};

/// From where on a list of changes is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// What changed at this moment or later.
    Moment(Timestamp),
    /// What comes behind this place.
    Place(ChangeCursor),
}

impl Messages {
    /// The room's messages after `after` (all for `None`) in their order: at most `limit` (to 100), and whether there are more.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or holds what it should not.
    pub async fn list(
        &self,
        room: &RoomId,
        after: Option<MessageSeq>,
        limit: usize,
    ) -> Result<(Vec<Message>, bool), StoreError> {
        const OPERATION: &str = "Query of messages";
        let (limit, wanted) = limits(limit);
        let Ok(first) = MessageSeq::try_from(after.map_or(1, |seq| seq.get() + 1)) else { return Ok((vec![], false)) };
        let mut items: Vec<Item> = Vec::new();
        let mut start = None;
        // One answer ends at a megabyte, whatever the limit.
        loop {
            let query = self.client.query().table_name(&self.table).consistent_read(true);
            let answer = query
                .key_condition_expression("PK = :room AND SK BETWEEN :first AND :last")
                .expression_attribute_values(":room", room_pk(room))
                .expression_attribute_values(":first", message_sk(first))
                .expression_attribute_values(":last", text(format!("MSG#{}", MessageSeq::MAX)))
                .set_exclusive_start_key(start)
                .limit(wanted)
                .send()
                .await
                .map_err(|error| StoreError::classify(OPERATION, error))?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() || items.len() > limit {
                break;
            }
        }
        let more = items.len() > limit;
        items.truncate(limit);
        let messages = items.into_iter().map(|item| table::from_item(OPERATION, item)).collect::<Result<_, _>>()?;
        Ok((messages, more))
    }

    /// The room's messages by their last change, each with its place in that order: at most `limit` (to 100), and whether
    /// there are more. The index lags and clocks differ, so a change may appear behind a place that was already read:
    /// readers begin two minutes before the last change they saw, and drop what they know by `seq` and `ver`.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or holds what it should not.
    pub async fn changed(
        &self,
        room: &RoomId,
        since: &Since,
        limit: usize,
    ) -> Result<(Vec<(ChangeCursor, Message)>, bool), StoreError> {
        const OPERATION: &str = "BatchGetItem of messages";
        let (limit, wanted) = limits(limit);
        let mut places = self.changed_places(room, since, wanted).await?;
        let more = places.len() > limit;
        places.truncate(limit);
        let keys: Vec<_> = places.iter().map(|place| (room_pk(room), message_sk(place.seq))).collect();
        let found = documents::read(&self.client, &self.table, OPERATION, &keys).await?;
        let mut messages = Vec::with_capacity(found.len());
        for (place, item) in places.into_iter().zip(found) {
            if let Some(item) = item {
                messages.push((place, table::from_item(OPERATION, item)?));
            }
        }
        Ok((messages, more))
    }

    async fn changed_places(&self, room: &RoomId, since: &Since, limit: i32) -> Result<Vec<ChangeCursor>, StoreError> {
        const OPERATION: &str = "Query of changed messages";
        let (condition, from) = since.condition();
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(GSI1)
            .key_condition_expression(condition)
            .expression_attribute_values(":changed", changed_pk(room))
            .expression_attribute_values(":from", from)
            .limit(limit)
            .send()
            .await
            .map_err(|error| StoreError::classify(OPERATION, error))?;
        let place = |entry: &Item| {
            let key = entry.get("GSI1SK").and_then(|key| key.as_s().ok());
            let key = key.ok_or_else(|| StoreError::unreadable(OPERATION, "an entry without its key"))?;
            ChangeCursor::from_sort_key(key).map_err(|source| StoreError::unreadable(OPERATION, source))
        };
        answer.items.unwrap_or_default().iter().map(place).collect()
    }
}

impl Since {
    fn condition(&self) -> (&'static str, AttributeValue) {
        match self {
            // The sort key goes on behind the time, so that "at this moment" is also "later".
            Self::Moment(at) => ("GSI1PK = :changed AND GSI1SK >= :from", text(at.to_string())),
            Self::Place(place) => ("GSI1PK = :changed AND GSI1SK > :from", table::changed_sk(place.at, place.seq)),
        }
    }
}

/// The page's length, and one more, by which one sees that there are more.
fn limits(limit: usize) -> (usize, i32) {
    let limit = limit.clamp(1, documents::MOST);
    (limit, i32::try_from(limit + 1).unwrap_or(i32::MAX))
}
