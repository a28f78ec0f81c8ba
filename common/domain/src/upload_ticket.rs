//! Tickets for the upload routes: who holds one may upload one attachment, and nothing else. The routes need no other proof, since an
//! uploader in a browser sends neither a token nor a cookie to another site.
//!
//! A ticket says itself what it is for, under a keyed digest (HMAC-SHA-256, RFC 2104), so that nothing has to be kept of it:
//! `<key id>.<what it is for>.<digest of both>`.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::content_type::ContentType;
use crate::key::InboxKey;
use crate::timestamp::Timestamp;

/// Longest ticket that is looked at, in bytes. One has some 300.
const MAX_TICKET_BYTES: usize = 1024;
/// Shortest key, in bytes: as long as the digest.
const MIN_KEY_BYTES: usize = 32;

/// What a ticket is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The attachment.
    pub key: InboxKey,
    /// How many bytes its file has.
    pub size: u64,
    /// The type that its sender claims.
    pub content_type: ContentType,
    /// Until when the ticket is good; whole seconds.
    pub expires: Timestamp,
}

/// A slot as it stands in a ticket, short.
#[derive(Serialize, Deserialize)]
struct Written {
    k: String,
    s: u64,
    t: String,
    e: i64,
}

/// Keys that tickets are sealed with, by their ids. The current one seals; the others open what was sealed before.
#[derive(Clone, PartialEq, Eq)]
pub struct Keyring {
    current: String,
    keys: BTreeMap<String, Vec<u8>>,
}

/// A text that opens no upload. It does not quote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTicket {
    /// It is no ticket, or not one of ours.
    #[error("not a ticket of ours")]
    Forged,
    /// Its key is not known: it may be newer than what is known here.
    #[error("sealed with a key that is not known")]
    UnknownKey,
    /// Its time is over.
    #[error("the ticket has expired")]
    Expired,
}

/// A text that is no keyring. It does not quote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a keyring: an object with `current`, the id of a key, and keys of at least {MIN_KEY_BYTES} bytes by their ids"
)]
pub struct NoKeyring;

