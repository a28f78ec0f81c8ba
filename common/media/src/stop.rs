//! Why a look into a file ended early.

use vestibule_domain::rejection::RejectionCode;

use crate::sparse::Missing;
use crate::trouble::Trouble;

/// Why a look into a file ended early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// These bytes are needed.
    Missing(Missing),
    /// The file does not come in: the reason, also in technical words.
    Refused(RejectionCode, String),
}

impl Stop {
    /// A refusal.
    pub(crate) fn refused(code: RejectionCode, detail: impl Into<String>) -> Self {
        Self::Refused(code, detail.into())
    }
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        // What is not decoded here is accepted without thumbnails, and its trouble is part of what was found.
        Self::refused(trouble.refusal().unwrap_or(RejectionCode::InspectionFailed), trouble.to_string())
    }
}
