//! The pass, page by page.

use std::pin::pin;

use futures::stream::{self, StreamExt as _};
use tokio::time::Instant;
use vestibule_domain::hall::Next;
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::logs::chain;
use vestibule_store::error::{Fault, StoreError};
use vestibule_store::hall::{Page, Place, Standee};
use vestibule_store::objects::InboxVersion;
use vestibule_store::progress::Progress;
use vestibule_store::queues::BATCH;

use crate::world::World;

/// Who the events say that they are from.
pub const SWEEP: &str = "vestibule:sweep";
/// Hints that are written at a time.
const HINTS_AT_ONCE: usize = 8;
/// People whose reservations are looked at in one run.
const PEOPLE: usize = 500;

/// What a run did.
#[derive(Debug, Default)]
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
    /// What failed first of that which holds nothing else up.
    pub trouble: Option<StoreError>,
}

/// Goes on with the pass until it ends or the run's time is over. Safe to run any number of times, also beside another.
///
/// # Errors
/// [`StoreError`], when the inbox could not be looked through. The next run goes on from the last page that was finished.
pub async fn sweep(world: &World) -> Result<Swept, StoreError> {
    let begun = Instant::now();
    let mut progress = world.progresses.get().await?;
    let mut swept = Swept::default();
    // These have a quarter of the time each, and whatever is wrong with them, the inbox is looked through.
    let quarter = world.config.time / 4;
    free(world, begun + quarter, &mut swept).await;
    abort(world, &mut progress, begun + quarter * 2, &mut swept).await;
    loop {
        let now = world.clock.now();
        let page = page(world, progress.after.as_ref(), now, &mut swept).await?;
        let driven = drive(world, &page.versions, now, &mut swept).await?;
        keep(world, &page.versions, now, &mut swept).await;
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
        if swept.finished.is_some() || Instant::now() >= begun + world.config.time {
            return Ok(swept);
        }
    }
}

/// The next page. A place that the bucket does not take any more, such as a version that is gone, would end every run to come: then it goes
/// on behind all versions of that key, and the next pass sees those that are passed over.
async fn page(world: &World, after: Option<&Place>, now: Timestamp, swept: &mut Swept) -> Result<Page, StoreError> {
    let (most, patience) = (world.config.page, world.config.patience);
    let error = match world.hall.page("", after, most, now, patience).await {
        Ok(page) => return Ok(page),
        Err(error) => error,
    };
    match after {
        Some(Place { key, version: Some(_) }) if error.fault() == Fault::Permanent => {
            swept.note(error);
            let behind = Place { key: key.clone(), version: None };
            world.hall.page("", Some(&behind), most, now, patience).await
        }
        Some(_) | None => Err(error),
    }
}

/// Puts into the queue again what is to be, some at a time. The hint comes after the event: what is not noted is driven once more, and
/// what is not driven would wait.
async fn drive(world: &World, versions: &[Standee], now: Timestamp, swept: &mut Swept) -> Result<u64, StoreError> {
    let driven = versions.iter().filter(|standee| standee.standing.next == Next::Drive);
    let uploads: Vec<InboxVersion> = driven.filter_map(|standee| standee.upload.clone()).collect();
    for some in uploads.chunks(BATCH) {
        world.queue.drive(some, SWEEP, now).await?;
        let hints = some.iter().map(|upload| world.works.driven(&upload.key, &upload.version, now, false));
        all(hints, swept).await;
    }
    Ok(uploads.len() as u64)
}

/// Keeps the hints about what was given up, for as long as it stands there: without them it would be tried all over again.
async fn keep(world: &World, versions: &[Standee], now: Timestamp, swept: &mut Swept) {
    let given_up = versions.iter().filter(|standee| standee.standing.next == Next::GivenUp);
    let old = given_up.filter(|standee| standee.work.as_ref().is_some_and(|work| work.is_old(now)));
    let hints = old.filter_map(|standee| standee.upload.as_ref());
    all(hints.map(|upload| world.works.keep(&upload.key, &upload.version, now)), swept).await;
}

/// Writes hints. One that cannot be written holds nothing else up.
async fn all(hints: impl Iterator<Item = impl Future<Output = Result<(), StoreError>>>, swept: &mut Swept) {
    let mut written = pin!(stream::iter(hints).buffer_unordered(HINTS_AT_ONCE));
    while let Some(written) = written.next().await {
        if let Err(error) = written {
            swept.note(error);
        }
    }
}

fn note(progress: &mut Progress, versions: &[Standee], driven: u64) {
    for standee in versions {
        let seen = progress.seen.entry(standee.standing.class).or_default();
        seen.versions += 1;
        seen.bytes = seen.bytes.saturating_add(standee.size);
        // What stays until somebody looks has counts of its own, and would hide everything younger.
        match standee.standing.next {
            Next::GivenUp => progress.given_up += 1,
            Next::Stay => progress.unknown += 1,
            Next::Wait | Next::Drive => {
                let oldest_at =
                    progress.oldest_at.map_or(standee.uploaded_at, |oldest| oldest.min(standee.uploaded_at));
                progress.oldest_at = Some(oldest_at);
            }
        }
    }
    progress.driven += driven;
}

/// Frees what people have reserved for files that never came. Whoever it cannot be done for keeps nobody else from it.
async fn free(world: &World, end: Instant, swept: &mut Swept) {
    let now = world.clock.now();
    let lapse_seconds = world.config.ticket_seconds;
    let before = now.plus_seconds(-i64::from(lapse_seconds));
    let people = match world.quotas.untouched_since(before, PEOPLE).await {
        Ok(people) => people,
        Err(error) => return swept.note(error),
    };
    for reserved in people {
        if Instant::now() >= end {
            return;
        }
        match world.quotas.tidy(&reserved.user, lapse_seconds, now).await {
            Ok(freed) => swept.freed += freed,
            Err(error) => swept.note(error),
        }
        if let Err(error) = world.quotas.looked_at(&reserved, now).await {
            swept.note(error);
        }
    }
}

/// Gives up uploads in parts whose tickets have run out, and an hour more: a completion may be under way.
async fn abort(world: &World, progress: &mut Progress, end: Instant, swept: &mut Swept) {
    const LEEWAY_SECONDS: i64 = 3600;
    let before = world.clock.now().plus_seconds(-i64::from(world.config.ticket_seconds) - LEEWAY_SECONDS);
    while Instant::now() < end {
        match world.hall.abort_abandoned(progress.uploads_after.as_ref(), before).await {
            Ok(aborted) => {
                swept.aborted += aborted.count;
                if let Some(error) = aborted.trouble {
                    swept.note(error);
                }
                progress.uploads_after = aborted.next;
            }
            Err(error) => {
                // A listing that cannot go on where it was begins afresh.
                progress.uploads_after = None;
                return swept.note(error);
            }
        }
        if progress.uploads_after.is_none() {
            return;
        }
    }
}

impl Swept {
    /// Keeps what failed first, for the end.
    fn note(&mut self, error: StoreError) {
        tracing::error!(error.code = error.code(), error.message = %chain(&error), "a part of the sweep failed");
        self.trouble.get_or_insert(error);
    }
}
