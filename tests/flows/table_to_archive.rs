//! `ChatTable` stream ─▶ archive ─▶ `ArchiveBucket`: every change, whatever is delivered how often, and what cannot be filed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use serde_json::{Value, json};
use vestibule_domain::id::RoomId;
use vestibule_ledger::change::Event;
use vestibule_runtime::ids::Ids;

use crate::support::archive;
use crate::support::chat::{Chat, File};
use crate::support::cloud::Cloud;
use crate::support::state::State;
use crate::support::wait::until;

pub(crate) async fn every_change_says_who_why_and_when(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "archived").await?;
    let (slot, _) = chat.send("one", &File::fixture("tiny.jpg", "image/jpeg")?).await?;
    ensure!(chat.decided(&slot).await?["state"] == "ready");
    chat.call("PATCH", &chat.path(slot.key.message), Some(&json!({ "text": "edited" }))).await?;
    chat.call("DELETE", &chat.attachment_path(&slot), None).await?;
    chat.call("DELETE", &chat.path(slot.key.message), None).await?;
    let (lie, _) = chat.send("two", &File::fixture("text-named.png", "image/png")?).await?;
    ensure!(chat.decided(&lie).await?["state"] == "rejected");

    let mut records = until("seven changes in the archive", async || {
        let records = archive::records(&cloud, &chat.room).await?;
        Ok((archive::changes(&records).len() == 7).then_some(records))
    })
    .await?;
    records.sort_by_key(|record| (record.seq, record.ver));
    let me = records[0].by.clone().context("a sender has a name")?;
    let told: Vec<_> =
        records.iter().map(|record| (record.by.as_deref(), record.cause.as_deref(), record.event)).collect();
    let (me, ingest) = (Some(me.as_str()), Some("ingest"));
    let expected = [
        (me, Some("sent"), Event::Insert),
        (ingest, Some("attachment-ready"), Event::Modify),
        (me, Some("edited"), Event::Modify),
        (me, Some("attachment-removed"), Event::Modify),
        (me, Some("deleted"), Event::Modify),
        (me, Some("sent"), Event::Insert),
        (ingest, Some("attachment-rejected"), Event::Modify),
    ];
    ensure!(told == expected, "{told:?}");
    ensure!(records.iter().all(|record| record.at.is_some() && !record.expired), "{records:?}");
    let state = State::settled(&cloud, &chat.room).await?;
    for (seq, message) in archive::rebuilt(&records)? {
        ensure!(state.items[&format!("MSG#{seq:012}")] == message, "message {seq} is not what the archive says");
    }
    Ok(())
}

/// The deployed function with events by hand: what Lambda does after a time-out, and when it halves a batch.
pub(crate) async fn batches_that_come_again_or_are_split_lose_and_clobber_nothing(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let room = Ids::random().room()?;
    let records: Vec<Value> = (1..=4).map(|ver| record(&room, ver)).collect();
    let batches = [&records[..], &records[..], &records[..2], &records[2..], &records[1..3], &records[..]];
    let mut before: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for batch in batches {
        let answer = cloud.invoke("ArchiveFunction", &json!({ "Records": batch })).await?;
        ensure!(answer == json!({ "batchItemFailures": [] }), "{answer}");
        let now = archive::objects(&cloud).await?;
        ensure!(before.iter().all(|(key, bytes)| now.get(key) == Some(bytes)), "an object was written over or is gone");
        before = now;
    }
    let read = archive::records(&cloud, &room).await?;
    // Four different objects: the whole, its halves, its middle.
    ensure!(read.len() == 4 + 2 + 2 + 2, "{}", read.len());
    ensure!(archive::changes(&read) == (1..=4).map(|ver| (1, ver)).collect());
    archive::rebuilt(&read).map(|_| ())
}

pub(crate) async fn poison_behind_healthy_records_is_answered_by_its_place(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let room = Ids::random().room()?;
    let mut poison = record(&room, 2);
    poison["dynamodb"]["Keys"]["SK"] = json!({ "S": "MSG#garbage" });
    let batch = json!({ "Records": [record(&room, 1), poison, record(&room, 3)] });
    let answer = cloud.invoke("ArchiveFunction", &batch).await?;
    ensure!(answer == json!({ "batchItemFailures": [{ "itemIdentifier": "1002" }] }), "{answer}");
    ensure!(archive::changes(&archive::records(&cloud, &room).await?) == [(1, 1), (1, 3)].into());
    Ok(())
}

