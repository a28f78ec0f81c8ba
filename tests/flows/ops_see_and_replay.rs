//! `vestibule inbox`, as somebody on call runs it: what stands in the inbox and why, and how it is sent through again.
//!
//! A version that no event speaks of is made by putting it while its message is away: ingest lets the event go as one of an unknown
//! version, and then the message is put back. All tests share the inbox, so each looks at a room of its own alone.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::{join, try_join_all};
use serde_json::{Value, json};
use tokio::process::Command;
use vestibule::stack::Stack;
use vestibule_domain::id::RoomId;
use vestibule_domain::key::InboxKey;
use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::work::Failure;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::ids::Ids;
use vestibule_store::objects::InboxVersion;
use vestibule_store::work::Works;

use crate::demo_from_outside::executable;
use crate::support::archive;
use crate::support::chat::{Chat, File};
use crate::support::cloud::Cloud;
use crate::support::state::State;
use crate::support::wait::until;

pub(crate) async fn every_version_is_listed_with_why_it_is_there(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "listed").await?;
    let files = [File::text("failed"), File::text("fresh"), File::text("leftover")];
    let uploads = unnoticed(&cloud, &chat, "one", &files).await?;
    fail(&cloud, &uploads[0], 2).await?;
    let leftover = format!("/v1/rooms/{}/messages/1/attachments/{}", chat.room, uploads[2].key.attachment);
    chat.call("DELETE", &leftover, None).await?;
    let gone: InboxKey = format!("{}/000000000077/{}", chat.room, uploads[0].key.attachment).parse()?;
    let gone = cloud.put_as_root(&gone, b"nobody announced this".to_vec()).await?;
    let put = cloud.s3.put_object().bucket(cloud.output("InboxBucket")?).key(format!("{}/holiday.jpg", chat.room));
    put.body(b"no key of ours".to_vec().into()).send().await?;

    let room = chat.room.as_str();
    let mut lines = told(&inbox(&cloud, &["list", "--json", "--room", room]).await?)?;
    let totals = lines.pop().context("the last line has the totals")?;
    ensure!(totals["totals"]["count"] == 5 && totals["totals"]["classes"]["failed"]["count"] == 1, "{totals}");
    ensure!(totals["totals"]["classes"]["message-gone"]["bytes"] == 21, "{totals}");
    ensure!(totals["totals"]["next"] == json!({ "wait": 3, "stay": 2 }), "{totals}");
    let class = |version: &str| {
        let line = lines.iter().find(|line| line["version"] == version);
        line.map(|line| (line["class"].as_str(), line["code"].as_str(), line["next"].as_str(), line["tries"].as_u64()))
    };
    let expected = [
        (&uploads[0], (Some("failed"), Some("SlowDown"), Some("wait"), Some(2))),
        (&uploads[1], (Some("fresh"), None, Some("wait"), Some(0))),
        (&uploads[2], (Some("leftover"), None, Some("wait"), Some(0))),
        (&gone, (Some("message-gone"), None, Some("stay"), Some(0))),
    ];
    for (upload, expected) in expected {
        ensure!(class(upload.version.as_str()) == Some(expected), "{} in {lines:?}", upload.version);
    }
    ensure!(lines.iter().any(|line| line["class"] == "unknown-key" && line["next"] == "stay"), "{lines:?}");

    for (filter, expected) in [
        (vec!["--class", "failed", "--class", "leftover"], 2),
        (vec!["--code", "SlowDown"], 1),
        (vec!["--code", "timeout"], 0),
        (vec!["--sweep", "stay"], 2),
        (vec!["--sweep", "wait", "--class", "failed"], 1),
        (vec!["--sweep", "given-up"], 0),
        (vec!["--older-than", "2h"], 0),
        (vec!["--limit", "3"], 3),
    ] {
        let lines = told(&inbox(&cloud, &[&["list", "--json", "--room", room], &filter[..]].concat()).await?)?;
        ensure!(lines.len() == expected + 1, "{filter:?}: {lines:?}");
    }
    let words = inbox(&cloud, &["list", "--room", room]).await?;
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    ensure!(
        words.contains("failed(SlowDown)")
            && words.ends_with("\nby the sweep: 3 wait, 2 stay\n")
            && words.starts_with("  AGE"),
        "{words}"
    );

    // Whoever reads stops reading, as `head` does.
    let mut cut_off = command(&cloud, &["list", "--room", room])?.spawn()?;
    drop(cut_off.stdout.take());
    let cut_off = cut_off.wait_with_output().await?;
    ensure!(cut_off.status.success() && cut_off.stderr.is_empty(), "{cut_off:?}");
    let wrong = inbox(&cloud, &["list", "--class", "lost"]).await?;
    ensure!(wrong.status.code() == Some(2), "{wrong:?}");
    Ok(())
}

