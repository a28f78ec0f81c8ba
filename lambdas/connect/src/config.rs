//! The function's settings.

use vestibule_runtime::config::{ConfigError, Settings};
use vestibule_runtime::websocket::WebSocketApi;

/// Everything that connect is told at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The table (`TABLE_NAME`).
    pub table: String,
    /// The API whose connections these are (`WEBSOCKET_…`).
    pub websocket: WebSocketApi,
    /// How long a connection is remembered, in seconds (`CONNECTION_SECONDS`, default 7800). API Gateway closes it after two
    /// hours. <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
    pub connection_seconds: u32,
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
            connection_seconds: settings.number("CONNECTION_SECONDS", 7800, 60..=86_400),
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
        let error =
            Config::read(&|name| (name == "CONNECTION_SECONDS").then(|| "59".to_owned())).unwrap_err().to_string();
        for name in ["TABLE_NAME", "WEBSOCKET_API_ID", "WEBSOCKET_STAGE", "WEBSOCKET_DOMAIN", "from 60 to 86400"] {
            assert!(error.contains(name), "{name} in {error}");
        }
    }
}
