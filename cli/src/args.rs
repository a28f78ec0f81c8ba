//! The command line's grammar.

use clap::{Args, Parser, Subcommand};

use crate::{demo, dev, inbox, inspect, login, send};

/// The name of the stack where none is given.
pub const DEFAULT_STACK: &str = "vestibule";

/// Chat attachments through an inbox: run it, try it, sign in.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the thing inspected is bad.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, max_term_width = 100)]
pub struct Cli {
    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What applies to every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The stack's name [default: vestibule]
    #[arg(long, global = true, value_name = "NAME")]
    pub stack: Option<String>,
    /// Where AWS's calls go instead of AWS, such as the address that `dev` prints
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl Global {
    /// The stack's name.
    pub fn stack(&self) -> &str {
        self.stack.as_deref().unwrap_or(DEFAULT_STACK)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine, with a page to try it, until Ctrl-C
    Dev(dev::Args),
    /// Send real files through once and say what became of each
    Demo(demo::Args),
    /// Sign in, and stay signed in for the commands that need it
    Login(login::Args),
    /// Send a message with files and wait until each is decided
    Send(send::Args),
    /// Examine files as ingest would, offline, and write their thumbnails
    Inspect(inspect::Args),
    /// See what stands in the inbox and why, and send it through again
    Inbox(inbox::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_go_before_or_after_the_command() {
        for line in ["vestibule --stack s --json demo a b", "vestibule demo a b --json --stack s"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!((cli.global.stack(), cli.global.json), ("s", true));
        }
        assert_eq!(Cli::try_parse_from(["vestibule", "nonsense"]).unwrap_err().exit_code(), 2);
    }
}
