//! Runs the sweep when the schedule says so, and tells what it saw. Only this file logs failures and writes metrics.

use std::io::Write;

use serde_json::{Value, json};
use vestibule_domain::hall::Class;
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::logs::chain;
use vestibule_runtime::metrics::{Unit, emit};
use vestibule_store::progress::Progress;

use crate::sweep::{Swept, sweep};
use crate::world::World;

/// Handles the schedule's event, whatever it says, and answers what was done. Metrics go to `metrics`, one line each.
///
/// # Errors
/// When a call failed. The next run goes on from the last page that was finished.
pub async fn handle(world: &World, metrics: impl Write) -> Result<Value, lambda_runtime::Error> {
    let swept = sweep(world).await.inspect_err(|error| {
        tracing::error!(outcome = "fault", error.code = error.code(), error.message = %chain(error), "the sweep was not finished");
    })?;
    tracing::info!(
        outcome = "swept",
        pages.count = swept.pages,
        versions.driven = swept.driven,
        reservations.freed = swept.freed,
        uploads.aborted = swept.aborted,
        pass.finished = swept.finished.is_some(),
        "swept"
    );
    if let Some(progress) = &swept.finished {
        tell(metrics, &world.config.namespace, progress, world.clock.now())?;
    }
    let answer = answer(&swept);
    // What was in the way of nothing else still counts as an error of the function, so that somebody looks.
    swept.trouble.map_or(Ok(answer), |error| Err(Box::new(error).into()))
}

fn tell(mut to: impl Write, namespace: &str, progress: &Progress, now: Timestamp) -> std::io::Result<()> {
    let age = progress.oldest_at.map_or(0, |oldest| now.seconds().saturating_sub(oldest.seconds()));
    let totals = [
        ("OldestAge", Unit::Seconds, u64::try_from(age).unwrap_or(0)),
        ("GivenUp", Unit::Count, progress.given_up),
        ("Unknown", Unit::Count, progress.unknown),
        ("Driven", Unit::Count, progress.driven),
    ];
    emit(&mut to, namespace, None, &totals, now)?;
    // Also the classes that nothing is of: an alarm needs the nought to end.
    for class in Class::ALL {
        let seen = progress.seen.get(&class).copied().unwrap_or_default();
        let counts = [("Versions", Unit::Count, seen.versions), ("Bytes", Unit::Bytes, seen.bytes)];
        emit(&mut to, namespace, Some(("Class", class.as_str())), &counts, now)?;
    }
    Ok(())
}

fn answer(swept: &Swept) -> Value {
    let seen = swept.finished.as_ref().map(|progress| json!(progress.seen));
    json!({
        "pages": swept.pages, "driven": swept.driven, "freed": swept.freed, "aborted": swept.aborted,
        "finished": swept.finished.is_some(), "seen": seen,
    })
}

#[cfg(test)]
mod tests {
    use vestibule_store::progress::Seen;

    use super::*;

    #[test]
    fn a_finished_pass_tells_its_totals_and_every_class() {
        let progress = Progress {
            seen: [(Class::Failed, Seen { versions: 2, bytes: 10 })].into(),
            oldest_at: Some(Timestamp::from_millis(1_000)),
            given_up: 1,
            unknown: 2,
            driven: 3,
            ..Progress::default()
        };
        let mut lines = Vec::new();
        tell(&mut lines, "Vestibule/x", &progress, Timestamp::from_millis(61_000)).unwrap();
        let lines: Vec<Value> =
            String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1 + Class::ALL.len());
        assert_eq!(
            (&lines[0]["OldestAge"], &lines[0]["GivenUp"], &lines[0]["Driven"]),
            (&json!(60), &json!(1), &json!(3))
        );
        assert_eq!(lines[0]["Unknown"], 2);
        let versions: Vec<_> =
            lines[1..].iter().map(|line| (line["Class"].as_str().unwrap(), line["Versions"].as_u64())).collect();
        assert!(versions.contains(&("failed", Some(2))) && versions.contains(&("fresh", Some(0))), "{versions:?}");
    }
}
