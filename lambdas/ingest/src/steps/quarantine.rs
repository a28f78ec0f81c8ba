//! Step Q: keeps the bytes of what was refused, for a while, where nothing serves them.

use vestibule_domain::content_type::ContentType;
use vestibule_domain::disposition::disposition;
use vestibule_store::objects::{Copied, Destination, InboxVersion};

use crate::error::IngestError;
use crate::world::World;

/// Copies the version to quarantine. When it is gone, somebody else has done it.
///
/// # Errors
/// [`IngestError::Store`], when it could not be copied.
pub async fn quarantine(world: &World, upload: &InboxVersion) -> Result<(), IngestError> {
    let content_type = ContentType::octet_stream();
    let to = Destination {
        bucket: &world.objects.buckets().quarantine,
        key: upload.key.original(&upload.version),
        disposition: disposition(&content_type, "quarantined"),
        content_type,
    };
    match world.objects.copy(upload, &to).await? {
        Copied::Whole(_) | Copied::SourceGone => Ok(()),
    }
}
