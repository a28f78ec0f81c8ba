//! `vestibule inbox list` on an inbox that holds a lot, in a local cloud of its own: nothing there tells ingest of what comes, so that it
//! all stays.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aws_sdk_s3::types::NotificationConfiguration;
use futures::{StreamExt as _, TryStreamExt as _, stream};
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

pub(crate) async fn ten_thousand_versions_are_listed_at_once_and_in_flat_memory(_: Arc<Cloud>) -> anyhow::Result<()> {
    listed("full", 10_000).await
}

pub(crate) async fn a_hundred_thousand_versions_are_listed_at_once_and_in_flat_memory(
    _: Arc<Cloud>,
) -> anyhow::Result<()> {
    listed("fuller", 100_000).await
}

async fn listed(name: &str, versions: usize) -> anyhow::Result<()> {
    let local = LocalCloud::start(options(name), &|_| {}).await?;
    fill(&local, versions).await?;
    let (first, whole, memory) = list(&local, versions).await?;
    let [settled, end] = memory.map(|bytes| bytes / (1024 * 1024));
    eprintln!("    {versions} versions: the first after {first:?}, all after {whole:?}; {settled} MiB, then {end} MiB");
    ensure!(first < whole / 2, "the first line came after {first:?} of {whole:?}");
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
    let puts = (1..=versions).map(async |number| {
        let key = format!("01jd3v8q0zk5w6x7y8z9abcdef/{number:012}/01jd3v8q0zk5w6x7y8z9abcdeg");
        s3.put_object().bucket(bucket).key(key).body(b"x".to_vec().into()).send().await.map(|_| ())
    });
    Ok(stream::iter(puts).buffer_unordered(PUTS).try_collect::<()>().await?)
}

/// When the first line came and when the last, and the most memory that it had when it was settled and near its end, in bytes.
async fn list(local: &LocalCloud, versions: usize) -> anyhow::Result<(Duration, Duration, [u64; 2])> {
    let mut list = Command::new(executable()?);
    list.args(["inbox", "list", "--json", "--endpoint-url", local.endpoint(), "--stack", local.stack().name()]);
    let started = Instant::now();
    let mut running = list.kill_on_drop(true).stdout(Stdio::piped()).spawn()?;
    let id = running.id().context("it runs")?;
    let mut lines = BufReader::new(running.stdout.take().context("piped")?).lines();
    let (mut count, mut first, mut memory) = (0, Duration::ZERO, [0; 2]);
    while let Some(line) = lines.next_line().await? {
        count += 1;
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
    Ok((first, started.elapsed(), memory))
}

/// The most memory that a process had until now.
fn peak(id: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a process has memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
