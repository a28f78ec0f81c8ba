//! The whole state of one room: its items, and its objects in all three buckets. Flows compare it before and after.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use vestibule_domain::id::RoomId;
use vestibule_domain::message::Message;

use super::cloud::Cloud;
use super::wait::until;

/// Everything that there is of a room.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    /// The table's items by sort key, as plain JSON.
    pub(crate) items: BTreeMap<String, Value>,
    /// Versions and delete markers in the inbox: `key@version`.
    pub(crate) inbox: Vec<String>,
    /// Objects in processed: key → `ETag`.
    pub(crate) processed: BTreeMap<String, String>,
    /// Objects in quarantine: key → `ETag`.
    pub(crate) quarantine: BTreeMap<String, String>,
}

impl State {
    /// Reads it.
    pub(crate) async fn of(cloud: &Cloud, room: &RoomId) -> anyhow::Result<Self> {
        Ok(Self {
            items: items(cloud, room).await?,
            inbox: versions(cloud, room).await?,
            processed: objects(cloud, cloud.output("ProcessedBucket")?, room).await?,
            quarantine: objects(cloud, cloud.output("QuarantineBucket")?, room).await?,
        })
    }

    /// Waits until nothing of the room is left in the inbox, and reads it.
    pub(crate) async fn settled(cloud: &Cloud, room: &RoomId) -> anyhow::Result<Self> {
        until("an empty inbox", async || Ok(versions(cloud, room).await?.is_empty().then_some(()))).await?;
        Self::of(cloud, room).await
    }

    /// Whether no bucket holds anything of the room.
    pub(crate) fn has_no_objects(&self) -> bool {
        self.inbox.is_empty() && self.processed.is_empty() && self.quarantine.is_empty()
    }

    /// A message's document.
    pub(crate) fn message(&self, seq: u64) -> anyhow::Result<Message> {
        let item = self.items.get(&format!("MSG#{seq:012}"));
        Ok(serde_json::from_value(item.cloned().unwrap_or(Value::Null))?)
    }
}

async fn items(cloud: &Cloud, room: &RoomId) -> anyhow::Result<BTreeMap<String, Value>> {
    let query = cloud.dynamodb.query().table_name(cloud.output("TableName")?).consistent_read(true);
    let query = query.key_condition_expression("PK = :room");
    let query = query.expression_attribute_values(":room", AttributeValue::S(format!("ROOM#{room}")));
    let mut items = BTreeMap::new();
    let mut pages = query.into_paginator().items().send();
    while let Some(item) = pages.next().await {
        let item: Value = serde_dynamo::from_item(item?)?;
        items.insert(item["SK"].as_str().unwrap_or_default().to_owned(), item);
    }
    Ok(items)
}

async fn versions(cloud: &Cloud, room: &RoomId) -> anyhow::Result<Vec<String>> {
    let list = cloud.s3.list_object_versions().bucket(cloud.output("InboxBucket")?).prefix(format!("{room}/"));
    let page = list.send().await?;
    anyhow::ensure!(page.is_truncated() != Some(true), "a test's room has less than a page of versions");
    let named = |key: Option<&str>, version: Option<&str>| {
        format!("{}@{}", key.unwrap_or_default(), version.unwrap_or_default())
    };
    let mut found: Vec<String> =
        page.versions().iter().map(|version| named(version.key(), version.version_id())).collect();
    found.extend(page.delete_markers().iter().map(|marker| named(marker.key(), marker.version_id())));
    found.sort();
    Ok(found)
}

async fn objects(cloud: &Cloud, bucket: &str, room: &RoomId) -> anyhow::Result<BTreeMap<String, String>> {
    let mut pages = cloud.s3.list_objects_v2().bucket(bucket).prefix(format!("{room}/")).into_paginator().send();
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for object in page?.contents() {
            found.insert(object.key().unwrap_or_default().to_owned(), object.e_tag().unwrap_or_default().to_owned());
        }
    }
    Ok(found)
}
