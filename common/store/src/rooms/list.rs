//! Open rooms, by operator, from the index; the documents themselves are read from the table, since the index lags.

use vestibule_domain::id::UserId;
use vestibule_domain::room::{Room, RoomStatus};

use super::Rooms;
use crate::cursor::{Page, RoomCursor};
use crate::documents;
use crate::error::StoreError;
use crate::table::{self, GSI1, Item, meta_sk, open_rooms_pk, open_rooms_sk, room_pk};

const OPERATION: &str = "Query of open rooms";

/// Which open rooms.
#[derive(Debug, Clone, Copy)]
pub enum OpenRooms<'a> {
    /// Those of an operator, the last written in first.
    Of(&'a UserId),
    /// Those that wait for an operator, the longest untouched first.
    Waiting,
}

impl OpenRooms<'_> {
    fn operator(&self) -> Option<&UserId> {
        match self {
            Self::Of(operator) => Some(operator),
            Self::Waiting => None,
        }
    }
}

impl Rooms {
    /// At most `limit` (to 100) open rooms after `after`. The index lags a little, so a room that was opened or claimed a
    /// moment ago may be missing; one that was closed or claimed meanwhile is left out, so a page may be short.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or holds what it should not.
    pub async fn list_open(
        &self,
        which: OpenRooms<'_>,
        limit: usize,
        after: Option<&RoomCursor>,
    ) -> Result<Page<Room, RoomCursor>, StoreError> {
        let limit = limit.clamp(1, documents::MOST);
        let entries = self.index_entries(which, limit + 1, after).await?;
        let more = entries.len() > limit;
        let cursors = entries.iter().take(limit).map(cursor).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<_> = cursors.iter().map(|cursor| (room_pk(&cursor.room), meta_sk())).collect();
        let found = documents::read(&self.client, &self.table, "BatchGetItem of rooms", &keys).await?;
        let mut rooms = Vec::with_capacity(found.len());
        for item in found.into_iter().flatten() {
            let room: Room = table::from_item(OPERATION, item)?;
            if room.status == RoomStatus::Open && room.operator.as_ref() == which.operator() {
                rooms.push(room);
            }
        }
        Ok(Page { items: rooms, next: cursors.into_iter().next_back().filter(|_| more) })
    }

    async fn index_entries(
        &self,
        which: OpenRooms<'_>,
        limit: usize,
        after: Option<&RoomCursor>,
    ) -> Result<Vec<Item>, StoreError> {
        let newest_first = matches!(which, OpenRooms::Of(_));
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(GSI1)
            .expression_attribute_values(":open", open_rooms_pk(which.operator()))
            .scan_index_forward(!newest_first)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        query = match after {
            None => query.key_condition_expression("GSI1PK = :open"),
            Some(cursor) => query
                .key_condition_expression(if newest_first {
                    "GSI1PK = :open AND GSI1SK < :after"
                } else {
                    "GSI1PK = :open AND GSI1SK > :after"
                })
                .expression_attribute_values(":after", open_rooms_sk(cursor.last_activity, &cursor.room)),
        };
        let answer = query.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        Ok(answer.items.unwrap_or_default())
    }
}

fn cursor(entry: &Item) -> Result<RoomCursor, StoreError> {
    let key = entry.get("GSI1SK").and_then(|key| key.as_s().ok());
    let key = key.ok_or_else(|| StoreError::unreadable(OPERATION, "an entry without its key"))?;
    RoomCursor::from_sort_key(key).map_err(|source| StoreError::unreadable(OPERATION, source))
}
