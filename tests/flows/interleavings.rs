//! Workers, authors, the sweep and the collector in any order, call by call: random interleavings, after each step of which the law must hold.
//!
//! Every worker has a tapped line of its own. A move lets one worker make one call, or meet a fault, or die; in between people upload,
//! delete, cancel and remove, events come twice, late and in any order, and what heals runs. A seed makes it all again.

use std::cell::RefCell;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::support::bench::{Bench, Deed, Functions};
use crate::support::chat::File;
use crate::support::cloud::Cloud;
use crate::support::law;
use crate::support::line::{Fate, Ring, Rings, tap};

/// Histories in a short run, and moves in one history.
const HISTORIES: u32 = 16;
const MOVES: std::ops::Range<usize> = 24..72;
/// Tries to make a history that fails shorter.
const SHRINKING: u32 = 60;
/// Workers at a time.
const WORKERS: usize = 3;
/// What makes the histories, when it is set: the number that a failure printed.
const SEED: &str = "INTERLEAVINGS_SEED";

/// What happens next. An index stands for one of what there is by then.
#[derive(Debug, Clone)]
enum Move {
    Upload(usize, Bytes),
    /// The event of an upload comes to a worker: for the first time, again, or late.
    Start(Index),
    /// A worker makes its next call, with this fate.
    Step(Index, Luck),
    /// A worker makes some calls more.
    Run(Index, usize),
    /// A worker dies where it is.
    Crash(Index),
    Deed(Deed),
    Collect(usize),
    Sweep,
    /// All leases lapse.
    Wait,
}

#[derive(Debug, Clone, Copy)]
enum Bytes {
    Good,
    OtherGood,
    Bad,
}

#[derive(Debug, Clone, Copy)]
enum Luck {
    Good,
    Before,
    After,
    Ambiguous,
    Reset,
}

fn a_move() -> impl Strategy<Value = Move> {
    let bytes = prop_oneof![3 => Just(Bytes::Good), 1 => Just(Bytes::OtherGood), 2 => Just(Bytes::Bad)];
    let luck = prop_oneof![
        12 => Just(Luck::Good),
        1 => Just(Luck::Before),
        1 => Just(Luck::After),
        1 => Just(Luck::Ambiguous),
        1 => Just(Luck::Reset),
    ];
    let deed =
        prop_oneof![Just(Deed::Delete), (0..2_usize).prop_map(Deed::Cancel), (0..2_usize).prop_map(Deed::Remove)];
    prop_oneof![
        4 => (0..2_usize, bytes).prop_map(|(place, bytes)| Move::Upload(place, bytes)),
        6 => any::<Index>().prop_map(Move::Start),
        14 => (any::<Index>(), luck).prop_map(|(worker, luck)| Move::Step(worker, luck)),
        14 => (any::<Index>(), 1..7_usize).prop_map(|(worker, calls)| Move::Run(worker, calls)),
        1 => any::<Index>().prop_map(Move::Crash),
        1 => deed.prop_map(Move::Deed),
        3 => (0..2_usize).prop_map(Move::Collect),
        1 => Just(Move::Sweep),
        2 => Just(Move::Wait),
    ]
}

/// Short: a few histories, from a seed that is printed when one fails.
pub(crate) async fn whatever_the_order_nothing_is_lost_or_doubled(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().with_context(|| format!("{SEED} is {seed:?}"))?,
        Err(_unset) => rand_seed(),
    };
    histories(&cloud, seed, HISTORIES)
}

/// Long: histories from new seeds, as long as there is time.
pub(crate) async fn whatever_the_order_for_a_long_time(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let deadline = crate::soak::deadline()?;
    let mut count = 0;
    while tokio::time::Instant::now() < deadline {
        histories(&cloud, rand_seed(), HISTORIES)?;
        count += HISTORIES;
    }
    eprintln!("    interleavings: {count} histories in all");
    Ok(())
}

fn rand_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one("interleavings")
}