pub(crate) async fn one_attachment_is_explained_from_its_announcement_to_its_decision(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "explained").await?;
    let (slot, upload) = chat.send("one", &File::fixture("tiny.jpg", "image/jpeg")?).await?;
    chat.decided(&slot).await?;
    State::settled(&cloud, &chat.room).await?;
    let place = format!("{}@{}", upload.key, upload.version);
    let decided = only(&inbox(&cloud, &["explain", "--json", &place]).await?)?;
    ensure!(decided["state"] == "ready", "{decided}");
    ensure!(
        decided["summary"] == "the attachment is ready, by this version; this version is not in the inbox",
        "{decided}"
    );
    let events: Vec<_> = decided["timeline"].as_array().into_iter().flatten().map(|event| &event["what"]).collect();
    ensure!(events == ["announced", "begun", "ready"], "{decided}");
    let objects = decided["objects"].as_array().context("objects")?;
    ensure!(objects.len() == 3 && objects.iter().all(|object| object["finding"] == "in-place"), "{decided}");

    let stuck = unnoticed(&cloud, &chat, "two", &[File::text("stuck")]).await?.remove(0);
    fail(&cloud, &stuck, 1).await?;
    let words = inbox(&cloud, &["explain", &stuck.key.to_string()]).await?;
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    for part in
        ["announced and not decided", "uploaded", "try 1: SlowDown", "replay would send it: its last try failed"]
    {
        ensure!(words.contains(part), "{part}: {words}");
    }

    let absent = format!("{}/000000000099/{}", chat.room, slot.key.attachment);
    let absent = only(&inbox(&cloud, &["explain", "--json", &absent]).await?)?;
    let summary = absent["summary"].as_str().unwrap_or_default();
    ensure!(summary.starts_with("there is no such message") && absent["state"].is_null(), "{absent}");
    let nonsense = inbox(&cloud, &["explain", "holiday.jpg"]).await?;
    ensure!(String::from_utf8_lossy(&nonsense.stdout).contains("no key of ours"), "{nonsense:?}");
    Ok(())
}

pub(crate) async fn what_stands_still_is_brought_to_its_verdict_and_twice_is_once(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "replayed").await?;
    let bad = File::fixture("jpeg-zip.jpg", "image/jpeg")?;
    let files = [File::text("good"), bad, File::text("taken out"), File::text("fresh")];
    let uploads = unnoticed(&cloud, &chat, "one", &files).await?;
    // So often that the sweep leaves it alone.
    fail(&cloud, &uploads[0], 9).await?;
    fail(&cloud, &uploads[1], 1).await?;
    let taken_out = format!("/v1/rooms/{}/messages/1/attachments/{}", chat.room, uploads[2].key.attachment);
    chat.call("DELETE", &taken_out, None).await?;
    let gone: InboxKey = format!("{}/000000000077/{}", chat.room, uploads[0].key.attachment).parse()?;
    let gone = cloud.put_as_root(&gone, b"nobody announced this".to_vec()).await?;

    let room = chat.room.as_str();
    let before = State::of(&cloud, &chat.room).await?;
    let plan = only(&inbox(&cloud, &["replay", "--dry-run", "--json", "--room", room]).await?)?;
    let send = &plan["plan"]["send"];
    ensure!(send["count"] == 3 && send["classes"]["leftover"]["count"] == 1, "{plan}");
    let skip = &plan["plan"]["skip"];
    ensure!(skip["message-gone"]["count"] == 1 && skip["fresh"]["count"] == 1, "{plan}");
    ensure!(State::of(&cloud, &chat.room).await? == before, "a dry run changes nothing");

    // Twice at the same time.
    let replay = ["replay", "--json", "--wait", "--wait-seconds", "60", "--room", room];
    let (one, other) = join(inbox(&cloud, &replay), inbox(&cloud, &replay)).await;
    for replayed in [one?, other?] {
        ensure!(replayed.status.success(), "{replayed:?}");
    }
    let state = State::of(&cloud, &chat.room).await?;
    let left = [format!("{}@{}", uploads[3].key, uploads[3].version), format!("{}@{}", gone.key, gone.version)];
    ensure!(state.inbox == left, "{:?}", state.inbox);
    let message = state.message(1)?;
    let states: Vec<_> = message.attachments_in_order().map(|(_, attachment)| attachment.state()).collect();
    ensure!(states == ["ready", "rejected", "removed", "pending"], "{states:?}");
    // Sent, taken out, and two decisions.
    ensure!(message.ver == 4, "each was decided once: {}", message.ver);

    let again = told(&inbox(&cloud, &replay).await?)?;
    ensure!(again[0]["plan"]["send"]["count"] == 0 && again[1]["replayed"]["sent"] == 0, "{again:?}");
    let asked_for = ["replay", "--wait", "--class", "fresh", "--class", "message-gone", "--room", room];
    let fresh = inbox(&cloud, &asked_for).await?;
    let words = String::from_utf8_lossy(&fresh.stdout).into_owned();
    ensure!(words.contains("1 fresh") && words.ends_with("1 ready\n"), "{words}");
    let state = State::of(&cloud, &chat.room).await?;
    ensure!(state.inbox == left[1..], "{:?}", state.inbox);
    Ok(())
}

