//! Sends versions through ingest again: by the queue that brings S3's own events, in the words of S3's own events.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::{Stream, StreamExt as _, TryStreamExt as _, future, stream};
use indicatif::ProgressBar;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::clock::Clock;
use vestibule_store::error::StoreError;
use vestibule_store::hall::{Place, Standee};
use vestibule_store::objects::InboxVersion;
use vestibule_store::queues::{BATCH, IngestQueue};

use crate::inbox::replay::cursor::CursorFile;
use crate::inbox::replay::plan::{Action, action};
use crate::inbox::selection::Selection;
use crate::inbox::world::World;

/// Who tells ingest of the version this time; it stands in the event.
const BY: &str = "vestibule-inbox-replay";

/// How fast it goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speed {
    /// Most versions a second.
    pub(crate) rate: Option<NonZeroU32>,
    /// Batches in flight.
    pub(crate) concurrency: usize,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything was sent.
    Done,
    /// It was told to stop. What was in flight was finished.
    Stopped,
}

/// A version that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The version.
    pub(crate) upload: InboxVersion,
    /// When.
    pub(crate) at: Timestamp,
}

/// Versions that are sent together, and the place that is reached once they are, where it is another than before.
struct Batch {
    uploads: Vec<InboxVersion>,
    reached: Option<Place>,
}

/// Sends all that is selected behind the cursor's place, up to `most`, and moves the cursor in the listing's order. Each version is handed to
/// `sent`.
///
/// # Errors
/// When a call fails or the cursor cannot be written. The cursor is then at the last place before which everything is sent.
pub(crate) async fn apply(
    world: &World,
    selection: &Selection,
    (speed, most): (Speed, u64),
    cursor: &mut CursorFile,
    told: &watch::Receiver<bool>,
    (bar, mut sent): (&ProgressBar, impl FnMut(Sent)),
) -> anyhow::Result<End> {
    let queue = world.ingest()?;
    let prefix = selection.prefix();
    let pages = Box::pin(world.pages(&prefix, cursor.cursor.after.clone()));
    let (page, begun) = (VecDeque::new(), None);
    let feed = Feed { clock: &world.clock, selection, pages, page, begun, left: most, pace: Pace::of(speed.rate) };
    let batches = stream::try_unfold((feed, told.clone()), |(mut feed, mut told)| async move {
        let next = tokio::select! {
            biased;
            _ = told.wait_for(|told| *told) => return Ok(None),
            next = feed.next() => next?,
        };
        anyhow::Ok(next.map(|batch| (batch, (feed, told))))
    });
    // In the order of the listing, so that the cursor never passes over a batch that is not finished.
    let sending = batches.map_ok(|batch| send(world, &queue, batch)).try_buffered(speed.concurrency);
    let mut sending = pin!(sending);
    while let Some((batch, at)) = sending.next().await.transpose()? {
        cursor.advance(batch.reached, batch.uploads.len() as u64)?;
        bar.inc(batch.uploads.len() as u64);
        batch.uploads.into_iter().for_each(|upload| sent(Sent { upload, at }));
    }
    Ok(if *told.borrow() { End::Stopped } else { End::Done })
}

/// Puts the versions into the queue, and forgets the tries before, so that the sweep counts from nothing. The hint comes after the event: what
/// is not noted is sent once more, and what was noted and not sent would read as on its way.
async fn send(world: &World, queue: &IngestQueue, batch: Batch) -> anyhow::Result<(Batch, Timestamp)> {
    let at = world.now();
    queue.drive(&batch.uploads, BY, at).await?;
    // Of a batch, and so ten at the most.
    let afresh = batch.uploads.iter().map(|upload| world.works.driven(&upload.key, &upload.version, at, true));
    future::try_join_all(afresh).await?;
    Ok((batch, at))
}

/// Cuts the listing into batches. The place behind one is a key all of whose versions are sent: of the versions before it most are gone
/// by the time that somebody goes on there, and a listing cannot be told to begin behind a version that is gone. Whoever is stopped in the
/// middle of a key therefore sends its versions once more, which changes nothing.
struct Feed<'a, P> {
    clock: &'a Clock,
    selection: &'a Selection,
    pages: Pin<Box<P>>,
    page: VecDeque<Standee>,
    /// The key of which the last version came that was looked at, until it is known that there are no more of it.
    begun: Option<String>,
    left: u64,
    pace: Pace,
}

impl<P: Stream<Item = Result<Vec<Standee>, StoreError>>> Feed<'_, P> {
    /// The next batch, once it may be sent; `None` after the last.
    async fn next(&mut self) -> anyhow::Result<Option<Batch>> {
        let mut uploads = Vec::with_capacity(self.pace.batch);
        let (mut reached, mut begun) = (None, self.begun.take());
        while let Some(next) = self.ahead().await? {
            if let Some(key) = begun.take_if(|key| *key != next.key) {
                reached = Some(key);
            }
            if self.left == 0 || uploads.len() >= self.pace.batch {
                break;
            }
            let Some(version) = self.page.pop_front() else { break };
            let does = action(&version, self.selection, self.clock.now());
            let upload = version.upload.filter(|_| does == Action::Send);
            self.left -= u64::from(upload.is_some());
            uploads.extend(upload);
            begun = Some(version.key);
        }
        if self.page.is_empty() {
            // The last key has no more versions.
            reached = begun.take().or(reached);
        }
        self.begun = begun;
        if uploads.is_empty() {
            return Ok(None);
        }
        sleep_until(self.pace.turn(uploads.len(), Instant::now())).await;
        Ok(Some(Batch { uploads, reached: reached.map(|key| Place { key, version: None }) }))
    }

    /// The version that comes next, which stays where it is.
    async fn ahead(&mut self) -> anyhow::Result<Option<&Standee>> {
        while self.page.is_empty() {
            let Some(page) = self.pages.try_next().await? else { break };
            self.page = page.into();
        }
        Ok(self.page.front())
    }
}

