//! What a replay does with each version, and how many there are of which.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::TryStreamExt as _;
use indicatif::{HumanBytes, ProgressBar};
use serde::Serialize;
use vestibule_domain::hall::Class;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::hall::{Place, Standee};

use crate::inbox::selection::Selection;
use crate::inbox::totals::Totals;
use crate::inbox::world::World;

/// What is sent where no class is named: what stands still.
pub(crate) const STUCK: [Class; 3] = [Class::Failed, Class::NeverNotified, Class::Leftover];

/// What a replay does with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Sends it.
    Send,
    /// Leaves it, for this reason.
    Skip(&'static str),
    /// It is not what was asked for.
    Ignore,
}

/// What a replay of `selection` does with a version.
pub(crate) fn action(version: &Standee, selection: &Selection, now: Timestamp) -> Action {
    if !selection.would_have(version, now) {
        return Action::Ignore;
    }
    match version.standing.class {
        Class::MessageGone => {
            Action::Skip("there is no such message or attachment, so ingest would leave it where it is")
        }
        Class::UnknownKey => Action::Skip("its key or version is none of ours, so ingest would leave it where it is"),
        class if selection.classes.contains(&class) => Action::Send,
        Class::Fresh => Action::Skip("it came a moment ago; --class fresh sends it all the same"),
        Class::InFlight => Action::Skip("it is being worked on; --class in-flight sends it all the same"),
        Class::Failed | Class::NeverNotified | Class::Leftover => Action::Skip("its class was not asked for"),
    }
}

/// How many versions would be sent, and how many left.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Plan {
    /// What would be sent.
    pub(crate) send: Totals,
    /// What would be left, and why.
    skip: BTreeMap<Class, Skipped>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Skipped {
    count: u64,
    why: &'static str,
}

impl Plan {
    /// Goes through the inbox behind `after` once and counts, up to `most` versions to send. Nothing is kept but the counts.
    ///
    /// # Errors
    /// When the bucket cannot be listed or the table not be read.
    pub(crate) async fn make(
        world: &World,
        selection: &Selection,
        after: Option<Place>,
        most: u64,
        bar: &ProgressBar,
    ) -> anyhow::Result<Self> {
        let prefix = selection.prefix();
        let mut plan = Self::default();
        let mut pages = pin!(world.pages(&prefix, after));
        while let Some(page) = pages.try_next().await? {
            bar.inc(page.len() as u64);
            let now = world.now();
            for version in &page {
                if plan.send.count == most {
                    return Ok(plan);
                }
                plan.add(version, action(version, selection, now));
            }
        }
        Ok(plan)
    }

    fn add(&mut self, version: &Standee, action: Action) {
        match action {
            Action::Send => self.send.add(version),
            Action::Skip(why) => {
                let skipped = self.skip.entry(version.standing.class).or_default();
                skipped.count += 1;
                skipped.why = why;
            }
            Action::Ignore => {}
        }
    }

    /// The plan for people: a line of what is sent, and one for each class that is left.
    pub(crate) fn in_words(&self) -> String {
        let classes: Vec<String> = self.send.counts().map(|(class, count)| format!("{count} {class}")).collect();
        let classes = if classes.is_empty() { String::new() } else { format!(": {}", classes.join(", ")) };
        let versions = counted(self.send.count);
        let mut lines = vec![format!("to send: {versions}, {}{classes}", HumanBytes(self.send.bytes))];
        lines.extend(self.send.swept().map(|swept| format!("without that, by the sweep: {swept}")));
        let skipped = self.skip.iter().map(|(class, skipped)| {
            let count = skipped.count;
            format!("left: {count} {class}: {}", skipped.why)
        });
        lines.extend(skipped);
        lines.join("\n")
    }
}

/// A number of versions, in words.
pub(crate) fn counted(versions: u64) -> String {
    if versions == 1 { "1 version".to_owned() } else { format!("{versions} versions") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::row::tests::standee;

    fn selection(classes: &[Class], codes: &[&str]) -> Selection {
        Selection {
            classes: classes.iter().copied().collect(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
            ..Selection::default()
        }
    }

    fn plan(selection: &Selection) -> Plan {
        let now = Timestamp::from_millis(100_000);
        let mut plan = Plan::default();
        for class in Class::ALL {
            let code = (class == Class::Failed).then_some("SlowDown");
            let version = standee(class, code, Timestamp::from_millis(0));
            plan.add(&version, action(&version, selection, now));
        }
        plan
    }

    #[test]
    fn without_a_class_what_stands_still_is_sent_and_the_rest_left_with_a_reason() {
        let plan = plan(&selection(&STUCK, &[]));
        assert_eq!(plan.send.count, 3);
        insta::assert_snapshot!(plan.in_words());
        insta::assert_snapshot!(serde_json::to_string(&plan).unwrap());
    }

    #[test]
    fn what_belongs_to_nothing_is_never_sent_even_when_it_is_asked_for() {
        let all = plan(&selection(&Class::ALL, &[]));
        assert_eq!(all.send.counts().map(|(class, _)| class).collect::<Vec<_>>(), Class::ALL[..5]);
        assert_eq!(all.skip.keys().copied().collect::<Vec<_>>(), [Class::MessageGone, Class::UnknownKey]);
    }

    #[test]
    fn what_another_filter_leaves_out_is_not_even_counted() {
        let narrow = plan(&selection(&STUCK, &["SlowDown"]));
        assert_eq!((narrow.send.count, narrow.skip.len()), (1, 0));
        assert_eq!(plan(&selection(&[Class::Fresh], &["SlowDown"])).in_words().lines().count(), 2);
        assert_eq!(plan(&selection(&STUCK, &["timeout"])).in_words(), "to send: 0 versions, 0 B");
    }
}