/// Ctrl-C in the middle: the batches in flight are finished, and the same command goes on behind them.
pub(crate) async fn a_replay_that_is_stopped_goes_on_where_it_was(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    const VERSIONS: u64 = 20;
    let chat = Chat::open(&cloud, "stopped").await?;
    let files: Vec<File> = (0..VERSIONS).map(|number| File::text(&format!("file {number}"))).collect();
    let uploads = unnoticed(&cloud, &chat, "one", &files).await?;
    try_join_all(uploads.iter().map(|upload| fail(&cloud, upload, 1))).await?;
    let folder = tempfile::tempdir()?;
    let cursor = folder.path().join("cursor.json");
    let path = cursor.display().to_string();
    let room = chat.room.as_str();
    let replay = ["replay", "--json", "--rate", "2", "--concurrency", "1", "--cursor", &path, "--room", room];

    let running = command(&cloud, &replay)?.spawn()?;
    until("a place in the cursor file", async || Ok(cursor.exists().then_some(()))).await?;
    let id = running.id().context("it runs")?.to_string();
    ensure!(Command::new("kill").args(["-INT", &id]).status().await?.success());
    let stopped = running.wait_with_output().await?;
    ensure!(stopped.status.code() == Some(1), "{stopped:?}");
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    ensure!(said.starts_with("vestibule: stopped after ") && said.contains("the same command goes on there"), "{said}");
    let first = told(&stopped)?[1]["replayed"]["sent"].as_u64().context("how many were sent")?;
    ensure!((1..VERSIONS).contains(&first), "stopped in the middle: {first}");
    ensure!(read(&cursor)?["sent"] == first, "{}", read(&cursor)?);

    let other = inbox(&cloud, &["replay", "--cursor", &path, "--class", "fresh", "--room", room]).await?;
    let refusal = String::from_utf8_lossy(&other.stderr).into_owned();
    ensure!(other.status.code() == Some(1) && refusal.contains("of a replay with other filters"), "{refusal}");

    let quickly = ["replay", "--json", "--wait", "--cursor", &path, "--room", room];
    let resumed = told(&inbox(&cloud, &quickly).await?)?;
    let replayed = &resumed[1]["replayed"];
    ensure!(replayed["sent"] == VERSIONS - first && replayed["sentBefore"] == first, "{first}, then {resumed:?}");
    ensure!(resumed[2] == json!({ "verdicts": [{ "verdict": "ready", "count": VERSIONS - first }] }), "{resumed:?}");
    ensure!(!cursor.exists(), "a finished replay leaves no cursor");
    let state = State::settled(&cloud, &chat.room).await?;
    ensure!(state.message(1)?.ver == 1 + VERSIONS && state.processed.len() as u64 == VERSIONS, "{state:?}");
    Ok(())
}

