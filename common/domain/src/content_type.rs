//! Content types: what a client declares, what the bytes say, and when the two mean the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::InvalidId;
use crate::types::row_of;

/// A media type without parameters, in lower case, such as `image/jpeg`: two tokens of RFC 6838's restricted names, at most
/// 127 bytes each. <https://www.rfc-editor.org/rfc/rfc6838#section-4.2>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentType(String);

impl ContentType {
    /// The type of bytes about which nothing is known.
    pub fn octet_stream() -> Self {
        Self("application/octet-stream".to_owned())
    }

    /// The text, `type/subtype`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The usual name of this type: `image/jpeg` for `image/jpg`.
    #[must_use]
    pub fn canonical(&self) -> Self {
        row_of(self).map_or_else(|| self.clone(), |row| Self(row.name.to_owned()))
    }

    /// Whether a client that declared `self` told the truth about bytes of type `found`. `application/octet-stream` declares
    /// nothing, so it is true of everything; text may be declared as any text, since content cannot tell a CSV from prose.
    pub fn admits(&self, found: &Self) -> bool {
        let (declared, found) = (self.canonical(), found.canonical());
        declared == found || declared == Self::octet_stream() || (found.0 == "text/plain" && declared.is_text())
    }

    /// Whether bytes of this type are text that a person may read.
    pub fn is_text(&self) -> bool {
        self.0.starts_with("text/")
            || matches!(self.0.as_str(), "application/json" | "application/xml" | "application/yaml")
    }
}

impl Default for ContentType {
    fn default() -> Self {
        Self::octet_stream()
    }
}

impl FromStr for ContentType {
    type Err = InvalidId;

    /// Takes `type/subtype` with or without parameters (which are dropped), in any case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.split_once('/') {
            Some((kind, subtype)) if is_restricted_name(kind) && is_restricted_name(subtype) => Ok(Self(essence)),
            _ => Err(InvalidId::new("a content type", text)),
        }
    }
}

fn is_restricted_name(name: &str) -> bool {
    (1..=127).contains(&name.len())
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ContentType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ContentType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> ContentType {
        text.parse().unwrap()
    }

    #[test]
    fn parameters_and_case_do_not_count() {
        assert_eq!(of("Text/Plain; charset=utf-8").as_str(), "text/plain");
        for bad in ["", "image", "image/", "/png", "image/png\r\nx: y", "ima ge/png", "image/*"] {
            assert!(bad.parse::<ContentType>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_alias_admits_its_type_and_nothing_else() {
        assert!(of("image/jpg").admits(&of("image/jpeg")));
        assert!(!of("image/jpg").admits(&of("image/png")));
        assert!(of("application/octet-stream").admits(&of("video/mp4")));
        assert!(of("text/csv").admits(&of("text/plain")));
        assert!(!of("image/jpeg").admits(&of("text/plain")));
        assert!(!of("text/plain").admits(&of("image/jpeg")));
    }
}
