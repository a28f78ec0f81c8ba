//! Ids, each with its own type, so that a room's can never be passed for a message's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not the id it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct InvalidId {
    expected: &'static str,
    text: String,
}

impl InvalidId {
    /// Keeps at most 64 characters of `text`: a refused id may be a megabyte long.
    pub(crate) fn new(expected: &'static str, text: &str) -> Self {
        Self { expected, text: text.chars().take(64).collect() }
    }
}

/// Declares a text id: a newtype that can only be made by parsing, and that serialises as its text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as it is written in keys and documents.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if $valid(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId::new($expected, text)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

text_id! {
    /// A chat room: a ULID in lower case, 26 characters of Crockford's base 32. Ours, never a user's text.
    RoomId, "a room id", is_ulid
}
text_id! {
    /// One attachment, unique over all rooms and never reused: a ULID in lower case. It is also the correlation id of
    /// every log line about the attachment.
    AttachmentId, "an attachment id", is_ulid
}
text_id! {
    /// A person, as the identity provider names them (Cognito's `sub`): 1 to 128 of `A–Z a–z 0–9 - _ . :`.
    UserId, "a user id", is_user_id
}
text_id! {
    /// The sender's own name for a message, which makes a retried send recognisable: 1 to 64 of `A–Z a–z 0–9 - _`.
    ClientMessageId, "a client message id", is_client_message_id
}
text_id! {
    /// An S3 object version: opaque, 1 to 1,024 bytes of printable ASCII; never `null`, which S3 gives to objects of a
    /// bucket without versioning and which names different bytes over time.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>
    VersionId, "an object version id", is_version_id
}

text_id! {
    /// A connection of the WebSocket, as API Gateway names it: 1 to 128 visible ASCII characters.
    ConnectionId, "a connection id", is_connection_id
}

fn is_ulid(text: &str) -> bool {
    // The first digit holds the top 3 of 128 bits, so it is at most 7.
    text.len() == 26
        && text.bytes().next().is_some_and(|first| first <= b'7')
        && text
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z'))
}

fn is_user_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

fn is_client_message_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn is_connection_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_version_id(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text != "null" && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A message's place in its room: dense, from 1 to 999,999,999,999. Written with 12 digits in keys, so that text order is
/// number order, and as a number in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct MessageSeq(u64);

impl MessageSeq {
    /// The largest sequence number: 12 digits.
    pub const MAX: u64 = 999_999_999_999;

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The 12 digits that stand in keys.
    pub fn digits(self) -> String {
        format!("{:012}", self.0)
    }

    /// Reads the 12 digits that stand in keys.
    ///
    /// # Errors
    /// [`InvalidId`] when `text` is not exactly 12 digits, or is all zeros.
    pub fn from_digits(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new("a message sequence of 12 digits", text);
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        text.parse::<u64>().ok().and_then(|n| Self::try_from(n).ok()).ok_or_else(invalid)
    }
}

impl TryFrom<u64> for MessageSeq {
    type Error = InvalidId;

    fn try_from(number: u64) -> Result<Self, InvalidId> {
        if (1..=Self::MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InvalidId::new("a message sequence from 1 to 999999999999", &number.to_string()))
        }
    }
}

impl From<MessageSeq> for u64 {
    fn from(seq: MessageSeq) -> Self {
        seq.0
    }
}

impl fmt::Display for MessageSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_id_is_a_lower_case_ulid() {
        assert!("01jd3v8q0zk5w6x7y8z9abcdef".parse::<RoomId>().is_ok());
        for bad in [
            "",
            "01JD3V8Q0ZK5W6X7Y8Z9ABCDEF",
            "01jd3v8q0zk5w6x7y8z9abcde",
            "01jd3v8q0zk5w6x7y8z9abcdei",
            "81jd3v8q0zk5w6x7y8z9abcdef",
            "../../../../../../../../..",
            "01jd3v8q0zk5w6x7y8z9abcdé",
        ] {
            assert!(bad.parse::<RoomId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_null_version_is_not_a_version() {
        assert!("null".parse::<VersionId>().is_err());
        assert!("".parse::<VersionId>().is_err());
        assert!("a b".parse::<VersionId>().is_err());
        assert!("v".repeat(1025).parse::<VersionId>().is_err());
        assert!("3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo".parse::<VersionId>().is_ok());
    }

    #[test]
    fn a_connection_id_is_visible_ascii() {
        assert!("L0SM9cOFvHcCIhw=".parse::<ConnectionId>().is_ok());
        for bad in ["", "a b", "a\n", "é", &"x".repeat(129)] {
            assert!(bad.parse::<ConnectionId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_sequence_is_twelve_digits_from_one() {
        assert_eq!(MessageSeq::from_digits("000000000042").unwrap().get(), 42);
        assert_eq!(MessageSeq::from_digits("999999999999").unwrap().get(), MessageSeq::MAX);
        for bad in ["000000000000", "42", "0000000000042", "00000000004x", "+00000000042"] {
            assert!(MessageSeq::from_digits(bad).is_err(), "{bad}");
        }
        assert!(MessageSeq::try_from(MessageSeq::MAX + 1).is_err());
        assert_eq!(MessageSeq::try_from(7).unwrap().digits(), "000000000007");
    }

    #[test]
    fn an_error_quotes_at_most_64_characters() {
        let error = "x".repeat(1_000_000).parse::<RoomId>().unwrap_err();
        assert!(error.to_string().len() < 100);
    }
}
