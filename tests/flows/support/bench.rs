//! A table, buckets and queues of one run's own, and the handlers of ingest, reclaim and sweep in this process, so that nothing happens that
//! the run does not do.
//!
//! The inspector is the deployed one. The table's stream is the run's: it hands each change of the message to relay until relay takes it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use vestibule_domain::attachment::{Attachment, Pending, Promise};
use vestibule_domain::key::{InboxKey, VersionTag};
use vestibule_domain::message::{Cause, Message};
use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::work::Work;
use vestibule_ingest::world::World as Ingest;
use vestibule_reclaim::world::World as Reclaim;
use vestibule_relay::world::World as Relay;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::sdk::SdkConfig;
use vestibule_store::messages::{Change, Messages, Writer};
use vestibule_store::objects::InboxVersion;
use vestibule_store::queues;
use vestibule_store::work::Works;
use vestibule_sweep::world::World as Sweep;

use super::chat::File;
use super::cloud::{Cloud, batch, failed_messages};
use super::law::Version;
use super::wait::until;

/// The room of every run: its buckets and its table are its own.
const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
/// The attachments of the run's message, by their places.
const ATTACHMENTS: [&str; 3] =
    ["01jd3v8q0zk5w6x7y8z9abcdeg", "01jd3v8q0zk5w6x7y8z9abcdeh", "01jd3v8q0zk5w6x7y8z9abcdej"];
/// When everything begins by the run's clock: 2100, so that what S3 says of an upload's time is long ago.
const BEGIN_MILLIS: i64 = 4_102_444_800_000;
/// How long a worker has a version to itself, in seconds.
const LEASE_SECONDS: i64 = 120;
/// Versions above this are copied in parts: the least that S3 takes.
const COPY_PART_BYTES: u64 = 5 * 1024 * 1024;

/// What is smaller than this is left to the end of the local cloud.
const LARGE_BYTES: u64 = 1024 * 1024;

/// Tries of a call, as the functions have them.
pub(crate) const TRIES: u32 = 6;

/// Runs so far, which makes names.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// A run's own world.
pub(crate) struct Bench {
    cloud: Arc<Cloud>,
    names: Names,
    now: Arc<AtomicI64>,
    /// The versions that were uploaded, in their order.
    pub(crate) uploads: Vec<InboxVersion>,
    /// The same, as the law looks at them.
    pub(crate) versions: Vec<Version>,
    /// The message as relay was told of it last.
    told: tokio::sync::Mutex<Option<Item>>,
}

type Item = HashMap<String, AttributeValue>;

#[derive(Clone)]
struct Names {
    table: String,
    inbox: String,
    processed: String,
    quarantine: String,
    queue: String,
    reclaim_queue: String,
}

/// The functions, with the SDK of somebody's choice.
pub(crate) struct Functions {
    pub(crate) ingest: Ingest,
    pub(crate) relay: Relay,
    pub(crate) reclaim: Reclaim,
    pub(crate) sweep: Sweep,
}

/// What somebody does to the message while it is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Delete,
    Cancel(usize),
    Remove(usize),
}

impl Bench {
    /// Makes everything anew.
    pub(crate) async fn new(cloud: &Arc<Cloud>) -> anyhow::Result<Self> {
        let run = format!("bench-{}", RUNS.fetch_add(1, Ordering::Relaxed));
        let names = Names {
            table: format!("{run}-table"),
            inbox: format!("{run}-inbox"),
            processed: format!("{run}-processed"),
            quarantine: format!("{run}-quarantine"),
            queue: String::new(),
            reclaim_queue: String::new(),
        };
        for bucket in [&names.inbox, &names.processed, &names.quarantine] {
            cloud.s3.create_bucket().bucket(bucket).send().await?;
        }
        let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        cloud.s3.put_bucket_versioning().bucket(&names.inbox).versioning_configuration(versioned).send().await?;
        table(cloud, &names.table).await?;
        let names = Names {
            queue: queue(cloud, &run).await?,
            reclaim_queue: queue(cloud, &format!("{run}-reclaim")).await?,
            ..names
        };
        let now = Arc::new(AtomicI64::new(BEGIN_MILLIS));
        let (cloud, told) = (Arc::clone(cloud), tokio::sync::Mutex::new(None));
        Ok(Self { cloud, names, now, uploads: Vec::new(), versions: Vec::new(), told })
    }

