//! `vestibule`: see `vestibule help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    vestibule::run(vestibule::args::Cli::parse())
}
