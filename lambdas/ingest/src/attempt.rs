//! One try at one version, as its hints tell of it: who is at work on it, the how-manieth try this is, and how the last one failed.
//!
//! No decision rests on hints: where one cannot be written, the work goes on without.

use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::work::Failure;
use vestibule_runtime::logs::chain;
use vestibule_store::error::StoreError;
use vestibule_store::objects::InboxVersion;
use vestibule_store::work::Begun;

use crate::error::IngestError;
use crate::world::World;

/// How the event of the try came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// In a queue's message, which can wait.
    Queued,
    /// Without a queue that keeps it: it cannot wait for another worker.
    Direct,
}

/// A try.
#[derive(Debug, Default)]
pub struct Attempt {
    begun: Option<(Timestamp, u32)>,
}

impl Attempt {
    /// Takes the version, so that duplicates of its event wait rather than do the same work at the same time. That saves work, and nothing
    /// more: two that are at it at once do each other no harm.
    ///
    /// # Errors
    /// [`IngestError::Held`], when somebody else is at work on it and the event can wait.
    pub async fn begin(&mut self, world: &World, upload: &InboxVersion, delivery: Delivery) -> Result<(), IngestError> {
        let (now, lease) = (world.clock.now(), world.config.time_out.as_secs());
        let lease = i64::try_from(lease).unwrap_or(i64::MAX);
        match world.works.begin(&upload.key, &upload.version, now, lease).await {
            Ok(Begun::Mine { tries }) => {
                self.begun = Some((now, tries));
                Ok(())
            }
            Ok(Begun::Held { until }) if delivery == Delivery::Queued => Err(IngestError::Held { until }),
            Ok(Begun::Held { .. }) => Ok(()),
            Err(error) => {
                unwritten(&error);
                Ok(())
            }
        }
    }

    /// Notes how the try failed.
    pub async fn failed(&self, world: &World, upload: &InboxVersion, error: &IngestError) {
        if matches!(error, IngestError::Held { .. }) {
            return; // The other one's try is not ours to judge.
        }
        self.note(world, upload, error.code(), &chain(error)).await;
    }

    /// Notes that the try found something that cannot be an upload of ours, if it had begun.
    pub async fn unknown(&self, world: &World, upload: &InboxVersion) {
        if self.begun.is_some() {
            self.note(world, upload, "unknown-version", "the version cannot be an upload of ours").await;
        }
    }

    async fn note(&self, world: &World, upload: &InboxVersion, code: &str, message: &str) {
        let failure = Failure::new(code, message, world.clock.now());
        if let Err(error) = world.works.failed(&upload.key, &upload.version, self.begun, &failure).await {
            unwritten(&error);
        }
    }
}

fn unwritten(error: &StoreError) {
    tracing::warn!(error.message = %chain(error), "a hint could not be written");
}
