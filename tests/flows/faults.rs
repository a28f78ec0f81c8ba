//! Every call of every scenario fails, in every way, and nothing is lost or doubled: the whole state ends as without the fault.
//!
//! A run plays a scenario with the real handlers over a tapped line. One call, or two, meet a fault; the worker fails, or dies; the event is
//! brought again, or is lost and left to the sweep; and what heals runs. Then the whole state must be one that the scenario may end in
//! without any fault.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use futures::stream::{self, StreamExt as _};
use serde_json::Value;
use tokio::time::Instant;

use crate::soak::Way;
use crate::support::cloud::Cloud;

mod play;
mod scenario;

pub(crate) use play::{Mode, Played, play};
pub(crate) use scenario::{SCENARIOS, Scenario, THREE};

/// Runs at a time. The local cloud is one process, and does one thing at a time.
const AT_ONCE: usize = 4;

/// A run that did not end as it must.
struct Death {
    story: String,
    state: Value,
}

/// One fault at each call: before its effect, after it, and an empty 500 after it; for the main scenario also resets, broken bodies,
/// throttling and workers that die. What the calls are is a snapshot.
pub(crate) async fn every_call_fails_once_and_nothing_is_lost_or_doubled(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let mut total = Tally::default();
    for scenario in SCENARIOS {
        let clean = clean(&cloud, scenario).await?;
        insta::assert_snapshot!(scenario.name.replace(' ', "-"), listed(&clean.calls));
        let faults = (0..clean.calls.len()).flat_map(|call| scenario.modes.iter().map(move |mode| vec![(call, *mode)]));
        let tally = sweep(&cloud, scenario, &clean.allowed, faults).await?;
        ensure!(
            tally.injected == clean.calls.len() * scenario.modes.len(),
            "{}: a fault met no call: {tally:?}",
            scenario.name
        );
        eprintln!(
            "    {}: {} calls, faults injected: {}, survived: {}",
            scenario.name,
            clean.calls.len(),
            tally.injected,
            tally.survived
        );
        total += tally;
    }
    eprintln!("    faults injected: {}, survived: {}", total.injected, total.survived);
    ensure!(total.injected == total.survived && total.injected > 0);
    Ok(())
}

/// At each call of the main scenario somebody else comes in between: a second worker with the same event, the collector, the sweep, or the
/// author, who deletes, removes or cancels.
pub(crate) async fn whoever_comes_in_between_at_any_call_nothing_is_lost_or_doubled(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let mut total = Tally::default();
    for scenario in SCENARIOS.iter().filter(|scenario| !scenario.intruders.is_empty()) {
        let clean = clean(&cloud, scenario).await?;
        for intruder in scenario.intruders {
            let mut allowed = clean.allowed.clone();
            if let Mode::Deed(deed) = intruder {
                // The author comes first, or last: both are histories without a race.
                allowed.insert(play(&cloud, scenario, &[(0, *intruder)]).await?.state.to_string());
                let last = [scenario.after, &[*deed][..]].concat();
                let last = Scenario { after: last.leak(), ..*scenario };
                allowed.insert(play(&cloud, &last, &[]).await?.state.to_string());
            }
            let faults = (0..clean.calls.len()).map(|call| vec![(call, *intruder)]);
            let tally = sweep(&cloud, scenario, &allowed, faults).await?;
            ensure!(tally.injected == clean.calls.len(), "{}: nobody came in at a call: {tally:?}", scenario.name);
            eprintln!(
                "    {} and {intruder:?}: comings in between: {}, survived: {}",
                scenario.name, tally.injected, tally.survived
            );
            total += tally;
        }
    }
    ensure!(total.injected == total.survived && total.injected > 0);
    Ok(())
}

/// A fixed sample of all pairs of faults of the main scenario.
pub(crate) async fn a_sample_of_pairs_of_faults_is_survived(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    /// Every so manyeth pair: a prime, so that all calls and modes have their turn.
    const EVERY: usize = 293;
    let (scenario, clean, all) = pairs(&cloud).await?;
    ensure!(!all.len().is_multiple_of(EVERY), "not all calls and modes have their turn");
    let chosen = all.iter().step_by(EVERY).cloned();
    let tally = sweep(&cloud, scenario, &clean.allowed, chosen).await?;
    survived(scenario, &tally, all.len())
}

/// All pairs of faults of the main scenario: as many as the time allows, and those after them in the next run. First come those of the three
/// ways in which every scenario fails, of which the usual time is enough for all.
pub(crate) async fn every_pair_of_faults_is_survived(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let deadline = crate::soak::deadline()?;
    let (scenario, clean, all) = pairs(&cloud).await?;
    let way = Way::of_pairs(all.len())?;
    let (first, rest): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|pair| pair.iter().all(|(_, mode)| THREE.contains(mode)));
    let (first_pairs, all_pairs) = (first.len(), way.length);
    let in_order: Vec<_> = in_leaps(&first)?.into_iter().chain(in_leaps(&rest)?).collect();
    let chosen = in_order.iter().cycle().skip(way.from).take(all_pairs).cloned();
    let chosen = chosen.take_while(|_| Instant::now() < deadline);
    let tally = sweep(&cloud, scenario, &clean.allowed, chosen).await?;
    survived(scenario, &tally, all_pairs)?;
    let next = way.went(tally.runs)?;
    eprintln!(
        "    from number {}; those before number {first_pairs} are of {THREE:?}; the next run begins with number {next}, or where PAIRS_FROM says",
        way.from
    );
    Ok(())
}

