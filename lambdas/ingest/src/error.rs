//! What can go wrong that is neither the file's fault nor its sender's.

use vestibule_domain::key::InboxKey;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::error::{Fault, StoreError};

/// A step that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// A call to S3 or DynamoDB failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The inspector could not be asked, or did not come back with an answer.
    #[error("the inspector did not answer: {reason}")]
    NoAnswer {
        /// The service's error code, or the function's own words, cut short.
        reason: String,
        /// Whether asking again may help.
        fault: Fault,
    },
    /// The document of a decided attachment reads as pending: the table said so in one breath with refusing the condition.
    #[error("the attachment of {0} is pending and yet not pending")]
    Contradiction(InboxKey),
    /// A queue's message is not an event that we know.
    #[error("not an event of an uploaded object")]
    UnknownEvent(#[source] serde_json::Error),
    /// The function's time was nearly over. Better to say so than to be ended in the middle of a word.
    #[error("the time was over before the work")]
    OutOfTime,
    /// Somebody else is at work on the same version.
    #[error("somebody else is at work on it until {until}")]
    Held {
        /// When they will have finished, or be gone.
        until: Timestamp,
    },
}

impl IngestError {
    /// Whether the same event may succeed later.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Store(error) => error.fault(),
            Self::NoAnswer { fault, .. } => *fault,
            Self::Contradiction(_) | Self::OutOfTime | Self::Held { .. } => Fault::Transient,
            Self::UnknownEvent(_) => Fault::Permanent,
        }
    }

    /// The stable word for it: the service's own error code, where a service failed.
    pub fn code(&self) -> &str {
        match self {
            Self::Store(error) => error.code(),
            Self::NoAnswer { .. } => "inspector-silent",
            Self::Contradiction(_) => "contradiction",
            Self::UnknownEvent(_) => "unknown-event",
            Self::OutOfTime => "out-of-time",
            Self::Held { .. } => "held",
        }
    }
}
