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

use crate::support::cloud::Cloud;

mod play;
mod scenario;

pub(crate) use play::{Mode, Played, play};
pub(crate) use scenario::{SCENARIOS, Scenario};

/// Runs at a time. The local cloud is one process, and does one thing at a time.
const AT_ONCE: usize = 4;

/// What the issue of the tests wants of every call.
const FATES: [Mode; 3] = [Mode::Before, Mode::After, Mode::Ambiguous];
/// What is done to every call of the main scenario besides.
const MORE: [Mode; 8] = [
    Mode::ResetBefore,
    Mode::ResetAfter,
    Mode::CutBody,
    Mode::Throttle,
    Mode::CrashBefore,
    Mode::CrashAfter,
    Mode::Lost,
    Mode::LandsLate,
];

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
        let modes: Vec<Mode> = if scenario.is_main { FATES.into_iter().chain(MORE).collect() } else { FATES.to_vec() };
        let faults = (0..clean.calls.len()).flat_map(|call| modes.iter().map(move |mode| vec![(call, *mode)]));
        let tally = sweep(&cloud, scenario, &clean.allowed, faults).await?;
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
            // Whoever comes first or last: both are histories without a race.
            let mut allowed = clean.allowed.clone();
            for call in [0, clean.calls.len() - 1] {
                allowed.insert(play(&cloud, scenario, &[(call, *intruder)]).await?.state.to_string());
            }
            let faults = (0..clean.calls.len()).map(|call| vec![(call, *intruder)]);
            let tally = sweep(&cloud, scenario, &allowed, faults).await?;
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
    const EVERY: usize = 61;
    pairs(&cloud, EVERY, None).await
}

/// All pairs of faults of the main scenario, as far as the time goes.
pub(crate) async fn every_pair_of_faults_is_survived(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    pairs(&cloud, 1, Some(crate::soak::deadline()?)).await
}

async fn pairs(cloud: &Arc<Cloud>, every: usize, deadline: Option<tokio::time::Instant>) -> anyhow::Result<()> {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.is_main).context("there is a main scenario")?;
    let clean = clean(cloud, scenario).await?;
    let modes = [Mode::Before, Mode::After, Mode::Ambiguous, Mode::CrashAfter, Mode::Lost];
    let calls = clean.calls.len();
    let all = (0..calls).flat_map(|first| (first + 1..calls + 4).map(move |second| (first, second)));
    let all = all.flat_map(|(first, second)| {
        modes.into_iter().flat_map(move |one| modes.into_iter().map(move |other| vec![(first, one), (second, other)]))
    });
    let count = all.clone().count();
    let in_time = |_: &Vec<(usize, Mode)>| deadline.is_none_or(|deadline| tokio::time::Instant::now() < deadline);
    let tally = sweep(cloud, scenario, &clean.allowed, all.step_by(every).take_while(in_time)).await?;
    eprintln!(
        "    pairs of faults of {}: {count}, injected: {}, survived: {}",
        scenario.name, tally.injected, tally.survived
    );
    ensure!(tally.injected == tally.survived && tally.injected > 0);
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
    injected: usize,
    survived: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
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
        anyhow::Ok((injected, death))
    });
    let mut runs = std::pin::pin!(stream::iter(runs).buffer_unordered(AT_ONCE));
    let mut tally = Tally::default();
    while let Some(run) = runs.next().await {
        let (injected, death) = run?;
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
