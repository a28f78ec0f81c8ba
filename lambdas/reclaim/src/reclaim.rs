//! Reads the document as it is now, and deletes what it lets go.

use vestibule_domain::key::InboxKey;
use vestibule_domain::reclaim::{Keep, Why, keep};
use vestibule_store::collector::Collected;
use vestibule_store::error::StoreError;

use crate::world::World;

/// How it ended for one attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What the document does not point at is gone.
    Collected(Collected),
    /// The attachment is pending: somebody may be about to point at anything. Its decision will ask again.
    Pending,
    /// Nobody knows the message or the attachment. Absent is not deleted.
    Unknown,
}

/// Looks at one attachment. Safe to run any number of times, at any moment.
///
/// # Errors
/// [`StoreError`], when a call failed: some of what may go is then still there.
pub async fn reclaim(world: &World, key: &InboxKey) -> Result<Outcome, StoreError> {
    let message = world.decisions.ask(key).await?;
    let keep = keep(message.as_ref(), &key.attachment);
    match keep {
        Keep::All(Why::Pending) => Ok(Outcome::Pending),
        Keep::All(Why::Unknown) => Ok(Outcome::Unknown),
        Keep::Referenced(_) | Keep::Nothing => Ok(Outcome::Collected(world.collector.collect(key, &keep).await?)),
    }
}
