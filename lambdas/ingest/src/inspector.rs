//! Asks the inspector, the function that may do nothing but log.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use vestibule_domain::inspection::{InspectReply, InspectRequest};
use vestibule_store::error::{Fault, StoreError};

use crate::error::IngestError;

/// Longest excerpt of a failed function's own words.
const MAX_REASON_CHARS: usize = 200;

/// The inspect function.
pub struct Inspector {
    client: Client,
    function: String,
}

impl Inspector {
    /// The function of this name or ARN.
    pub fn new(client: Client, function: String) -> Self {
        Self { client, function }
    }

    /// Has one version looked at.
    ///
    /// # Errors
    /// [`IngestError::NoAnswer`], when the function cannot be called, fails, or answers what we cannot read.
    pub async fn ask(&self, request: &InspectRequest) -> Result<InspectReply, IngestError> {
        let payload = serde_json::to_vec(request).map_err(|error| no_answer(&error, Fault::Permanent))?;
        let call = self.client.invoke().function_name(&self.function).payload(Blob::new(payload));
        let answer = call.send().await.map_err(|error| {
            let error = StoreError::classify("Invoke of the inspector", error);
            no_answer(&error, error.fault())
        })?;
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        if let Some(kind) = answer.function_error {
            // A time-out, no memory, a network fault: the function's trouble, and a new try may do better.
            let said = String::from_utf8_lossy(&payload);
            return Err(no_answer(&format!("{kind}: {said}"), Fault::Transient));
        }
        serde_json::from_slice(&payload).map_err(|error| no_answer(&error, Fault::Permanent))
    }
}

fn no_answer(reason: &impl ToString, fault: Fault) -> IngestError {
    IngestError::NoAnswer { reason: reason.to_string().chars().take(MAX_REASON_CHARS).collect(), fault }
}