impl Keyring {
    /// Reads `{"current": "k1", "k1": "…"}`, as it lies in Secrets Manager. Keys are texts of at least 32 bytes; their ids have 1 to 32
    /// of `A–Z a–z 0–9 - _`.
    ///
    /// # Errors
    /// When it is not that.
    pub fn parse(json: &str) -> Result<Self, NoKeyring> {
        let mut texts: BTreeMap<String, String> = serde_json::from_str(json).map_err(|_secret| NoKeyring)?;
        let current = texts.remove("current").ok_or(NoKeyring)?;
        let is_id = |id: &str| {
            (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let is_good = texts.iter().all(|(id, key)| is_id(id) && key.len() >= MIN_KEY_BYTES);
        let keys: BTreeMap<_, _> = texts.into_iter().map(|(id, key)| (id, key.into_bytes())).collect();
        if is_good && keys.contains_key(&current) { Ok(Self { current, keys }) } else { Err(NoKeyring) }
    }

    /// A ticket for `slot`. A secret.
    pub fn seal(&self, slot: &Slot) -> String {
        let written = Written {
            k: slot.key.to_string(),
            s: slot.size,
            t: slot.content_type.to_string(),
            e: slot.expires.seconds(),
        };
        // Numbers and texts always serialise.
        let written = serde_json::to_vec(&written).unwrap_or_default();
        let sealed = format!("{}.{}", self.current, URL_SAFE_NO_PAD.encode(written));
        let digest = self.digest(&self.current, &sealed).map(|mac| mac.finalize().into_bytes());
        format!("{sealed}.{}", URL_SAFE_NO_PAD.encode(digest.unwrap_or_default()))
    }

    /// What `ticket` is for.
    ///
    /// # Errors
    /// When it is not ours, or its time is over.
    pub fn open(&self, ticket: &str, now: Timestamp) -> Result<Slot, BadTicket> {
        if ticket.len() > MAX_TICKET_BYTES {
            return Err(BadTicket::Forged);
        }
        let (sealed, digest) = ticket.rsplit_once('.').ok_or(BadTicket::Forged)?;
        let (id, written) = sealed.split_once('.').ok_or(BadTicket::Forged)?;
        let mac = self.digest(id, sealed).ok_or(BadTicket::UnknownKey)?;
        let digest = URL_SAFE_NO_PAD.decode(digest).map_err(|_other| BadTicket::Forged)?;
        mac.verify_slice(&digest).map_err(|_other| BadTicket::Forged)?;
        let written = URL_SAFE_NO_PAD.decode(written).map_err(|_other| BadTicket::Forged)?;
        let written: Written = serde_json::from_slice(&written).map_err(|_other| BadTicket::Forged)?;
        let expires = Timestamp::from_millis(written.e.saturating_mul(1000));
        if expires <= now {
            return Err(BadTicket::Expired);
        }
        let key = written.k.parse().map_err(|_other| BadTicket::Forged)?;
        let content_type = written.t.parse().map_err(|_other| BadTicket::Forged)?;
        Ok(Slot { key, size: written.s, content_type, expires })
    }

    fn digest(&self, id: &str, sealed: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.keys.get(id)?).ok()?;
        mac.update(sealed.as_bytes());
        Some(mac)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "a key of thirty-two bytes or more";
    const TWO: &str = "another key of thirty-two bytes or more";

    fn keyring(current: &str) -> Keyring {
        Keyring::parse(&format!(r#"{{"current":"{current}","k1":"{ONE}","k2":"{TWO}"}}"#)).unwrap()
    }

    fn slot() -> Slot {
        Slot {
            key: "01jd3v8q0zk5w6x7y8z9abcdef/000000000042/01jd3v8q0zk5w6x7y8z9abcdeg".parse().unwrap(),
            size: 5_368_709_120,
            content_type: "video/mp4".parse().unwrap(),
            expires: "2026-11-23T22:35:14.000Z".parse().unwrap(),
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T22:35:14.000Z".parse().unwrap()
    }

    #[test]
    fn a_ticket_says_what_it_is_for_also_after_the_key_has_changed() {
        let ticket = keyring("k1").seal(&slot());
        assert!(ticket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)), "{ticket}");
        assert_eq!(keyring("k1").open(&ticket, now()), Ok(slot()));
        assert_eq!(keyring("k2").open(&ticket, now()), Ok(slot()));
        let without = Keyring::parse(&format!(r#"{{"current":"k2","k2":"{TWO}"}}"#)).unwrap();
        assert_eq!(without.open(&ticket, now()), Err(BadTicket::UnknownKey));
    }

    #[test]
    fn it_is_good_until_its_time_and_not_a_moment_longer() {
        let ticket = keyring("k1").seal(&slot());
        let end = slot().expires;
        assert!(keyring("k1").open(&ticket, Timestamp::from_millis(end.millis() - 1)).is_ok());
        assert_eq!(keyring("k1").open(&ticket, end), Err(BadTicket::Expired));
    }

    #[test]
    fn a_ticket_for_something_else_is_forged() {
        let (mine, other) = (keyring("k1").seal(&slot()), keyring("k1").seal(&Slot { size: 1, ..slot() }));
        let (_, digest) = mine.rsplit_once('.').unwrap();
        let (sealed, _) = other.rsplit_once('.').unwrap();
        assert_eq!(keyring("k1").open(&format!("{sealed}.{digest}"), now()), Err(BadTicket::Forged));
        let by_the_other_key = mine.replacen("k1", "k2", 1);
        assert_eq!(keyring("k1").open(&by_the_other_key, now()), Err(BadTicket::Forged));
        for bad in ["", ".", "..", "k1", "k1.e30", "k1.e30.", "k1.e30.AAAA", &"k1.".repeat(1000)] {
            assert!(keyring("k1").open(bad, now()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_keyring_has_a_current_key_and_no_short_one() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"current":"k1"}"#,
            r#"{"current":"k1","k1":"short"}"#,
            &format!(r#"{{"current":"k2","k1":"{ONE}"}}"#),
            &format!(r#"{{"current":"a.b","a.b":"{ONE}"}}"#),
            &format!(r#"{{"k1":"{ONE}"}}"#),
        ] {
            assert_eq!(Keyring::parse(bad).unwrap_err(), NoKeyring, "{bad}");
        }
        assert!(!format!("{:?}", keyring("k1")).contains("key of"));
    }

    proptest! {
        #[test]
        fn no_change_of_a_ticket_is_taken(at in 0..300_usize, to in any::<char>()) {
            let ticket = keyring("k1").seal(&slot());
            let mut letters: Vec<char> = ticket.chars().collect();
            let at = at % letters.len();
            letters[at] = to;
            let changed: String = letters.into_iter().collect();
            let opened = keyring("k1").open(&changed, now());
            // The last letter of base 64 holds bits that mean nothing, but they must be noughts.
            prop_assert_eq!(opened.is_ok(), changed == ticket);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,400}") {
            prop_assert!(keyring("k1").open(&text, now()).is_err());
        }
    }
}
