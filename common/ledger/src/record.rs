//! One line of the archive: a change with both images, flat where people look, whole where auditors do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::timestamp::Timestamp;

use crate::change::{Change, Event, Item, Poison, message_of};
use crate::value::{Types, Unreadable, Value, below};

/// A change of a message as it stands in the archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The stream's id of the change: the same in every delivery, so readers know a repeat by it.
    pub event_id: String,
    /// What happened.
    pub event: Event,
    /// When, in the stream's word.
    pub time: Timestamp,
    /// The change's place in its shard.
    pub sequence: String,
    /// The message's room.
    pub room: RoomId,
    /// The message's place in the room.
    pub seq: MessageSeq,
    /// The message's version after the change; before it, for a removal.
    pub ver: u64,
    /// Who wrote; absent for a removal (the stream names no caller), or when the writer left it out.
    pub by: Option<String>,
    /// Why they wrote; absent likewise.
    pub cause: Option<String>,
    /// When they wrote, in their own word; absent likewise.
    pub at: Option<String>,
    /// Whether DynamoDB removed the item by itself, because its time was over.
    pub expired: bool,
    /// The whole item before.
    pub old: Option<Item>,
    /// The whole item after.
    pub new: Option<Item>,
}

impl Record {
    /// Files a change.
    ///
    /// # Errors
    /// What keeps it from being one of a message. A message without `by` or `cause` is filed without: whoever wrote past the
    /// rules shall be seen to have done so.
    pub fn of(change: Change) -> Result<Self, Poison> {
        let Change { event_id, event, time, sequence, expired, pk, sk, old, new } = change;
        let (room, seq) = message_of(&pk, &sk)?;
        let (wants_old, wants_new) = match event {
            Event::Insert => (false, true),
            Event::Modify => (true, true),
            Event::Remove => (true, false),
        };
        if (wants_old && old.is_none()) || (wants_new && new.is_none()) {
            return Err(Poison::NoImage);
        }
        let ver = match new.as_ref().or(old.as_ref()).and_then(|item| item.get("ver")) {
            Some(Value::Number(number)) => number.as_u64().ok_or(Poison::NoVersion)?,
            Some(_) | None => return Err(Poison::NoVersion),
        };
        let said = |name: &str| match new.as_ref()?.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            Some(_) | None => None,
        };
        let (by, cause, at) = (said("by"), said("cause"), said("at"));
        Ok(Self { event_id, event, time, sequence, room, seq, ver, by, cause, at, expired, old, new })
    }

    /// The record as a line, without a line break.
    ///
    /// # Errors
    /// Never for a record of ours; the serialiser's otherwise.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        let mut types = Types::new();
        for (name, item) in [("/old", &self.old), ("/new", &self.new)] {
            for (attribute, value) in item.iter().flatten() {
                value.note_types(&below(name, attribute), &mut types);
            }
        }
        serde_json::to_string(&Written {
            event_id: &self.event_id,
            event: self.event,
            time: self.time,
            sequence: &self.sequence,
            room: &self.room,
            seq: self.seq,
            ver: self.ver,
            by: self.by.as_deref(),
            cause: self.cause.as_deref(),
            at: self.at.as_deref(),
            expired: self.expired,
            old: self.old.as_ref(),
            new: self.new.as_ref(),
            types,
        })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// When it is no record, or a value in it cannot be read back.
    pub fn from_line(line: &str) -> Result<Self, BadLine> {
        let read: Read = serde_json::from_str(line)?;
        let item = |json: Option<&RawValue>, pointer: &str| -> Result<Option<Item>, BadLine> {
            match json.map(|json| Value::read(json, pointer, &read.types)).transpose()? {
                None => Ok(None),
                Some(Value::Map(item)) => Ok(Some(item)),
                Some(_) => Err(BadLine::NoItem),
            }
        };
        let (old, new) = (item(read.old, "/old")?, item(read.new, "/new")?);
        let Read { event_id, event, time, sequence, room, seq, ver, by, cause, at, expired, .. } = read;
        Ok(Self { event_id, event, time, sequence, room, seq, ver, by, cause, at, expired, old, new })
    }
}

