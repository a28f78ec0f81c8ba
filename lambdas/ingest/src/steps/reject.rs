//! Step R: writes a refusal, under the same condition as a publication.

use vestibule_domain::attachment::{Attachment, Promise, Rejected};
use vestibule_domain::message::Cause;
use vestibule_domain::rejection::Rejection;
use vestibule_store::decisions::Decided;
use vestibule_store::objects::InboxVersion;

use crate::error::IngestError;
use crate::ingest::{End, Outcome};
use crate::steps::ask::after_a_lost_write;
use crate::world::World;

/// Tells the sender, through the document, why the file was refused.
///
/// # Errors
/// [`IngestError`], when the document cannot be written.
pub async fn reject(
    world: &World,
    upload: &InboxVersion,
    promise: Promise,
    rejection: Rejection,
) -> Result<End, IngestError> {
    let code = rejection.code;
    let decided_at = world.clock.now();
    let entry =
        Attachment::Rejected(Rejected { promise, rejection, inbox_version: upload.version.clone(), decided_at });
    match world.decisions.decide(&upload.key, &entry, Cause::AttachmentRejected, decided_at).await? {
        Decided::Written => Ok(End::Quarantine(Outcome::Rejected(code))),
        Decided::Lost(message) => after_a_lost_write(message.as_deref(), upload),
    }
}