pub(crate) async fn dead_letters_are_seen_sent_back_and_deleted(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "dead-letters").await?;
    let upload = unnoticed(&cloud, &chat, "one", &[File::text("dead letter")]).await?.remove(0);
    fail(&cloud, &upload, 5).await?;
    let event = cloud.s3_event(&upload)?.to_string();
    let id = letter(&cloud, "IngestDeadLetterQueueUrl", &event).await?;
    let list = ["dlq", "list", "--json", "--limit", "10000", "--queue", "ingest"];
    // Looking twice finds it twice.
    for _ in 0..2 {
        let letter = treated(&cloud, &list, &id).await?;
        ensure!(letter["names"] == json!([format!("{}@{}", upload.key, upload.version)]), "{letter}");
    }
    treated(&cloud, &["dlq", "redrive", "--json", "--queue", "ingest"], &id).await?;
    let state = State::settled(&cloud, &chat.room).await?;
    ensure!(state.message(1)?.attachment(&upload.key.attachment).is_some_and(|entry| entry.state() == "ready"));
    let listed = told(&inbox(&cloud, &list).await?)?;
    ensure!(listed.iter().all(|line| line["id"] != id.as_str()), "{listed:?}");

    // Nothing is deleted by half a command.
    for wrong in [&["dlq", "purge", "--queue", "reclaim"][..], &["dlq", "purge", "--yes"], &["dlq", "redrive"]] {
        let refused = inbox(&cloud, wrong).await?;
        ensure!(refused.status.code() == Some(2), "{wrong:?}: {refused:?}");
    }
    let request = json!({ "key": upload.key.to_string(), "why": "decided" }).to_string();
    // Only of uploads is anything left that somebody may look for.
    for (queue, url, body, name, are_uploads) in [
        ("reclaim", "ReclaimDeadLetterQueueUrl", &request, format!("{} (decided)", upload.key), false),
        ("ingest", "IngestDeadLetterQueueUrl", &event, format!("{}@{}", upload.key, upload.version), true),
    ] {
        let id = letter(&cloud, url, body).await?;
        let words = until("the letter to be purged", async || {
            let purged = inbox(&cloud, &["dlq", "purge", "--queue", queue, "--yes"]).await?;
            ensure!(purged.status.success(), "{purged:?}");
            let words = String::from_utf8_lossy(&purged.stdout).into_owned();
            ensure!(words.contains("the uploads themselves are still in the inbox") == are_uploads, "{words}");
            Ok(words.contains(&id).then_some(words))
        })
        .await?;
        ensure!(words.contains(&name), "{words}");
        let listed = told(&inbox(&cloud, &["dlq", "list", "--json", "--limit", "10000", "--queue", queue]).await?)?;
        ensure!(listed.iter().all(|line| line["id"] != id.as_str()), "{listed:?}");
    }
    what_is_in_hand_is_put_back(&cloud, &request).await
}

/// Who stops reading, as `head` does, leaves no letter hidden; what somebody else has in hand is told of. Nobody else's letters are in the
/// queue of reclaim's.
async fn what_is_in_hand_is_put_back(cloud: &Cloud, request: &str) -> anyhow::Result<()> {
    let queue = cloud.output("ReclaimDeadLetterQueueUrl")?;
    letter(cloud, "ReclaimDeadLetterQueueUrl", request).await?;
    let list = ["dlq", "list", "--queue", "reclaim"];
    let mut cut_off = command(cloud, &list)?.spawn()?;
    drop(cut_off.stdout.take());
    let cut_off = cut_off.wait_with_output().await?;
    ensure!(cut_off.status.success() && cut_off.stderr.is_empty(), "{cut_off:?}");
    let words = String::from_utf8_lossy(&inbox(cloud, &list).await?.stdout).into_owned();
    ensure!(words.contains("reclaim  1 listed"), "it is there at once: {words}");

    let receive = cloud.sqs.receive_message().queue_url(queue).visibility_timeout(60).wait_time_seconds(1);
    let received = receive.send().await?.messages.unwrap_or_default().pop().context("the letter")?;
    let words = String::from_utf8_lossy(&inbox(cloud, &list).await?.stdout).into_owned();
    ensure!(words.contains("reclaim  0 listed, 1 not visible now"), "{words}");
    let delete = cloud.sqs.delete_message().queue_url(queue);
    delete.receipt_handle(received.receipt_handle.context("a receipt")?).send().await?;
    Ok(())
}

