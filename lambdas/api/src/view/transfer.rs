//! Leave to upload or download, as callers get it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::signed_urls::{Download, Upload};

/// How to upload a file.
#[derive(Serialize, ToSchema)]
#[schema(as = Upload)]
pub struct UploadView {
    /// The method, `PUT`.
    method: &'static str,
    /// Where to. Keep it to yourself.
    url: String,
    /// All headers that must be sent, with exactly these values. A browser sends `content-length` by itself and lets no page
    /// set it.
    headers: BTreeMap<String, String>,
    /// Until when the upload may begin.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

/// Where to download a file.
#[derive(Serialize, ToSchema)]
#[schema(as = Download)]
pub struct DownloadView {
    /// Where to get it, without a token. Keep it to yourself.
    url: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

impl From<Upload> for UploadView {
    fn from(upload: Upload) -> Self {
        Self { method: "PUT", url: upload.url, headers: upload.headers, expires: upload.expires }
    }
}

impl From<Download> for DownloadView {
    fn from(download: Download) -> Self {
        Self { url: download.url, expires: download.expires }
    }
}
