//! What can go wrong that is neither the file's fault nor its sender's.

use vestibule_domain::key::InboxKey;
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
}

impl IngestError {
    /// Whether the same event may succeed later.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Store(error) => error.fault(),
            Self::NoAnswer { fault, .. } => *fault,
            Self::Contradiction(_) => Fault::Transient,
            Self::UnknownEvent(_) => Fault::Permanent,
        }
    }
}
