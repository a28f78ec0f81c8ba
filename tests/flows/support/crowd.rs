//! Many files of one room on a stack of its own, announced and uploaded past the API, and what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use vestibule::stack::Stack;

use super::cloud::Cloud;

/// The room: the stack is the test's own.
pub(crate) const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
/// Attachments of a message.
const OF_A_MESSAGE: usize = 20;
/// Every so manyeth file is shorter than announced, and so refused.
const BAD: usize = 10;

/// The files.
pub(crate) struct Crowd {
    cloud: Arc<Cloud>,
    stack: Stack,
    keys: Vec<String>,
}

impl Crowd {
    /// Writes the messages that announce `files` files.
    pub(crate) async fn announce(cloud: &Arc<Cloud>, stack: &Stack, files: usize) -> anyhow::Result<Self> {
        let numbers: Vec<usize> = (0..files).collect();
        let mut keys = Vec::new();
        for (message, some) in numbers.chunks(OF_A_MESSAGE).enumerate() {
            let seq = message + 1;
            let at = "2026-11-22T22:00:00.000Z";
            let entry = |number: &usize| {
                let size = bytes(*number).len() + usize::from(is_bad(*number));
                let entry = json!({
                    "state": "pending", "id": id(*number), "name": format!("{number}.txt"), "size": size,
                    "declaredType": "text/plain", "createdAt": at,
                });
                (id(*number), entry)
            };
            let attachments: BTreeMap<String, Value> = some.iter().map(entry).collect();
            let order: Vec<String> = some.iter().map(|number| id(*number)).collect();
            keys.extend(order.iter().map(|id| format!("{ROOM}/{seq:012}/{id}")));
            let message = json!({
                "PK": format!("ROOM#{ROOM}"), "SK": format!("MSG#{seq:012}"), "room": ROOM, "seq": seq, "ver": 1, "by": "anna",
                "cause": "sent", "at": at, "author": "anna", "createdAt": at, "deleted": false, "text": "many files",
                "attachments": attachments, "attachmentOrder": order,
            });
            let item: std::collections::HashMap<String, AttributeValue> = serde_dynamo::to_item(message)?;
            let put = cloud.dynamodb.put_item().table_name(stack.output("TableName")?).set_item(Some(item));
            put.send().await?;
        }
        Ok(Self { cloud: Arc::clone(cloud), stack: stack.clone(), keys })
    }

    /// Uploads all files, so many at a time.
    pub(crate) async fn upload_all(&self, at_once: usize) -> anyhow::Result<()> {
        let bucket = self.stack.output("InboxBucket")?;
        let uploads = self.keys.iter().enumerate().map(async |(number, key)| {
            self.cloud.s3.put_object().bucket(bucket).key(key).body(bytes(number).into()).send().await?;
            anyhow::Ok(())
        });
        stream::iter(uploads).buffer_unordered(at_once).try_collect::<()>().await
    }

    /// The room's items by sort key.
    async fn items(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let query = self.cloud.dynamodb.query().table_name(self.stack.output("TableName")?).consistent_read(true);
        let query = query.key_condition_expression("PK = :room");
        let query = query.expression_attribute_values(":room", AttributeValue::S(format!("ROOM#{ROOM}")));
        let items: Vec<_> = query.into_paginator().items().send().try_collect().await?;
        let items = items.into_iter().map(|item| {
            let item: Value = serde_dynamo::from_item(item)?;
            Ok((item["SK"].as_str().unwrap_or_default().to_owned(), item))
        });
        items.collect()
    }

    /// The attachments' entries by id.
    async fn entries(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let items = self.items().await?;
        let messages = items.values().filter_map(|item| item["attachments"].as_object());
        Ok(messages.flatten().map(|(id, entry)| (id.clone(), entry.clone())).collect())
    }

    /// How many are not decided.
    pub(crate) async fn undecided(&self) -> anyhow::Result<usize> {
        Ok(self.entries().await?.values().filter(|entry| entry["state"] == "pending").count())
    }