/// A line that is no record.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    /// It is not JSON, or a field is missing.
    #[error("not a record")]
    Json(#[from] serde_json::Error),
    /// A value cannot be read back.
    #[error("not a value")]
    Value(#[from] Unreadable),
    /// An image is not an item.
    #[error("an image that is not an item")]
    NoItem,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    event_id: &'a str,
    event: Event,
    time: Timestamp,
    sequence: &'a str,
    room: &'a RoomId,
    seq: MessageSeq,
    ver: u64,
    by: Option<&'a str>,
    cause: Option<&'a str>,
    at: Option<&'a str>,
    expired: bool,
    old: Option<&'a Item>,
    new: Option<&'a Item>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    types: Types,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read<'a> {
    event_id: String,
    event: Event,
    time: Timestamp,
    sequence: String,
    room: RoomId,
    seq: MessageSeq,
    ver: u64,
    by: Option<String>,
    cause: Option<String>,
    at: Option<String>,
    expired: bool,
    #[serde(borrow)]
    old: Option<&'a RawValue>,
    #[serde(borrow)]
    new: Option<&'a RawValue>,
    #[serde(default)]
    types: Types,
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::tests::value;
    use crate::value::{Number, Value};

    pub(crate) const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";

    pub(crate) fn item(ver: u64, text: &str) -> Item {
        let value = |text: &str| Value::Text(text.to_owned());
        [
            ("PK", value(&format!("ROOM#{ROOM}"))),
            ("SK", value("MSG#000000000007")),
            ("ver", Value::Number(Number::parse(&ver.to_string()).unwrap())),
            ("by", value("anna")),
            ("cause", value("edited")),
            ("at", value("2026-11-22T22:35:14.123Z")),
            ("text", value(text)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    pub(crate) fn change(ver: u64) -> Change {
        Change {
            event_id: format!("event-{ver}"),
            event: if ver == 1 { Event::Insert } else { Event::Modify },
            time: Timestamp::from_millis(1_795_386_914_000),
            sequence: format!("4421584500000000017450{ver:05}"),
            expired: false,
            pk: format!("ROOM#{ROOM}"),
            sk: "MSG#000000000007".to_owned(),
            old: (ver > 1).then(|| item(ver - 1, "before")),
            new: Some(item(ver, "after")),
        }
    }

    #[test]
    fn a_record_is_a_flat_line_with_both_images_whole() {
        let mut change = change(2);
        let nested = Value::Map([("state".to_owned(), Value::Text("ready".to_owned()))].into());
        change
            .new
            .as_mut()
            .unwrap()
            .insert("attachments".to_owned(), Value::Map([("01jd3v8q0zk5w6x7y8z9abcdeg".to_owned(), nested)].into()));
        change.new.as_mut().unwrap().insert("raw".to_owned(), Value::Binary(b"\0\xFF".to_vec()));
        let line = Record::of(change).unwrap().to_line().unwrap();
        insta::assert_snapshot!(line);
    }

    #[test]
    fn a_removal_has_the_version_that_was_and_names_nobody() {
        let removal = Change { event: Event::Remove, new: None, expired: true, ..change(5) };
        let record = Record::of(removal).unwrap();
        assert_eq!((record.ver, record.by, record.cause, record.expired), (4, None, None, true));
    }

    #[test]
    fn what_is_no_change_of_a_message_is_poison_and_says_why() {
        let poison = |change: Change| Record::of(change).unwrap_err();
        for (pk, sk) in [("ROOM#x", "MSG#000000000007"), (&*change(1).pk, "MSG#7"), ("CUST#c", "ACTIVE"), ("", "")] {
            assert_eq!(poison(Change { pk: pk.to_owned(), sk: sk.to_owned(), ..change(1) }), Poison::ForeignKeys);
        }
        assert_eq!(poison(Change { new: None, ..change(1) }), Poison::NoImage);
        assert_eq!(poison(Change { old: None, ..change(2) }), Poison::NoImage);
        for ver in [Value::Text("2".to_owned()), Value::Number(Number::parse("1.5").unwrap()), Value::Null] {
            let mut new = item(2, "x");
            new.insert("ver".to_owned(), ver);
            assert_eq!(poison(Change { new: Some(new), ..change(2) }), Poison::NoVersion);
        }
    }

    #[test]
    fn a_message_written_past_the_rules_is_filed_without_a_name() {
        let mut change = change(2);
        for name in ["by", "cause", "at"] {
            change.new.as_mut().unwrap().remove(name);
        }
        let record = Record::of(change).unwrap();
        assert_eq!((record.by, record.cause, record.at), (None, None, None));
    }

    #[test]
    fn an_item_as_deep_as_dynamodb_takes_comes_back() {
        let mut change = change(2);
        let deepest = (0..32).fold(Value::Bool(true), |inner, _| Value::List(vec![inner]));
        change.new.as_mut().unwrap().insert("deep".to_owned(), deepest);
        let record = Record::of(change).unwrap();
        assert_eq!(Record::from_line(&record.to_line().unwrap()).unwrap(), record);
    }

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_went(attributes in prop::collection::btree_map("[a-z/~]{1,5}x", value(), 0..6)) {
            let mut change = change(3);
            change.new.as_mut().unwrap().extend(attributes);
            let record = Record::of(change).unwrap();
            let line = record.to_line().unwrap();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(Record::from_line(&line).unwrap(), record);
        }

        #[test]
        fn no_line_makes_it_panic(line in any::<String>()) {
            prop_assert!(Record::from_line(&line).is_err());
        }
    }
}
