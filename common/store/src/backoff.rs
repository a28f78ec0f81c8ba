//! Waits between tries of a call that somebody else was in the way of: growing, spread, and bounded.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// The first wait is up to this long, each further one up to twice as long as the one before.
const FIRST: Duration = Duration::from_millis(20);
/// No wait is longer than this.
const LONGEST: Duration = Duration::from_millis(400);
/// Tries in all, before the caller is told to come back later: at most 6.2 s of waiting.
const TRIES: u32 = 20;

/// Counts the tries of one call.
pub(crate) struct Backoff<'a> {
    seed: &'a str,
    tries: u32,
}

impl<'a> Backoff<'a> {
    /// Tries of the call that `seed` names. Two callers in each other's way have different seeds, so they wait for
    /// different times, and no random number is needed.
    pub(crate) fn new(seed: &'a str) -> Self {
        Self { seed, tries: 1 }
    }

    /// Waits for the turn of the next try. Answers `false`, at once, when there have been enough.
    pub(crate) async fn again(&mut self) -> bool {
        let Some(wait) = self.next() else { return false };
        tokio::time::sleep(wait).await;
        true
    }

    fn next(&mut self) -> Option<Duration> {
        let wait = (self.tries < TRIES).then(|| wait(self.seed, self.tries));
        self.tries += 1;
        wait
    }
}

/// Anything from nothing to the try's longest wait: the wider callers are spread, the fewer of them meet again.
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>
fn wait(seed: &str, tries: u32) -> Duration {
    let longest = FIRST.saturating_mul(2_u32.saturating_pow(tries - 1)).min(LONGEST);
    let mut hasher = DefaultHasher::new();
    (seed, tries).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 1000).unwrap_or(0);
    longest * share / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_differ_between_callers() {
        for tries in 1..TRIES {
            let longest = FIRST.saturating_mul(2_u32.pow(tries - 1)).min(LONGEST);
            for seed in ["a", "b", "c"] {
                assert!(wait(seed, tries) <= longest, "{seed} {tries}");
            }
        }
        assert_ne!(wait("one sender", 3), wait("another sender", 3));
    }

    #[test]
    fn it_ends_after_twenty_tries_and_a_few_seconds() {
        let mut backoff = Backoff::new("x");
        let waits: Vec<_> = std::iter::from_fn(|| backoff.next()).collect();
        assert_eq!(waits.len() + 1, 20);
        assert!(waits.iter().sum::<Duration>() <= Duration::from_millis(6200));
    }
}