/// Puts a letter into a dead-letter queue and answers its id. All tests share these queues, so each looks at letters of its own alone.
async fn letter(cloud: &Cloud, url: &str, body: &str) -> anyhow::Result<String> {
    let send = cloud.sqs.send_message().queue_url(cloud.output(url)?).message_body(body);
    send.send().await?.message_id.context("a message has an id")
}

/// Gives the command until it tells of the letter, and answers what it tells: a queue need not bring all that it has.
async fn treated(cloud: &Cloud, command: &[&str], id: &str) -> anyhow::Result<Value> {
    until("the letter to be told of", async || {
        let lines = told(&inbox(cloud, command).await?)?;
        Ok(lines.into_iter().find(|line| line["id"] == id))
    })
    .await
}

pub(crate) async fn stream_batches_that_were_given_up_are_handed_over_again(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "given-up").await?;
    let bucket = cloud.output("StreamFailureBucket")?;
    let put = async |key: String, batch: Value| -> anyhow::Result<String> {
        let put = cloud.s3.put_object().bucket(bucket).key(&key).body(batch.to_string().into_bytes().into());
        put.send().await?;
        Ok(key)
    };
    let healthy =
        put(format!("aws/lambda/{}-healthy", chat.room), given_up(cloud.stack(), &chat.room, "MSG#000000000041")?);
    let poison = put(format!("aws/lambda/{}-poison", chat.room), given_up(cloud.stack(), &chat.room, "MSG#garbage")?);
    let (healthy, poison) = (healthy.await?, poison.await?);
    let listed = told(&inbox(&cloud, &["dlq", "list", "--json", "--queue", "streams"]).await?)?;
    let line = listed.iter().find(|line| line["id"] == healthy.as_str()).context("it is listed")?;
    ensure!(line["records"] == 1 && line["condition"] == "RetryAttemptsExhausted", "{line}");

    let redriven = inbox(&cloud, &["dlq", "redrive", "--json", "--queue", "streams"]).await?;
    ensure!(redriven.status.code() == Some(1), "one stays: {redriven:?}");
    let lines = lines(&redriven)?;
    let line = |key: &str| lines.iter().find(|line| line["id"] == key).context("each is told");
    ensure!(line(&healthy)?["left"].is_null(), "{lines:?}");
    let why = line(&poison)?["left"].as_str().unwrap_or_default();
    ensure!(why.starts_with("the function failed"), "{why}");
    let records = archive::records(&cloud, &chat.room).await?;
    ensure!(archive::changes(&records).contains(&(41, 1)), "it is filed: {:?}", archive::changes(&records));
    ensure!(!exists(&cloud, bucket, &healthy).await? && exists(&cloud, bucket, &poison).await?);

    // The first in the listing, so that no other test's is deleted.
    let first = put(format!("0/{}", chat.room), given_up(cloud.stack(), &chat.room, "MSG#garbage")?).await?;
    let purged =
        told(&inbox(&cloud, &["dlq", "purge", "--json", "--queue", "streams", "--yes", "--limit", "1"]).await?)?;
    ensure!(purged[0]["id"] == first.as_str(), "{purged:?}");
    ensure!(!exists(&cloud, bucket, &first).await? && exists(&cloud, bucket, &poison).await?);
    cloud.s3.delete_object().bucket(bucket).key(poison).send().await?;
    Ok(())
}