    /// Takes everything down that is large: the local cloud keeps it in memory.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        let cloud = &self.cloud;
        cloud.dynamodb.delete_table().table_name(&self.names.table).send().await?;
        for queue in [&self.names.queue, &self.names.reclaim_queue] {
            cloud.sqs.delete_queue().queue_url(queue).send().await?;
        }
        if self.uploads.iter().all(|upload| upload.size < LARGE_BYTES) {
            return Ok(());
        }
        for bucket in [&self.names.inbox, &self.names.processed, &self.names.quarantine] {
            let listed = cloud.s3.list_object_versions().bucket(bucket).send().await?;
            for version in listed.versions() {
                let delete = cloud.s3.delete_object().bucket(bucket).key(version.key().unwrap_or_default());
                delete.set_version_id(version.version_id().map(ToOwned::to_owned)).send().await?;
            }
            for marker in listed.delete_markers() {
                let delete = cloud.s3.delete_object().bucket(bucket).key(marker.key().unwrap_or_default());
                delete.set_version_id(marker.version_id().map(ToOwned::to_owned)).send().await?;
            }
            cloud.s3.delete_bucket().bucket(bucket).send().await?;
        }
        Ok(())
    }

    /// The functions of this run. Retries wait for milliseconds rather than a second.
    pub(crate) fn functions(&self, sdk: &SdkConfig) -> anyhow::Result<Functions> {
        let retries = aws_sdk_s3::config::retry::RetryConfig::standard()
            .with_max_attempts(TRIES)
            .with_initial_backoff(Duration::from_millis(5))
            .with_max_backoff(Duration::from_millis(50));
        let sdk = sdk.clone().into_builder().retry_config(retries).build();
        let names = &self.names;
        let inspect = self.cloud.output("InspectFunction")?;
        let lookup = |name: &str| {
            let value = match name {
                "TABLE_NAME" => &names.table,
                "INBOX_BUCKET" => &names.inbox,
                "PROCESSED_BUCKET" => &names.processed,
                "QUARANTINE_BUCKET" => &names.quarantine,
                "INGEST_QUEUE_URL" => &names.queue,
                "RECLAIM_QUEUE_URL" => &names.reclaim_queue,
                "WEBSOCKET_API_ID" | "WEBSOCKET_STAGE" | "WEBSOCKET_DOMAIN" => "nobody-is-connected",
                "INSPECT_FUNCTION" => inspect,
                "COPY_PART_BYTES" => return Some(COPY_PART_BYTES.to_string()),
                "INGEST_TIMEOUT_SECONDS" => return Some(LEASE_SECONDS.to_string()),
                "COLLECT_DELAY_SECONDS" | "RETRY_SECONDS" => "0",
                "METRICS_NAMESPACE" => "Vestibule/bench",
                // A run's clock goes in steps of hours, and a version is never given up in it.
                "SWEEP_MAX_TRIES" => "1000",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let now = Arc::clone(&self.now);
        let clock = Clock::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed)));
        let mut ingest = Ingest::new(vestibule_ingest::config::Config::read(&lookup)?, &sdk);
        ingest.clock = clock.clone();
        let mut sweep = Sweep::new(vestibule_sweep::config::Config::read(&lookup)?, &sdk);
        sweep.clock = clock;
        let relay = Relay::new(vestibule_relay::config::Config::read(&lookup)?, &sdk);
        let reclaim = Reclaim::new(vestibule_reclaim::config::Config::read(&lookup)?, &sdk);
        Ok(Functions { ingest, relay, reclaim, sweep })
    }

    /// The run's table.
    pub(crate) fn table(&self) -> &str {
        &self.names.table
    }

    /// The run's inbox.
    pub(crate) fn inbox(&self) -> &str {
        &self.names.inbox
    }

    /// The hints about the tries at an upload.
    pub(crate) async fn hint(&self, upload: usize) -> anyhow::Result<Work> {
        let upload = self.uploads.get(upload).context("it was uploaded")?;
        let works = Works::new(self.cloud.dynamodb.clone(), self.names.table.clone()).of(&upload.key).await?;
        works.into_iter().find(|work| work.version == upload.version).context("there are hints about it")
    }

    /// Begins an upload in parts, and answers its id.
    pub(crate) async fn begin_parts(&self, place: usize) -> anyhow::Result<String> {
        let create =
            self.cloud.s3.create_multipart_upload().bucket(&self.names.inbox).key(Self::key(place)?.to_string());
        create.send().await?.upload_id.context("an upload has an id")
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Lets every lease lapse.
    pub(crate) fn outlive_leases(&self) {
        self.wait(LEASE_SECONDS + 1);
    }

    /// The run's time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }

    /// The place of an attachment of the run's message.
    fn key(place: usize) -> anyhow::Result<InboxKey> {
        Ok(format!("{ROOM}/000000000001/{}", ATTACHMENTS.get(place).context("there are three")?).parse()?)
    }

    /// Announces files in the run's only message.
    pub(crate) async fn announce(&mut self, files: &[&File]) -> anyhow::Result<()> {
        let at = Timestamp::from_millis(BEGIN_MILLIS);
        let mut attachments = BTreeMap::new();
        let mut order = Vec::new();
        for (place, file) in files.iter().enumerate() {
            let id = Self::key(place)?.attachment;
            let promise = Promise {
                id: id.clone(),
                name: file.name.clone(),
                size: file.bytes.len() as u64,
                declared_type: file.declared.parse()?,
                declared_sha256: None,
                created_at: at,
            };
            attachments.insert(id.clone(), Attachment::Pending(Pending { promise }));
            order.push(id);
        }
        let message = Message {
            room: ROOM.parse()?,
            seq: 1.try_into()?,
            ver: 1,
            by: "anna".to_owned(),
            cause: Cause::Sent,
            at,
            author: "anna".parse()?,
            created_at: at,
            edited_at: None,
            deleted: false,
            text: Some("see these".to_owned()),
            attachments: Some(attachments),
            attachment_order: order,
        };
        let mut item: Item = serde_dynamo::to_item(message)?;
        item.insert("PK".to_owned(), AttributeValue::S(format!("ROOM#{ROOM}")));
        item.insert("SK".to_owned(), AttributeValue::S("MSG#000000000001".to_owned()));
        let put = self.cloud.dynamodb.put_item().table_name(&self.names.table).set_item(Some(item.clone()));
        put.send().await?;
        // That it was sent is the stream's first record, which asks for nothing.
        self.told = tokio::sync::Mutex::new(Some(item));
        Ok(())
    }

    /// Uploads a version of an attachment, and answers its place among the uploads.
    pub(crate) async fn upload(&mut self, place: usize, bytes: Vec<u8>, is_good: bool) -> anyhow::Result<usize> {
        let key = Self::key(place)?;
        let size = bytes.len() as u64;
        let put = self.cloud.s3.put_object().bucket(&self.names.inbox).key(key.to_string()).body(bytes.into());
        let put = put.send().await?;
        let version = put.version_id.context("the inbox is versioned")?.parse()?;
        let tag = format!("{size} {}", put.e_tag.unwrap_or_default());
        self.versions.push(Version { key: key.to_string(), tag, is_good });
        self.uploads.push(InboxVersion { key, version, size });
        Ok(self.uploads.len() - 1)
    }

    /// Does something to the message, as its author.
    pub(crate) async fn act(&self, deed: Deed) -> anyhow::Result<Change> {
        let messages = Messages::new(self.cloud.dynamodb.clone(), self.names.table.clone());
        let writer = Writer { room: ROOM.parse()?, seq: 1.try_into()?, user: "anna".parse()?, at: self.now() };
        Ok(match deed {
            Deed::Delete => messages.delete(&writer).await?,
            Deed::Cancel(place) => messages.cancel(&writer, &Self::key(place)?.attachment).await?,
            Deed::Remove(place) => messages.remove(&writer, &Self::key(place)?.attachment).await?,
        })
    }

    /// The event of an upload, as the queue brings it.
    pub(crate) fn event(&self, upload: usize) -> anyhow::Result<Value> {
        let upload = self.uploads.get(upload).context("it was uploaded")?;
        Ok(batch(&[queues::event(&self.names.inbox, upload, "test", self.now())]))
    }

    /// Brings the event of an upload to ingest, as the queue would. Answers whether it was finished.
    pub(crate) async fn deliver(&self, functions: &Functions, upload: usize) -> anyhow::Result<bool> {
        let answer = vestibule_ingest::handler::handle(&functions.ingest, self.event(upload)?).await;
        Ok(failed_messages(&answer.map_err(|error| anyhow::anyhow!(error))?).is_empty())
    }

    /// Has reclaim look at an attachment, whoever asked. Answers whether it was finished.
    pub(crate) async fn collect(&self, functions: &Functions, place: usize) -> anyhow::Result<bool> {
        let request = json!({ "key": Self::key(place)?.to_string(), "why": "decided" });
        let answer = vestibule_reclaim::handler::handle(&functions.reclaim, batch(&[request])).await;
        Ok(failed_messages(&answer.map_err(|error| anyhow::anyhow!(error))?).is_empty())
    }

    /// Hands the last change of the message to relay, as the table's stream does until relay has taken it. Answers whether it has.
    pub(crate) async fn relay(&self, functions: &Functions) -> anyhow::Result<bool> {
        let found = self.cloud.dynamodb.get_item().table_name(&self.names.table).consistent_read(true);
        let found = found.key("PK", AttributeValue::S(format!("ROOM#{ROOM}")));
        let found = found.key("SK", AttributeValue::S("MSG#000000000001".to_owned())).send().await?.item;
        let mut told = self.told.lock().await;
        if *told == found {
            return Ok(true);
        }
        let image =
            |item: &Option<Item>| serde_json::to_value(serde_dynamo::Item::from(item.clone().unwrap_or_default()));
        let event = json!({ "Records": [{
            "eventID": "1", "eventName": "MODIFY", "awsRegion": "us-east-1", "eventSource": "aws:dynamodb",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_386_914, "SizeBytes": 59, "SequenceNumber": "100",
                "Keys": { "PK": { "S": format!("ROOM#{ROOM}") }, "SK": { "S": "MSG#000000000001" } },
                "OldImage": image(&told)?, "NewImage": image(&found)?,
            },
        }] });
        let is_taken = vestibule_relay::handler::handle(&functions.relay, event).await.is_ok();
        if is_taken {
            *told = found;
        }
        Ok(is_taken)
    }

    /// Works off what relay asked reclaim for. Answers whether all of it was finished.
    pub(crate) async fn reclaim(&self, functions: &Functions) -> anyhow::Result<bool> {
        loop {
            let received =
                self.cloud.sqs.receive_message().queue_url(&self.names.reclaim_queue).max_number_of_messages(10);
            let received = received.send().await?;
            if received.messages().is_empty() {
                return Ok(true);
            }
            for message in received.messages() {
                let body: Value = serde_json::from_str(message.body().unwrap_or_default())?;
                let answer = vestibule_reclaim::handler::handle(&functions.reclaim, batch(&[body])).await;
                if !failed_messages(&answer.map_err(|error| anyhow::anyhow!(error))?).is_empty() {
                    return Ok(false);
                }
                let delete = self.cloud.sqs.delete_message().queue_url(&self.names.reclaim_queue);
                delete.receipt_handle(message.receipt_handle().unwrap_or_default()).send().await?;
            }
        }
    }

    /// Runs the sweep once.
    pub(crate) async fn sweep(&self, functions: &Functions) -> anyhow::Result<Value> {
        let answer = vestibule_sweep::handler::handle(&functions.sweep, std::io::sink()).await;
        answer.map_err(|error| anyhow::anyhow!(error))
    }

    /// Works off what is in the queue.
    pub(crate) async fn drain(&self, functions: &Functions) -> anyhow::Result<()> {
        while vestibule_ingest::worker::once(&functions.ingest, 0).await.map_err(|error| anyhow::anyhow!(error))? > 0 {}
        Ok(())
    }

    /// What heals, without faults, until nothing changes any more: the sweep, the queue, the stream, and reclaim.
    pub(crate) async fn heal(&self) -> anyhow::Result<()> {
        let functions = self.functions(self.cloud.stack().sdk())?;
        for _ in 0..2 {
            // Longer than the longest wait of the sweep.
            self.wait(30 * 24 * 3600);
            let swept = self.sweep(&functions).await?;
            self.drain(&functions).await?;
            if swept["driven"] == 0 && swept["finished"] == true {
                break;
            }
        }
        until("empty queues", async || {
            self.drain(&functions).await?;
            ensure!(self.relay(&functions).await? && self.reclaim(&functions).await?, "reclaim does not finish");
            Ok(self.queued().await?.values().all(|count| count == "0").then_some(()))
        })
        .await
    }

    /// The whole state: the table, the buckets with what was begun in them, and the queue. Versions are named by the order of
    /// their uploads.
    pub(crate) async fn state(&self) -> anyhow::Result<Value> {
        let (cloud, names) = (&self.cloud, &self.names);
        let mut table = BTreeMap::new();
        let mut items =
            cloud.dynamodb.scan().table_name(&names.table).consistent_read(true).into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item: Value = serde_dynamo::from_item(item?)?;
            table.insert(item["SK"].as_str().unwrap_or_default().to_owned(), item);
        }
        let mut buckets = BTreeMap::new();
        for bucket in [&names.inbox, &names.processed, &names.quarantine] {
            buckets.insert(bucket.rsplit('-').next().unwrap_or_default(), contents(cloud, bucket).await?);
        }
        let state = json!({ "table": table, "buckets": buckets, "queue": self.queued().await? });
        Ok(without_noise(state, &self.uploads))
    }

    /// How many messages the queues have: to be had, in somebody's hands, and delayed.
    async fn queued(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut counts = BTreeMap::new();
        for (name, queue) in [("ingest", &self.names.queue), ("reclaim", &self.names.reclaim_queue)] {
            let attributes = self.cloud.sqs.get_queue_attributes().queue_url(queue);
            let attributes = attributes
                .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
                .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
                .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesDelayed)
                .send()
                .await?;
            let attributes = attributes.attributes().into_iter().flatten();
            counts.extend(attributes.map(|(count, number)| (format!("{name} {}", count.as_str()), number.clone())));
        }
        Ok(counts)
    }

    /// How each processed object is served: its type, disposition and metadata.
    pub(crate) async fn headers(&self) -> anyhow::Result<Value> {
        let (bucket, mut headers) = (&self.names.processed, BTreeMap::new());
        for object in self.cloud.s3.list_objects_v2().bucket(bucket).send().await?.contents() {
            let key = object.key().unwrap_or_default();
            let head = self.cloud.s3.head_object().bucket(bucket).key(key).send().await?;
            headers.insert(key.to_owned(), json!([head.content_type, head.content_disposition, head.metadata]));
        }
        Ok(without_noise(json!(headers), &self.uploads))
    }
}