/// Keeps to a rate.
struct Pace {
    rate: Option<NonZeroU32>,
    /// Versions of a batch: fewer than SQS takes where a second has fewer.
    batch: usize,
    free: Option<Instant>,
}

impl Pace {
    fn of(rate: Option<NonZeroU32>) -> Self {
        let batch = rate.map_or(BATCH, |rate| usize::try_from(rate.get()).unwrap_or(BATCH).min(BATCH));
        Self { rate, batch, free: None }
    }

    /// When a batch of `count` may go that could go `now`.
    fn turn(&mut self, count: usize, now: Instant) -> Instant {
        let Some(rate) = self.rate else { return now };
        let turn = self.free.map_or(now, |free| free.max(now));
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.free = Some(turn + Duration::from_secs(1).saturating_mul(count) / rate.get());
        turn
    }
}

#[cfg(test)]
mod tests {
    use vestibule_domain::hall::Class;

    use super::*;
    use crate::inbox::row::tests::standee;

    /// The keys' last digits and sizes of the batches that come of pages of such keys.
    async fn cut(pages: &[&[u64]], most: u64, batch: usize) -> Vec<(String, usize)> {
        let standees = |keys: &&[u64]| {
            let of_key = |number: &u64| {
                let mut version = standee(Class::Failed, None, Timestamp::from_millis(0));
                version.key = version.key.replace("/000000000001/", &format!("/{number:012}/"));
                version
            };
            Ok(keys.iter().map(of_key).collect())
        };
        let selection = Selection {
            classes: [Class::Failed].into(),
            next: [].into(),
            codes: [].into(),
            older_than_seconds: None,
            room: None,
            limit: None,
        };
        let pages = Box::pin(stream::iter(pages.iter().map(standees).collect::<Vec<_>>()));
        let clock = Clock::new(|| Timestamp::from_millis(0));
        let pace = Pace { batch, ..Pace::of(None) };
        let listed = VecDeque::new();
        let mut feed =
            Feed { clock: &clock, selection: &selection, pages, page: listed, begun: None, left: most, pace };
        let mut batches = Vec::new();
        while let Some(batch) = feed.next().await.unwrap() {
            let number = batch.reached.map(|place| {
                assert_eq!(place.version, None);
                place.key.split('/').nth(1).unwrap().trim_start_matches('0').to_owned()
            });
            batches.push((number.unwrap_or_default(), batch.uploads.len()));
        }
        batches
    }

    #[tokio::test]
    async fn a_place_is_reached_with_the_last_version_of_its_key_also_over_the_end_of_a_page() {
        let told = |batches: &[(&str, usize)]| -> Vec<(String, usize)> {
            batches.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
        };
        assert_eq!(cut(&[&[1, 2, 3], &[4, 5]], u64::MAX, 2).await, told(&[("2", 2), ("4", 2), ("5", 1)]));
        assert_eq!(cut(&[&[1, 2], &[], &[2, 2, 3]], u64::MAX, 2).await, told(&[("1", 2), ("2", 2), ("3", 1)]));
        assert_eq!(cut(&[&[1, 1, 1, 1, 1]], u64::MAX, 2).await, told(&[("", 2), ("", 2), ("1", 1)]));
        assert_eq!(cut(&[&[1, 1], &[1, 2]], u64::MAX, 3).await, told(&[("1", 3), ("2", 1)]));
        assert_eq!(cut(&[&[1, 2, 2, 2]], 3, 2).await, told(&[("1", 2), ("", 1)]), "a limit is a limit");
        assert_eq!(cut(&[&[], &[]], u64::MAX, 2).await, []);
    }

    #[test]
    fn a_rate_spaces_the_batches_and_saves_up_nothing() {
        let now = Instant::now();
        let at = |turn: Instant| (turn - now).as_millis();
        let mut pace = Pace::of(NonZeroU32::new(20));
        assert_eq!(pace.batch, 10);
        assert_eq!([pace.turn(10, now), pace.turn(10, now), pace.turn(5, now)].map(at), [0, 500, 1000]);
        let later = now + Duration::from_mins(1);
        assert_eq!([pace.turn(10, later), pace.turn(10, later)].map(at), [60_000, 60_500]);
        let mut slow = Pace::of(NonZeroU32::new(1));
        assert_eq!((slow.batch, [slow.turn(1, now), slow.turn(1, now)].map(at)), (1, [0, 1000]));
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let now = Instant::now();
        let mut pace = Pace::of(None);
        assert_eq!((pace.batch, [pace.turn(10, now), pace.turn(10, now)]), (BATCH, [now, now]));
    }
}
