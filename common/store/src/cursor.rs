//! Where the next page of a list begins: texts that we hand out, take back, and believe only when they are well formed.

use std::fmt;
use std::str::FromStr;

use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::timestamp::Timestamp;

/// A text that is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct InvalidCursor;

/// Stands between a cursor's two halves; needs no escaping in a query string, and is in neither half.
const BETWEEN: char = '~';

/// A part of a list.
#[derive(Debug)]
pub struct Page<T, C> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<C>,
}

/// A place in a list of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomCursor {
    /// When the room there was last written in, as the list had it.
    pub last_activity: Timestamp,
    /// The room there.
    pub room: RoomId,
}

/// A place in the list of a room's changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeCursor {
    /// When the message there was last changed, as the list had it.
    pub at: Timestamp,
    /// The message there.
    pub seq: MessageSeq,
}

impl fmt::Display for RoomCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{BETWEEN}{}", self.last_activity, self.room)
    }
}

impl FromStr for RoomCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (time, room) = halves(text, BETWEEN)?;
        Ok(Self { last_activity: time, room: room.parse().map_err(|_invalid| InvalidCursor)? })
    }
}

impl fmt::Display for ChangeCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{BETWEEN}{}", self.at, self.seq.digits())
    }
}

impl FromStr for ChangeCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (at, seq) = halves(text, BETWEEN)?;
        Ok(Self { at, seq: MessageSeq::from_digits(seq).map_err(|_invalid| InvalidCursor)? })
    }
}

impl RoomCursor {
    /// From the index's own sort key.
    pub(crate) fn from_sort_key(key: &str) -> Result<Self, InvalidCursor> {
        let (last_activity, room) = halves(key, '#')?;
        Ok(Self { last_activity, room: room.parse().map_err(|_invalid| InvalidCursor)? })
    }
}

impl ChangeCursor {
    /// From the index's own sort key.
    pub(crate) fn from_sort_key(key: &str) -> Result<Self, InvalidCursor> {
        let (at, seq) = halves(key, '#')?;
        Ok(Self { at, seq: MessageSeq::from_digits(seq).map_err(|_invalid| InvalidCursor)? })
    }
}

/// The time and what follows it. The time must be written as we write it: any other text for the same moment would sort
/// elsewhere.
fn halves(text: &str, between: char) -> Result<(Timestamp, &str), InvalidCursor> {
    let (time, rest) = text.split_once(between).ok_or(InvalidCursor)?;
    let parsed: Timestamp = time.parse().map_err(|_invalid| InvalidCursor)?;
    if parsed.to_string() == time { Ok((parsed, rest)) } else { Err(InvalidCursor) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_is_a_time_and_a_place() {
        let cursor: ChangeCursor = "2026-11-22T22:35:14.123Z~000000000042".parse().unwrap();
        assert_eq!(cursor.seq.get(), 42);
        assert_eq!(ChangeCursor::from_sort_key("2026-11-22T22:35:14.123Z#000000000042"), Ok(cursor));
        for bad in [
            "",
            "~",
            "2026-11-22T22:35:14.123Z",
            "2026-11-22T22:35:14.123Z~42",
            "2026-11-22T22:35:14.123Z~000000000000",
            "2026-11-22T22:35:14Z~000000000042",
            "2026-11-22T23:35:14.123+01:00~000000000042",
            "2026-11-22T22:35:14.123Z#000000000042",
        ] {
            assert_eq!(bad.parse::<ChangeCursor>(), Err(InvalidCursor), "{bad}");
        }
        assert!("2026-11-22T22:35:14.123Z~01jd3v8q0zk5w6x7y8z9abcdef".parse::<RoomCursor>().is_ok());
        assert!("2026-11-22T22:35:14.123Z~CUST#someone".parse::<RoomCursor>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_handed_out_is_taken_back(
            millis in 0_i64..253_000_000_000_000,
            seq in 1..=MessageSeq::MAX,
            room in "[0-7][0-9a-hjkmnp-tv-z]{25}",
        ) {
            let at = Timestamp::from_millis(millis);
            let change = ChangeCursor { at, seq: MessageSeq::try_from(seq).unwrap() };
            prop_assert_eq!(change.to_string().parse::<ChangeCursor>(), Ok(change));
            let place = RoomCursor { last_activity: at, room: room.parse().unwrap() };
            prop_assert_eq!(place.to_string().parse::<RoomCursor>(), Ok(place));
        }

        #[test]
        fn no_text_makes_it_panic_and_what_parses_prints_the_same(text in any::<String>()) {
            if let Ok(cursor) = text.parse::<RoomCursor>() {
                prop_assert_eq!(cursor.to_string(), text.clone());
            }
            if let Ok(cursor) = text.parse::<ChangeCursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}
