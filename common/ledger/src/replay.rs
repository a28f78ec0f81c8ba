//! Rebuilds messages from the archive's records, which may come in any order and more than once.

use std::collections::BTreeMap;

use vestibule_domain::id::{MessageSeq, RoomId};

use crate::change::{Event, Item};
use crate::record::Record;

/// Which message.
pub type MessageKey = (RoomId, MessageSeq);

/// A message as the archive tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The item after the last change; `None` when it was removed.
    pub item: Option<Item>,
    /// The version of the last change.
    pub ver: u64,
    /// What does not fit, in the order of versions; empty when the archive tells the whole story.
    pub breaks: Vec<Break>,
}

/// Something that does not fit in a message's story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// There is no record of this version.
    Missing(u64),
    /// The item before this version is not the item after the version before it.
    Different(u64),
    /// There are two records of this version that differ.
    Twice(u64),
    /// The item was removed, as nothing of ours does, after this version.
    Removed(u64),
}

/// Rebuilds every message that `records` speak of.
pub fn replay(records: impl IntoIterator<Item = Record>) -> BTreeMap<MessageKey, Rebuilt> {
    let mut stories: BTreeMap<MessageKey, Vec<Record>> = BTreeMap::new();
    for record in records {
        stories.entry((record.room.clone(), record.seq)).or_default().push(record);
    }
    stories.into_iter().map(|(key, story)| (key, rebuild(story))).collect()
}

fn rebuild(mut story: Vec<Record>) -> Rebuilt {
    // A removal has the version of what it removed, and comes after it.
    story.sort_by(|a, b| (a.ver, a.event == Event::Remove, a).cmp(&(b.ver, b.event == Event::Remove, b)));
    // A repeat is the same throughout. Going by its id alone would hide a record that somebody forged under it.
    story.dedup();
    let mut rebuilt = Rebuilt { item: None, ver: 0, breaks: Vec::new() };
    for record in story {
        let ver = record.ver;
        if record.event == Event::Remove {
            rebuilt.breaks.push(Break::Removed(ver));
        } else if ver == rebuilt.ver {
            rebuilt.breaks.push(Break::Twice(ver));
        } else {
            rebuilt.breaks.extend((rebuilt.ver + 1..ver).take(MAX_NAMED_GAPS).map(Break::Missing));
        }
        let follows = ver == rebuilt.ver + 1 || record.event == Event::Remove;
        if follows && record.old != rebuilt.item {
            rebuilt.breaks.push(Break::Different(ver));
        }
        rebuilt.item = record.new;
        rebuilt.ver = ver;
    }
    rebuilt
}

/// Most missing versions that are named one by one: a forged version may be any number.
const MAX_NAMED_GAPS: usize = 1000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::change::Change;
    use crate::record::tests::{change, item};

    fn story(versions: impl IntoIterator<Item = u64>) -> Vec<Record> {
        versions
            .into_iter()
            .map(|ver| {
                let text = |ver: u64| format!("text {ver}");
                let old = (ver > 1).then(|| item(ver - 1, &text(ver - 1)));
                Record::of(Change { old, new: Some(item(ver, &text(ver))), ..change(ver) }).unwrap()
            })
            .collect()
    }

    fn only(records: Vec<Record>) -> Rebuilt {
        let mut rebuilt = replay(records);
        assert_eq!(rebuilt.len(), 1);
        rebuilt.pop_first().unwrap().1
    }

    #[test]
    fn a_gap_and_a_forged_image_are_noticed() {
        assert_eq!(only(story([1, 2, 5])).breaks, [Break::Missing(3), Break::Missing(4)]);
        let mut forged = story(1..=3);
        forged[1].new.as_mut().unwrap().insert("text".to_owned(), crate::value::Value::Null);
        assert_eq!(only(forged).breaks, [Break::Different(3)]);
        let mut twice = story(1..=2);
        twice.push(Record { event_id: "another".to_owned(), ..twice[1].clone() });
        assert_eq!(only(twice).breaks, [Break::Twice(2)]);
    }

    #[test]
    fn a_second_telling_that_differs_is_no_repeat() {
        let whole = story(1..=2);
        for place in [0, 2] {
            let mut records = whole.clone();
            records.insert(place, Record { by: Some("mallory".to_owned()), ..whole[1].clone() });
            assert_eq!(only(records).breaks, [Break::Twice(2)], "inserted at {place}");
        }
    }

    #[test]
    fn a_removal_leaves_nothing_and_is_a_break() {
        let mut records = story(1..=2);
        let removal = Change { event: Event::Remove, event_id: "r".to_owned(), new: None, ..change(3) };
        records.push(Record::of(Change { old: records[1].new.clone(), ..removal }).unwrap());
        let rebuilt = only(records);
        assert_eq!((rebuilt.item, rebuilt.ver, rebuilt.breaks), (None, 2, vec![Break::Removed(2)]));
    }

    proptest! {
        #[test]
        fn any_order_with_repeats_rebuilds_the_message(
            length in 1_u64..12,
            repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            seed in any::<u64>(),
        ) {
            let whole = story(1..=length);
            let mut records = whole.clone();
            records.extend(repeats.iter().map(|which| which.get(&whole).clone()));
            // Some order or other.
            records.sort_by_key(|record| (record.ver.wrapping_mul(seed | 1).rotate_left(17), record.event_id.clone()));
            let rebuilt = only(records);
            prop_assert_eq!(rebuilt.item, whole.last().unwrap().new.clone());
            prop_assert_eq!((rebuilt.ver, rebuilt.breaks), (length, vec![]));
        }
    }
}