    /// Whether all are decided, and gone from the inbox.
    pub(crate) async fn is_decided(&self) -> anyhow::Result<bool> {
        let list = self.cloud.s3.list_object_versions().bucket(self.stack.output("InboxBucket")?).max_keys(1);
        let listed = list.send().await?;
        Ok(listed.versions().is_empty() && self.undecided().await? == 0)
    }

    /// Every file has its verdict and its bytes where they belong; nothing else is anywhere, and nothing was written twice.
    pub(crate) async fn ends_well(&self) -> anyhow::Result<()> {
        let entries = self.entries().await?;
        ensure!(entries.len() == self.keys.len(), "{} of {}", entries.len(), self.keys.len());
        let (processed, quarantine) = (self.objects("ProcessedBucket").await?, self.objects("QuarantineBucket").await?);
        let mut referenced = BTreeSet::new();
        let mut refused = BTreeSet::new();
        for (number, key) in self.keys.iter().enumerate() {
            let entry = entries.get(&id(number)).context("it was announced")?;
            if is_bad(number) {
                ensure!(entry["rejection"]["code"] == "size-mismatch", "{number}: {entry}");
                refused.insert(key.clone());
            } else {
                let original = entry["original"]["key"].as_str().with_context(|| format!("{number}: {entry}"))?;
                referenced.insert(original.to_owned());
                let size = processed.get(original).with_context(|| format!("{original} is not there"))?;
                ensure!(*size == bytes(number).len() as u64, "{number}: {entry}");
            }
        }
        ensure!(processed.keys().eq(referenced.iter()), "something that nothing points at, or points at nothing");
        let kept = quarantine.keys().map(|key| key.splitn(4, '/').take(3).collect::<Vec<_>>().join("/"));
        ensure!(kept.collect::<Vec<_>>() == refused.into_iter().collect::<Vec<_>>(), "{quarantine:?}");
        for (key, message) in self.items().await? {
            if let Some(attachments) = message["attachments"].as_object() {
                let ver = message["ver"].as_u64().context("a version")?;
                ensure!(ver == 1 + attachments.len() as u64, "{key} was written {ver} times");
            }
        }
        Ok(())
    }

    /// How many versions stand in the inbox; less than a page.
    pub(crate) async fn in_inbox(&self) -> anyhow::Result<usize> {
        let listed = self.cloud.s3.list_object_versions().bucket(self.stack.output("InboxBucket")?).send().await?;
        Ok(listed.versions().len())
    }

    /// The hints about tries by their sort keys.
    pub(crate) async fn hints(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let items = self.items().await?;
        Ok(items.into_iter().filter(|(key, _)| key.starts_with("WORK#")).collect())
    }

    /// No file was tried more than once, and no try failed.
    pub(crate) async fn was_done_once(&self) -> anyhow::Result<()> {
        let hints = self.hints().await?;
        ensure!(hints.len() == self.keys.len(), "{} hints", hints.len());
        for (key, hint) in hints {
            ensure!(hint["tries"] == 1 && hint["failure"].is_null(), "{key}: {hint}");
        }
        Ok(())
    }

    async fn objects(&self, bucket: &str) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut pages = self.cloud.s3.list_objects_v2().bucket(self.stack.output(bucket)?).into_paginator().send();
        let mut found = BTreeMap::new();
        while let Some(page) = pages.next().await {
            for object in page?.contents() {
                let size = u64::try_from(object.size().unwrap_or_default())?;
                found.insert(object.key().unwrap_or_default().to_owned(), size);
            }
        }
        Ok(found)
    }
}

fn is_bad(number: usize) -> bool {
    number % BAD == BAD - 1
}

fn bytes(number: usize) -> Vec<u8> {
    format!("This is file {number} of very many.\n").into_bytes()
}

/// An id that says which file it is of: a ULID's letters, without its time.
fn id(number: usize) -> String {
    format!("01jd3v8q0zk5w6x7y8z9{number:06}")
}
