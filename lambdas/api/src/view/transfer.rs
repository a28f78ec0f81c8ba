//! Leave to upload or download, as callers get it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::parts::Parts;
use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::upload_ticket::Slot;
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
    /// How to upload it in parts, or by a form.
    companion: CompanionView,
}

/// Routes as Uppy's clients speak them, for this one file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Companion)]
pub struct CompanionView {
    /// Where they are, behind the API's address: Uppy's `companionEndpoint`, or `endpoint` in its version 5. Keep it to yourself: it
    /// needs no other proof.
    url: String,
    /// Until when they can be used.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// Bytes of each part but the last, unless a part is asked for with another `partSize`. It is what Uppy's clients take by themselves.
    part_size: u64,
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

impl UploadView {
    /// One PUT, or parts with `ticket`, which is for `slot`.
    pub(crate) fn new(upload: Upload, slot: &Slot, ticket: &str) -> Self {
        let part_size = Parts::usual(slot.size).part_size();
        let companion = CompanionView { url: format!("/u/{ticket}"), expires: slot.expires, part_size };
        Self { method: "PUT", url: upload.url, headers: upload.headers, expires: upload.expires, companion }
    }
}

impl From<Download> for DownloadView {
    fn from(download: Download) -> Self {
        Self { url: download.url, expires: download.expires }
    }
}
