//! Moments, written so that text order is time order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::InvalidId;

/// A moment in UTC, in whole milliseconds: `2026-11-22T22:35:14.123Z`, always with three decimals, from year 0000 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970; a moment outside the years 0000 to 9999 becomes the nearest inside.
    pub fn from_millis(millis: i64) -> Self {
        const FIRST: i64 = -62_167_219_200_000;
        const LAST: i64 = 253_402_207_200_000 - 1;
        Self(millis.clamp(FIRST, LAST))
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970: the unit of DynamoDB's `ttl`.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `seconds` later.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_millis(self.0.saturating_add(seconds.saturating_mul(1000)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `from_millis` keeps the value inside jiff's range, so the default can never be printed.
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        write!(f, "{moment:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = InvalidId;

    /// Reads any RFC 3339 text; what is finer than a millisecond is cut off.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.parse::<jiff::Timestamp>() {
            Ok(moment) => Ok(Self::from_millis(moment.as_millisecond())),
            Err(_not_a_time) => Err(InvalidId::new("an RFC 3339 time", text)),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_always_prints_three_decimals() {
        assert_eq!(Timestamp::from_millis(1_795_386_914_000).to_string(), "2026-11-22T22:35:14.000Z");
        assert_eq!("2026-11-22T22:35:14.1239Z".parse::<Timestamp>().unwrap().to_string(), "2026-11-22T22:35:14.123Z");
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn the_ends_of_time_stay_inside_four_digit_years() {
        assert!(Timestamp::from_millis(i64::MIN).to_string().starts_with("0000-01-01"));
        assert!(Timestamp::from_millis(i64::MAX).to_string().starts_with("9999-12-3"));
    }

    proptest! {
        #[test]
        fn text_order_is_time_order(a in -62_000_000_000_000i64..253_000_000_000_000, b in -62_000_000_000_000i64..253_000_000_000_000) {
            let (a, b) = (Timestamp::from_millis(a), Timestamp::from_millis(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.to_string().parse::<Timestamp>().unwrap(), a);
        }
    }
}
