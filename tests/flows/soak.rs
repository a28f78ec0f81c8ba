//! The long runs, with as much time as they are given: `make soak`.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;

/// For how many seconds the runs may go on that go on for as long as there is time. They are two, and one comes after the other.
const SECONDS: &str = "SOAK_SECONDS";

/// Whether the long runs are wanted.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(SECONDS).is_some()
}

/// Until when a long run that begins now may go on.
pub(crate) fn deadline() -> anyhow::Result<Instant> {
    let seconds = std::env::var(SECONDS).with_context(|| format!("{SECONDS} is not set"))?;
    let seconds = seconds.parse().with_context(|| format!("{SECONDS} is {seconds:?}"))?;
    Ok(Instant::now() + Duration::from_secs(seconds) / 2)
}