pub(crate) async fn an_audit_finds_what_nothing_points_at_and_reclaim_collects_it(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "audited").await?;
    let (slot, _) = chat.send("one", &File::fixture("tiny.jpg", "image/jpeg")?).await?;
    chat.decided(&slot).await?;
    let clean = State::settled(&cloud, &chat.room).await?;
    let bucket = cloud.output("ProcessedBucket")?;
    let orphan = format!("{}/ffffffffffffffff/original", slot.key);
    let unknown = format!("{}/000000000077/{}/ffffffffffffffff/original", chat.room, slot.key.attachment);
    let leave = async |key: &str| {
        cloud.s3.put_object().bucket(bucket).key(key).body(b"left behind".to_vec().into()).send().await
    };
    for key in [&orphan, &unknown] {
        leave(key).await?;
    }
    let room = chat.room.as_str();
    let mut found = told(&inbox(&cloud, &["audit", "--json", "--room", room]).await?)?;
    let totals = found.pop().context("the last line has the totals")?;
    let findings: Vec<_> = found.iter().map(|line| (line["key"].as_str(), line["finding"].as_str())).collect();
    let expected = [(Some(orphan.as_str()), Some("unreferenced")), (Some(unknown.as_str()), Some("unknown"))];
    ensure!(findings == expected, "{findings:?}");
    let in_place = totals["totals"].as_array().into_iter().flatten().find(|total| total["finding"] == "in-place");
    ensure!(in_place.is_some_and(|total| total["count"] == clean.processed.len()), "{totals}");
    ensure!(exists(&cloud, bucket, &orphan).await?, "nothing is deleted without --apply");

    // On a slow day the collector that the decision asked for comes in between, and takes the orphan first: then there is another.
    until("an audit to ask for its deletion", async || {
        leave(&orphan).await?;
        let applied = told(&inbox(&cloud, &["audit", "--apply", "--json", "--room", room]).await?)?;
        Ok(applied.last().is_some_and(|last| last["asked"] == 1).then_some(()))
    })
    .await?;
    until("the orphan to go", async || Ok((!exists(&cloud, bucket, &orphan).await?).then_some(()))).await?;
    let mut after = State::of(&cloud, &chat.room).await?;
    ensure!(after.processed.remove(&unknown).is_some(), "absent is not deleted");
    ensure!(after == clean, "{after:?}");
    an_unreadable_document_is_passed_by(&cloud).await
}

/// A document that cannot be read does not end an audit, and nothing of its attachments is deleted.
async fn an_unreadable_document_is_passed_by(cloud: &Cloud) -> anyhow::Result<()> {
    let ids = Ids::random();
    // A room of nobody's: no other test reads its messages.
    let (room, attachment) = (ids.room()?, ids.attachment()?);
    let (bucket, table) = (cloud.output("ProcessedBucket")?, cloud.output("TableName")?);
    let place = json!({ "PK": format!("ROOM#{room}"), "SK": "MSG#000000000001" });
    let key: HashMap<String, AttributeValue> = serde_dynamo::to_item(&place)?;
    let mut item = key.clone();
    item.insert("ver".to_owned(), AttributeValue::N("1".to_owned()));
    cloud.dynamodb.put_item().table_name(table).set_item(Some(item)).send().await?;
    let objects = ["000000000001", "000000000002"].map(|message| format!("{room}/{message}/{attachment}/f/original"));
    for key in &objects {
        cloud.s3.put_object().bucket(bucket).key(key).body(b"nobody knows".to_vec().into()).send().await?;
    }
    let mut found = told(&inbox(cloud, &["audit", "--apply", "--json", "--room", room.as_str()]).await?)?;
    let totals = found.pop().context("the last line has the totals")?;
    let findings: Vec<_> = found.iter().map(|line| (line["key"].as_str(), line["finding"].as_str())).collect();
    let expected = [(Some(objects[0].as_str()), Some("unreadable")), (Some(objects[1].as_str()), Some("unknown"))];
    ensure!(findings == expected, "{findings:?}");
    let unreadable = json!({ "bucket": "processed", "finding": "unreadable", "count": 1, "bytes": 12 });
    ensure!(totals["totals"].as_array().is_some_and(|totals| totals.contains(&unreadable)), "{totals}");
    ensure!(totals["asked"] == 0, "what nobody can say anything about stays: {totals}");
    cloud.dynamodb.delete_item().table_name(table).set_key(Some(key)).send().await?;
    for key in &objects {
        ensure!(exists(cloud, bucket, key).await?, "{key} stays");
        cloud.s3.delete_object().bucket(bucket).key(key).send().await?;
    }
    Ok(())
}

