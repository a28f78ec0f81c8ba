//! The long runs, with as much time as they are given: `make soak`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::process::Command;
use tokio::time::Instant;

use crate::support::cloud::Cloud;

/// Set by `make soak` alone, and so not by who has exported the time.
const WANTED: &str = "LONG_FLOWS";
/// For how many seconds each of the runs may go on that go on for as long as there is time. They are two, and one comes after the other.
const SECONDS: &str = "SOAK_SECONDS";
/// Where the pairs of faults begin, by their number from 0; without it, where the last run ended.
const FROM: &str = "PAIRS_FROM";
/// Keeps, beside what is built, how many pairs there are and with which to go on.
const KEPT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/pairs-of-faults");

/// Whether the long runs are wanted.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(WANTED).is_some()
}

/// Until when a long run that begins now may go on.
pub(crate) fn deadline() -> anyhow::Result<Instant> {
    let seconds = std::env::var(SECONDS).with_context(|| format!("{SECONDS} is not set"))?;
    let seconds = seconds.parse().with_context(|| format!("{SECONDS} is {seconds:?}"))?;
    Ok(Instant::now() + Duration::from_secs(seconds))
}

/// A long way that is gone in several runs: where this one begins.
pub(crate) struct Way {
    kept: PathBuf,
    /// How long it is.
    pub(crate) length: usize,
    /// Where this run begins.
    pub(crate) from: usize,
}

impl Way {
    /// The way through so many pairs, which begins anew when there are others than the last time.
    ///
    /// # Errors
    /// When it is said where to begin, and that is no number.
    pub(crate) fn of_pairs(length: usize) -> anyhow::Result<Self> {
        let said = match std::env::var(FROM) {
            Ok(from) => Some(from.parse().with_context(|| format!("{FROM} is {from:?}"))?),
            Err(_unset) => None,
        };
        Ok(Self::of(Path::new(KEPT), length, said))
    }

    fn of(kept: &Path, length: usize, said: Option<usize>) -> Self {
        let text = std::fs::read_to_string(kept).unwrap_or_default();
        let last = text.trim().split_once(' ').filter(|(before, _)| *before == length.to_string());
        let last = last.and_then(|(_, next)| next.parse().ok());
        Self { kept: kept.to_owned(), length, from: said.or(last).unwrap_or_default() % length.max(1) }
    }

    /// Keeps that so many were done, and answers where the next run begins.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(crate) fn went(&self, done: usize) -> anyhow::Result<usize> {
        let next = (self.from + done) % self.length.max(1);
        std::fs::write(&self.kept, format!("{} {next}\n", self.length)).context("where the next run begins")?;
        Ok(next)
    }
}

/// The time for the long runs, exported, must not make them of the others: then a filter would find none of these, and nothing fail.
pub(crate) async fn the_long_runs_are_for_who_asks_for_them(_: Arc<Cloud>) -> anyhow::Result<()> {
    let listed = async |wanted: Option<&str>| {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--list").env(SECONDS, "1").env_remove(WANTED);
        command.envs(wanted.map(|wanted| (WANTED, wanted)));
        let output = command.output().await?;
        ensure!(output.status.success(), "{output:?}");
        anyhow::Ok(String::from_utf8(output.stdout)?)
    };
    let (usual, long) = (listed(None).await?, listed(Some("1")).await?);
    let (one, other) = ("faults::every_call_fails_once", "faults::every_pair_of_faults");
    ensure!(usual.contains(one) && !usual.contains(other), "{usual}");
    ensure!(long.contains(other) && !long.contains(one), "{long}");
    Ok(())
}

/// Repeated runs come to all pairs.
pub(crate) async fn what_is_too_long_for_one_run_is_gone_on_with_in_the_next(_: Arc<Cloud>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let kept = folder.path().join("kept");
    ensure!(Way::of(&kept, 10, None).from == 0);
    ensure!(Way::of(&kept, 10, None).went(7)? == 7);
    ensure!(Way::of(&kept, 10, None).from == 7 && Way::of(&kept, 10, Some(13)).from == 3);
    ensure!(Way::of(&kept, 10, None).went(7)? == 4, "behind the last comes the first");
    ensure!(Way::of(&kept, 11, None).from == 0, "of other pairs nothing is known");
    Ok(())
}
