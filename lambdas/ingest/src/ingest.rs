//! The steps, in the order that was model-checked. Read docs/ARCHITECTURE.md before changing it.

use std::time::Duration;

use tokio::time::timeout;
use vestibule_domain::inspection::InspectReply;
use vestibule_domain::rejection::RejectionCode;
use vestibule_store::objects::InboxVersion;

use crate::attempt::{Attempt, Delivery};
use crate::error::IngestError;
use crate::steps::ask::{Standing, ask};
use crate::steps::inspect::inspect;
use crate::steps::publish::publish;
use crate::steps::quarantine::quarantine;
use crate::steps::reject::reject;
use crate::world::World;

/// What is left of the function's time when the steps are given up: enough to note that, and to put the message back. Of a
/// short time, half is left.
const TO_SAY_SO: Duration = Duration::from_secs(5);

/// How long noting a failure may take of that.
const TO_NOTE: Duration = Duration::from_secs(2);

/// How it ended for one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted: the document shows it, the inbox no longer holds it.
    Published,
    /// It was refused: the document says why, the bytes are in quarantine.
    Rejected(RejectionCode),
    /// It was decided before, or its message or entry is gone: the inbox no longer holds it.
    Retired,
    /// The attachment had been decided otherwise: the bytes are in quarantine.
    Quarantined,
    /// Somebody else has finished with it.
    Gone,
    /// Nobody announced it: it stays in the inbox, and somebody must look.
    Unknown,
}

impl Outcome {
    /// The outcome in logs. The template's metric filter counts `unknown`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Rejected(_) => "rejected",
            Self::Retired => "retired",
            Self::Quarantined => "quarantined",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
        }
    }
}

/// What is left to do once a version's fate is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Delete it from the inbox.
    Retire(Outcome),
    /// Copy it to quarantine, then delete it from the inbox.
    Quarantine(Outcome),
    /// Leave it where it is.
    Stay(Outcome),
}

/// Takes one version as far as it goes. Safe to run any number of times, at once and in any order. A try that fails is noted.
///
/// # Errors
/// [`IngestError`], when a call failed or the time was over; the version is then still in the inbox, or its decision already stands.
pub async fn ingest(world: &World, upload: &InboxVersion, delivery: Delivery) -> Result<Outcome, IngestError> {
    let mut attempt = Attempt::default();
    let time = world.config.time_out.saturating_sub(TO_SAY_SO).max(world.config.time_out / 2);
    // Boxed: the steps' futures nest deeper than the compiler's layout of one future goes.
    let steps = Box::pin(steps(world, upload, delivery, &mut attempt));
    let done = timeout(time, steps).await.unwrap_or(Err(IngestError::OutOfTime));
    let noted = match &done {
        Err(error) => timeout(TO_NOTE, attempt.failed(world, upload, error)).await,
        // The event is acknowledged, and the version stays: that it was looked at must not read as somebody who vanished.
        Ok(Outcome::Unknown) => timeout(TO_NOTE, attempt.unknown(world, upload)).await,
        Ok(_) => Ok(()),
    };
    if noted.is_err() {
        tracing::warn!("how the try ended could not be noted in time");
    }
    done
}

async fn steps(
    world: &World,
    upload: &InboxVersion,
    delivery: Delivery,
    attempt: &mut Attempt,
) -> Result<Outcome, IngestError> {
    let end = match ask(world, upload).await? {
        Standing::Decided(end) => end,
        Standing::Pending(promise) => {
            attempt.begin(world, upload, delivery).await?;
            match inspect(world, upload, &promise).await? {
                InspectReply::Gone => End::Stay(Outcome::Gone),
                InspectReply::Unknown => End::Stay(Outcome::Unknown),
                InspectReply::Rejected(rejection) => reject(world, upload, promise, rejection).await?,
                InspectReply::Accepted(found) => publish(world, upload, promise, *found).await?,
            }
        }
    };
    let outcome = match end {
        End::Stay(outcome) => return Ok(outcome),
        End::Retire(outcome) => outcome,
        End::Quarantine(outcome) => {
            quarantine(world, upload).await?;
            outcome
        }
    };
    world.objects.retire(upload).await?; // the only proof of work left to do goes last
    Ok(outcome)
}
