//! One id from the upload's ticket to the decision: the attachment's own. It is in the object's key, so no header, tag or
//! lookup can lose it on the way from the API through S3, SQS and ingest to the inspector.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::AttachmentId;

/// What joins the log lines of one attachment over all functions: `correlation.id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CorrelationId(AttachmentId);

impl From<&AttachmentId> for CorrelationId {
    fn from(attachment: &AttachmentId) -> Self {
        Self(attachment.clone())
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
