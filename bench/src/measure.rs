//! What a command costs: `vestibule-measure PROGRAM ARGUMENT…` runs it and prints `CPU_MICROSECONDS PEAK_KIB EXIT` to its own
//! standard output; the command's goes to standard error.
//!
//! Linux counts into a process's peak memory what its parent held when it was started: `exec` keeps the larger of the two
//! (`exec_mmap` in the kernel's fs/exec.c). Started by Python, everything would seem to take at least what Python takes. This
//! program takes 2 MB, which is the least that it can report.

#![expect(clippy::print_stdout, reason = "a command's report")]

use std::io::stderr;
use std::os::fd::AsFd;
use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().context("usage: vestibule-measure PROGRAM ARGUMENT…")?;
    let output = stderr().as_fd().try_clone_to_owned()?;
    let status = Command::new(&program)
        .args(arguments)
        .stdout(output)
        .status()
        .with_context(|| format!("starting {}", program.display()))?;
    // Of the one child that was waited for, and of those that it waited for.
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds();
    let exit = status.code().map_or_else(|| status.to_string(), |code| code.to_string());
    println!("{cpu} {} {exit}", usage.max_rss());
    Ok(())
}
