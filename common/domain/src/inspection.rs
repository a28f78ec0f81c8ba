//! What ingest asks the inspector and what it answers. The answer travels in a Lambda response, so it stays below 6 MB.

use serde::{Deserialize, Serialize};

use crate::attachment::Promise;
use crate::content_type::ContentType;
use crate::correlation::CorrelationId;
use crate::digest::Sha256Digest;
use crate::rejection::Rejection;

/// Look at this one version.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectRequest {
    /// A presigned GET of exactly one object version. A credential: never logged, and so this type has no `Debug`.
    pub url: String,
    /// What the sender announced of it.
    pub promise: Promise,
    /// Joins the log lines.
    pub correlation: CorrelationId,
}

/// What the inspector says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum InspectReply {
    /// The file may come in.
    Accepted(Box<Inspection>),
    /// The file may not; the file's fault, never the inspector's or the network's.
    Rejected(Rejection),
    /// That version is not there any more: somebody else has finished with it.
    Gone,
    /// The store says that this is no version id at all, so it is not known what the event was about.
    Unknown,
}

/// The facts and thumbnails of an accepted file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// What the bytes say.
    pub facts: Facts,
    /// The thumbnails; none for what is not a picture.
    pub thumbnails: Vec<Thumbnail>,
}

/// What the bytes of a file say. Absent means "not looked at" or "does not apply", never "unknown error".
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The content type found in the bytes, in its usual name.
    #[serde(rename = "type")]
    pub content_type: ContentType,
    /// SHA-256 of the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// The digests of its parts, where the file was copied in parts and no digest of the whole is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<PartDigests>,
    /// Pixels across, as shown (after orientation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels down, as shown (after orientation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// By how many degrees, clockwise, a film's pictures are turned to be shown; absent where they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<u16>,
    /// Pictures in an animation; absent for a still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u32>,
    /// How long a film, a sound or one round of an animation takes, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_millis: Option<u64>,
    /// The codecs of a film's or sound's tracks, as RFC 6381 names them where it does (`avc1.64001f`, `mp4a.40.2`, `vp9`, `opus`). At most
    /// [`MAX_CODECS`], each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codecs: Vec<String>,
    /// How loud a sound is over its length: base 64 of [`WAVEFORM_POINTS`] bytes, each the peak of its part of the sound, where 255 is full scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waveform: Option<String>,
    /// Pages of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// Whether a document holds programs of its own (macros); absent for files that cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macros: Option<bool>,
    /// Present and true for a file that a password is needed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// A text's encoding, by its name in the Encoding Standard (`UTF-8`, `windows-1252`): <https://encoding.spec.whatwg.org/#names-and-labels>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// A text's first lines, at most [`MAX_EXCERPT_BYTES`] of UTF-8, in which characters that are not seen, or that turn the direction of what
    /// follows, are written as `\u{202e}`. It is the sender's text: show it as text, never as markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// Entries of a zip archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
    /// Bytes that a zip archive unpacks to, by its directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpacked_size: Option<u64>,
    /// A blurred preview, base 64: <https://evanw.github.io/thumbhash/>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbhash: Option<String>,
    /// The revision of the code that made the thumbnails; present with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
}

/// Points of a waveform.
pub const WAVEFORM_POINTS: usize = 100;
/// Most codecs that are named of a file.
pub const MAX_CODECS: usize = 4;
/// Longest excerpt of a text, in bytes.
pub const MAX_EXCERPT_BYTES: usize = 240;

impl Facts {
    /// Facts of a file of which only the type is known.
    pub fn of_type(content_type: ContentType) -> Self {
        Self { content_type, ..Self::default() }
    }
}

/// SHA-256 of each part of a file, all parts but the last of `part_size` bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartDigests {
    /// Bytes of a part.
    pub part_size: u64,
    /// The parts' digests in order.
    pub sha256: Vec<Sha256Digest>,
}

/// One thumbnail, on its way from the inspector to ingest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thumbnail {
    /// The variant's name: its longest side, `320` or `1280`.
    pub name: String,
    /// Its content type.
    #[serde(rename = "type")]
    pub content_type: ContentType,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The encoded picture, base 64.
    #[serde(rename = "base64")]
    pub bytes: Base64,
}

/// Bytes that are base 64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use base64::Engine as _;
        serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use base64::Engine as _;
        let text = String::deserialize(deserializer)?;
        base64::engine::general_purpose::STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::RejectionCode;

    #[test]
    fn a_reply_is_tagged_by_its_verdict() {
        let rejected = InspectReply::Rejected(RejectionCode::Empty.into());
        let json = serde_json::to_value(&rejected).unwrap();
        assert_eq!(json["verdict"], "rejected");
        assert_eq!(json["code"], "empty");
        assert_eq!(serde_json::from_value::<InspectReply>(json).unwrap(), rejected);
        assert_eq!(serde_json::to_value(InspectReply::Gone).unwrap(), serde_json::json!({ "verdict": "gone" }));
    }

    #[test]
    fn bytes_travel_as_base_64() {
        let json = serde_json::to_value(Base64(vec![0, 255, 7])).unwrap();
        assert_eq!(json, "AP8H");
        assert_eq!(serde_json::from_value::<Base64>(json).unwrap(), Base64(vec![0, 255, 7]));
    }
}
