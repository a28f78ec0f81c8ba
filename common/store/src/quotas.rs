//! What a person may still upload: two items of theirs, written in the transaction that sends a message with attachments.
//!
//! The one counts files and bytes of a window of time. The other names what is pending. Nobody takes a name out of it when an attachment
//! is decided, which would be one more thing that can fail: it is tidied when it is full.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use vestibule_domain::attachment::{Attachment, Promise};
use vestibule_domain::id::{MessageSeq, RoomId, UserId};
use vestibule_domain::key::InboxKey;
use vestibule_domain::message::Message;
use vestibule_domain::quota::{Quota, Window};
use vestibule_domain::timestamp::Timestamp;

use crate::documents;
use crate::error::StoreError;
use crate::table::{
    self, GSI1, RESERVED_SHARDS, message_sk, number, pending_quota_sk, reserved_pk, reserved_shard, reserved_sk,
    room_pk, since_1970, text, user_pk, window_quota_sk,
};

/// How long a window's item is kept after its end, in seconds.
const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// What people may still upload.
#[derive(Clone)]
pub struct Quotas {
    client: Client,
    table: String,
}

/// A quota that a message does not fit in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// Too many files or bytes in this window; the next one begins in so many seconds.
    Window {
        /// Seconds.
        seconds_left: u64,
    },
    /// Too many attachments are pending.
    Pending,
}

impl Quotas {
    /// Quotas in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Gives back what `user` has reserved for attachments that are not pending any more, or were announced more than
    /// `lapse_seconds` ago. Answers how many.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or written.
    pub async fn tidy(&self, user: &UserId, lapse_seconds: u32, now: Timestamp) -> Result<usize, StoreError> {
        const OPERATION: &str = "GetItem of what is pending";
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = get.key("PK", user_pk(user)).key("SK", pending_quota_sk()).send().await;
        let found = found.map_err(|error| StoreError::classify(OPERATION, error))?;
        let reserved = found.item.as_ref().and_then(|item| item.get("keys")?.as_ss().ok().cloned()).unwrap_or_default();
        let messages = self.messages(&reserved).await?;
        let since = now.plus_seconds(-i64::from(lapse_seconds));
        let is_pending = |key: &str| {
            let key: InboxKey = key.parse().ok()?;
            match messages.get(&(key.room, key.message))?.attachment(&key.attachment)? {
                Attachment::Pending(pending) => (pending.promise.created_at > since).then_some(()),
                Attachment::Ready(_) | Attachment::Rejected(_) | Attachment::Cancelled(_) | Attachment::Removed => None,
            }
        };
        let settled: Vec<_> = reserved.into_iter().filter(|key| is_pending(key).is_none()).collect();
        self.give_back(user, &settled).await?;
        Ok(settled.len())
    }

    /// The messages that these keys name.
    async fn messages(&self, keys: &[String]) -> Result<BTreeMap<(RoomId, MessageSeq), Message>, StoreError> {
        const OPERATION: &str = "BatchGetItem of messages with something pending";
        let keys = keys.iter().filter_map(|key| key.parse::<InboxKey>().ok());
        let places: BTreeSet<_> = keys.map(|key| (key.room, key.message)).collect();
        let places: Vec<_> = places.into_iter().collect();
        let mut messages = BTreeMap::new();
        for some in places.chunks(documents::MOST) {
            let keys: Vec<_> = some.iter().map(|(room, seq)| (room_pk(room), message_sk(*seq))).collect();
            for item in documents::read(&self.client, &self.table, OPERATION, &keys).await?.into_iter().flatten() {
                let message: Message = table::from_item(OPERATION, item)?;
                messages.insert((message.room.clone(), message.seq), message);
            }
        }
        Ok(messages)
    }

    /// Gives back what `user` has reserved for these attachments. Giving it back again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn give_back(&self, user: &UserId, keys: &[String]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("PK", user_pk(user)).key("SK", pending_quota_sk());
        let update = update.update_expression("DELETE #keys :settled").expression_attribute_names("#keys", "keys");
        let update = update.expression_attribute_values(":settled", AttributeValue::Ss(keys.to_vec()));
        update.send().await.map_err(|error| StoreError::classify("UpdateItem of what is pending", error))?;
        Ok(())
    }
}

/// Somebody who has something reserved, as the index has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// Who.
    pub user: UserId,
    /// Their sort key in the index, by which a change since is noticed.
    place: String,
}

impl Quotas {
    /// Up to `most` people whose reservations were not looked at since `before`, and who have some from earlier.
    ///
    /// # Errors
    /// [`StoreError`], when the index cannot be read.
    pub async fn untouched_since(&self, before: Timestamp, most: usize) -> Result<Vec<Reserved>, StoreError> {
        const OPERATION: &str = "Query of who has something reserved";
        let mut found = Vec::new();
        for shard in 0..RESERVED_SHARDS {
            let query = self.client.query().table_name(&self.table).index_name(GSI1);
            let query = query.key_condition_expression("GSI1PK = :shard AND GSI1SK < :before");
            let query = query.expression_attribute_values(":shard", reserved_pk(shard));
            let query = query.expression_attribute_values(":before", text(before.to_string()));
            let left = i32::try_from(most.saturating_sub(found.len())).unwrap_or(i32::MAX);
            if left == 0 {
                break;
            }
            let page = query.limit(left).send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
            found.extend(page.items().iter().filter_map(reserved));
        }
        Ok(found)
    }

