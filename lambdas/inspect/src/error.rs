//! Faults: what went wrong on our side. None of them says anything about the file.

use std::io;
use std::ops::Range;
use std::process::ExitStatus;

/// Why a file could not be examined. Another try may succeed.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The object could not be fetched, and no answer came at all.
    #[error("fetching the object failed")]
    Fetch(#[source] reqwest::Error),
    /// The store refused or failed to give the object.
    #[error("fetching the object was answered with status {0}")]
    Refused(u16),
    /// The store says that there can be no such version.
    #[error("the version id is malformed")]
    MalformedVersion,
    /// The store gave something other than the range that was asked for.
    #[error("fetching the range {}..{} was answered with {answer}", .range.start, .range.end)]
    WrongRange {
        /// What was asked for.
        range: Range<u64>,
        /// What came.
        answer: String,
    },
    /// A local file could not be read.
    #[error("reading the file failed")]
    Read(#[source] io::Error),
    /// The child process could not be started, fed or reaped.
    #[error("running the child process failed")]
    Child(#[source] io::Error),
    /// The child process could not be confined, and so it did not look at the file.
    #[error("the child process could not be confined: {0}")]
    Confinement(String),
    /// The child process ended by itself before it was given a byte of the file: it could not be loaded, or did not understand its job.
    #[error("the child process ended with {status} before it saw the file: {words}")]
    EndedEarly {
        /// How it ended.
        status: ExitStatus,
        /// What it had said on standard error.
        words: String,
    },
    /// The child process was killed from outside: for want of memory by the kernel, or by somebody.
    #[error("the child process was killed from outside by signal {signal}: {words}")]
    Killed {
        /// The signal.
        signal: i32,
        /// What the child had said on standard error.
        words: String,
    },
}
