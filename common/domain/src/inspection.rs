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
    Accepted(Inspection),
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Pictures in an animation; absent for a still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<u32>,
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

impl Facts {
    /// Facts of a file of which only the type is known.
    pub fn of_type(content_type: ContentType) -> Self {
        Self {
            content_type,
            sha256: None,
            parts: None,
            width: None,
            height: None,
            frames: None,
            entries: None,
            unpacked_size: None,
            thumbhash: None,
            recipe: None,
        }
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
