//! Which versions a command is about: its filters.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::{Deserialize, Serialize};
use vestibule_domain::hall::{Class, Next};
use vestibule_domain::id::RoomId;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::hall::Standee;

use crate::inbox::duration;

/// The filters, as they are written.
#[derive(Debug, clap::Args)]
pub(crate) struct Filters {
    /// Only versions of this class; may be given several times
    #[arg(long = "class", value_name = "CLASS", value_parser = class())]
    classes: Vec<Class>,
    /// Only versions with which the sweep does this by itself; may be given several times
    #[arg(long = "sweep", value_name = "SWEEP", value_parser = next())]
    next: Vec<Next>,
    /// Only versions whose last try ended with this code; may be given several times
    #[arg(long = "code", value_name = "CODE")]
    codes: Vec<String>,
    /// Only versions that have been there for longer, such as 90s, 15m, 2h or 3d
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    older_than: Option<Duration>,
    /// Only versions of this room
    #[arg(long, value_name = "ROOM")]
    room: Option<RoomId>,
    /// No more than so many versions
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

fn class() -> impl TypedValueParser<Value = Class> {
    PossibleValuesParser::new(Class::ALL.map(Class::as_str)).try_map(|text| text.parse::<Class>())
}

fn next() -> impl TypedValueParser<Value = Next> {
    PossibleValuesParser::new(Next::ALL.map(Next::as_str)).try_map(|text| text.parse::<Next>())
}

/// The filters, as they hold; also as a cursor file remembers them.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Selection {
    /// The classes that are wanted.
    pub(crate) classes: BTreeSet<Class>,
    /// What the sweep is to do with those that are wanted; none means whatever it does.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) next: BTreeSet<Next>,
    /// The codes that are wanted; none means all, and those without a code.
    pub(crate) codes: BTreeSet<String>,
    /// The least age.
    pub(crate) older_than_seconds: Option<u64>,
    /// The only room.
    pub(crate) room: Option<RoomId>,
    /// The most versions.
    pub(crate) limit: Option<u64>,
}

impl Filters {
    /// What is selected; of `classes`, where none was named.
    pub(crate) fn selection(&self, classes: &[Class]) -> Selection {
        let named = if self.classes.is_empty() { classes } else { &self.classes };
        Selection {
            classes: named.iter().copied().collect(),
            next: self.next.iter().copied().collect(),
            codes: self.codes.iter().cloned().collect(),
            older_than_seconds: self.older_than.map(|length| length.as_secs()),
            room: self.room.clone(),
            limit: self.limit,
        }
    }
}

impl Selection {
    /// What the keys of the selected versions begin with.
    pub(crate) fn prefix(&self) -> String {
        self.room.as_ref().map(|room| format!("{room}/")).unwrap_or_default()
    }

    /// Whether a version is selected.
    pub(crate) fn has(&self, version: &Standee, now: Timestamp) -> bool {
        self.classes.contains(&version.standing.class) && self.would_have(version, now)
    }

    /// Whether a version would be selected if it were of a class that is.
    pub(crate) fn would_have(&self, version: &Standee, now: Timestamp) -> bool {
        let age = duration::age_seconds(version.uploaded_at, now);
        let is_old = self.older_than_seconds.is_none_or(|least| age > least);
        let code = version.standing.code.as_ref();
        let is_next = self.next.is_empty() || self.next.contains(&version.standing.next);
        is_old && is_next && (self.codes.is_empty() || code.is_some_and(|code| self.codes.contains(code)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::inbox::row::tests::standee;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filters: Filters,
    }

    fn selection(line: &str) -> Selection {
        let line = Line::try_parse_from(line.split_whitespace()).unwrap();
        line.filters.selection(&[Class::Failed])
    }

    #[test]
    fn filters_narrow_by_class_code_and_age() {
        let now = Timestamp::from_millis(1_000_000);
        let failed = standee(Class::Failed, Some("SlowDown"), Timestamp::from_millis(0));
        let fresh = standee(Class::Fresh, None, Timestamp::from_millis(999_000));
        let selected = |line: &str| (selection(line).has(&failed, now), selection(line).has(&fresh, now));
        assert_eq!(selected("list"), (true, false));
        assert_eq!(selected("list --class fresh --class failed"), (true, true));
        assert_eq!(selected("list --code SlowDown"), (true, false));
        assert_eq!(selected("list --code timeout"), (false, false));
        assert_eq!(selected("list --code timeout --code SlowDown"), (true, false));
        assert_eq!(selected("list --sweep given-up"), (false, false));
        assert_eq!(selected("list --sweep given-up --sweep drive"), (true, false));
        assert_eq!(selected("list --older-than 15m"), (true, false));
        assert_eq!(selected("list --older-than 1000s"), (false, false), "older, not as old");
        assert!(selection("list --code SlowDown").would_have(&standee(Class::InFlight, Some("SlowDown"), now), now));
    }

    #[test]
    fn a_room_is_a_prefix_that_ends_where_its_name_does() {
        assert_eq!(selection("list --room 01jd3v8q0zk5w6x7y8z9abcdef").prefix(), "01jd3v8q0zk5w6x7y8z9abcdef/");
        assert_eq!(selection("list").prefix(), "");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in
            ["list --class lost", "list --sweep failed", "list --older-than soon", "list --room x", "list --limit 0"]
        {
            assert!(Line::try_parse_from(bad.split_whitespace()).is_err(), "{bad}");
        }
    }
}
