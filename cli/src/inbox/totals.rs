//! How much there is of each class, and how many of what the sweep does about them.

use std::collections::BTreeMap;

use indicatif::HumanBytes;
use serde::Serialize;
use vestibule_domain::hall::{Class, Next};
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::hall::Standee;

use crate::inbox::duration;

/// Of each class that there is any of.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    /// How many in all.
    pub(crate) count: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    classes: BTreeMap<Class, Total>,
    /// How many of what the sweep does about them.
    next: BTreeMap<Next, u64>,
}

/// Of one class.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
struct Total {
    count: u64,
    bytes: u64,
    /// When the oldest came.
    oldest: Option<Timestamp>,
}

impl Totals {
    /// Counts a version.
    pub(crate) fn add(&mut self, version: &Standee) {
        self.count += 1;
        self.bytes += version.size;
        *self.next.entry(version.standing.next).or_default() += 1;
        let total = self.classes.entry(version.standing.class).or_default();
        total.count += 1;
        total.bytes += version.size;
        total.oldest = Some(total.oldest.map_or(version.uploaded_at, |oldest| oldest.min(version.uploaded_at)));
    }

    /// How many there are of each class.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Class, u64)> {
        self.classes.iter().map(|(class, total)| (*class, total.count))
    }

    /// What the sweep does about how many of them, in words; nothing about none.
    pub(crate) fn swept(&self) -> Option<String> {
        let next: Vec<String> = self.next.iter().map(|(next, count)| format!("{count} {}", next.as_str())).collect();
        (!next.is_empty()).then(|| next.join(", "))
    }

    /// A table for people, with a line for each class, one for all, and one for what the sweep does about them.
    pub(crate) fn in_words(&self, now: Timestamp) -> String {
        let line = |class: &str, count: u64, bytes: u64, oldest: &str| {
            format!("{class:<14} {count:>10}  {:>11}  {oldest}", HumanBytes(bytes).to_string()).trim_end().to_owned()
        };
        let classes = self.classes.iter().map(|(class, total)| {
            let oldest = total.oldest.map(|oldest| format!("oldest {}", duration::age(oldest, now)));
            line(class.as_str(), total.count, total.bytes, &oldest.unwrap_or_default())
        });
        let swept = self.swept().map(|swept| format!("by the sweep: {swept}"));
        let lines = classes.chain([line("in all", self.count, self.bytes, "")]).chain(swept);
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::row::tests::standee;

    #[test]
    fn each_class_is_counted_with_its_oldest() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let mut totals = Totals::default();
        for (class, seconds) in [(Class::Failed, 50), (Class::Failed, 10), (Class::Fresh, 99)] {
            let mut version = standee(class, None, at(seconds));
            if seconds == 10 {
                version.standing.next = Next::GivenUp;
            }
            totals.add(&version);
        }
        assert_eq!(Totals::default().in_words(at(100)), "in all                  0          0 B");
        insta::assert_snapshot!(totals.in_words(at(100)));
        insta::assert_snapshot!(serde_json::to_string(&totals).unwrap());
    }
}
