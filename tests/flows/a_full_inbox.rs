//! `vestibule inbox list` on an inbox that holds a lot, in a local cloud of its own: nothing there tells ingest of what comes, so that it
//! all stays.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aws_sdk_s3::types::NotificationConfiguration;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::Instant;
use vestibule::local::{LocalCloud, Options};

use crate::demo_from_outside::executable;
use crate::support::cloud::Cloud;

/// Puts at once.
const PUTS: usize = 8;
/// Lines after which the list has seen its largest page.
const SETTLED: usize = 2000;
/// Lines before the end at which it must still be running, since a pipe holds fewer.
const BEFORE_THE_END: usize = 1000;
/// The most that memory may grow in between.
const GROWTH_BYTES: u64 = 4 * 1024 * 1024;
const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
/// The last letters of the attachments of a message.
const ATTACHMENTS: &str = "0123456789abcdefghjk";
/// Versions that belong to nothing for each message with as many attachments as a message may have: one in ten belongs to a document.
const STRAY: u64 = 180;

pub(crate) async fn ten_thousand_versions_are_listed_at_once_and_in_flat_memory(_: Arc<Cloud>) -> anyhow::Result<()> {
    listed("full", 10_000, 5).await
}

pub(crate) async fn a_hundred_thousand_versions_are_listed_at_once_and_in_flat_memory(
    _: Arc<Cloud>,
) -> anyhow::Result<()> {
    listed("fuller", 100_000, 20).await
}

/// The first line must be there in less than that fraction of the time that all take.
async fn listed(name: &str, versions: usize, fraction: u32) -> anyhow::Result<()> {
    let local = LocalCloud::start(options(name), &|_| {}).await?;
    fill(&local, versions).await?;
    let (first, whole, memory) = list(&local, versions).await?;
    let [settled, end] = memory.map(|bytes| bytes / (1024 * 1024));
    eprintln!("    {versions} versions: the first after {first:?}, all after {whole:?}; {settled} MiB, then {end} MiB");
    ensure!(first < whole / fraction, "the first line came after {first:?} of {whole:?}");
    let [settled, end] = memory;
    ensure!(end <= settled + GROWTH_BYTES, "memory grew from {settled} to {end} bytes");
    local.stop().await
}

fn options(name: &str) -> Options {
    Options {
        name: name.to_owned(),
        stack: name.to_owned(),
        port: None,
        origins: vec!["http://127.0.0.1:1".to_owned()],
        parameters: [].into(),
    }
}

async fn fill(local: &LocalCloud, versions: usize) -> anyhow::Result<()> {
    let s3 = vestibule_runtime::sdk::s3(local.stack().sdk());
    let bucket = local.stack().output("InboxBucket")?;
    let nobody = NotificationConfiguration::builder().build();
    s3.put_bucket_notification_configuration().bucket(bucket).notification_configuration(nobody).send().await?;
    let is_message = |number: u64| number.is_multiple_of(STRAY + 1);
    let keys: Vec<(u64, String)> = (1..)
        .flat_map(|number| {
            let ids = ATTACHMENTS.chars().map(attachment).take(if is_message(number) { usize::MAX } else { 1 });
            ids.map(move |id| (number, format!("{ROOM}/{number:012}/{id}")))
        })
        .take(versions)
        .collect();
    let mut messages: Vec<u64> = keys.iter().map(|(number, _)| *number).filter(|number| is_message(*number)).collect();
    messages.dedup();
    let dynamodb = aws_sdk_dynamodb::Client::new(local.stack().sdk());
    let table = local.stack().output("TableName")?;
    for number in messages {
        dynamodb.put_item().table_name(table).set_item(Some(serde_dynamo::to_item(message(number))?)).send().await?;
    }
    let puts = keys.into_iter().map(async |(_, key)| {
        s3.put_object().bucket(bucket).key(key).body(b"x".to_vec().into()).send().await.map(|_| ())
    });
    Ok(stream::iter(puts).buffer_unordered(PUTS).try_collect::<()>().await?)
}

fn attachment(letter: char) -> String {
    format!("01jd3v8q0zk5w6x7y8z9abcde{letter}")
}

/// A message whose attachments are all awaited.
fn message(number: u64) -> Value {
    let at = "2026-11-22T22:35:14.123Z";
    let ids: Vec<String> = ATTACHMENTS.chars().map(attachment).collect();
    let promise = |id: &String| {
        let promise = json!({
            "state": "pending", "id": id, "name": format!("{id}.png"), "size": 1, "declaredType": "image/png", "createdAt": at,
        });
        (id.clone(), promise)
    };
    let attachments: serde_json::Map<String, Value> = ids.iter().map(promise).collect();
    json!({
        "PK": format!("ROOM#{ROOM}"), "SK": format!("MSG#{number:012}"), "room": ROOM, "seq": number, "ver": 1, "by": "anna",
        "cause": "sent", "at": at, "author": "anna", "createdAt": at, "deleted": false, "attachments": attachments,
        "attachmentOrder": ids,
    })
}

/// When the first line came and when the last, and the most memory that it had when it was settled and near its end, in bytes.
async fn list(local: &LocalCloud, versions: usize) -> anyhow::Result<(Duration, Duration, [u64; 2])> {
    let mut list = Command::new(executable()?);
    list.args(["inbox", "list", "--json", "--endpoint-url", local.endpoint(), "--stack", local.stack().name()]);
    let started = Instant::now();
    let mut running = list.kill_on_drop(true).stdout(Stdio::piped()).spawn()?;
    let id = running.id().context("it runs")?;
    let mut lines = BufReader::new(running.stdout.take().context("piped")?).lines();
    let (mut count, mut first, mut memory, mut known) = (0, Duration::ZERO, [0; 2], 0);
    while let Some(line) = lines.next_line().await? {
        count += 1;
        known += usize::from(line.contains("\"sender\":\"anna\""));
        if count == 1 {
            first = started.elapsed();
        } else if count == SETTLED {
            memory[0] = peak(id)?;
        } else if count == versions - BEFORE_THE_END {
            memory[1] = peak(id)?;
        } else if count > versions {
            ensure!(line.contains(&format!("\"count\":{versions}")), "{line}");
        }
    }
    ensure!(running.wait().await?.success() && count == versions + 1, "{count} lines");
    ensure!(known == versions / 10, "{known} versions with a document");
    Ok((first, started.elapsed(), memory))
}

/// The most memory that a process had until now.
fn peak(id: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a process has memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
