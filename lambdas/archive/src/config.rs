//! The function's settings.

use vestibule_runtime::config::{ConfigError, Settings};

/// Everything that archive is told at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The bucket that changes are kept in (`ARCHIVE_BUCKET`).
    pub bucket: String,
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
        let read = Self { bucket: settings.text("ARCHIVE_BUCKET"), log_level: settings.log_level() };
        settings.finish(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_setting_is_named() {
        assert_eq!(Config::read(&|_| None).unwrap_err().to_string(), "settings: ARCHIVE_BUCKET is not set");
    }
}
