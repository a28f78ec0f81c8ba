//! InboxBucket ─ ObjectCreated ─▶ IngestQueue ─▶ ingest: what the events may be, and what no event may do.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use vestibule_domain::key::InboxKey;
use vestibule_ingest::config::Config;
use vestibule_ingest::handler::handle;
use vestibule_ingest::inspector::Inspector;
use vestibule_ingest::world::World;
use vestibule_store::objects::InboxVersion;

use crate::support::chat::{Chat, File};
use crate::support::cloud::{Cloud, batch, failed_messages};
use crate::support::state::State;
use crate::support::wait::until;

pub(crate) async fn a_version_without_a_message_stays_and_is_reported(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "unknown").await?;
    let slot = chat.announce("one", &[&File::text("known")]).await?.remove(0);
    let key: InboxKey = format!("{}/000000000077/{}", chat.room, slot.key.attachment).parse()?;
    let upload = cloud.put_as_root(&key, b"nobody announced this".to_vec()).await?;
    let group = cloud.output("IngestLogs")?;
    let line = until("a report of the unknown version", async || {
        let events = cloud.logs.filter_log_events().log_group_name(group).send().await?;
        let lines = events.events().iter().filter_map(|event| serde_json::from_str::<Value>(event.message()?).ok());
        Ok(lines
            .into_iter()
            .find(|line| line["object.version"] == upload.version.as_str() && line["outcome"] == "unknown"))
    })
    .await?;
    ensure!(line["level"] == "ERROR" && line["message.seq"] == 77, "{line}");
    let answer = cloud.invoke_ingest(&batch(&[cloud.s3_event(&upload)?])).await?;
    ensure!(failed_messages(&answer).is_empty(), "the event is acknowledged: {answer}");
    let state = State::of(&cloud, &chat.room).await?;
    ensure!(state.inbox == [format!("{key}@{}", upload.version)], "the version stays: {state:?}");
    ensure!(state.processed.is_empty() && state.quarantine.is_empty() && !state.items.contains_key("MSG#000000000077"));
    Ok(())
}

pub(crate) async fn a_deleted_message_is_never_made_again(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "deleted").await?;
    let file = File::fixture("png-palette.png", "image/png")?;
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    chat.call("DELETE", &chat.path(slot.key.message), None).await?;
    let before = State::of(&cloud, &chat.room).await?;
    let upload = chat.upload(&slot, &file).await?;
    let state = State::settled(&cloud, &chat.room).await?;
    ensure!(state == before, "the tombstone is as it was, and nothing was kept: {state:?}");
    ensure!(state.message(1)?.deleted && state.message(1)?.ver == 2, "{state:?}");
    cloud.invoke_ingest(&batch(&[cloud.s3_event(&upload)?])).await?;
    ensure!(State::of(&cloud, &chat.room).await? == before);
    Ok(())
}

pub(crate) async fn a_removed_attachment_lets_its_late_bytes_go(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "removed").await?;
    let file = File::text("taken out");
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    chat.call("DELETE", &chat.attachment_path(&slot), None).await?;
    chat.upload(&slot, &file).await?;
    let state = State::settled(&cloud, &chat.room).await?;
    ensure!(state.processed.is_empty() && state.quarantine.is_empty(), "{state:?}");
    ensure!(chat.attachment(&slot).await?["state"] == "removed");
    Ok(())
}

