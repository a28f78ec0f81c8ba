//! How much there is of each class.

use std::collections::BTreeMap;

use indicatif::HumanBytes;
use serde::Serialize;
use vestibule_domain::hall::Class;
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
        let total = self.classes.entry(version.standing.class).or_default();
        total.count += 1;
        total.bytes += version.size;
        total.oldest = Some(total.oldest.map_or(version.uploaded_at, |oldest| oldest.min(version.uploaded_at)));
    }

    /// How many there are of each class.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Class, u64)> {
        self.classes.iter().map(|(class, total)| (*class, total.count))
    }

    /// A table for people, with a line for each class and one for all.
    pub(crate) fn in_words(&self, now: Timestamp) -> String {
        let line = |class: &str, count: u64, bytes: u64, oldest: &str| {
            format!("{class:<14} {count:>10}  {:>11}  {oldest}", HumanBytes(bytes).to_string()).trim_end().to_owned()
        };
        let classes = self.classes.iter().map(|(class, total)| {
            let oldest = total.oldest.map(|oldest| format!("oldest {}", duration::age(oldest, now)));
            line(class.as_str(), total.count, total.bytes, &oldest.unwrap_or_default())
        });
        classes.chain([line("in all", self.count, self.bytes, "")]).collect::<Vec<_>>().join("\n")
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
            totals.add(&standee(class, None, at(seconds)));
        }
        insta::assert_snapshot!(totals.in_words(at(100)));
        insta::assert_snapshot!(serde_json::to_string(&totals).unwrap());
    }
}
