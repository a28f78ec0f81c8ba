//! How many files ended in which way.

use std::fmt;
use std::process::ExitCode;

use super::report::{Report, Told};
use crate::REFUSED;

/// Files by how they ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    accepted: u64,
    refused: u64,
    crashed: u64,
    over_memory: u64,
    over_time: u64,
    failed: u64,
}

impl Totals {
    /// Counts a file.
    pub(super) fn add(&mut self, told: &Told) {
        match &told.report {
            Report::Accepted { .. } => self.accepted += 1,
            Report::Rejected { ended, .. } => {
                self.refused += 1;
                match *ended {
                    Some("memory") => self.over_memory += 1,
                    Some("cpu" | "deadline") => self.over_time += 1,
                    // A panic, a signal, or an answer against the rules.
                    Some(_) => self.crashed += 1,
                    None => {}
                }
            }
            Report::Failed { .. } => self.failed += 1,
        }
    }

    /// What to end with: a file that nothing is known of weighs more than one that is refused.
    pub(super) fn exit_code(self) -> ExitCode {
        match self {
            Self { failed: 1.., .. } => ExitCode::FAILURE,
            Self { refused: 1.., .. } => ExitCode::from(REFUSED),
            Self { .. } => ExitCode::SUCCESS,
        }
    }
}

/// One line. Files that could not be examined are named where there are any; crashed, over memory and over time are among the refused. Crashes
/// are the children's: in the last line of `make corpus` they are those of this program.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, refused, crashed, over_memory, over_time, failed } = self;
        let files = accepted + refused + failed;
        write!(f, "files {files}, accepted {accepted}, refused {refused}, crashes {crashed}, ")?;
        write!(f, "over memory {over_memory}, over time {over_time}")?;
        if *failed > 0 {
            write!(f, ", not examined {failed}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_one_line_and_the_worst_decides_how_it_ends() {
        let mut totals = Totals { accepted: 3, ..Totals::default() };
        assert_eq!(totals.to_string(), "files 3, accepted 3, refused 0, crashes 0, over memory 0, over time 0");
        assert_eq!(totals.exit_code(), ExitCode::SUCCESS);
        totals = Totals { refused: 2, crashed: 1, ..totals };
        assert_eq!(totals.exit_code(), ExitCode::from(REFUSED));
        totals = Totals { failed: 1, ..totals };
        assert_eq!(
            totals.to_string(),
            "files 6, accepted 3, refused 2, crashes 1, over memory 0, over time 0, not examined 1"
        );
        assert_eq!(totals.exit_code(), ExitCode::FAILURE);
    }
}