fn histories(cloud: &Arc<Cloud>, seed: u64, cases: u32) -> anyhow::Result<()> {
    let config = Config { cases, max_shrink_iters: SHRINKING, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let runtime = tokio::runtime::Handle::current();
    let noted = RefCell::new(Seen::default());
    let ended = tokio::task::block_in_place(|| {
        TestRunner::new_with_rng(config, rng).run(&prop::collection::vec(a_move(), MOVES), |moves| {
            let lived = runtime.block_on(History::live(cloud, moves, &noted));
            lived.map_err(|error| TestCaseError::fail(format!("{error:?}")))
        })
    });
    ended.map_err(|error| match error {
        TestError::Fail(reason, moves) => {
            anyhow::anyhow!("{reason}\nin the history {moves:#?}\nagain with {SEED}={seed}")
        }
        TestError::Abort(reason) => anyhow::anyhow!("{reason}"),
    })?;
    let noted = noted.into_inner();
    eprintln!("    interleavings: {cases} histories from {SEED}={seed}: {noted:?}");
    ensure!(noted.decided_call_by_call > 0 && noted.side_by_side > 0, "these histories hardly interleave: {noted:?}");
    Ok(())
}

/// What happened in some histories, so that nobody takes idle ones for a proof.
#[derive(Debug, Default)]
struct Seen {
    /// Calls that were made one by one.
    calls: usize,
    /// Decisions that a worker wrote while it went on call by call.
    decided_call_by_call: usize,
    /// Calls of a worker while another was in the middle of the same version.
    side_by_side: usize,
    /// Workers that died in the middle.
    died: usize,
}

/// A worker in the middle of its work.
struct Worker {
    upload: usize,
    calls: usize,
    task: JoinHandle<()>,
    rings: Rings,
    waiting: Option<Ring>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Worker {
    /// Waits until it wants to make a call; false when it has ended.
    async fn rings(&mut self) -> bool {
        if self.waiting.is_none() {
            self.waiting = tokio::select! {
                biased;
                ring = self.rings.recv() => ring,
                _ended = &mut self.task => None,
            };
        }
        self.waiting.is_some()
    }
}

struct History<'a> {
    seen: &'a RefCell<Seen>,
    bench: Bench,
    plain: Functions,
    cloud: Arc<Cloud>,
    files: [File; 2],
    workers: Vec<Worker>,
    before: Value,
}

impl<'a> History<'a> {
    async fn live(cloud: &Arc<Cloud>, moves: Vec<Move>, seen: &'a RefCell<Seen>) -> anyhow::Result<()> {
        let files = [File::text("it is the first that is sent"), File::fixture("png-palette.png", "image/png")?];
        let mut bench = Bench::new(cloud).await?;
        bench.announce(&[&files[0], &files[1]]).await?;
        let plain = bench.functions(cloud.stack().sdk())?;
        let before = bench.state().await?;
        let mut history = Self { seen, bench, plain, cloud: Arc::clone(cloud), files, workers: Vec::new(), before };
        for next in moves {
            let told = format!("{next:?}");
            Box::pin(history.make(next)).await.with_context(|| told.clone())?;
            history.judge().await.with_context(|| format!("after {told}"))?;
        }
        let Self { bench, workers, .. } = history;
        // What is still at work dies, and what heals does the rest.
        for mut worker in workers {
            worker.task.abort();
            drop((&mut worker.task).await);
        }
        bench.outlive_leases();
        bench.heal().await?;
        let state = bench.state().await?;
        law::in_the_end(&state, &bench.versions).with_context(|| format!("in the end: {state:#}"))?;
        bench.end().await
    }

    async fn make(&mut self, next: Move) -> anyhow::Result<()> {
        match next {
            Move::Upload(place, bytes) => {
                let file = &self.files[place];
                let (bytes, is_good) = match bytes {
                    // Other words of the same length; of a picture there is only one.
                    Bytes::OtherGood if place == 0 => (file.bytes.iter().rev().copied().collect(), true),
                    Bytes::Good | Bytes::OtherGood => (file.bytes.clone(), true),
                    Bytes::Bad => (file.bytes[..file.bytes.len() / 2].to_vec(), false),
                };
                self.bench.upload(place, bytes, is_good).await?;
            }
            Move::Start(upload) => self.start(upload)?,
            Move::Step(worker, luck) => self.step(worker, luck).await?,
            Move::Run(worker, calls) => {
                for _ in 0..calls {
                    self.step(worker, Luck::Good).await?;
                }
            }
            Move::Crash(worker) => {
                if !self.workers.is_empty() {
                    let mut worker = self.workers.swap_remove(worker.index(self.workers.len()));
                    worker.task.abort();
                    drop((&mut worker.task).await);
                    self.seen.borrow_mut().died += 1;
                }
            }
            Move::Deed(deed) => {
                self.bench.act(deed).await?;
            }
            Move::Collect(place) => ensure!(self.bench.collect(&self.plain, place).await?),
            Move::Sweep => {
                self.bench.outlive_leases();
                self.bench.sweep(&self.plain).await?;
                self.bench.drain(&self.plain).await?;
            }
            Move::Wait => self.bench.outlive_leases(),
        }
        Ok(())
    }

    fn start(&mut self, upload: Index) -> anyhow::Result<()> {
        if self.bench.uploads.is_empty() || self.workers.len() == WORKERS {
            return Ok(());
        }
        let upload = upload.index(self.bench.uploads.len());
        let event = self.bench.event(upload)?;
        let (sdk, rings) = tap(self.cloud.stack().sdk());
        let functions = self.bench.functions(&sdk)?;
        let task = tokio::spawn(async move {
            // Whether it was finished shows in the state.
            drop(vestibule_ingest::handler::handle(&functions.ingest, event).await);
        });
        self.workers.push(Worker { upload, calls: 0, task, rings, waiting: None });
        Ok(())
    }

    async fn step(&mut self, worker: Index, luck: Luck) -> anyhow::Result<()> {
        if self.workers.is_empty() {
            return Ok(());
        }
        let place = worker.index(self.workers.len());
        let worker = &mut self.workers[place];
        if !worker.rings().await {
            self.workers.swap_remove(place);
            return Ok(());
        }
        let ring = worker.waiting.take().context("it rings")?;
        worker.calls += 1;
        let (upload, is_decision) = (worker.upload, ring.name == "dynamodb UpdateItem of a message");
        self.note_call(place, upload, is_decision);
        let fate = match luck {
            Luck::Good => Fate::Through,
            Luck::Before => Fate::FailBefore,
            Luck::After => Fate::FailAfter,
            Luck::Ambiguous => Fate::Ambiguous,
            Luck::Reset => Fate::ResetBefore,
        };
        // A call that is not made is done with at once.
        drop(ring.answer(fate).await);
        Ok(())
    }

    fn note_call(&self, place: usize, upload: usize, is_decision: bool) {
        let mut others = self.workers.iter().enumerate().filter(|(other, _)| *other != place);
        let is_side_by_side = others.any(|(_, other)| other.upload == upload && other.calls > 0);
        let mut seen = self.seen.borrow_mut();
        seen.calls += 1;
        seen.decided_call_by_call += usize::from(is_decision);
        seen.side_by_side += usize::from(is_side_by_side);
    }

    /// The law, and that what changed of the document is a change that there may be.
    async fn judge(&mut self) -> anyhow::Result<()> {
        let state = self.bench.state().await?;
        law::at_any_time(&state, &self.bench.versions).with_context(|| format!("{state:#}"))?;
        is_lawful_change(&self.before, &state).with_context(|| format!("from {:#}\nto {state:#}", self.before))?;
        self.before = state;
        Ok(())
    }
}

/// The first decision is final, a tombstone stays, and every change counts.
fn is_lawful_change(before: &Value, after: &Value) -> anyhow::Result<()> {
    let (was, is) = (&before["table"]["MSG#000000000001"], &after["table"]["MSG#000000000001"]);
    let (ver, next) = (was["ver"].as_u64().context("ver")?, is["ver"].as_u64().context("ver")?);
    ensure!((was == is) == (ver == next) && next >= ver, "a change without its version");
    if was["deleted"] == true {
        ensure!(was == is, "a tombstone changed");
        return Ok(());
    }
    for (id, entry) in was["attachments"].as_object().context("attachments")? {
        if is["deleted"] == true {
            ensure!(is["attachments"].is_null() && is["text"].is_null(), "a tombstone keeps something");
            continue;
        }
        let now = &is["attachments"][id];
        let may = match entry["state"].as_str().unwrap_or_default() {
            "pending" => true,
            "ready" | "rejected" | "cancelled" => now == entry || now["state"] == "removed",
            _ => now == entry,
        };
        ensure!(may, "{id} went from {entry} to {now}");
    }
    Ok(())
}