    /// Notes that somebody's reservations were looked at, unless somebody else has noted that since: with nothing left they leave the
    /// index, else they are looked at again after the same time.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn looked_at(&self, reserved: &Reserved, now: Timestamp) -> Result<(), StoreError> {
        const OPERATION: &str = "UpdateItem of who has something reserved";
        let update = || {
            let update = self.client.update_item().table_name(&self.table);
            let update = update.key("PK", user_pk(&reserved.user)).key("SK", pending_quota_sk());
            let update = update.expression_attribute_names("#keys", "keys");
            update.expression_attribute_values(":place", text(&reserved.place))
        };
        let leave = update().update_expression("REMOVE GSI1PK, GSI1SK");
        let leave = leave.condition_expression("GSI1SK = :place AND attribute_not_exists(#keys)").send().await;
        match leave.map_err(|error| StoreError::classify(OPERATION, error)) {
            Err(StoreError::Condition { .. }) => {}
            left => return left.map(|_| ()),
        }
        let stay = update().update_expression("SET GSI1SK = :now");
        let stay = stay.expression_attribute_values(":now", reserved_sk(now, &reserved.user));
        let stay = stay.condition_expression("GSI1SK = :place AND attribute_exists(#keys)").send().await;
        match stay.map_err(|error| StoreError::classify(OPERATION, error)) {
            Err(StoreError::Condition { .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn reserved(item: &table::Item) -> Option<Reserved> {
    let plain = |name: &str| item.get(name)?.as_s().ok();
    let user = plain("PK")?.strip_prefix("USER#")?.parse().ok()?;
    Some(Reserved { user, place: plain("GSI1SK")?.clone() })
}

/// The two writes that `promises` of `user`'s `message` cost.
///
/// # Errors
/// What they never fit in, however little was sent before; or a value that DynamoDB cannot hold.
pub(crate) fn charges(
    table: &str,
    quota: &Quota,
    user: &UserId,
    message: &Message,
    promises: &[Promise],
) -> Result<Result<[TransactWriteItem; 2], Exceeded>, StoreError> {
    let window = Window::at(message.at, quota.window_seconds);
    let files = promises.len() as u64;
    let bytes = promises.iter().fold(0_u64, |sum, promise| sum.saturating_add(promise.size));
    let left = (quota.files.checked_sub(files), quota.bytes.checked_sub(bytes));
    let (Some(files_left), Some(bytes_left)) = left else {
        return Ok(Err(Exceeded::Window { seconds_left: window.seconds_left(message.at) }));
    };
    let Some(pending_left) = quota.pending.checked_sub(files) else { return Ok(Err(Exceeded::Pending)) };
    let counted = Update::builder()
        .table_name(table)
        .key("PK", user_pk(user))
        .key("SK", window_quota_sk(window.begin))
        .update_expression("ADD #files :files, #bytes :bytes SET #ttl = :ttl")
        .condition_expression("attribute_not_exists(PK) OR (#files <= :files_left AND #bytes <= :bytes_left)")
        .expression_attribute_names("#files", "files")
        .expression_attribute_names("#bytes", "bytes")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":files", number(files))
        .expression_attribute_values(":bytes", number(bytes))
        .expression_attribute_values(":files_left", number(files_left))
        .expression_attribute_values(":bytes_left", number(bytes_left))
        .expression_attribute_values(":ttl", number(since_1970(window.end.plus_seconds(KEPT_SECONDS))));
    let key = |promise: &Promise| {
        let (room, attachment) = (message.room.clone(), promise.id.clone());
        InboxKey { room, message: message.seq, attachment }.to_string()
    };
    let reserved = Update::builder()
        .table_name(table)
        .key("PK", user_pk(user))
        .key("SK", pending_quota_sk())
        .update_expression("ADD #keys :keys SET GSI1PK = :reserved, GSI1SK = if_not_exists(GSI1SK, :at)")
        .condition_expression("attribute_not_exists(#keys) OR size(#keys) <= :pending_left")
        .expression_attribute_names("#keys", "keys")
        .expression_attribute_values(":keys", AttributeValue::Ss(promises.iter().map(key).collect()))
        .expression_attribute_values(":reserved", reserved_pk(reserved_shard(user)))
        .expression_attribute_values(":at", reserved_sk(message.at, user))
        .expression_attribute_values(":pending_left", number(pending_left));
    let built = |update: aws_sdk_dynamodb::types::builders::UpdateBuilder| {
        let update = update.build().map_err(|source| StoreError::unreadable("a quota", source))?;
        Ok(TransactWriteItem::builder().update(update).build())
    };
    Ok(Ok([built(counted)?, built(reserved)?]))
}
