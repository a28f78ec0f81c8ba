//! `vestibule inbox replay`: plans, tells the plan, sends, and says what became of what was sent.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::inbox::replay::apply::{End, Sent, Speed, apply};
use crate::inbox::replay::cursor::{CursorFile, Replay};
use crate::inbox::replay::plan::{Plan, STUCK, counted};
use crate::inbox::selection::{Filters, Selection};
use crate::inbox::world::World;
use crate::terminal;

mod apply;
mod cursor;
pub(crate) mod plan;
mod wait;

/// The arguments of `inbox replay`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --class: what failed, what nobody was told of, and leftovers. What belongs to no message is never sent.\n\n\
    Each version goes through the queue that brings S3's own events. Doing it twice, or beside live traffic, changes nothing that is \
    decided. The tries before are forgotten, so that the sweep drives again what it had given up.\n\nCtrl-C finishes the batches in \
    flight; again, and they are left.\n\nExit codes: 0 all were sent and, with --wait, brought to an end; 1 stopped, failed, or not all \
    brought to an end."
)]
pub(crate) struct Args {
    #[command(flatten)]
    filters: Filters,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Send no more than so many versions a second
    #[arg(long, value_name = "NUMBER")]
    rate: Option<NonZeroU32>,
    /// Send so many batches of ten at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: u8,
    /// Keep in this file how far it got; the same command goes on there
    #[arg(long, value_name = "FILE")]
    cursor: Option<PathBuf>,
    /// Wait until it is known what became of each version
    #[arg(long)]
    wait: bool,
    /// Wait no longer than this
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    wait_seconds: u64,
}

/// Replays what is selected. `told` says when to stop.
///
/// # Errors
/// When a call fails, or it was told to stop: then all but the last batches may have been sent, and the same command sends the rest.
pub(crate) async fn run(
    world: &World,
    args: &Args,
    json: bool,
    told: watch::Receiver<bool>,
) -> anyhow::Result<ExitCode> {
    let selection = args.filters.selection(&STUCK);
    let of = Replay { stack: world.stack.clone(), bucket: world.bucket.clone(), filters: selection.clone() };
    let cursor = CursorFile::open(args.cursor.as_deref(), of)?;
    if cursor.cursor.sent > 0 && !json {
        terminal::print(&format!("going on behind {} that were sent", counted(cursor.cursor.sent)))?;
    }
    let most = selection.limit.map_or(u64::MAX, |limit| limit.saturating_sub(cursor.cursor.sent));
    let plan = plan(world, &selection, &cursor, most, told.clone()).await?;
    if json {
        terminal::print_json(&json!({ "plan": plan }))?;
    } else {
        terminal::print(&plan.in_words())?;
    }
    if args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let sent = send(world, args, (&selection, &plan, most), cursor, (json, &told)).await?;
    if !args.wait {
        return Ok(ExitCode::SUCCESS);
    }
    let bar = ProgressBar::new(sent.len() as u64).with_style(style("{msg} {bar:30} {pos} of {len}")?);
    bar.set_message("brought to an end");
    let deadline = Instant::now() + Duration::from_secs(args.wait_seconds);
    let verdicts = wait::verdicts(world, &selection.prefix(), sent, (deadline, told), &bar).await?;
    bar.finish_and_clear();
    if json {
        terminal::print_json(&json!({ "verdicts": verdicts.listed() }))?;
    } else {
        terminal::print(&verdicts.in_words())?;
    }
    Ok(if verdicts.are_final() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn plan(
    world: &World,
    selection: &Selection,
    cursor: &CursorFile,
    most: u64,
    mut told: watch::Receiver<bool>,
) -> anyhow::Result<Plan> {
    let bar = ProgressBar::no_length().with_style(style("{spinner} {pos} versions looked at")?);
    let plan = tokio::select! {
        plan = Plan::make(world, selection, cursor.cursor.after.clone(), most, &bar) => plan?,
        _ = told.wait_for(|told| *told) => anyhow::bail!("stopped; nothing was sent"),
    };
    bar.finish_and_clear();
    Ok(plan)
}

/// Sends, and answers what was sent where that is waited for.
async fn send(
    world: &World,
    args: &Args,
    (selection, plan, most): (&Selection, &Plan, u64),
    mut cursor: CursorFile,
    (json, told): (bool, &watch::Receiver<bool>),
) -> anyhow::Result<Vec<Sent>> {
    let bar = ProgressBar::new(plan.send.count);
    let bar = bar.with_style(style("sent {bar:30} {pos} of {len} {per_sec:12} {eta}")?);
    let before = cursor.cursor.sent;
    let mut sent = Vec::new();
    let note = |one| {
        if args.wait {
            sent.push(one);
        }
    };
    let speed = Speed { rate: args.rate, concurrency: usize::from(args.concurrency) };
    let ended = apply(world, selection, (speed, most), &mut cursor, told, (&bar, note)).await;
    bar.finish_and_clear();
    let now = cursor.cursor.sent - before;
    let is_done = matches!(ended, Ok(End::Done));
    if json {
        terminal::print_json(&json!({ "replayed": { "sent": now, "sentBefore": before, "done": is_done } }))?;
    } else {
        terminal::print(&format!("sent: {}", counted(now)))?;
    }
    let go_on = match cursor.path() {
        Some(path) => format!("the same command goes on there, by {}", path.display()),
        None => "the same command sends what is left".to_owned(),
    };
    match ended {
        Ok(End::Done) => cursor.finish()?,
        Ok(End::Stopped) => anyhow::bail!("stopped after {}; {go_on}", counted(now)),
        Err(error) => return Err(error).with_context(|| format!("failed after {}; {go_on}", counted(now))),
    }
    Ok(sent)
}

fn style(template: &str) -> anyhow::Result<ProgressStyle> {
    Ok(ProgressStyle::with_template(template)?)
}
