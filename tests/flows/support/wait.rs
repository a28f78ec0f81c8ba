//! Waiting for something to become true, with a deadline instead of a guess.

use std::time::Duration;

use anyhow::bail;
use tokio::time::Instant;

/// Longest wait. The whole way of a large photo takes under a second; a loaded machine may be thirty times slower.
const DEADLINE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Asks again and again until `look` answers something.
///
/// # Errors
/// After a minute, naming what was waited for; or the first error of `look`.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    until_within(DEADLINE, what, look).await
}

/// The same with another deadline.
///
/// # Errors
/// After `longest`, naming what was waited for; or the first error of `look`.
pub(crate) async fn until_within<T>(
    longest: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + longest;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("{} seconds went by without {what}", longest.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
