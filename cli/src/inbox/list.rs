//! `vestibule inbox list`: every version in the inbox, told page by page, so that the first line is there at once and memory stays flat.

use std::pin::pin;
use std::process::ExitCode;

use futures::TryStreamExt as _;
use serde_json::json;
use vestibule_domain::hall::Class;

use crate::inbox::row::Row;
use crate::inbox::selection::Filters;
use crate::inbox::totals::Totals;
use crate::inbox::world::World;
use crate::terminal;

/// The arguments of `inbox list`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Classes: fresh (came a moment ago), in-flight (somebody is at work on it), failed (its code says how), never-notified \
    (nobody ever tried), leftover (decided; only its last step is missing), message-gone (there is no such message), unknown-key (no key \
    of ours).\n\nSWEEP is what the sweep does about it by itself: wait, drive (put it into the queue again), given-up (it failed too \
    often: replay sends it again), stay (somebody must look). --sweep lists those alone.\n\nWith --json each version is an object in a \
    line of its own, and the last line is {\"totals\": …}."
)]
pub(crate) struct Args {
    #[command(flatten)]
    filters: Filters,
}

/// Lists the inbox.
///
/// # Errors
/// When the bucket cannot be listed or the table not be read.
pub(crate) async fn run(world: &World, args: &Args, json: bool) -> anyhow::Result<ExitCode> {
    let selection = args.filters.selection(&Class::ALL);
    let prefix = selection.prefix();
    let mut totals = Totals::default();
    let mut pages = pin!(world.pages(&prefix, None));
    'listing: while let Some(page) = pages.try_next().await? {
        let now = world.now();
        for version in page.iter().filter(|version| selection.has(version, now)) {
            if json {
                terminal::print_json(&Row::of(version, now))?;
            } else {
                if totals.count == 0 {
                    terminal::print(&Row::head())?;
                }
                terminal::print(&Row::of(version, now).in_words())?;
            }
            totals.add(version);
            if selection.limit == Some(totals.count) {
                break 'listing;
            }
        }
    }
    if json {
        terminal::print_json(&json!({ "totals": totals }))?;
    } else {
        let gap = if totals.count == 0 { "" } else { "\n" };
        terminal::print(&format!("{gap}{}", totals.in_words(world.now())))?;
    }
    Ok(ExitCode::SUCCESS)
}
