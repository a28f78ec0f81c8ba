//! Lengths of time as people write and read them: `90s`, `15m`, `2h`, `3d`, and sums such as `1h30m`.

use std::time::Duration;

use vestibule_domain::timestamp::Timestamp;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Reads a length of time.
///
/// # Errors
/// What it should look like.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    seconds(text).map(Duration::from_secs).ok_or_else(|| "not a length of time such as 90s, 15m, 2h or 3d".to_owned())
}

fn seconds(text: &str) -> Option<u64> {
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(end)?;
        let unit = behind.chars().next()?;
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*seconds)?)?;
        rest = behind.strip_prefix(unit)?;
    }
    (!text.is_empty()).then_some(total)
}

/// How long ago `moment` was: in the largest unit that leaves two of it or more.
pub(crate) fn age(moment: Timestamp, now: Timestamp) -> String {
    let seconds = age_seconds(moment, now);
    let (unit, length) = UNITS.into_iter().find(|(_, length)| seconds >= 2 * length).unwrap_or(('s', 1));
    format!("{}{unit}", seconds / length)
}

/// How many seconds ago `moment` was; 0 for what lies ahead by another clock.
pub(crate) fn age_seconds(moment: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.seconds() - moment.seconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_as_people_write_it() {
        for (text, expected) in [("90s", 90), ("15m", 900), ("2h", 7200), ("3d", 259_200), ("1h30m", 5400), ("0s", 0)] {
            assert_eq!(parse(text).unwrap(), Duration::from_secs(expected), "{text}");
        }
        for bad in ["", "15", "m", "15x", "-3d", "1.5h", "3 d", "99999999999999999999s", "99999999999999999d", "3dü"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_age_is_told_in_the_largest_unit_that_says_enough() {
        let told = |seconds: i64| age(Timestamp::from_millis(0), Timestamp::from_millis(seconds * 1000));
        assert_eq!(
            [0, 1, 119, 120, 7199, 7200, 172_799, 172_800].map(told),
            ["0s", "1s", "119s", "2m", "119m", "2h", "47h", "2d"]
        );
        assert_eq!(told(-5), "0s");
    }
}
