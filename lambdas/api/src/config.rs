//! The function's settings.

use vestibule_domain::policy::DEFAULT_MAX_UPLOAD_BYTES;
use vestibule_domain::quota::Quota;
use vestibule_runtime::config::{ConfigError, Settings as Reader};
use vestibule_runtime::websocket::WebSocketApi;

/// A distribution of CloudFront.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudFrontSettings {
    /// Its domain (`CLOUDFRONT_DOMAIN`).
    pub domain: String,
    /// The id of the public key (`CLOUDFRONT_KEY_PAIR_ID`).
    pub key_pair_id: String,
    /// Where the private key is (`CLOUDFRONT_PRIVATE_KEY_SECRET`, a secret's name).
    pub private_key_secret: String,
    /// The domain that API and distribution share (`CLOUDFRONT_COOKIE_DOMAIN`). Without it there are no cookies.
    pub cookie_domain: Option<String>,
}

/// What the function needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The table (`TABLE_NAME`).
    pub table: String,
    /// The bucket that uploads go to (`INBOX_BUCKET`).
    pub inbox_bucket: String,
    /// The bucket that downloads come from (`PROCESSED_BUCKET`).
    pub processed_bucket: String,
    /// Largest upload, in bytes, inclusive (`MAX_UPLOAD_BYTES`, default 5 GiB, which is the most that one PUT takes).
    pub max_upload_bytes: u64,
    /// For how many seconds an upload may begin (`UPLOAD_URL_SECONDS`, default 900, at most 12 hours).
    pub upload_url_seconds: u32,
    /// For how many seconds after it was announced a file may be uploaded (`UPLOAD_TICKET_SECONDS`, default a day, at most 7).
    pub upload_ticket_seconds: u32,
    /// Where the keys of upload tickets are (`UPLOAD_KEYS_SECRET`, a secret's ARN or name).
    pub upload_keys_secret: String,
    /// What one person may upload (`QUOTA_WINDOW_SECONDS`, default an hour; `QUOTA_FILES`, 2,000; `QUOTA_BYTES`, 200 GiB;
    /// `QUOTA_PENDING`, 200).
    pub quota: Quota,
    /// For how many seconds a download's URL works at the least (`DOWNLOAD_URL_SECONDS`, default 300, at most 12 hours).
    pub download_url_seconds: u32,
    /// For how many seconds everybody gets the same URL (`DOWNLOAD_WINDOW_SECONDS`, default an hour, at most 12).
    pub download_window_seconds: u32,
    /// The distribution that downloads go through (`CLOUDFRONT_…`); without it they come from the bucket.
    pub cloudfront: Option<CloudFrontSettings>,
    /// For how many seconds a ticket opens the WebSocket (`TICKET_SECONDS`, default 30, at most 300).
    pub ticket_seconds: u32,
    /// The WebSocket (`WEBSOCKET_…`).
    pub websocket: WebSocketApi,
    /// Least level of log lines (`LOG_LEVEL`, default `info`).
    pub log_level: String,
}

impl Settings {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// Every setting that is missing or wrong, by name.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        const TWELVE_HOURS: u32 = 12 * 60 * 60;
        const DAY: u32 = 24 * 60 * 60;
        const GIBIBYTE: u64 = 1 << 30;
        let mut reader = Reader::new(lookup);
        let settings = Self {
            table: reader.text("TABLE_NAME"),
            inbox_bucket: reader.text("INBOX_BUCKET"),
            processed_bucket: reader.text("PROCESSED_BUCKET"),
            max_upload_bytes: reader.number("MAX_UPLOAD_BYTES", DEFAULT_MAX_UPLOAD_BYTES, 1..=DEFAULT_MAX_UPLOAD_BYTES),
            upload_url_seconds: reader.number("UPLOAD_URL_SECONDS", 900, 1..=TWELVE_HOURS),
            upload_ticket_seconds: reader.number("UPLOAD_TICKET_SECONDS", DAY, 60..=7 * DAY),
            upload_keys_secret: reader.text("UPLOAD_KEYS_SECRET"),
            quota: Quota {
                window_seconds: reader.number("QUOTA_WINDOW_SECONDS", 3600, 1..=31 * DAY),
                files: reader.number("QUOTA_FILES", 2000, 1..=1_000_000),
                bytes: reader.number("QUOTA_BYTES", 200 * GIBIBYTE, 1..=1_000_000 * GIBIBYTE),
                pending: reader.number("QUOTA_PENDING", 200, 1..=1000),
            },
            download_url_seconds: reader.number("DOWNLOAD_URL_SECONDS", 300, 60..=TWELVE_HOURS),
            download_window_seconds: reader.number("DOWNLOAD_WINDOW_SECONDS", 3600, 1..=TWELVE_HOURS),
            cloudfront: lookup("CLOUDFRONT_DOMAIN").filter(|domain| !domain.is_empty()).map(|domain| {
                CloudFrontSettings {
                    domain,
                    key_pair_id: reader.text("CLOUDFRONT_KEY_PAIR_ID"),
                    private_key_secret: reader.text("CLOUDFRONT_PRIVATE_KEY_SECRET"),
                    cookie_domain: lookup("CLOUDFRONT_COOKIE_DOMAIN").filter(|domain| !domain.is_empty()),
                }
            }),
            ticket_seconds: reader.number("TICKET_SECONDS", 30, 1..=300),
            websocket: WebSocketApi::read(&mut reader),
            log_level: reader.log_level(),
        };
        reader.finish(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_the_templates_default() {
        let lookup = |name: &str| match name {
            "TABLE_NAME" | "INBOX_BUCKET" | "PROCESSED_BUCKET" | "WEBSOCKET_API_ID" | "WEBSOCKET_STAGE"
            | "WEBSOCKET_DOMAIN" | "UPLOAD_KEYS_SECRET" => Some(name.to_lowercase()),
            _ => None,
        };
        let settings = Settings::read(&lookup).unwrap();
        assert_eq!(settings.table, "table_name");
        assert_eq!(settings.max_upload_bytes, 5_368_709_120);
        assert_eq!((settings.upload_url_seconds, settings.download_url_seconds), (900, 300));
        assert_eq!(settings.ticket_seconds, 30);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let lookup = |name: &str| (name == "UPLOAD_URL_SECONDS").then(|| "0".to_owned());
        assert_eq!(
            Settings::read(&lookup).unwrap_err().to_string(),
            "settings: TABLE_NAME is not set; INBOX_BUCKET is not set; PROCESSED_BUCKET is not set; \
             UPLOAD_URL_SECONDS must be from 1 to 43200, not \"0\"; UPLOAD_KEYS_SECRET is not set; \
             WEBSOCKET_API_ID is not set; WEBSOCKET_STAGE is not set; \
             WEBSOCKET_DOMAIN is not set"
        );
    }
}
