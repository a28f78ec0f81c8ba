//! The steps of an examination, the same for the function and for the command line.

use vestibule_domain::content_type::ContentType;
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::policy::{InspectPolicy, check_size};
use vestibule_domain::rejection::RejectionCode;
use vestibule_media::probe::{Examination, Subject, Verdict};

use crate::error::InspectError;
use crate::sandbox::{Answered, Sandbox};
use crate::source::Source;

/// What a sender claims of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its length, in bytes.
    pub size: u64,
    /// Its content type.
    pub content_type: ContentType,
    /// Its digest, if claimed.
    pub sha256: Option<Sha256Digest>,
}

/// Examines a file; `None` when it is no longer there.
///
/// # Errors
/// When the source or the sandbox fails; never because of what is in the file.
pub async fn examine(
    sandbox: &Sandbox,
    source: &mut Source,
    claim: Claim,
    policy: &InspectPolicy,
) -> Result<Option<Answered>, InspectError> {
    let Some(size) = source.size().await? else { return Ok(None) };
    if let Err(rejection) = check_size(size, claim.size, policy.limits.max_upload_bytes) {
        let detail = (rejection.code == RejectionCode::SizeMismatch)
            .then(|| format!("{size} bytes where {} were announced", claim.size));
        let examination = Examination { verdict: Verdict::Rejected(rejection), detail };
        return Ok(Some(Answered { examination, filtered: None, ended: None }));
    }
    let subject = Subject { size, declared_type: claim.content_type, declared_sha256: claim.sha256 };
    sandbox.examine(source, subject, policy).await
}
