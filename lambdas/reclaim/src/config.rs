//! The function's settings.

use vestibule_runtime::config::{ConfigError, Settings};

/// Everything that reclaim is told at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The table of the message documents (`TABLE_NAME`).
    pub table: String,
    /// The bucket of what was accepted (`PROCESSED_BUCKET`).
    pub processed: String,
    /// The bucket of what was refused (`QUARANTINE_BUCKET`).
    pub quarantine: String,
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
            processed: settings.text("PROCESSED_BUCKET"),
            quarantine: settings.text("QUARANTINE_BUCKET"),
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
        for name in ["TABLE_NAME", "PROCESSED_BUCKET", "QUARANTINE_BUCKET"] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }
}
