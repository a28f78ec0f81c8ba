//! `vestibule inbox`: what stands in the inbox and why, and how it is sent through again. All of it may be run beside live traffic, and
//! again: nothing here decides anything about a file.

use std::process::ExitCode;

use clap::Subcommand;

use crate::args::Global;
use crate::inbox::world::World;
use crate::stack::Stack;
use crate::{until_told, until_told_twice};

mod audit;
mod dlq;
mod duration;
mod explain;
mod list;
mod replay;
mod row;
mod selection;
mod timeline;
mod totals;
mod world;

/// The arguments of `inbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What to do with the inbox.
#[derive(Debug, Subcommand)]
enum Command {
    /// List every version in the inbox, with why it is there and what the sweep does about it
    List(list::Args),
    /// Tell what is known of one attachment, and what replay would do
    Explain(explain::Args),
    /// Send versions through ingest again
    Replay(replay::Args),
    /// Look at messages that failed too often, send them back or delete them
    Dlq(dlq::Args),
    /// Go through the processed and the quarantine bucket for objects that nothing points at
    Audit(audit::Args),
}

/// Carries one of the commands out.
///
/// # Errors
/// When the stack cannot be found, or one of AWS's calls fails.
pub async fn run(global: &Global, args: &Args) -> anyhow::Result<ExitCode> {
    let json = global.json;
    // In a box, since the clients in a world are large.
    let find = || {
        Box::pin(async {
            let stack = Stack::find(global.stack(), global.endpoint_url.as_deref()).await?;
            anyhow::Ok(Box::new(World::of(&stack)?))
        })
    };
    match &args.command {
        Command::Replay(args) => {
            until_told_twice(async |told| Box::pin(replay::run(&*find().await?, args, json, told)).await).await
        }
        Command::List(args) => until_told(async { Box::pin(list::run(&*find().await?, args, json)).await }).await,
        Command::Explain(args) => until_told(async { Box::pin(explain::run(&*find().await?, args, json)).await }).await,
        Command::Dlq(args) => {
            until_told_twice(async |told| Box::pin(dlq::run(&*find().await?, args, json, told)).await).await
        }
        Command::Audit(args) => until_told(async { Box::pin(audit::run(&*find().await?, args, json)).await }).await,
    }
}
