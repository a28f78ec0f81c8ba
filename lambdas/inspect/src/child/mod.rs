//! The child process: confines itself, then examines one file whose bytes its parent hands it.

mod confine;
mod filter;

use std::io::{self, Read, Write};
use std::process::ExitCode;

use vestibule_domain::policy::InspectPolicy;
use vestibule_media::probe::{Probe, Step, Subject};

use crate::frame::{self, Answer, Errand, Job};
use crate::layers::Layers;

/// The hidden argument that makes an executable the child. Whoever embeds the sandbox calls [`dispatch`] before anything else.
pub const ARGUMENT: &str = "--examine-one-file";

/// How a child ends that could not confine itself. That is a fault of ours, not of the file.
pub(crate) const NOT_CONFINED: u8 = 70;

/// Longest job, in bytes.
const MAX_JOB_BYTES: u32 = 64 * 1024;

/// Runs the child when this process was started as one. To be called first in `main`, before settings, logs or threads.
pub fn dispatch() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let is_child = arguments.next().is_some_and(|first| first == ARGUMENT) && arguments.next().is_none();
    is_child.then(|| run(io::stdin().lock(), io::stdout().lock()))
}

/// Lets go of what it was not meant to have, reads the parent's job and gives up everything that examining it does not need.
///
/// # Errors
/// The code to end with, after a word on standard error: the parent has gone, or the limits could not be set.
pub fn enter(input: &mut impl Read) -> Result<Confined, ExitCode> {
    confine::shut().map_err(|error| ended(&error, ExitCode::from(NOT_CONFINED)))?;
    let job = frame::read(input, MAX_JOB_BYTES)
        .and_then(|job| job.ok_or_else(|| io::ErrorKind::UnexpectedEof.into()))
        .and_then(|job| serde_json::from_slice::<Job>(&job).map_err(io::Error::other));
    let job = match job {
        Ok(job) => job,
        Err(error) => return Err(ended(&error, ExitCode::FAILURE)),
    };
    match confine::confine(job.memory_bytes, job.cpu_seconds) {
        Ok(layers) => Ok(Confined { errand: job.errand, layers }),
        Err(error) => Err(ended(&error, ExitCode::from(NOT_CONFINED))),
    }
}

/// A child that has given up everything but its errand.
pub struct Confined {
    errand: Errand,
    layers: Layers,
}

impl Confined {
    /// What is around it.
    pub fn layers(&self) -> Layers {
        self.layers
    }
}

fn run(mut input: impl Read, mut output: impl Write) -> ExitCode {
    let Confined { errand, layers } = match enter(&mut input) {
        Ok(confined) => confined,
        Err(code) => return code,
    };
    let done = match errand {
        Errand::Examine { subject, policy } => examine(subject, policy, layers, &mut input, &mut output),
        Errand::Report => say(&mut output, &Answer::Layers(layers)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ended(&error, ExitCode::FAILURE),
    }
}

fn examine(
    subject: Subject,
    policy: InspectPolicy,
    layers: Layers,
    input: &mut impl Read,
    output: &mut impl Write,
) -> io::Result<()> {
    let mut step = Probe::start(subject, policy);
    loop {
        match step {
            Step::Need(probe) => {
                let range = probe.range();
                say(output, &Answer::Need { start: range.start, end: range.end })?;
                let max = u32::try_from(range.end - range.start).map_err(io::Error::other)?;
                let bytes = frame::read(input, max)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                step = probe.supply(bytes).map_err(io::Error::other)?;
            }
            Step::Done(examination) => {
                return say(output, &Answer::Done { examination, filtered: layers.filter });
            }
        }
    }
}

fn say(output: &mut impl Write, answer: &Answer) -> io::Result<()> {
    frame::write(output, &serde_json::to_vec(answer).map_err(io::Error::other)?)
}

/// The last word of a child that cannot go on. Nobody may be listening any more, and then there is nobody to tell.
fn ended(error: &io::Error, code: ExitCode) -> ExitCode {
    match writeln!(io::stderr(), "{error}") {
        Ok(()) | Err(_) => code,
    }
}
