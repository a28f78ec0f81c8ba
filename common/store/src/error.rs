//! Classifies what AWS answers, once, where it enters: by the service's error code, then by the status.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// May the same call succeed later?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Yes: try again.
    Transient,
    /// No: somebody has to change something first.
    Permanent,
}

/// A call that failed for a reason of ours or of AWS's: never the user's and never the file's.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The service did not answer, was throttling, or failed inside.
    #[error("{operation}: the service is not available ({code})")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// The service's error code, or a word for what broke on the way to it.
        code: String,
        /// The SDK's error.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Somebody else changed the same thing at the same time.
    #[error("{operation}: somebody else was changing the same thing ({code})")]
    Conflict {
        /// What was tried.
        operation: &'static str,
        /// The service's error code.
        code: String,
    },
    /// What the call is about does not exist.
    #[error("{operation}: not found ({code})")]
    Missing {
        /// What was tried.
        operation: &'static str,
        /// The service's error code.
        code: String,
    },
    /// A condition of the call did not hold.
    #[error("{operation}: the condition did not hold ({code})")]
    Condition {
        /// What was tried.
        operation: &'static str,
        /// The service's error code.
        code: String,
    },
    /// The role may not do this, or the signature is wrong.
    #[error("{operation}: denied ({code})")]
    Denied {
        /// What was tried.
        operation: &'static str,
        /// The service's error code.
        code: String,
        /// The SDK's error, which names role and action.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The service refuses the call as it stands, or answered what cannot be read.
    #[error("{operation}: refused or unreadable ({code})")]
    Malformed {
        /// What was tried.
        operation: &'static str,
        /// The service's error code, or what could not be read.
        code: String,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl StoreError {
    /// Whether the same call may succeed later. No wildcard arm: a new variant must choose.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unavailable { .. } | Self::Conflict { .. } => Fault::Transient,
            // A missing bucket or table is a matter of deployment; a missing version is looked at where it can happen.
            Self::Missing { .. } | Self::Condition { .. } | Self::Denied { .. } | Self::Malformed { .. } => {
                Fault::Permanent
            }
        }
    }

    /// The service's error code, or our own word for what went wrong: stable, and nothing secret.
    pub fn code(&self) -> &str {
        match self {
            Self::Unavailable { code, .. }
            | Self::Conflict { code, .. }
            | Self::Missing { code, .. }
            | Self::Condition { code, .. }
            | Self::Denied { code, .. }
            | Self::Malformed { code, .. } => code,
        }
    }

    /// Something of ours in the table or in an answer that cannot be read.
    pub fn unreadable(operation: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Malformed { operation, code: "unreadable".to_owned(), source: source.into() }
    }

    /// A body that ended before its end.
    pub(crate) fn cut_off(operation: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable { operation, code: "body".to_owned(), source: source.into() }
    }

    /// Takes "it is not there" for an answer, where a call is about something that others may have finished with.
    ///
    /// # Errors
    /// The error itself, when it is another.
    pub(crate) fn or_absent(self) -> Result<(), Self> {
        if matches!(self, Self::Missing { .. }) { Ok(()) } else { Err(self) }
    }

    /// Sorts an SDK error into one of ours.
    pub fn classify<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let code = match error.as_service_error() {
            Some(service) => service.code().map_or_else(|| status.to_string(), ToOwned::to_owned),
            None => on_the_way(&error).to_owned(),
        };
        Self::sort(operation, code, status, Box::new(error))
    }

    fn sort(operation: &'static str, code: String, status: u16, source: Box<dyn StdError + Send + Sync>) -> Self {
        match (code.as_str(), status) {
            ("ConditionalCheckFailedException" | "PreconditionFailed", _) => Self::Condition { operation, code },
            (
                "ConditionalRequestConflict"
                | "OperationAborted"
                | "TransactionConflictException"
                | "TransactionInProgressException",
                _,
            ) => Self::Conflict { operation, code },
            (
                "SlowDown"
                | "InternalError"
                | "InternalServerError"
                | "ServiceUnavailable"
                | "RequestTimeout"
                | "ThrottlingException"
                | "Throttling"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "LimitExceededException"
                | "TooManyRequestsException"
                | "RequestThrottled"
                | "OverLimit"
                | "KmsThrottled"
                | "KMS.ThrottlingException"
                | "ExpiredToken"
                | "ExpiredTokenException"
                | "RequestTimeTooSkewed",
                _,
            ) => Self::Unavailable { operation, code, source },
            (
                "NoSuchKey"
                | "NoSuchVersion"
                | "NoSuchUpload"
                | "NotFound"
                | "GoneException"
                | "NoSuchBucket"
                | "ResourceNotFoundException",
                _,
            ) => Self::Missing { operation, code },
            (_, 401 | 403) | ("AccessDenied" | "AccessDeniedException", _) => Self::Denied { operation, code, source },
            (_, 404) => Self::Missing { operation, code },
            (_, 409) => Self::Conflict { operation, code },
            (_, 412) => Self::Condition { operation, code },
            (_, 408 | 429 | 500..=599) | ("timeout" | "dispatch" | "response", _) => {
                Self::Unavailable { operation, code, source }
            }
            _ => Self::Malformed { operation, code, source },
        }
    }
}

/// A word for an error that is not the service's answer.
fn on_the_way<E>(error: &SdkError<E, HttpResponse>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "construction",
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(_) => "dispatch",
        SdkError::ResponseError(_) => "response",
        // `SdkError` is non-exhaustive: what is new is of the service until we know better.
        SdkError::ServiceError(_) | _ => "service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(code: &str, status: u16) -> StoreError {
        StoreError::sort("Test", code.to_owned(), status, "cause".into())
    }

    #[test]
    fn the_service_code_goes_before_the_status() {
        assert!(matches!(sorted("PreconditionFailed", 500), StoreError::Condition { .. }));
        assert!(matches!(sorted("ConditionalRequestConflict", 409), StoreError::Conflict { .. }));
        assert!(matches!(sorted("NoSuchVersion", 404), StoreError::Missing { .. }));
        assert!(matches!(sorted("AccessDenied", 403), StoreError::Denied { .. }));
        assert!(matches!(sorted("ExpiredToken", 400), StoreError::Unavailable { .. }));
        assert!(matches!(sorted("GoneException", 410), StoreError::Missing { .. }));
        assert!(matches!(sorted("LimitExceededException", 429), StoreError::Unavailable { .. }));
        assert!(matches!(sorted("SlowDown", 503), StoreError::Unavailable { .. }));
    }

    #[test]
    fn an_unknown_code_is_sorted_by_the_status() {
        assert_eq!(sorted("Strange", 503).fault(), Fault::Transient);
        assert_eq!(sorted("Strange", 429).fault(), Fault::Transient);
        assert_eq!(sorted("Strange", 409).fault(), Fault::Transient);
        assert_eq!(sorted("Strange", 400).fault(), Fault::Permanent);
        assert_eq!(sorted("Strange", 403).fault(), Fault::Permanent);
        assert_eq!(sorted("dispatch", 0).fault(), Fault::Transient);
        assert_eq!(sorted("construction", 0).fault(), Fault::Permanent);
    }
}