/// `vestibule inbox` on the run's stack.
fn command(cloud: &Cloud, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(executable()?);
    command.arg("inbox").args(arguments);
    command.args(["--endpoint-url", cloud.endpoint(), "--stack", cloud.stack().name()]);
    command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

async fn inbox(cloud: &Cloud, arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(command(cloud, arguments)?.output().await?)
}

/// The lines of JSON of a command that ended well, or was stopped.
fn told(output: &Output) -> anyhow::Result<Vec<Value>> {
    let is_stopped = output.stderr.starts_with(b"vestibule: stopped");
    ensure!(output.status.success() || is_stopped, "{output:?}");
    lines(output)
}

fn lines(output: &Output) -> anyhow::Result<Vec<Value>> {
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

fn only(output: &Output) -> anyhow::Result<Value> {
    let mut lines = told(output)?;
    ensure!(lines.len() == 1, "{lines:?}");
    Ok(lines.remove(0))
}

fn read(path: &Path) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// Versions of announced files that no event speaks of any more: see the head of this file.
async fn unnoticed(cloud: &Cloud, chat: &Chat, id: &str, files: &[File]) -> anyhow::Result<Vec<InboxVersion>> {
    let slots = chat.announce(id, &files.iter().collect::<Vec<_>>()).await?;
    let text = |text: String| AttributeValue::S(text);
    let seq = slots.first().context("a file")?.key.message;
    let (pk, sk) = (text(format!("ROOM#{}", chat.room)), text(format!("MSG#{}", seq.digits())));
    let table = cloud.output("TableName")?;
    let get = cloud.dynamodb.get_item().table_name(table).key("PK", pk.clone()).key("SK", sk.clone());
    let item = get.consistent_read(true).send().await?.item.context("the message was sent")?;
    cloud.dynamodb.delete_item().table_name(table).key("PK", pk).key("SK", sk).send().await?;
    let puts = slots.iter().zip(files).map(|(slot, file)| cloud.put_as_root(&slot.key, file.bytes.clone()));
    let uploads = try_join_all(puts).await?;
    until("ingest to let the events go", async || {
        let mut left: Vec<&str> = uploads.iter().map(|upload| upload.version.as_str()).collect();
        let logs = cloud.logs.filter_log_events().log_group_name(cloud.output("IngestLogs")?);
        let mut pages = logs.into_paginator().send();
        while let Some(page) = pages.next().await {
            for event in page?.events() {
                let line = event.message().unwrap_or_default();
                left.retain(|version| !(line.contains("\"unknown\"") && line.contains(version)));
            }
        }
        Ok(left.is_empty().then_some(()))
    })
    .await?;
    cloud.dynamodb.put_item().table_name(table).set_item(Some(item)).send().await?;
    Ok(uploads)
}

/// Notes that the last of so many tries failed.
async fn fail(cloud: &Cloud, upload: &InboxVersion, tries: u32) -> anyhow::Result<()> {
    let works = Works::new(cloud.dynamodb.clone(), cloud.output("TableName")?.to_owned());
    for _ in 0..tries {
        let failure = Failure::new("SlowDown", "CopyObject: please reduce your request rate", now());
        works.failed(&upload.key, &upload.version, None, &failure).await?;
    }
    Ok(())
}

fn now() -> Timestamp {
    Clock::system().now()
}

async fn exists(cloud: &Cloud, bucket: &str, key: &str) -> anyhow::Result<bool> {
    let list = cloud.s3.list_objects_v2().bucket(bucket).prefix(key).send().await?;
    Ok(list.contents().iter().any(|object| object.key() == Some(key)))
}

/// What Lambda writes of a change of `room` that the archive could not take.
pub(crate) fn given_up(stack: &Stack, room: &RoomId, sort_key: &str) -> anyhow::Result<Value> {
    let keys = json!({ "PK": { "S": format!("ROOM#{room}") }, "SK": { "S": sort_key } });
    let mut image = keys.clone();
    image["ver"] = json!({ "N": "1" });
    let record = json!({
        "eventID": format!("{room}-{sort_key}"), "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1", "dynamodb": {
            "ApproximateCreationDateTime": 1_795_386_914, "SequenceNumber": "1001", "SizeBytes": 59,
            "StreamViewType": "NEW_AND_OLD_IMAGES", "Keys": keys, "NewImage": image,
        },
    });
    let function = stack.output("ArchiveFunction")?;
    Ok(json!({
        "requestContext": {
            "requestId": "316aa6d0-8154-4e5c-9af7-85d5f4a6bc81", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3,
            "functionArn": format!("arn:aws:lambda:us-east-1:000000000000:function:{function}"),
        },
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "version": "1.0", "timestamp": "2026-11-22T22:35:14.000Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-0", "startSequenceNumber": "1001", "endSequenceNumber": "1001", "batchSize": 1, "streamArn": "a",
            "approximateArrivalOfFirstRecord": "2026-11-22T22:35:14Z", "approximateArrivalOfLastRecord": "2026-11-22T22:35:14Z",
        },
        "payload": json!({ "Records": [record] }).to_string(),
    }))
}
