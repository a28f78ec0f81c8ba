//! How much a person may upload: in a window of time, and at a time.

use crate::timestamp::Timestamp;

/// What one person may announce. All limits are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Length of a window, in seconds (`QUOTA_WINDOW_SECONDS`).
    pub window_seconds: u32,
    /// Files in a window (`QUOTA_FILES`).
    pub files: u64,
    /// Bytes in a window (`QUOTA_BYTES`).
    pub bytes: u64,
    /// Attachments that may be pending at a time (`QUOTA_PENDING`).
    pub pending: u64,
}

/// A window of time. Windows follow one another from 1970 on, so that everybody agrees on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub begin: Timestamp,
    /// Its end, which is the next one's beginning.
    pub end: Timestamp,
}

impl Window {
    /// The window of `seconds` that `now` is in.
    pub fn at(now: Timestamp, seconds: u32) -> Self {
        let length = i64::from(seconds.max(1));
        let begin = now.seconds().div_euclid(length).saturating_mul(length);
        let moment = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
        Self { begin: moment(begin), end: moment(begin.saturating_add(length)) }
    }

    /// Whole seconds from `now` until its end: at least one.
    pub fn seconds_left(&self, now: Timestamp) -> u64 {
        let left = self.end.millis().saturating_sub(now.millis());
        u64::try_from(left).unwrap_or(0).div_ceil(1000).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_one_another_without_a_gap() {
        let window = Window::at("2026-11-22T22:35:14.123Z".parse().unwrap(), 3600);
        assert_eq!(window.begin.to_string(), "2026-11-22T22:00:00.000Z");
        assert_eq!(window.end.to_string(), "2026-11-22T23:00:00.000Z");
        assert_eq!(Window::at(window.begin, 3600), window);
        assert_eq!(Window::at(window.end, 3600).begin, window.end);
        assert_eq!(window.seconds_left("2026-11-22T22:35:14.123Z".parse().unwrap()), 1486);
        assert_eq!(window.seconds_left(window.end), 1);
    }
}