pub(crate) async fn direct_and_eventbridge_events_do_the_same_as_queued_ones(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "direct").await?;
    let test =
        json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-22T22:00:00.000Z", "Bucket": "x" });
    ensure!(cloud.invoke_ingest(&test).await?.is_null());
    ensure!(failed_messages(&cloud.invoke_ingest(&batch(&[test])).await?).is_empty());
    for (id, form) in [("direct", "s3"), ("bridge", "eventbridge")] {
        let (slot, upload) = chat.send(id, &File::text(id)).await?;
        let event = match form {
            "s3" => cloud.s3_event(&upload)?,
            _ => json!({
                "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created", "source": "aws.s3",
                "account": "000000000000", "time": "2026-11-22T22:00:00Z", "region": "us-east-1", "resources": [],
                "detail": {
                    "version": "0", "bucket": { "name": cloud.output("InboxBucket")? }, "reason": "PutObject",
                    "object": { "key": upload.key.to_string(), "size": upload.size, "version-id": upload.version.as_str() },
                },
            }),
        };
        // It races with the queue's own event for the same version, which is the point: who comes second changes nothing.
        cloud.invoke_ingest(&event).await?;
        ensure!(chat.decided(&slot).await?["state"] == "ready");
    }
    let state = State::settled(&cloud, &chat.room).await?;
    ensure!(state.message(1)?.ver == 2 && state.message(2)?.ver == 2 && state.processed.len() == 2, "{state:?}");
    Ok(())
}

pub(crate) async fn a_bad_message_of_a_batch_fails_alone(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "batch").await?;
    let (slot, upload) = chat.send("one", &File::text("good")).await?;
    let event = cloud.s3_event(&upload)?;
    chat.decided(&slot).await?;
    let answer = cloud
        .invoke_ingest(&batch(&[json!("this is no JSON"), event.clone(), json!({ "some": "event" }), event]))
        .await?;
    ensure!(failed_messages(&answer) == ["message-0", "message-2"], "{answer}");
    ensure!(chat.decided(&slot).await?["state"] == "ready");
    Ok(())
}

/// The handler in this process, with an inspector that cannot be reached, on a message of a queue of its own.
pub(crate) async fn a_transient_fault_puts_the_message_back_early(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "transient").await?;
    let slot = chat.announce("one", &[&File::text("waits")]).await?.remove(0);
    let queue =
        cloud.sqs.create_queue().queue_name("transient").attributes("VisibilityTimeout".into(), "900").send().await?;
    let queue = queue.queue_url().context("a queue has a URL")?;
    let upload = InboxVersion { key: slot.key.clone(), version: "not-uploaded".parse()?, size: 5 };
    let event = cloud.s3_event(&upload)?;
    cloud.sqs.send_message().queue_url(queue).message_body(event.to_string()).send().await?;
    let received = receive(&cloud, queue).await?.context("the message was sent")?;

    let mut world = World::new(config(&cloud, queue)?, cloud.stack().sdk());
    let nowhere = aws_sdk_lambda::config::Builder::from(cloud.stack().sdk()).endpoint_url("http://127.0.0.1:9");
    world.inspector = Inspector::new(aws_sdk_lambda::Client::from_conf(nowhere.build()), "nobody".to_owned());
    let mut message = batch(&[event]);
    message["Records"][0]["receiptHandle"] = json!(received);
    let answer = handle(&world, message).await.map_err(|error| anyhow::anyhow!(error))?;
    ensure!(failed_messages(&answer) == ["message-0"], "{answer}");
    // The queue would have held it for 15 minutes.
    until("the message in the queue again", async || receive(&cloud, queue).await).await?;
    ensure!(State::of(&cloud, &chat.room).await?.message(1)?.ver == 1);
    Ok(())
}

async fn receive(cloud: &Cloud, queue: &str) -> anyhow::Result<Option<String>> {
    let received = cloud.sqs.receive_message().queue_url(queue).send().await?;
    Ok(received.messages().first().and_then(|message| message.receipt_handle().map(ToOwned::to_owned)))
}

fn config(cloud: &Cloud, queue: &str) -> anyhow::Result<Config> {
    let outputs = [
        ("TABLE_NAME", cloud.output("TableName")?),
        ("INBOX_BUCKET", cloud.output("InboxBucket")?),
        ("PROCESSED_BUCKET", cloud.output("ProcessedBucket")?),
        ("QUARANTINE_BUCKET", cloud.output("QuarantineBucket")?),
        ("INSPECT_FUNCTION", cloud.output("InspectFunction")?),
        ("INGEST_QUEUE_URL", queue),
    ];
    let lookup = |name: &str| outputs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let config = Config::read(&lookup)?;
    Ok(Config { retry_delay: Duration::from_secs(1), ..config })
}
