//! What is known of the tries at one uploaded version: hints for ops and for whoever tries next. No decision rests on them.

use serde::{Deserialize, Serialize};

use crate::id::VersionId;
use crate::timestamp::Timestamp;

/// Longest message of a failure, in characters.
pub const MAX_FAILURE_CHARS: usize = 500;

/// Longest that somebody has a version to themselves, in seconds: more than any batch may take, and a little for clocks that differ. A
/// lease that ends later was written by a clock far ahead, and would keep everybody away until then.
pub const MAX_LEASE_SECONDS: i64 = 900;

/// The tries at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// The version.
    pub version: VersionId,
    /// Tries that began, or failed, since the version came or an operator replayed it last.
    #[serde(default)]
    pub tries: u32,
    /// When the last try began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// Which try that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_try: Option<u32>,
    /// While this lies ahead, by no more than [`MAX_LEASE_SECONDS`], somebody is at work on it. It is taken away when a try fails; a try that ended well leaves it to lapse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// How the last try that failed did so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Which try that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_try: Option<u32>,
    /// How often it was put into the queue again, since the version came or an operator replayed it last.
    #[serde(default)]
    pub drives: u32,
    /// When it was put into the queue again last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driven_at: Option<Timestamp>,
    /// When it was seen last that these hints are still needed: they must outlast what was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_at: Option<Timestamp>,
}

/// A try that could not be finished, for a reason of ours or of AWS's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word for what went wrong, such as the service's error code.
    pub code: String,
    /// The error and its causes, at most [`MAX_FAILURE_CHARS`] characters. Nothing secret.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

impl Work {
    /// Whether somebody is at work on it. A lease that ends later than [`MAX_LEASE_SECONDS`] from now counts as lapsed.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        let latest = now.plus_seconds(MAX_LEASE_SECONDS);
        self.lease_until.is_some_and(|until| until > now && until <= latest)
    }

    /// Whether a try began, and neither failed nor lasts: whoever was at work on it is gone.
    pub fn was_interrupted(&self, now: Timestamp) -> bool {
        self.lease_until.is_some() && !self.is_leased(now)
    }

    /// Whether the hints were written so long ago that they must be kept on purpose.
    pub fn is_old(&self, now: Timestamp) -> bool {
        const OLD_SECONDS: i64 = 7 * 24 * 60 * 60;
        self.last_at().max(self.kept_at).is_none_or(|last| last.plus_seconds(OLD_SECONDS) <= now)
    }

    /// Whether nothing happened to it since it was put into the queue again last.
    pub fn was_driven_last(&self) -> bool {
        let failed_at = self.failure.as_ref().map(|failure| failure.at);
        self.driven_at.is_some() && self.driven_at > self.begun_at.max(failed_at)
    }

    /// The last moment at which anything happened to it.
    pub fn last_at(&self) -> Option<Timestamp> {
        let failed_at = self.failure.as_ref().map(|failure| failure.at);
        [self.begun_at, failed_at, self.driven_at].into_iter().flatten().max()
    }
}

impl Failure {
    /// A failure whose message is cut to its longest.
    pub fn new(code: &str, message: &str, at: Timestamp) -> Self {
        let message = message.chars().take(MAX_FAILURE_CHARS).collect();
        Self { code: code.to_owned(), message, at }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_lease_holds_until_its_end_and_then_tells_of_an_interruption() {
        let work: Work =
            serde_json::from_value(json!({ "version": "v", "leaseUntil": at(10), "begunAt": at(1) })).unwrap();
        assert!(work.is_leased(at(9)) && !work.was_interrupted(at(9)));
        assert!(!work.is_leased(at(10)) && work.was_interrupted(at(10)));
        assert_eq!(work.last_at(), Some(at(1)));
    }

    #[test]
    fn a_lease_of_a_clock_far_ahead_holds_nothing() {
        let until = |seconds: i64| -> Work {
            serde_json::from_value(json!({ "version": "v", "leaseUntil": at(100 + seconds), "begunAt": at(1) }))
                .unwrap()
        };
        assert!(until(MAX_LEASE_SECONDS).is_leased(at(100)) && !until(MAX_LEASE_SECONDS).was_interrupted(at(100)));
        let ahead = until(MAX_LEASE_SECONDS + 1);
        assert!(!ahead.is_leased(at(100)) && ahead.was_interrupted(at(100)));
    }

    #[test]
    fn an_old_item_with_nothing_but_its_version_is_read() {
        let work: Work = serde_json::from_value(json!({ "version": "v", "ttl": 7 })).unwrap();
        assert_eq!((work.tries, work.last_at(), work.is_leased(at(0))), (0, None, false));
    }

    #[test]
    fn the_message_of_a_failure_is_cut_between_characters() {
        let failure = Failure::new("x", &"ü".repeat(MAX_FAILURE_CHARS + 1), at(0));
        assert_eq!(failure.message.chars().count(), MAX_FAILURE_CHARS);
    }
}
