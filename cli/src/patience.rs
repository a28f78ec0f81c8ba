//! Trying again: what may succeed later is told from what will not, and waited for with growing, spread pauses.

use std::time::Duration;

/// Tries of one call.
const TRIES: u32 = 8;
/// Before the second try; doubles with every further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Why a try failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The same may succeed later; after so long, if it was said.
    ForNow(anyhow::Error, Option<Duration>),
    /// There is no such upload.
    NoUpload(anyhow::Error),
    /// Something is there already.
    Taken(anyhow::Error),
    /// It will not.
    ForGood(anyhow::Error),
}

impl Failed {
    /// The error.
    pub(crate) fn error(self) -> anyhow::Error {
        match self {
            Self::ForNow(error, _) | Self::NoUpload(error) | Self::Taken(error) | Self::ForGood(error) => error,
        }
    }
}

/// Tries until it succeeds, fails for good, or was tried often enough. `work` is told which try it is, from 0.
pub(crate) async fn patiently<T>(work: impl AsyncFn(u32) -> Result<T, Failed>) -> Result<T, Failed> {
    try_again(FIRST_WAIT, work).await
}

async fn try_again<T>(mut wait: Duration, work: impl AsyncFn(u32) -> Result<T, Failed>) -> Result<T, Failed> {
    for number in 0..TRIES - 1 {
        match work(number).await {
            Err(Failed::ForNow(_, said)) => {
                let spread = wait.mul_f64(rand::random_range(0.5..1.0));
                tokio::time::sleep(said.unwrap_or(spread).min(LONGEST_WAIT)).await;
                wait = (2 * wait).min(LONGEST_WAIT);
            }
            ended => return ended,
        }
    }
    work(TRIES - 1).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_fails_for_now_is_tried_again_and_what_fails_for_good_is_not() {
        let failing = |until: u32| {
            async move |number: u32| {
                if number + 1 < until { Err(Failed::ForNow(anyhow::anyhow!("broken"), None)) } else { Ok(number) }
            }
        };
        assert_eq!(try_again(Duration::ZERO, failing(4)).await.ok(), Some(3));
        let tries = AtomicU32::new(0);
        let never = async |_| {
            tries.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(Failed::ForNow(anyhow::anyhow!("broken"), Some(Duration::ZERO)))
        };
        assert!(try_again(Duration::ZERO, never).await.is_err());
        assert_eq!(tries.load(Ordering::Relaxed), TRIES);
        let once = patiently(async |_| Err::<(), _>(Failed::ForGood(anyhow::anyhow!("no")))).await;
        assert!(matches!(once, Err(Failed::ForGood(_))));
    }
}
