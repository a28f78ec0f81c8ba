//! `vestibule inbox dlq`: what failed too often, in the queues' dead letters and in the bucket of stream batches.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use crate::inbox::dlq::letters::{Letters, Source};
use crate::inbox::world::World;
use crate::terminal;

mod batches;
mod letters;

/// The arguments of `inbox dlq`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
enum Command {
    /// Look at them, without taking any
    List {
        /// Only these [default: all]
        #[arg(long)]
        queue: Option<Queue>,
        /// No more than so many of each
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
    },
    /// Send them back to where they came from
    #[command(
        after_help = "A message is sent to its queue and then deleted here. A stream batch is handed to its function, and is \
        deleted when the function took all of it.\n\nExit codes: 0 all went back, 1 something stays."
    )]
    Redrive(Which),
    /// Delete them; uploads stay in the inbox, where `inbox list` shows them and `inbox replay` sends them
    Purge {
        #[command(flatten)]
        which: Which,
        /// Really delete them
        #[arg(long, required = true)]
        yes: bool,
    },
}

/// Which of them.
#[derive(Debug, clap::Args)]
struct Which {
    #[command(flatten)]
    queues: Queues,
    /// No more than so many of each
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// One or all.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Queues {
    /// Only these
    #[arg(long)]
    queue: Option<Queue>,
    /// All of them
    #[arg(long)]
    all: bool,
}

/// Where things end that failed too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Queue {
    /// Events of uploads
    Ingest,
    /// Requests to collect an attachment's objects
    Reclaim,
    /// Batches of the table's stream
    Streams,
}

impl Queue {
    const ALL: [Self; 3] = [Self::Ingest, Self::Reclaim, Self::Streams];

    fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Reclaim => "reclaim",
            Self::Streams => "streams",
        }
    }
}

/// What is done with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Nothing.
    List,
    /// It is sent back.
    Redrive,
    /// It is deleted.
    Purge,
}

impl Deed {
    /// What was done, in a word.
    fn done(self) -> &'static str {
        match self {
            Self::List => "listed",
            Self::Redrive => "redriven",
            Self::Purge => "purged",
        }
    }
}

/// What became of those of one queue.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// With how many it was done.
    pub(crate) done: u64,
    /// How many stay, because it failed.
    pub(crate) left: u64,
    /// How many nobody can see just now, where none could be seen: whoever has them in hand has them for a while.
    pub(crate) hidden: u64,
    /// Whether there may be more: than the limit let through, or behind letters that came back before the end was met.
    pub(crate) is_limited: bool,
}

/// Does it. `told` says when to stop.
///
/// # Errors
/// When a queue or bucket cannot be read or written, or it was told to stop.
pub(crate) async fn run(
    world: &World,
    args: &Args,
    json: bool,
    mut told: watch::Receiver<bool>,
) -> anyhow::Result<ExitCode> {
    let (queue, limit, deed) = match &args.command {
        Command::List { queue, limit } => (*queue, Some(*limit), Deed::List),
        Command::Redrive(which) => (which.queues.queue, which.limit, Deed::Redrive),
        Command::Purge { which, yes: _ } => (which.queues.queue, which.limit, Deed::Purge),
    };
    let queues = queue.map_or(Queue::ALL.to_vec(), |queue| vec![queue]);
    let most = limit.unwrap_or(u64::MAX);
    let mut outcomes = Vec::new();
    for queue in queues {
        let outcome = match queue {
            Queue::Ingest => Letters::of(world, Source::Ingest)?.go_through(deed, most, json, &told).await?,
            Queue::Reclaim => Letters::of(world, Source::Reclaim)?.go_through(deed, most, json, &told).await?,
            // Of these nothing is in hand.
            Queue::Streams => tokio::select! {
                outcome = batches::go_through(world, deed, most, json) => outcome?,
                _ = told.wait_for(|told| *told) => anyhow::bail!("stopped"),
            },
        };
        outcomes.push((queue, outcome));
    }
    if json {
        let totals: serde_json::Map<String, serde_json::Value> = outcomes
            .iter()
            .map(|(queue, outcome)| {
                let Outcome { done, left, hidden, is_limited } = outcome;
                let totals = json!({ deed.done(): done, "left": left, "hidden": hidden, "limited": is_limited });
                (queue.as_str().to_owned(), totals)
            })
            .collect();
        terminal::print_json(&json!({ "totals": totals }))?;
    } else {
        for (queue, outcome) in &outcomes {
            terminal::print(&outcome.in_words(*queue, deed))?;
        }
        if let Some(comfort) = comfort(deed, outcomes.iter().map(|(queue, _)| *queue)) {
            terminal::print(comfort)?;
        }
    }
    let is_left = outcomes.iter().any(|(_, outcome)| outcome.left > 0);
    Ok(if is_left { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is said at the end of a purge: of uploads it took the events alone. Of the others nothing else is left.
fn comfort(deed: Deed, mut queues: impl Iterator<Item = Queue>) -> Option<&'static str> {
    let is_said = deed == Deed::Purge && queues.any(|queue| queue == Queue::Ingest);
    is_said.then_some("the uploads themselves are still in the inbox: vestibule inbox list")
}

impl Outcome {
    fn in_words(self, queue: Queue, deed: Deed) -> String {
        let Self { done, left, hidden, is_limited } = self;
        let queue = queue.as_str();
        let left = if left == 0 { String::new() } else { format!(", {left} left") };
        let hidden = if hidden == 0 { String::new() } else { format!(", {hidden} not visible now") };
        let more = if is_limited { ", and there may be more" } else { "" };
        format!("{queue:<8} {done} {}{left}{hidden}{more}", deed.done())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn what_changes_something_must_be_named() {
        let is_right = |line: &str| Line::try_parse_from(line.split(' ')).is_ok();
        for right in [
            "dlq list",
            "dlq list --queue streams --limit 5",
            "dlq redrive --queue ingest",
            "dlq redrive --all --limit 3",
            "dlq purge --queue reclaim --yes",
            "dlq purge --all --yes",
        ] {
            assert!(is_right(right), "{right}");
        }
        for wrong in [
            "dlq redrive",
            "dlq purge --all",
            "dlq purge --yes",
            "dlq redrive --all --queue ingest",
            "dlq list --queue x",
        ] {
            assert!(!is_right(wrong), "{wrong}");
        }
    }

    #[test]
    fn only_who_purges_events_of_uploads_is_told_that_the_uploads_are_still_there() {
        for (deed, queues, is_said) in [
            (Deed::Purge, &[Queue::Ingest][..], true),
            (Deed::Purge, &Queue::ALL, true),
            (Deed::Purge, &[Queue::Reclaim, Queue::Streams], false),
            (Deed::Redrive, &Queue::ALL, false),
            (Deed::List, &[Queue::Ingest], false),
        ] {
            assert_eq!(comfort(deed, queues.iter().copied()).is_some(), is_said, "{deed:?} {queues:?}");
        }
    }

    #[test]
    fn an_outcome_is_a_line() {
        let outcome = Outcome { done: 2, left: 1, hidden: 0, is_limited: true };
        assert_eq!(
            outcome.in_words(Queue::Streams, Deed::Redrive),
            "streams  2 redriven, 1 left, and there may be more"
        );
        assert_eq!(Outcome::default().in_words(Queue::Ingest, Deed::List), "ingest   0 listed");
        let hidden = Outcome { hidden: 3, ..Outcome::default() };
        assert_eq!(hidden.in_words(Queue::Reclaim, Deed::Redrive), "reclaim  0 redriven, 3 not visible now");
    }
}