/// The same in leaps that come to all of them: whenever the time is over, no call was passed over more than another.
fn in_leaps<T: Clone>(all: &[T]) -> anyhow::Result<Vec<T>> {
    /// A prime, and so no divisor of their number.
    const LEAP: usize = 7919;
    ensure!(!all.len().is_multiple_of(LEAP) && all.len() > 1, "the leaps do not come to all of them");
    Ok((0..all.len()).filter_map(|step| all.get(step * LEAP % all.len()).cloned()).collect())
}

/// The main scenario, how it goes without faults, and all pairs of its calls, each with all pairs of what can happen to a call.
async fn pairs(cloud: &Arc<Cloud>) -> anyhow::Result<(&'static Scenario, Clean, Vec<Vec<(usize, Mode)>>)> {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.is_main).context("there is a main scenario")?;
    let clean = clean(cloud, scenario).await?;
    let calls = clean.calls.len();
    let all = (0..calls).flat_map(|first| (first + 1..calls).map(move |second| (first, second)));
    let modes = scenario.modes;
    let all = all.flat_map(|(first, second)| {
        modes.iter().flat_map(move |one| modes.iter().map(move |other| [(first, *one), (second, *other)]))
    });
    // Only one call at a time can be on its way past the death of its worker.
    let all = all.filter(|pair| !pair.iter().all(|(_, mode)| *mode == Mode::LandsLate));
    Ok((scenario, clean, all.map(Vec::from).collect()))
}

/// Says how many of all pairs were tried.
fn survived(scenario: &Scenario, tally: &Tally, all: usize) -> anyhow::Result<()> {
    let Tally { runs, whole, injected, survived } = tally;
    eprintln!(
        "    pairs of faults of {}: {runs} of {all}, of which {whole} met both; faults injected: {injected}, survived: {survived}",
        scenario.name,
    );
    // The second of a pair may be of a call that is not made any more after the first.
    ensure!(injected == survived && whole * 2 > *runs, "{tally:?}");
    Ok(())
}

/// The calls, one a line. Thumbnails are put at once, in any order.
fn listed(calls: &[String]) -> String {
    let mut calls = calls.to_vec();
    let is_put = |call: &String| call.starts_with("s3 PutObject processed/");
    calls.chunk_by_mut(|one, next| is_put(one) && is_put(next)).for_each(<[String]>::sort);
    calls.join("\n")
}

/// A scenario without faults.
struct Clean {
    calls: Vec<String>,
    allowed: BTreeSet<String>,
}

async fn clean(cloud: &Arc<Cloud>, scenario: &Scenario) -> anyhow::Result<Clean> {
    let played = play(cloud, scenario, &[]).await?;
    let mut allowed = BTreeSet::from([played.state.to_string()]);
    for deliveries in scenario.also {
        let other = Scenario { deliveries, ..*scenario };
        allowed.insert(play(cloud, &other, &[]).await?.state.to_string());
    }
    Ok(Clean { calls: played.calls, allowed })
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    runs: usize,
    /// Runs in which everything that was to happen did.
    whole: usize,
    injected: usize,
    survived: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.whole += other.whole;
        self.injected += other.injected;
        self.survived += other.survived;
    }
}

/// Plays the scenario with each of these faults, and fails with the stories of those that end otherwise.
async fn sweep(
    cloud: &Arc<Cloud>,
    scenario: &Scenario,
    allowed: &BTreeSet<String>,
    faults: impl Iterator<Item = Vec<(usize, Mode)>>,
) -> anyhow::Result<Tally> {
    let runs = faults.map(async |faults| {
        let played = play(cloud, scenario, &faults).await.with_context(|| format!("{}: {faults:?}", scenario.name))?;
        let Played { calls, met, state } = played;
        let injected = met.len();
        let death = (!allowed.contains(&state.to_string()))
            .then(|| Death { story: format!("{}: {faults:?} met {met:?} of {calls:#?}", scenario.name), state });
        anyhow::Ok((faults.len(), injected, death))
    });
    let mut runs = std::pin::pin!(stream::iter(runs).buffer_unordered(AT_ONCE));
    let mut tally = Tally::default();
    while let Some(run) = runs.next().await {
        let (wanted, injected, death) = run?;
        tally.runs += 1;
        tally.whole += usize::from(injected == wanted);
        tally.injected += injected;
        if let Some(Death { story, state }) = death {
            let allowed: Vec<_> = allowed.iter().map(|state| pretty(state)).collect();
            anyhow::bail!("{story}\nends in {state:#}\nallowed is {}", allowed.join("\nor "));
        }
        tally.survived += injected;
    }
    Ok(tally)
}

fn pretty(state: &str) -> String {
    serde_json::from_str::<Value>(state).map_or_else(|_| state.to_owned(), |state| format!("{state:#}"))
}
