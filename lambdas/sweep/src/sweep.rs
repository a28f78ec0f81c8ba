//! The pass, page by page.

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::Instant;
use vestibule_domain::hall::Next;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::error::StoreError;
use vestibule_store::hall::Standee;
use vestibule_store::objects::InboxVersion;
use vestibule_store::progress::Progress;

use crate::world::World;

/// Who the events say that they are from.
pub const SWEEP: &str = "vestibule:sweep";
/// Hints that are written at a time.
const HINTS_AT_ONCE: usize = 8;
/// People whose reservations are looked at in one run.
const PEOPLE: usize = 500;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Pages of the inbox.
    pub pages: u64,
    /// Versions that were put into the queue again.
    pub driven: u64,
    /// The pass, if this run came to its end: what stands in the inbox.
    pub finished: Option<Progress>,
    /// Reservations that were freed.
    pub freed: usize,
    /// Uploads in parts that were given up.
    pub aborted: u64,
}

/// Goes on with the pass until it ends or the run's time is over. Safe to run any number of times, also beside another.
///
/// # Errors
/// [`StoreError`], when a call failed. The next run goes on from the last page that was finished.
pub async fn sweep(world: &World) -> Result<Swept, StoreError> {
    let end = Instant::now() + world.config.time;
    let mut progress = world.progresses.get().await?;
    // First what takes little time, so that a large inbox does not keep it waiting for ever.
    let freed = free(world, end).await?;
    let aborted = abort(world, &mut progress, end).await?;
    let mut swept = Swept { freed, aborted, ..Swept::default() };
    loop {
        let now = world.clock.now();
        let after = progress.after.as_ref();
        let page = world.hall.page("", after, world.config.page, now, world.config.patience).await?;
        let driven = drive(world, &page.versions, now).await?;
        note(&mut progress, &page.versions, driven);
        progress.after = page.next;
        swept.pages += 1;
        swept.driven += driven;
        if progress.after.is_none() {
            let uploads_after = progress.uploads_after.take();
            swept.finished = Some(std::mem::take(&mut progress));
            progress.uploads_after = uploads_after;
        }
        world.progresses.put(&progress).await?;
        if swept.finished.is_some() || Instant::now() >= end {
            return Ok(swept);
        }
    }
}

/// Puts into the queue again what is to be. The hint comes after the event: what is not noted is driven once more, and what is not driven
/// would wait.
async fn drive(world: &World, versions: &[Standee], now: Timestamp) -> Result<u64, StoreError> {
    let uploads: Vec<InboxVersion> = versions
        .iter()
        .filter(|standee| standee.standing.next == Next::Drive)
        .filter_map(|standee| standee.upload.clone())
        .collect();
    world.queue.drive(&uploads, SWEEP, now).await?;
    let hints = uploads.iter().map(|upload| world.works.driven(&upload.key, &upload.version, now, false));
    stream::iter(hints).buffer_unordered(HINTS_AT_ONCE).try_collect::<()>().await?;
    Ok(uploads.len() as u64)
}

fn note(progress: &mut Progress, versions: &[Standee], driven: u64) {
    for standee in versions {
        let seen = progress.seen.entry(standee.standing.class).or_default();
        seen.versions += 1;
        seen.bytes = seen.bytes.saturating_add(standee.size);
        progress.given_up += u64::from(standee.standing.next == Next::GivenUp);
        // What stays for good has its own count, and would hide everything younger.
        if standee.standing.next == Next::Stay {
            progress.unknown += 1;
            continue;
        }
        let oldest_at = progress.oldest_at.map_or(standee.uploaded_at, |oldest| oldest.min(standee.uploaded_at));
        progress.oldest_at = Some(oldest_at);
    }
    progress.driven += driven;
}

/// Frees what people have reserved for files that never came.
async fn free(world: &World, end: Instant) -> Result<usize, StoreError> {
    let now = world.clock.now();
    let lapse_seconds = world.config.ticket_seconds;
    let before = now.plus_seconds(-i64::from(lapse_seconds));
    let mut freed = 0;
    for reserved in world.quotas.untouched_since(before, PEOPLE).await? {
        if Instant::now() >= end {
            break;
        }
        freed += world.quotas.tidy(&reserved.user, lapse_seconds, now).await?;
        world.quotas.looked_at(&reserved, now).await?;
    }
    Ok(freed)
}

/// Gives up uploads in parts whose tickets have run out, and an hour more: a completion may be under way.
async fn abort(world: &World, progress: &mut Progress, end: Instant) -> Result<u64, StoreError> {
    const LEEWAY_SECONDS: i64 = 3600;
    let before = world.clock.now().plus_seconds(-i64::from(world.config.ticket_seconds) - LEEWAY_SECONDS);
    let mut count = 0;
    while Instant::now() < end {
        let aborted = world.hall.abort_abandoned(progress.uploads_after.as_ref(), before).await?;
        count += aborted.count;
        progress.uploads_after = aborted.next;
        if progress.uploads_after.is_none() {
            break;
        }
    }
    Ok(count)
}