/// Through the table, the stream and the mapping as they are deployed. The local cloud's reader of streams is ours
/// (infra/local/streams.py), after Lambda's documentation.
pub(crate) async fn poison_lands_in_the_failure_bucket_and_holds_nothing_up(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let room = Ids::random().room()?;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    // One transaction, and so one batch: two that cannot be filed amid three that can.
    let mut all = cloud.dynamodb.transact_write_items();
    for key in ["MSG#000000000001", "MSG#garbage", "MSG#000000000002", "MSG#rubbish", "MSG#000000000003"] {
        let put = Put::builder().table_name(cloud.output("TableName")?);
        let put = put.item("PK", text(&format!("ROOM#{room}"))).item("SK", text(key));
        let put = put.item("ver", AttributeValue::N("1".to_owned())).item("said", text(key));
        all = all.transact_items(TransactWriteItem::builder().put(put.build()?).build());
    }
    all.send().await?;

    let chat = Chat::open(&cloud, "behind-poison").await?;
    let body = json!({ "clientMessageId": "one", "text": "behind the poison" });
    chat.call("POST", &format!("/v1/rooms/{}/messages", chat.room), Some(&body)).await?;

    let failures = until("both in the failure bucket", async || {
        let failures = failures_of(&cloud, &room).await?;
        Ok((failures.len() == 2).then_some(failures))
    })
    .await?;
    let mut said = BTreeSet::new();
    for failure in failures {
        ensure!(failure["requestContext"]["condition"] == "RetryAttemptsExhausted", "{failure}");
        let payload: Value = serde_json::from_str(failure["payload"].as_str().context("a failure has its payload")?)?;
        let records = payload["Records"].as_array().context("a payload has records")?;
        ensure!(records.len() == 1, "each is alone: {records:?}");
        said.insert(records[0]["dynamodb"]["NewImage"]["said"]["S"].as_str().unwrap_or_default().to_owned());
    }
    ensure!(said == BTreeSet::from(["MSG#garbage".to_owned(), "MSG#rubbish".to_owned()]), "{said:?}");
    ensure!(archive::changes(&archive::records(&cloud, &room).await?) == [(1, 1), (2, 1), (3, 1)].into());
    until("what came behind the poison in the archive", async || {
        Ok((!archive::records(&cloud, &chat.room).await?.is_empty()).then_some(()))
    })
    .await?;
    Ok(())
}

/// What Lambda wrote of the changes of `room` that it gave up.
async fn failures_of(cloud: &Cloud, room: &RoomId) -> anyhow::Result<Vec<Value>> {
    let bucket = cloud.output("StreamFailureBucket")?;
    let listed = cloud.s3.list_objects_v2().bucket(bucket).prefix("aws/lambda/").send().await?;
    let mut failures = Vec::new();
    for object in listed.contents() {
        let key = object.key().context("an object has a key")?;
        let body = cloud.s3.get_object().bucket(bucket).key(key).send().await?.body.collect().await?.to_vec();
        if String::from_utf8_lossy(&body).contains(room.as_str()) {
            failures.push(serde_json::from_slice(&body)?);
        }
    }
    Ok(failures)
}

/// A record of the stream: the message's version `ver`.
fn record(room: &RoomId, ver: u64) -> Value {
    let item = |ver: u64| {
        json!({
            "PK": { "S": format!("ROOM#{room}") }, "SK": { "S": "MSG#000000000001" }, "ver": { "N": ver.to_string() },
            "by": { "S": "anna" }, "cause": { "S": "edited" }, "at": { "S": "2026-11-22T22:35:14.123Z" },
        })
    };
    let mut record = json!({
        "eventID": format!("{room}-{ver}"), "eventName": if ver == 1 { "INSERT" } else { "MODIFY" }, "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_386_914, "SequenceNumber": format!("{}", 1000 + ver), "SizeBytes": 59,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            "Keys": { "PK": { "S": format!("ROOM#{room}") }, "SK": { "S": "MSG#000000000001" } },
            "NewImage": item(ver),
        },
    });
    if ver > 1 {
        record["dynamodb"]["OldImage"] = item(ver - 1);
    }
    record
}