/// What differs between two runs that end alike, each with its reason. Besides, two things are not looked at: the archive, which the table's
/// stream feeds and no function of a run (`random_histories` compares it), and dead letters, which a run's queues have none of.
const NOISE: [(&str, &str); 5] = [
    ("at", "a run that was interrupted writes later"),
    ("decidedAt", "a run that was interrupted decides later"),
    ("GSI1SK", "it begins with the time of the change"),
    ("WORK#", "hints about tries: what was interrupted has more of them, and no decision rests on them"),
    ("PROGRESS", "how far the sweep has come"),
];

/// Takes the noise out, and names versions by their order.
fn without_noise(mut state: Value, uploads: &[InboxVersion]) -> Value {
    strip(&mut state);
    let mut text = state.to_string();
    for (place, upload) in uploads.iter().enumerate() {
        text = text.replace(&VersionTag::of(&upload.version).to_string(), &format!("tag-{place}"));
        text = text.replace(upload.version.as_str(), &format!("version-{place}"));
    }
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn strip(value: &mut Value) {
    let is_noise = |name: &String| {
        NOISE.iter().any(|(noise, _)| name == noise || (noise.ends_with('#') && name.starts_with(noise)))
    };
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !is_noise(name));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Versions, delete markers, and uploads in parts that were begun. A bucket of a run has less than a page of each.
async fn contents(cloud: &Cloud, bucket: &str) -> anyhow::Result<Value> {
    let listed = cloud.s3.list_object_versions().bucket(bucket).send().await?;
    let versioned =
        |version: Option<&str>| version.filter(|version| *version != "null").map(|version| format!("@{version}"));
    let named =
        |key: Option<&str>, version| format!("{}{}", key.unwrap_or_default(), versioned(version).unwrap_or_default());
    let objects: BTreeMap<_, _> = listed
        .versions()
        .iter()
        .map(|version| {
            let bytes = format!("{} {}", version.size().unwrap_or_default(), version.e_tag().unwrap_or_default());
            (named(version.key(), version.version_id()), bytes)
        })
        .collect();
    let markers: Vec<_> =
        listed.delete_markers().iter().map(|marker| named(marker.key(), marker.version_id())).collect();
    let begun = cloud.s3.list_multipart_uploads().bucket(bucket).send().await?;
    let begun: Vec<_> = begun.uploads().iter().map(|upload| upload.key().unwrap_or_default().to_owned()).collect();
    Ok(json!({ "objects": objects, "markers": markers, "begun": begun }))
}

/// A queue. What a worker had when it died comes back after a second.
async fn queue(cloud: &Cloud, name: &str) -> anyhow::Result<String> {
    let queue = cloud.sqs.create_queue().queue_name(name).attributes(QueueAttributeName::VisibilityTimeout, "1");
    queue.send().await?.queue_url.context("a queue has a URL")
}

/// The table, as the template makes it.
async fn table(cloud: &Cloud, name: &str) -> anyhow::Result<()> {
    let attribute =
        |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let index = GlobalSecondaryIndex::builder()
        .index_name("GSI1")
        .key_schema(key("GSI1PK", KeyType::Hash)?)
        .key_schema(key("GSI1SK", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()?;
    let mut create = cloud.dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for name in ["PK", "SK", "GSI1PK", "GSI1SK"] {
        create = create.attribute_definitions(attribute(name)?);
    }
    let create = create.key_schema(key("PK", KeyType::Hash)?).key_schema(key("SK", KeyType::Range)?);
    create.global_secondary_indexes(index).send().await?;
    Ok(())
}
