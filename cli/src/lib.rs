//! The command line `vestibule`, as a library: the tests start their local clouds with it too.

use std::future::Future;
use std::pin::pin;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Cli, Command};

pub mod api;
mod archive;
pub mod args;
pub mod aws;
pub mod checkout;
mod delivery;
pub mod demo;
pub mod dev;
mod facts;
mod http_client;
pub mod inbox;
pub mod inspect;
pub mod live;
pub mod local;
pub mod login;
mod outgoing;
mod parts;
mod patience;
pub mod people;
mod resume;
pub mod send;
pub mod stack;
mod terminal;
pub mod upload;
mod watch;

/// Exit code where a file is refused.
pub(crate) const REFUSED: u8 = 3;

/// Carries a command out. A failure is told in one line, with its cause.
pub fn run(cli: Cli) -> ExitCode {
    terminal::start_log();
    let Cli { global, command } = cli;
    let ended = match command {
        Command::Dev(args) => in_runtime(dev::run(&global, &args)),
        Command::Demo(args) => in_runtime(until_told(demo::run(&global, &args))),
        Command::Login(args) => in_runtime(login::run(&global, &args)),
        Command::Send(args) => in_runtime(until_told(send::run(&global, &args))),
        Command::Inspect(args) => in_runtime(until_told(inspect::run(&global, &args))),
        Command::Inbox(args) => in_runtime(inbox::run(&global, &args)),
    };
    ended.unwrap_or_else(|error| {
        if error.is::<terminal::Closed>() {
            return ExitCode::SUCCESS;
        }
        eprintln!("vestibule: {}", terminal::one_line(&error));
        ExitCode::FAILURE
    })
}

fn in_runtime(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Runtime::new().context("cannot start")?.block_on(work)
}

/// Does the work unless told to stop. Work that is dropped ends what it has started.
async fn until_told<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::select! {
        done = work => done,
        () = told_to_stop()? => anyhow::bail!("stopped"),
    }
}

/// Does work that hears of a first Ctrl-C or SIGTERM, and then ends in its own time. A second one drops it.
async fn until_told_twice<T, W: Future<Output = anyhow::Result<T>>>(
    work: impl FnOnce(tokio::sync::watch::Receiver<bool>) -> W,
) -> anyhow::Result<T> {
    let (tell, told) = tokio::sync::watch::channel(false);
    let mut work = pin!(work(told));
    tokio::select! {
        done = &mut work => return done,
        () = told_to_stop()? => tell.send_replace(true),
    };
    until_told(work).await
}

/// Ends at Ctrl-C or SIGTERM.
fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
