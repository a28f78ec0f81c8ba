//! An attachment as callers see it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::attachment::{Attachment, Promise, Variant};
use vestibule_domain::content_type::ContentType;
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::id::AttachmentId;
use vestibule_domain::inspection::{Facts, PartDigests};
use vestibule_domain::rejection::Rejection;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::signed_urls::Download;

/// An attachment of a message. Once it is removed, nothing is left but its id and state.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attachment)]
pub struct AttachmentView {
    /// Its id.
    #[schema(value_type = String)]
    id: AttachmentId,
    /// The file's name: its sender's text, to be shown and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// The promised length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    size: Option<u64>,
    /// The promised content type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    content_type: Option<ContentType>,
    /// `pending`, `ready`, `rejected`, `cancelled` or `removed`. The first three decisions are final, but for `removed`.
    #[schema(value_type = String, pattern = "^(pending|ready|rejected|cancelled|removed)$")]
    state: &'static str,
    /// When it was announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    created_at: Option<Timestamp>,
    /// Until when it can be uploaded; while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    lapses_at: Option<Timestamp>,
    /// When it became ready, rejected or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    decided_at: Option<Timestamp>,
    /// What the bytes say; once it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    facts: Option<FactsView>,
    /// Its thumbnails by name (`320`, `1280`); once it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    variants: Option<BTreeMap<String, VariantView>>,
    /// Why it was refused; once it is rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rejection: Option<RejectionView>,
}

/// What the bytes of a file say. What is absent was not looked at or does not apply.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Facts)]
pub struct FactsView {
    /// The content type found in the bytes.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    content_type: ContentType,
    /// SHA-256 of the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    sha256: Option<Sha256Digest>,
    /// SHA-256 of each part of the file, where there is no digest of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parts: Option<PartsView>,
    /// Pixels across, as shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    width: Option<u32>,
    /// Pixels down, as shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    height: Option<u32>,
    /// By how many degrees, clockwise, a film's pictures are turned to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rotation: Option<u16>,
    /// Pictures in an animation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    frames: Option<u32>,
    /// How long a film, a sound or one round of an animation takes, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    duration_millis: Option<u64>,
    /// The codecs of a film's or sound's tracks, as RFC 6381 names them where it does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    codecs: Vec<String>,
    /// How loud a sound is over its length: base 64 of 100 bytes, each the peak of its part of the sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    waveform: Option<String>,
    /// Pages of a document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pages: Option<u32>,
    /// Whether a document holds programs of its own (macros); absent for files that cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    macros: Option<bool>,
    /// True for a file that a password is needed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    encrypted: Option<bool>,
    /// A text's encoding, by its name in the Encoding Standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    encoding: Option<String>,
    /// A text's first lines, in which characters that are not seen are written as `\u{202e}`. Its sender's text: to be shown as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    excerpt: Option<String>,
    /// Entries of a zip archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    entries: Option<u64>,
    /// Bytes that a zip archive unpacks to, by its directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unpacked_size: Option<u64>,
    /// A blurred preview (thumbhash), base 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    thumbhash: Option<String>,
}

/// SHA-256 of each part of a file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PartDigests)]
pub struct PartsView {
    /// Bytes of each part but the last.
    part_size: u64,
    /// The parts' digests in order.
    #[schema(value_type = Vec<String>)]
    sha256: Vec<Sha256Digest>,
}

/// A thumbnail, ready to be shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Variant)]
pub struct VariantView {
    /// Its content type.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    content_type: ContentType,
    /// Pixels across.
    width: u32,
    /// Pixels down.
    height: u32,
    /// Its bytes.
    size: u64,
    /// Where to get it, without a token. Keep it to yourself.
    url: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

/// Why a file was refused.
#[derive(Serialize, ToSchema)]
#[schema(as = Rejection)]
pub struct RejectionView {
    /// For programs, such as `damaged` or `type-mismatch`.
    code: &'static str,
    /// A sentence for a person.
    message: String,
}

impl AttachmentView {
    pub(super) fn new(
        id: &AttachmentId,
        entry: &Attachment,
        urls: &BTreeMap<String, Download>,
        lapse: impl Fn(&Promise) -> Timestamp,
    ) -> Self {
        let promise = entry.promise();
        let mut view = Self {
            id: id.clone(),
            name: promise.map(|promise| promise.name.clone()),
            size: promise.map(|promise| promise.size),
            content_type: promise.map(|promise| promise.declared_type.clone()),
            state: entry.state(),
            created_at: promise.map(|promise| promise.created_at),
            lapses_at: None,
            decided_at: None,
            facts: None,
            variants: None,
            rejection: None,
        };
        match entry {
            Attachment::Pending(pending) => view.lapses_at = Some(lapse(&pending.promise)),
            Attachment::Removed => {}
            Attachment::Cancelled(cancelled) => view.decided_at = Some(cancelled.decided_at),
            Attachment::Rejected(rejected) => {
                view.decided_at = Some(rejected.decided_at);
                view.rejection = Some(RejectionView::from(&rejected.rejection));
            }
            Attachment::Ready(ready) => {
                view.decided_at = Some(ready.decided_at);
                view.facts = Some(FactsView::from(&ready.facts));
                let shown = ready.variants.iter();
                let shown =
                    shown.filter_map(|(name, of)| Some((name.clone(), VariantView::new(of, urls.get(&of.key)?))));
                view.variants = Some(shown.collect());
            }
        }
        view
    }
}

impl VariantView {
    fn new(variant: &Variant, download: &Download) -> Self {
        Self {
            content_type: variant.content_type.clone(),
            width: variant.width,
            height: variant.height,
            size: variant.size,
            url: download.url.clone(),
            expires: download.expires,
        }
    }
}

impl From<&Facts> for FactsView {
    fn from(facts: &Facts) -> Self {
        Self {
            content_type: facts.content_type.clone(),
            sha256: facts.sha256,
            parts: facts.parts.as_ref().map(PartsView::from),
            width: facts.width,
            height: facts.height,
            rotation: facts.rotation,
            frames: facts.frames,
            duration_millis: facts.duration_millis,
            codecs: facts.codecs.clone(),
            waveform: facts.waveform.clone(),
            pages: facts.pages,
            macros: facts.macros,
            encrypted: facts.encrypted,
            encoding: facts.encoding.clone(),
            excerpt: facts.excerpt.clone(),
            entries: facts.entries,
            unpacked_size: facts.unpacked_size,
            thumbhash: facts.thumbhash.clone(),
        }
    }
}

impl From<&PartDigests> for PartsView {
    fn from(parts: &PartDigests) -> Self {
        Self { part_size: parts.part_size, sha256: parts.sha256.clone() }
    }
}

impl From<&Rejection> for RejectionView {
    fn from(rejection: &Rejection) -> Self {
        Self { code: rejection.code.as_str(), message: rejection.message.clone() }
    }
}
