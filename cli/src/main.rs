//! `vestibule`: see `vestibule help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // `inspect` starts this executable again, as the child that examines the file.
    if let Some(code) = vestibule_inspect::child::dispatch() {
        return code;
    }
    vestibule::run(vestibule::args::Cli::parse())
}
