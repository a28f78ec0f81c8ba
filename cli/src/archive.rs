//! The raw archive, as far as the demo reads it.

use std::collections::BTreeSet;

use anyhow::Context;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::timestamp::Timestamp;
use vestibule_ledger::batch::{self, MAX_LINES_BYTES};

use crate::aws;
use crate::stack::Stack;

/// Objects read at a time.
const AT_ONCE: usize = 8;
/// Before the first change there may be this much between our clock and the stream's, in seconds.
const CLOCKS_DIFFER: i64 = 120;

/// The distinct changes of messages of `room` that were archived since `since`: place in the room, and version.
///
/// # Errors
/// When the archive cannot be read, or holds what is no record.
pub(crate) async fn changes(
    stack: &Stack,
    room: &RoomId,
    since: Timestamp,
) -> anyhow::Result<BTreeSet<(MessageSeq, u64)>> {
    let s3 = vestibule_runtime::sdk::s3(stack.sdk());
    let bucket = stack.output("ArchiveBucket")?;
    let keys = keys(&s3, bucket, since).await?;
    let read = stream::iter(keys).map(async |key| read(&s3, bucket, &key).await).buffer_unordered(AT_ONCE);
    let batches: Vec<_> = read.try_collect().await?;
    let of_room = batches.into_iter().flatten().filter(|record| record.room == *room);
    Ok(of_room.map(|record| (record.seq, record.ver)).collect())
}

/// The objects of the hour of `since` and later.
async fn keys(s3: &aws_sdk_s3::Client, bucket: &str, since: Timestamp) -> anyhow::Result<Vec<String>> {
    let first = batch::hour_of(since.plus_seconds(-CLOCKS_DIFFER));
    let list = s3.list_objects_v2().bucket(bucket).prefix(batch::PREFIX).start_after(first);
    let mut pages = list.into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(aws::failed("cannot list the archive"))?;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)));
    }
    Ok(keys)
}

async fn read(
    s3: &aws_sdk_s3::Client,
    bucket: &str,
    key: &str,
) -> anyhow::Result<Vec<vestibule_ledger::record::Record>> {
    let object = s3.get_object().bucket(bucket).key(key).send().await;
    let object = object.map_err(aws::failed(format!("cannot read {key}")))?;
    let length = object.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(u64::MAX);
    anyhow::ensure!(length <= MAX_LINES_BYTES, "{key} has {length} bytes, which no object of the raw archive has");
    let bytes = object.body.collect().await.with_context(|| format!("cannot read {key}"))?.to_vec();
    batch::unpack(&bytes).with_context(|| format!("{key} is no object of the raw archive"))
}
