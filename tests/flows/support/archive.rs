//! The raw archive, as a reader sees it who has nothing but the bucket.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use vestibule_domain::id::RoomId;
use vestibule_ledger::batch::{self, PREFIX};
use vestibule_ledger::record::Record;
use vestibule_ledger::replay::replay;

use super::cloud::Cloud;

/// The objects of the raw archive by key.
pub(crate) async fn objects(cloud: &Cloud) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let bucket = cloud.output("ArchiveBucket")?;
    let mut pages = cloud.s3.list_objects_v2().bucket(bucket).into_paginator().send();
    let mut objects = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for object in page?.contents() {
            let key = object.key().context("an object has a key")?.to_owned();
            ensure!(key.starts_with(PREFIX), "{key}");
            let body = cloud.s3.get_object().bucket(bucket).key(&key).send().await?.body.collect().await?;
            objects.insert(key, body.to_vec());
        }
    }
    Ok(objects)
}

/// All records of a room, repeats and all.
pub(crate) async fn records(cloud: &Cloud, room: &RoomId) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    for (key, bytes) in objects(cloud).await? {
        let batch = batch::unpack(&bytes).with_context(|| key)?;
        records.extend(batch.into_iter().filter(|record| record.room == *room));
    }
    Ok(records)
}

/// The distinct changes: place in the room, and version.
pub(crate) fn changes(records: &[Record]) -> BTreeSet<(u64, u64)> {
    records.iter().map(|record| (record.seq.get(), record.ver)).collect()
}

/// The messages that the records tell of, as plain JSON by their place in the room. Wants the records to fit without a break.
pub(crate) fn rebuilt(records: &[Record]) -> anyhow::Result<BTreeMap<u64, Value>> {
    replay(records.iter().cloned())
        .into_iter()
        .map(|((_, seq), message)| {
            ensure!(message.breaks.is_empty(), "message {seq}: {:?}", message.breaks);
            let item = message.item.context("nothing of ours removes a message")?;
            Ok((seq.get(), serde_json::to_value(item)?))
        })
        .collect()
}
