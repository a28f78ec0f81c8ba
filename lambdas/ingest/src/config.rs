//! The function's settings.

use std::time::Duration;

use vestibule_domain::policy::DEFAULT_MAX_UPLOAD_BYTES;
use vestibule_domain::work::MAX_LEASE_SECONDS;
use vestibule_runtime::config::{ConfigError, Settings};
use vestibule_store::objects::Buckets;

/// Versions above this are copied in parts of this size, in parallel: 256 MiB (`COPY_PART_BYTES`).
const DEFAULT_COPY_PART_BYTES: u64 = 256 * 1024 * 1024;
/// What S3 takes for a part that is not the last: from 5 MiB to 5 GiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const COPY_PART_BYTES: std::ops::RangeInclusive<u64> = 5 * 1024 * 1024..=5 * 1024 * 1024 * 1024;

/// Most that a batch may take, in seconds: the queue brings its messages again after 720 (`IngestVisibilitySeconds`), and nobody is to work on
/// what somebody else has been given.
const MOST_SECONDS: u64 = 719;
const _: () =
    assert!(MOST_SECONDS < MAX_LEASE_SECONDS.unsigned_abs(), "a lease must hold for as long as a batch takes");

/// Everything that ingest is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The table of the message documents (`TABLE_NAME`).
    pub table: String,
    /// `INBOX_BUCKET`, `PROCESSED_BUCKET` and `QUARANTINE_BUCKET`.
    pub buckets: Buckets,
    /// The queue whose messages we put back with a delay (`INGEST_QUEUE_URL`).
    pub queue_url: String,
    /// The inspector, by name or ARN (`INSPECT_FUNCTION`).
    pub inspect_function: String,
    /// Largest accepted upload, in bytes, inclusive (`MAX_UPLOAD_BYTES`, default 5 GiB).
    pub max_upload_bytes: u64,
    /// Above this, and in parts of this, versions are copied in parallel (`COPY_PART_BYTES`, default 256 MiB).
    pub copy_part_bytes: u64,
    /// How long the inspector may read a version (`INSPECT_URL_SECONDS`, default 300).
    pub inspect_url_lifetime: Duration,
    /// The first delay after a transient fault; it doubles with every try (`RETRY_SECONDS`, default 5).
    pub retry_delay: Duration,
    /// How long the batch of one call may take (`INGEST_TIMEOUT_SECONDS`, default 120, at most [`MOST_SECONDS`]): the function's time-out, and how long one
    /// worker has a version to itself.
    pub time_out: Duration,
    /// The level of the logs (`LOG_LEVEL`, default `info`).
    pub log_level: String,
}

impl Config {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Everything that is wrong with them, by name.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut settings = Settings::new(lookup);
        let read = Self {
            table: settings.text("TABLE_NAME"),
            buckets: Buckets {
                inbox: settings.text("INBOX_BUCKET"),
                processed: settings.text("PROCESSED_BUCKET"),
                quarantine: settings.text("QUARANTINE_BUCKET"),
            },
            queue_url: settings.text("INGEST_QUEUE_URL"),
            inspect_function: settings.text("INSPECT_FUNCTION"),
            max_upload_bytes: settings.number(
                "MAX_UPLOAD_BYTES",
                DEFAULT_MAX_UPLOAD_BYTES,
                1..=DEFAULT_MAX_UPLOAD_BYTES,
            ),
            copy_part_bytes: settings.number("COPY_PART_BYTES", DEFAULT_COPY_PART_BYTES, COPY_PART_BYTES),
            inspect_url_lifetime: Duration::from_secs(settings.number("INSPECT_URL_SECONDS", 300, 1..=3600)),
            retry_delay: Duration::from_secs(settings.number("RETRY_SECONDS", 5, 0..=900)),
            time_out: Duration::from_secs(settings.number("INGEST_TIMEOUT_SECONDS", 120, 1..=MOST_SECONDS)),
            log_level: settings.log_level(),
        };
        settings.finish(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_before_the_queue_brings_it_again() {
        let of = |seconds: &str| {
            let read = Config::read(&|name| match name {
                "INGEST_TIMEOUT_SECONDS" => Some(seconds.to_owned()),
                "COPY_PART_BYTES" | "MAX_UPLOAD_BYTES" | "INSPECT_URL_SECONDS" | "RETRY_SECONDS" => None,
                _ => Some("x".to_owned()),
            });
            read.map(|config| config.time_out.as_secs()).map_err(|error| error.to_string())
        };
        assert_eq!(of("719"), Ok(719));
        for wrong in ["0", "720", "900"] {
            assert_eq!(
                of(wrong),
                Err(format!("settings: INGEST_TIMEOUT_SECONDS must be from 1 to 719, not {wrong:?}"))
            );
        }
    }

    #[test]
    fn every_missing_setting_is_named_at_once() {
        let error = Config::read(&|_| None).unwrap_err().to_string();
        for name in [
            "TABLE_NAME",
            "INBOX_BUCKET",
            "PROCESSED_BUCKET",
            "QUARANTINE_BUCKET",
            "INGEST_QUEUE_URL",
            "INSPECT_FUNCTION",
        ] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }
}
