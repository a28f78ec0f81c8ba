//! The function's settings.

use std::time::Duration;

use vestibule_domain::hall::Patience;
use vestibule_runtime::config::{ConfigError, Settings};

/// Everything that the sweep is told at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The table (`TABLE_NAME`).
    pub table: String,
    /// The bucket of what is not decided (`INBOX_BUCKET`).
    pub inbox: String,
    /// The queue that brings uploads to ingest (`INGEST_QUEUE_URL`).
    pub queue_url: String,
    /// Age from which a version is looked at, in seconds (`SWEEP_AFTER_SECONDS`, default 900), and tries after which it is left alone
    /// (`SWEEP_MAX_TRIES`, default 25).
    pub patience: Patience,
    /// How long after it was announced a file may be uploaded, in seconds (`UPLOAD_TICKET_SECONDS`, default one day).
    pub ticket_seconds: u32,
    /// How long one run may take (`SWEEP_SECONDS`, default 240): less than the function's time-out, by more than a page takes.
    pub time: Duration,
    /// Versions on a page (`SWEEP_PAGE`, default 500).
    pub page: u16,
    /// Where the metrics go (`METRICS_NAMESPACE`).
    pub namespace: String,
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
            inbox: settings.text("INBOX_BUCKET"),
            queue_url: settings.text("INGEST_QUEUE_URL"),
            patience: Patience {
                fresh_seconds: settings.number("SWEEP_AFTER_SECONDS", 900, 1..=86_400),
                max_tries: settings.number("SWEEP_MAX_TRIES", 25, 1..=1000),
            },
            ticket_seconds: settings.number("UPLOAD_TICKET_SECONDS", 86_400, 60..=604_800),
            time: Duration::from_secs(settings.number("SWEEP_SECONDS", 240, 1..=880)),
            page: settings.number("SWEEP_PAGE", 500, 1..=vestibule_store::hall::MOST),
            namespace: settings.text("METRICS_NAMESPACE"),
            log_level: settings.log_level(),
        };
        settings.finish(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_setting_is_named_at_once() {
        let error = Config::read(&|_| None).unwrap_err().to_string();
        for name in ["TABLE_NAME", "INBOX_BUCKET", "INGEST_QUEUE_URL", "METRICS_NAMESPACE"] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }
}
