//! What the end of a child means that gave no answer: a refusal with its own code, or a fault.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use vestibule_domain::rejection::RejectionCode;

/// How a child ended that gave no answer to be used, which refuses its file. The word is `inspect.ended` in the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By a panic: our code met what it did not foresee, and stopped.
    Panic,
    /// By a signal of its own doing: an abort, or memory that it may not touch.
    Crash,
    /// It wanted more memory than its budget.
    Memory,
    /// It computed for longer than its budget.
    Cpu,
    /// It took longer than its budget.
    Deadline,
    /// It broke the rules of the conversation, or said what no honest child says.
    Rules,
}

/// How Rust ends a process whose main thread panicked: <https://doc.rust-lang.org/std/macro.panic.html>
const PANICKED: i32 = 101;
/// What Rust's allocator says before it aborts: <https://doc.rust-lang.org/std/alloc/fn.handle_alloc_error.html>
const OUT_OF_MEMORY: &str = "memory allocation of ";

impl Ended {
    /// The word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Crash => "crash",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Deadline => "deadline",
            Self::Rules => "rules",
        }
    }

    /// The refusal's code.
    pub fn code(self) -> RejectionCode {
        match self {
            Self::Panic | Self::Rules => RejectionCode::InspectionFailed,
            Self::Crash => RejectionCode::InspectionCrashed,
            Self::Memory => RejectionCode::TooMuchMemory,
            Self::Cpu | Self::Deadline => RejectionCode::TooMuchTime,
        }
    }

    /// How a child ended that fell silent and then ended by itself, from its `status`, its last `words`, and the processor time that it
    /// `computed` of what it was `given`.
    ///
    /// # Errors
    /// The signal, when it was killed from outside: nothing that a file does in a filtered child brings these signals about.
    pub(crate) fn of(status: ExitStatus, words: &str, computed: Duration, given: Duration) -> Result<Self, i32> {
        match status.signal() {
            None if status.code() == Some(PANICKED) => Ok(Self::Panic),
            None => Ok(Self::Rules),
            Some(libc::SIGABRT) if words.contains(OUT_OF_MEMORY) => Ok(Self::Memory),
            Some(libc::SIGXCPU) => Ok(Self::Cpu),
            // The kernel's own, to a child that had blocked SIGXCPU.
            Some(libc::SIGKILL) if computed >= given => Ok(Self::Cpu),
            Some(signal @ (libc::SIGKILL | libc::SIGTERM | libc::SIGINT | libc::SIGHUP | libc::SIGQUIT)) => Err(signal),
            Some(_) => Ok(Self::Crash),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_ending_has_its_own_word_and_code() {
        let (none, given) = (Duration::ZERO, Duration::from_secs(30));
        let no_memory = "memory allocation of 16777216 bytes failed";
        let exit = |code: i32| code << 8;
        for (status, words, computed, expected) in [
            (exit(0), "", none, Ok(("rules", "inspection-failed"))),
            (exit(1), "", none, Ok(("rules", "inspection-failed"))),
            (exit(101), "thread 'main' panicked", none, Ok(("panic", "inspection-failed"))),
            (exit(101), no_memory, none, Ok(("panic", "inspection-failed"))),
            (libc::SIGABRT, "", none, Ok(("crash", "inspection-crashed"))),
            (libc::SIGABRT, no_memory, none, Ok(("memory", "too-much-memory"))),
            (libc::SIGSEGV, no_memory, none, Ok(("crash", "inspection-crashed"))),
            (libc::SIGBUS, "", none, Ok(("crash", "inspection-crashed"))),
            (libc::SIGILL, "", none, Ok(("crash", "inspection-crashed"))),
            (libc::SIGFPE, "", none, Ok(("crash", "inspection-crashed"))),
            (libc::SIGSYS, "", none, Ok(("crash", "inspection-crashed"))),
            (libc::SIGXCPU, "", given, Ok(("cpu", "too-much-time"))),
            (libc::SIGKILL, "", given, Ok(("cpu", "too-much-time"))),
            (libc::SIGKILL, "", given / 2, Err(libc::SIGKILL)),
            (libc::SIGTERM, "", none, Err(libc::SIGTERM)),
            (libc::SIGINT, "", none, Err(libc::SIGINT)),
        ] {
            let ended = Ended::of(ExitStatus::from_raw(status), words, computed, given);
            let found = ended.map(|ended| (ended.as_str(), ended.code().as_str()));
            assert_eq!(found, expected, "{status} {words}");
        }
        assert_eq!((Ended::Deadline.as_str(), Ended::Deadline.code()), ("deadline", RejectionCode::TooMuchTime));
    }
}
