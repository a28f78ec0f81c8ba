//! Object keys: made of our own ids alone, so that the document is found from the key and no user text can reach a path.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::id::{AttachmentId, InvalidId, MessageSeq, RoomId, VersionId};

/// The place of one attachment: `<room>/<message>/<attachment>`. It is the attachment's key in the inbox, the prefix of its
/// objects in the other buckets, and the way from an event to the document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InboxKey {
    /// The room.
    pub room: RoomId,
    /// The message in the room.
    pub message: MessageSeq,
    /// The attachment of the message.
    pub attachment: AttachmentId,
}

impl FromStr for InboxKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId::new("an inbox key <room>/<message>/<attachment>", text);
        let mut segments = text.split('/');
        let (Some(room), Some(message), Some(attachment), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            return Err(invalid());
        };
        Ok(Self { room: room.parse()?, message: MessageSeq::from_digits(message)?, attachment: attachment.parse()? })
    }
}

impl fmt::Display for InboxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.room, self.message.digits(), self.attachment)
    }
}

impl InboxKey {
    /// Where the original of `version` goes, in the processed and in the quarantine bucket alike.
    pub fn original(&self, version: &VersionId) -> String {
        format!("{self}/{}/original", VersionTag::of(version))
    }

    /// Where a variant of `version` goes in the processed bucket. The recipe is in the key so that two releases racing
    /// never write different bytes to one key.
    pub fn variant(&self, version: &VersionId, recipe: &str, name: &str) -> String {
        format!("{self}/{}/{recipe}/{name}", VersionTag::of(version))
    }
}

/// The first 16 hex digits of SHA-256 of an inbox version's id: what stands for the version in keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionTag(String);

impl VersionTag {
    /// The tag of `version`.
    pub fn of(version: &VersionId) -> Self {
        let mut digits = hex::encode(Sha256::digest(version.as_str().as_bytes()));
        digits.truncate(16);
        Self(digits)
    }
}

impl fmt::Display for VersionTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
    const ATTACHMENT: &str = "01jd3v8q0zk5w6x7y8z9abcdeg";

    fn key() -> InboxKey {
        format!("{ROOM}/000000000042/{ATTACHMENT}").parse().unwrap()
    }

    #[test]
    fn a_key_outside_the_grammar_is_refused() {
        for bad in [
            String::new(),
            "a/b/c".to_owned(),
            format!("{ROOM}/000000000042"),
            format!("{ROOM}/000000000042/{ATTACHMENT}/x"),
            format!("/{ROOM}/000000000042/{ATTACHMENT}"),
            format!("{ROOM}/42/{ATTACHMENT}"),
            format!("{ROOM}/000000000042/.."),
            format!("{ROOM}//{ATTACHMENT}"),
        ] {
            assert!(bad.parse::<InboxKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn processed_keys_hold_the_version_and_the_recipe() {
        let version: VersionId = "some-version".parse().unwrap();
        // printf some-version | sha256sum
        assert_eq!(VersionTag::of(&version).to_string(), "0bae8a0a8dcf2228");
        assert!(key().original(&version).starts_with(&format!("{ROOM}/000000000042/{ATTACHMENT}/")));
        assert!(key().original(&version).ends_with("/original"));
        assert!(key().variant(&version, "r1", "320").ends_with("/r1/320"));
    }

    proptest! {
        #[test]
        fn what_parses_prints_the_same(text in "[0-7][0-9a-hjkmnp-tv-z]{25}/[0-9]{12}/[0-7][0-9a-hjkmnp-tv-z]{25}") {
            if let Ok(key) = text.parse::<InboxKey>() {
                prop_assert_eq!(key.to_string(), text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            prop_assert!(text.parse::<InboxKey>().is_err());
        }
    }
}
