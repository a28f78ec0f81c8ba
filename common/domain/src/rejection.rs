//! Why a file was refused: a stable code for programs and a sentence for the person who sent it.

use serde::{Deserialize, Serialize};

/// Stable reasons for refusing a file. New ones may be added; none is ever renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectionCode {
    /// The bytes are of another type than was declared.
    TypeMismatch,
    /// The file is cut off or broken inside.
    Damaged,
    /// The picture has more pixels than the limit.
    TooManyPixels,
    /// The animation has more frames than the limit.
    TooManyFrames,
    /// The file has no bytes.
    Empty,
    /// The file is not as long as was promised.
    SizeMismatch,
    /// The file's SHA-256 is not the promised one.
    ChecksumMismatch,
    /// The file is longer than the limit.
    TooLarge,
    /// Files of this type do not come in.
    TypeNotAllowed,
    /// The file is two files in one.
    Polyglot,
    /// The archive would unpack to more than the limits.
    ArchiveBomb,
    /// The file is encrypted, so nobody can look into it.
    Encrypted,
    /// Looking at the file broke the inspector, or made it say what it may not.
    InspectionFailed,
    /// Looking at the file crashed the inspector.
    InspectionCrashed,
    /// Looking at the file takes more memory than the limit.
    TooMuchMemory,
    /// Looking at the file takes more time than the limit.
    TooMuchTime,
}

impl RejectionCode {
    /// Every code, for tables and tests.
    pub const ALL: &[Self] = &[
        Self::TypeMismatch,
        Self::Damaged,
        Self::TooManyPixels,
        Self::TooManyFrames,
        Self::Empty,
        Self::SizeMismatch,
        Self::ChecksumMismatch,
        Self::TooLarge,
        Self::TypeNotAllowed,
        Self::Polyglot,
        Self::ArchiveBomb,
        Self::Encrypted,
        Self::InspectionFailed,
        Self::InspectionCrashed,
        Self::TooMuchMemory,
        Self::TooMuchTime,
    ];

    /// The code as it stands in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TypeMismatch => "type-mismatch",
            Self::Damaged => "damaged",
            Self::TooManyPixels => "too-many-pixels",
            Self::TooManyFrames => "too-many-frames",
            Self::Empty => "empty",
            Self::SizeMismatch => "size-mismatch",
            Self::ChecksumMismatch => "checksum-mismatch",
            Self::TooLarge => "too-large",
            Self::TypeNotAllowed => "type-not-allowed",
            Self::Polyglot => "polyglot",
            Self::ArchiveBomb => "archive-bomb",
            Self::Encrypted => "encrypted",
            Self::InspectionFailed => "inspection-failed",
            Self::InspectionCrashed => "inspection-crashed",
            Self::TooMuchMemory => "too-much-memory",
            Self::TooMuchTime => "too-much-time",
        }
    }

    /// The usual sentence for this code; [`Rejection::because`] takes a more exact one.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::TypeMismatch => "This file is not of the type that its name or sender claims.",
            Self::Damaged => "This file is damaged or incomplete. Please try sending it again.",
            Self::TooManyPixels => "This picture has more pixels than can be accepted here.",
            Self::TooManyFrames => "This animation has more frames than can be accepted here.",
            Self::Empty => "This file is empty.",
            Self::SizeMismatch => {
                "This file arrived with a different size than was announced. Please try sending it again."
            }
            Self::ChecksumMismatch => "This file changed on its way here. Please try sending it again.",
            Self::TooLarge => "This file is larger than can be accepted here.",
            Self::TypeNotAllowed => "Files of this kind are not accepted here.",
            Self::Polyglot => {
                "There is something else hidden in this file. Please save it again in the program that it comes from, \
                 and send that."
            }
            Self::ArchiveBomb => "This archive holds more than can be accepted here.",
            Self::Encrypted => "This file is encrypted and cannot be examined. Please send it without a password.",
            Self::InspectionFailed => "This file could not be examined safely, so it was not accepted.",
            Self::InspectionCrashed => {
                "This file broke the program that examines files, so it was not accepted. Please save it again in the \
                 program that it comes from, and send that."
            }
            Self::TooMuchMemory => "Examining this file takes more memory than is given to a file here.",
            Self::TooMuchTime => "Examining this file takes longer than is given to a file here.",
        }
    }
}

/// A refusal as it stands in the message document and as its sender sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// For programs.
    pub code: RejectionCode,
    /// For a person: one or two sentences, nothing internal.
    pub message: String,
}

impl Rejection {
    /// A refusal in a more exact sentence than the code's usual one.
    pub fn because(code: RejectionCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<RejectionCode> for Rejection {
    fn from(code: RejectionCode) -> Self {
        Self::because(code, code.sentence())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_as_it_serialises_and_has_a_sentence() {
        for code in RejectionCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.sentence().ends_with('.'));
        }
    }
}
