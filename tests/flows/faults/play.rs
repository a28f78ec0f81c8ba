//! Plays a scenario over a tapped line, with faults at some of its calls.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Scenario;
use crate::support::bench::{Bench, Deed, Functions};
use crate::support::cloud::Cloud;
use crate::support::law;
use crate::support::line::{Ended, Fate, Landing, Rings, Verdict, late, listen, tap};

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It fails before its effect.
    Before,
    /// It fails after its effect.
    After,
    /// It is answered by an empty 500 after its effect, and so tried again.
    Ambiguous,
    /// The connection is reset before its effect.
    ResetBefore,
    /// The connection is reset after its effect.
    ResetAfter,
    /// Its answer ends in the middle.
    CutBody,
    /// The service says that it is too much.
    Throttle,
    /// The worker dies before it; its event is brought again.
    CrashBefore,
    /// The worker dies after it; its event is brought again.
    CrashAfter,
    /// The worker dies after it, and its event is lost: the sweep alone heals.
    Lost,
    /// The worker dies, and the call has its effect when the event that was brought again has been dealt with.
    LandsLate,
    /// The collector looks at the attachment, as the audit may at any time.
    Collect,
    /// Another worker gets the same event, directly, and comes to its end.
    Duplicate,
    /// The sweep runs, and what it brings is worked off.
    Sweep,
    /// The author does something.
    Deed(Deed),
}

/// How a scenario went.
pub(crate) struct Played {
    /// Its calls, in their order.
    pub(crate) calls: Vec<String>,
    /// The calls at which something happened.
    pub(crate) met: Vec<String>,
    /// The whole state in the end.
    pub(crate) state: Value,
}

/// Tries at one event before the run is given up: more than faults.
const TRIES: usize = 8;

struct Player<'a> {
    bench: &'a Bench,
    plain: &'a Functions,
    tapped: &'a Functions,
    rings: Rings,
    faults: &'a [(usize, Mode)],
    calls: Vec<String>,
    met: Vec<String>,
    late: Option<Landing>,
    is_lost: bool,
}

/// Plays `scenario`. Each of `faults` is a call, by its place from 0, and what happens there.
pub(crate) async fn play(cloud: &Arc<Cloud>, scenario: &Scenario, faults: &[(usize, Mode)]) -> anyhow::Result<Played> {
    let mut bench = Bench::new(cloud).await?;
    let file = (scenario.file)()?;
    bench.announce(&[&file]).await?;
    for version in scenario.versions {
        bench.upload(0, version.of(&file), scenario.is_good()).await?;
    }
    for deed in scenario.before {
        bench.act(*deed).await?;
    }
    let (sdk, rings) = tap(cloud.stack().sdk());
    let (plain, tapped) = (bench.functions(cloud.stack().sdk())?, bench.functions(&sdk)?);
    let (calls, met) = (Vec::new(), Vec::new());
    let mut player =
        Player { bench: &bench, plain: &plain, tapped: &tapped, rings, faults, calls, met, late: None, is_lost: false };
    Box::pin(player.play(scenario)).await?;
    let Player { calls, met, .. } = player;
    bench.heal().await?;
    let mut state = bench.state().await?;
    law::in_the_end(&state, &bench.versions).with_context(|| format!("{faults:?} met {met:?}: {state:#}"))?;
    state["headers"] = bench.headers().await?;
    bench.end().await?;
    Ok(Played { calls, met, state })
}

/// What the player has done.
#[derive(Debug, Clone, Copy)]
enum Work {
    Deliver(usize),
    Relay,
    Reclaim,
    Sweep,
    Drain,
}

impl Player<'_> {
    async fn play(&mut self, scenario: &Scenario) -> anyhow::Result<()> {
        for upload in scenario.deliveries {
            self.until_done(Work::Deliver(*upload)).await?;
        }
        for deed in scenario.after {
            self.bench.act(*deed).await?;
        }
        if let Some(landing) = self.late.take() {
            landing.land().await?;
        }
        self.until_done(Work::Relay).await?;
        self.until_done(Work::Reclaim).await?;
        self.bench.wait(30 * 24 * 3600);
        self.until_done(Work::Sweep).await?;
        self.until_done(Work::Drain).await?;
        // A call of what comes after the deliveries lands when all is done.
        match self.late.take() {
            Some(landing) => landing.land().await,
            None => Ok(()),
        }
    }

    /// Does a piece of work again and again until it ends well, unless its event is lost.
    async fn until_done(&mut self, work: Work) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let (bench, functions) = (self.bench, self.tapped);
            let future = async move {
                match work {
                    Work::Deliver(upload) => bench.deliver(functions, upload).await,
                    Work::Relay => bench.relay(functions).await,
                    Work::Reclaim => bench.reclaim(functions).await,
                    // What the function answers by an error comes again with the schedule.
                    Work::Sweep => Ok(bench.sweep(functions).await.is_ok()),
                    Work::Drain => Ok(bench.drain(functions).await.is_ok()),
                }
            };
            let mut rings = std::mem::replace(&mut self.rings, tokio::sync::mpsc::unbounded_channel().1);
            let ended = listen(future, &mut rings, async |name| Box::pin(self.decide(name)).await).await;
            // Calls of a worker that died ring no more.
            while rings.try_recv().is_ok() {}
            self.rings = rings;
            match ended? {
                Ended::Done(done) => {
                    if done? {
                        return Ok(());
                    }
                }
                Ended::Crashed if std::mem::take(&mut self.is_lost) => return Ok(()),
                Ended::Crashed => {}
            }
            self.bench.outlive_leases();
        }
        anyhow::bail!("{TRIES} tries at {work:?} were not enough: {:?}", self.met)
    }

    async fn decide(&mut self, name: &str) -> anyhow::Result<Verdict> {
        let call = self.calls.len();
        self.calls.push(name.to_owned());
        let Some((_, mode)) = self.faults.iter().find(|(place, _)| *place == call) else {
            return Ok(Verdict::Fate(Fate::Through));
        };
        self.met.push(format!("{name}: {mode:?}"));
        let (bench, plain) = (self.bench, self.plain);
        Ok(Verdict::Fate(match mode {
            Mode::Before => Fate::FailBefore,
            Mode::After => Fate::FailAfter,
            Mode::Ambiguous => Fate::Ambiguous,
            Mode::ResetBefore => Fate::ResetBefore,
            Mode::ResetAfter => Fate::ResetAfter,
            Mode::CutBody => Fate::CutBody,
            Mode::Throttle => Fate::Throttle,
            Mode::CrashBefore => return Ok(Verdict::CrashBefore),
            Mode::CrashAfter => return Ok(Verdict::CrashAfter),
            Mode::Lost => {
                self.is_lost = true;
                return Ok(Verdict::CrashAfter);
            }
            Mode::LandsLate => {
                let (call, handed_over, landing) = late();
                ensure!(self.late.replace(landing).is_none(), "one call lands late");
                return Ok(Verdict::CrashAndLand(call, handed_over));
            }
            Mode::Collect => {
                ensure!(bench.collect(plain, 0).await?);
                Fate::Through
            }
            Mode::Duplicate => {
                bench.outlive_leases();
                bench.deliver(plain, 0).await.context("the duplicate")?;
                Fate::Through
            }
            Mode::Sweep => {
                bench.outlive_leases();
                bench.sweep(plain).await?;
                bench.drain(plain).await?;
                Fate::Through
            }
            Mode::Deed(deed) => {
                bench.act(*deed).await?;
                Fate::Through
            }
        }))
    }
}
