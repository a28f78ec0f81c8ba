//! What goes over the WebSocket, both ways.
//!
//! A push is a hint: at least once, perhaps late or out of order. Whoever gets one fetches the message, and passes over what they
//! know already by `(seq, ver)`. After [`ServerFrame::Sync`] everything that changes is pushed; what changed before is asked for
//! with `changedSince`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::Sha256Digest;
use crate::id::{MessageSeq, RoomId};
use crate::timestamp::Timestamp;

/// What a client sends, by its `action`, which is also what API Gateway chooses the route by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum ClientFrame {
    /// Asks for [`ServerFrame::Sync`]. May be sent again at any time, to keep a quiet connection open: API Gateway closes one
    /// after ten minutes of silence.
    Hello,
}

/// What the server sends, by its `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerFrame {
    /// The connection is known: whatever changes from `at` on is pushed.
    Sync {
        /// The server's time.
        at: Timestamp,
        /// When the connection will have been closed, at the latest.
        until: Timestamp,
    },
    /// A message changed.
    Message(Push),
    /// The client's frame was not understood.
    Error {
        /// Why.
        code: FrameError,
    },
}

/// A change of a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Push {
    /// The message's room.
    pub room: RoomId,
    /// Its place in the room.
    pub seq: MessageSeq,
    /// Its version after the change.
    pub ver: u64,
}

/// Why a client's frame was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameError {
    /// It is not JSON with an `action` that is known.
    UnknownAction,
}

/// What opens the WebSocket once: 32 random bytes in URL-safe base 64, so 43 characters. A secret: never logged, and so without
/// `Display` and with a `Debug` that says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl Ticket {
    /// Characters of a ticket.
    const LENGTH: usize = 43;

    /// From 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// Its text, for whoever it is for.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the table keeps of it.
    pub fn digest(&self) -> Sha256Digest {
        Sha256Digest::new(Sha256::digest(&self.0).into())
    }
}

impl FromStr for Ticket {
    type Err = NoTicket;

    fn from_str(text: &str) -> Result<Self, NoTicket> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() == Self::LENGTH && text.bytes().all(is_part) { Ok(Self(text.to_owned())) } else { Err(NoTicket) }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// A text that is no ticket. It does not quote the text, which may be half a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a ticket")]
pub struct NoTicket;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn frames_are_flat_and_tagged() {
        let push =
            Push { room: "01jd3v8q0zk5w6x7y8z9abcdef".parse().unwrap(), seq: MessageSeq::try_from(7).unwrap(), ver: 2 };
        let at = Timestamp::from_millis(0);
        for (frame, wire) in [
            (
                ServerFrame::Message(push),
                json!({ "type": "message", "room": "01jd3v8q0zk5w6x7y8z9abcdef", "seq": 7, "ver": 2 }),
            ),
            (
                ServerFrame::Sync { at, until: at.plus_seconds(7200) },
                json!({ "type": "sync", "at": "1970-01-01T00:00:00.000Z", "until": "1970-01-01T02:00:00.000Z" }),
            ),
            (
                ServerFrame::Error { code: FrameError::UnknownAction },
                json!({ "type": "error", "code": "unknown-action" }),
            ),
        ] {
            assert_eq!(serde_json::to_value(&frame).unwrap(), wire);
            assert_eq!(serde_json::from_value::<ServerFrame>(wire).unwrap(), frame);
        }
        assert_eq!(serde_json::to_value(ClientFrame::Hello).unwrap(), json!({ "action": "hello" }));
    }

    #[test]
    fn a_ticket_is_43_characters_and_does_not_show_itself() {
        let text = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYm_";
        let ticket: Ticket = text.parse().unwrap();
        assert_eq!(format!("{ticket:?}"), "Ticket(…)");
        assert_eq!(ticket.reveal(), text);
        let random = Ticket::new([0xFF; 32]);
        assert_eq!(random.reveal().parse::<Ticket>(), Ok(random));
        for bad in ["", &text[1..], &format!("{text}a"), &text.replace('_', "=")] {
            assert_eq!(bad.parse::<Ticket>(), Err(NoTicket));
        }
    }
}
