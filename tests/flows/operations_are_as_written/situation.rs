//! A hall in which something of everything stands, on a stack of its own whose bucket tells nobody of uploads.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use vestibule::stack::Stack;
use vestibule_domain::id::RoomId;
use vestibule_domain::key::InboxKey;
use vestibule_domain::work::Failure;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::ids::Ids;
use vestibule_store::objects::InboxVersion;
use vestibule_store::work::Works;

use crate::ops_see_and_replay::given_up;
use crate::support::cloud::{Cloud, s3_event_of};

/// The bytes of every file.
const BYTES: &[u8] = b"for whoever is on call\n";
/// So often that the sweep leaves it alone.
const TRIES: u32 = 5;

/// What the handbook's placeholders stand for.
pub(super) struct Situation {
    /// A room.
    pub(super) room: RoomId,
    /// A version that failed too often, as `KEY@VERSION`.
    pub(super) key: String,
}

/// Makes a room with a version of each class, and something wherever things end that failed: dead letters of both queues, a batch of the
/// stream, an object that nothing points at.
pub(super) async fn arrange(cloud: &Cloud, stack: &Stack) -> anyhow::Result<Situation> {
    let room = Ids::random().room()?;
    let keys = announce(cloud, stack, &room).await?;
    let [failed, unnoticed, removed] = &keys;
    let failed = put(cloud, stack, failed).await?;
    let works = Works::new(cloud.dynamodb.clone(), stack.output("TableName")?.to_owned());
    for _ in 0..TRIES {
        let failure = Failure::new("SlowDown", "CopyObject: reduce your request rate", Clock::system().now());
        works.failed(&failed.key, &failed.version, None, &failure).await?;
    }
    put(cloud, stack, unnoticed).await?;
    put(cloud, stack, removed).await?;
    let gone = InboxKey { message: serde_json::from_value(json!(77))?, ..failed.key.clone() };
    put(cloud, stack, &gone).await?;
    object(cloud, stack.output("InboxBucket")?, &format!("{room}/holiday.jpg"), BYTES).await?;
    let event = s3_event_of(stack, &failed)?;
    letter(cloud, stack.output("IngestDeadLetterQueueUrl")?, &event).await?;
    let request = json!({ "key": removed.to_string(), "why": "removed" });
    letter(cloud, stack.output("ReclaimDeadLetterQueueUrl")?, &request).await?;
    let batch = given_up(stack, &room, "MSG#000000000041")?.to_string();
    let name = format!("aws/lambda/{room}");
    object(cloud, stack.output("StreamFailureBucket")?, &name, batch.as_bytes()).await?;
    let orphan = format!("{removed}/ffffffffffffffff/original");
    object(cloud, stack.output("ProcessedBucket")?, &orphan, BYTES).await?;
    Ok(Situation { room, key: format!("{}@{}", failed.key, failed.version) })
}

/// A message with three attachments, of which the last was removed.
async fn announce(cloud: &Cloud, stack: &Stack, room: &RoomId) -> anyhow::Result<[InboxKey; 3]> {
    let ids = Ids::random();
    let ids = [ids.attachment()?, ids.attachment()?, ids.attachment()?];
    let at = Clock::system().now();
    let entry = |place: usize| match place {
        2 => json!({ "state": "removed" }),
        _ => json!({
            "state": "pending", "id": ids[place], "name": format!("{place}.txt"), "size": BYTES.len(), "declaredType": "text/plain",
            "createdAt": at,
        }),
    };
    let attachments: HashMap<&str, Value> =
        ids.iter().enumerate().map(|(place, id)| (id.as_str(), entry(place))).collect();
    let message = json!({
        "PK": format!("ROOM#{room}"), "SK": "MSG#000000000001", "room": room, "seq": 1, "ver": 1, "by": "anna", "cause": "sent",
        "at": at, "author": "anna", "createdAt": at, "deleted": false, "attachments": attachments, "attachmentOrder": ids,
    });
    let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(message)?;
    cloud.dynamodb.put_item().table_name(stack.output("TableName")?).set_item(Some(item)).send().await?;
    let message = serde_json::from_value(json!(1))?;
    Ok(ids.map(|attachment| InboxKey { room: room.clone(), message, attachment }))
}

async fn put(cloud: &Cloud, stack: &Stack, key: &InboxKey) -> anyhow::Result<InboxVersion> {
    let version = object(cloud, stack.output("InboxBucket")?, &key.to_string(), BYTES).await?;
    let version = version.context("the inbox is versioned")?.parse()?;
    Ok(InboxVersion { key: key.clone(), version, size: BYTES.len() as u64 })
}

async fn object(cloud: &Cloud, bucket: &str, key: &str, bytes: &[u8]) -> anyhow::Result<Option<String>> {
    let put = cloud.s3.put_object().bucket(bucket).key(key).body(bytes.to_vec().into());
    Ok(put.send().await?.version_id)
}

async fn letter(cloud: &Cloud, queue: &str, body: &Value) -> anyhow::Result<()> {
    cloud.sqs.send_message().queue_url(queue).message_body(body.to_string()).send().await?;
    Ok(())
}
