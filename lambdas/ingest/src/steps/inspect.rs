//! Step 2: has this version looked at, by a function without permissions that gets a URL of exactly these bytes.

use vestibule_domain::attachment::Promise;
use vestibule_domain::correlation::CorrelationId;
use vestibule_domain::inspection::{InspectReply, InspectRequest};
use vestibule_domain::policy::check_size;
use vestibule_store::objects::InboxVersion;

use crate::error::IngestError;
use crate::world::World;

/// What the inspector says of the version.
///
/// # Errors
/// [`IngestError`], when it says nothing.
pub async fn inspect(world: &World, upload: &InboxVersion, promise: &Promise) -> Result<InspectReply, IngestError> {
    let url = world.objects.presign(upload, world.config.inspect_url_lifetime).await?;
    let correlation = CorrelationId::from(&upload.key.attachment);
    let reply = world.inspector.ask(&InspectRequest { url, promise: promise.clone(), correlation }).await?;
    // The inspector has its own limit from its own settings; ours holds even when the two were deployed apart.
    match (&reply, check_size(promise.size, promise.size, world.config.max_upload_bytes)) {
        (InspectReply::Accepted(_), Err(rejection)) => Ok(InspectReply::Rejected(rejection)),
        _ => Ok(reply),
    }
}
