//! How the child of a refused file ended, where it did not answer.

use serde::Serialize;
use vestibule_domain::rejection::{Rejection, RejectionCode};

/// The end of a child that broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ending {
    /// It panicked, was ended by a signal, or broke the rules of the conversation.
    Crashed,
    /// It asked for more memory than it may have.
    OverMemory,
    /// It took more time than it may.
    OverTime,
}

impl Ending {
    /// How the child ended by what is told of it; `None` where it answered. A decoder that gives up at a limit has answered.
    pub(super) fn of(rejection: &Rejection, detail: Option<&str>) -> Option<Self> {
        if rejection.code != RejectionCode::InspectionFailed {
            return None;
        }
        let detail = detail?;
        if detail.starts_with("the child took more than") || detail.contains("(SIGXCPU)") {
            Some(Self::OverTime)
        } else if detail.contains("memory allocation of") || detail.contains("(SIGKILL)") {
            Some(Self::OverMemory)
        } else if detail.starts_with("the child ended with") || detail.starts_with("it ") {
            Some(Self::Crashed)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_told_from_an_answer() {
        let failed = |detail| Ending::of(&RejectionCode::InspectionFailed.into(), Some(detail));
        for (detail, expected) in [
            ("the child ended with exit status: 101: thread 'main' panicked at x.rs:1:1", Some(Ending::Crashed)),
            ("the child ended with signal: 11 (SIGSEGV)", Some(Ending::Crashed)),
            ("it asked for 0..9 of 5 bytes", Some(Ending::Crashed)),
            ("the child ended with signal: 6 (SIGABRT): memory allocation of 9 bytes failed", Some(Ending::OverMemory)),
            ("the child ended with signal: 24 (SIGXCPU)", Some(Ending::OverTime)),
            ("the child took more than 45 s", Some(Ending::OverTime)),
            ("Memory limit exceeded", None),
        ] {
            assert_eq!(failed(detail), expected, "{detail}");
        }
        assert_eq!(Ending::of(&RejectionCode::Damaged.into(), Some("the child ended with signal: 11 (SIGSEGV)")), None);
        assert_eq!(Ending::of(&RejectionCode::InspectionFailed.into(), None), None);
    }
}
