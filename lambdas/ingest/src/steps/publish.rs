//! Steps 3 to 5: thumbnails, copy, and the one conditional write that makes both visible. Bytes first, document last, so that
//! what the document points at is always there.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use vestibule_domain::attachment::{Attachment, Promise, Ready, StoredObject, Variant};
use vestibule_domain::disposition::disposition;
use vestibule_domain::inspection::{Facts, Inspection, Thumbnail};
use vestibule_domain::message::Cause;
use vestibule_domain::rejection::RejectionCode;
use vestibule_store::decisions::Decided;
use vestibule_store::error::StoreError;
use vestibule_store::objects::{Copied, CopyDigest, Destination, InboxVersion};

use crate::error::IngestError;
use crate::ingest::{End, Outcome};
use crate::steps::ask::after_a_lost_write;
use crate::steps::reject::reject;
use crate::world::World;

/// Brings an accepted version into the processed bucket and its facts into the document.
///
/// # Errors
/// [`IngestError`], when a call failed: objects that nothing points at may be left, never a document that points at nothing.
pub async fn publish(
    world: &World,
    upload: &InboxVersion,
    promise: Promise,
    found: Inspection,
) -> Result<End, IngestError> {
    let Inspection { mut facts, thumbnails } = found;
    let variants = put_thumbnails(world, upload, &facts, thumbnails).await?;
    let original = StoredObject { key: upload.key.original(&upload.version), size: promise.size };
    let to = Destination {
        bucket: &world.objects.buckets().processed,
        key: original.key.clone(),
        content_type: facts.content_type.clone(),
        disposition: disposition(&facts.content_type, &promise.name),
    };
    // The size that was examined, not the event's: it decides how the copy is made.
    let source = InboxVersion { size: promise.size, ..upload.clone() };
    let Copied::Whole(digest) = world.objects.copy(&source, &to).await? else { return Ok(End::Stay(Outcome::Gone)) };
    if !take_digest(world, &source, &promise, &mut facts, digest).await? {
        return Ok(End::Stay(Outcome::Gone));
    }
    if let (Some(declared), Some(actual)) = (promise.declared_sha256, facts.sha256)
        && declared != actual
    {
        return reject(world, upload, promise, RejectionCode::ChecksumMismatch.into()).await;
    }
    let decided_at = world.clock.now();
    let ready = Ready { promise, facts, original, variants, inbox_version: upload.version.clone(), decided_at };
    let entry = Attachment::Ready(Box::new(ready));
    match world.decisions.decide(&upload.key, &entry, Cause::AttachmentReady, decided_at).await? {
        Decided::Written => Ok(End::Retire(Outcome::Published)),
        Decided::Lost(message) => after_a_lost_write(message.as_deref(), upload),
    }
}

async fn put_thumbnails(
    world: &World,
    upload: &InboxVersion,
    facts: &Facts,
    thumbnails: Vec<Thumbnail>,
) -> Result<BTreeMap<String, Variant>, IngestError> {
    let recipe = facts.recipe.as_deref().unwrap_or_default();
    let puts = thumbnails.into_iter().map(async |thumbnail| {
        let key = upload.key.variant(&upload.version, recipe, &thumbnail.name);
        let bytes = thumbnail.bytes.0;
        let variant = Variant {
            key,
            size: bytes.len() as u64,
            content_type: thumbnail.content_type,
            width: thumbnail.width,
            height: thumbnail.height,
        };
        world.objects.put_thumbnail(&variant.key, &variant.content_type, bytes).await?;
        Ok::<_, IngestError>((thumbnail.name, variant))
    });
    Ok(try_join_all(puts).await?.into_iter().collect())
}

/// Puts the digest of the bytes into the facts: the inspector's, where it read the whole file; else what S3 said of the copy;
/// else, or where the sender claimed a digest and S3 only knows the parts', by reading. False when the version is gone.
async fn take_digest(
    world: &World,
    source: &InboxVersion,
    promise: &Promise,
    facts: &mut Facts,
    copied: CopyDigest,
) -> Result<bool, IngestError> {
    let known = facts.sha256;
    match copied {
        CopyDigest::Whole(digest) if known.is_some_and(|known| known != digest) => {
            let broken = format!("the copy of {} differs from what was examined", source.key);
            return Err(StoreError::unreadable("CopyObject of an inbox version", broken).into());
        }
        CopyDigest::Whole(digest) => facts.sha256 = Some(digest),
        CopyDigest::Parts(parts) => facts.parts = Some(parts),
        CopyDigest::Unsaid => {}
    }
    let must_read = facts.sha256.is_none() && (facts.parts.is_none() || promise.declared_sha256.is_some());
    if must_read {
        facts.sha256 = world.objects.digest(source).await?;
    }
    Ok(!must_read || facts.sha256.is_some())
}
