//! The function's settings.

use vestibule_runtime::config::{ConfigError, Settings};
use vestibule_runtime::websocket::WebSocketApi;
use vestibule_store::queues::MAX_DELAY_SECONDS;

/// Everything that relay is told at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The table (`TABLE_NAME`).
    pub table: String,
    /// The API whose connections are posted to (`WEBSOCKET_…`).
    pub websocket: WebSocketApi,
    /// The queue of reclaim (`RECLAIM_QUEUE_URL`).
    pub reclaim_queue_url: String,
    /// How long after a decision what others left on the way to it is collected, in seconds (`COLLECT_DELAY_SECONDS`, default 900): longer
    /// than any call that was under way.
    pub collect_delay_seconds: u16,
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
            websocket: WebSocketApi::read(&mut settings),
            reclaim_queue_url: settings.text("RECLAIM_QUEUE_URL"),
            collect_delay_seconds: settings.number("COLLECT_DELAY_SECONDS", MAX_DELAY_SECONDS, 0..=MAX_DELAY_SECONDS),
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
        for name in ["TABLE_NAME", "WEBSOCKET_API_ID", "WEBSOCKET_STAGE", "WEBSOCKET_DOMAIN", "RECLAIM_QUEUE_URL"] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }
}
