//! Reads which message changed off a record of the table's stream. The images' content is nobody's business here.

use std::collections::HashMap;

use aws_lambda_events::event::dynamodb::EventRecord;
use serde_dynamo::AttributeValue;
use serde_json::Value as Json;
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::live::Push;

/// A message as a record has it: attributes by name.
pub(crate) type Image = HashMap<String, AttributeValue>;

/// A change of a message.
pub(crate) struct Change {
    pub(crate) room: RoomId,
    pub(crate) seq: MessageSeq,
    /// How it was; empty when it was not there.
    pub(crate) old: Image,
    /// How it is; empty when it is not there.
    pub(crate) new: Image,
}

/// What a record says; `None` when it is no change of a message.
pub(crate) fn change(record: &Json) -> Option<Change> {
    let change = serde_json::from_value::<EventRecord>(record.clone()).ok()?.change;
    let text = |name: &str| match change.keys.get(name) {
        Some(AttributeValue::S(text)) => Some(text.as_str()),
        _ => None,
    };
    let room = text("PK")?.strip_prefix("ROOM#")?.parse().ok()?;
    let seq = MessageSeq::from_digits(text("SK")?.strip_prefix("MSG#")?).ok()?;
    Some(Change { room, seq, old: change.old_image.into(), new: change.new_image.into() })
}

/// The push that tells of a record; `None` when it is no change of a message. For a removal, which nothing of ours does, it has
/// the version that was.
pub fn push(record: &Json) -> Option<Push> {
    let Change { room, seq, old, new } = change(record)?;
    let image = if new.is_empty() { old } else { new };
    let ver = match image.get("ver") {
        Some(AttributeValue::N(number)) => number.parse().ok()?,
        _ => return None,
    };
    Some(Push { room, seq, ver })
}

/// The record's place in its shard, as far as it has one.
pub fn sequence(record: &Json) -> Option<&str> {
    record.get("dynamodb")?.get("SequenceNumber")?.as_str().filter(|sequence| !sequence.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";

    fn modify() -> Json {
        json!({
            "eventID": "1", "eventName": "MODIFY", "awsRegion": "eu-central-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_386_914.5, "SizeBytes": 59, "SequenceNumber": "100",
                "Keys": { "PK": { "S": format!("ROOM#{ROOM}") }, "SK": { "S": "MSG#000000000007" } },
                "NewImage": { "ver": { "N": "3" } }, "OldImage": { "ver": { "N": "2" } },
            },
        })
    }

    #[test]
    fn a_push_names_room_place_and_version() {
        let push = push(&modify()).unwrap();
        assert_eq!((push.room.as_str(), push.seq.get(), push.ver), (ROOM, 7, 3));
        let mut removal = modify();
        removal["dynamodb"].as_object_mut().unwrap().remove("NewImage");
        assert_eq!(super::push(&removal).unwrap().ver, 2);
        assert_eq!(sequence(&modify()), Some("100"));
    }

    #[test]
    fn every_recorded_and_documented_change_is_pushed_as_its_manifest_says() {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/events");
        let read =
            |file: &str| -> Json { serde_json::from_slice(&std::fs::read(fixtures.join(file)).unwrap()).unwrap() };
        for row in read("changes.json").as_array().unwrap() {
            let batch = read(row["file"].as_str().unwrap());
            for (record, expect) in batch["Records"].as_array().unwrap().iter().zip(row["expect"].as_array().unwrap()) {
                // Of what cannot be archived some can be told of, and none of it ends the batch.
                let told = push(record);
                if expect.get("poison").is_none() {
                    let told = told.unwrap();
                    assert_eq!(
                        json!([told.room, told.seq, told.ver]),
                        json!([expect["room"], expect["seq"], expect["ver"]])
                    );
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_in_a_record_it_is_a_push_or_none(
            pointer in proptest::sample::select(vec![
                "", "/dynamodb", "/dynamodb/Keys", "/dynamodb/Keys/PK", "/dynamodb/Keys/PK/S", "/dynamodb/Keys/SK/S",
                "/dynamodb/NewImage", "/dynamodb/NewImage/ver", "/dynamodb/NewImage/ver/N", "/dynamodb/SequenceNumber",
            ]),
            text in "\\PC{0,40}",
            number in proptest::prelude::any::<i64>(),
        ) {
            for value in [json!(text), json!(number), json!(null), json!([text]), json!({ "S": text, "N": number })] {
                let mut record = modify();
                *record.pointer_mut(pointer).unwrap() = value;
                if let Some(push) = push(&record) {
                    proptest::prop_assert!(push.room.as_str().len() == ROOM.len());
                }
                sequence(&record);
            }
        }
    }

    #[test]
    fn what_is_no_change_of_a_message_is_no_push() {
        let with = |pointer: &str, value: Json| {
            let mut record = modify();
            *record.pointer_mut(pointer).unwrap() = value;
            push(&record)
        };
        assert_eq!(push(&json!({})), None);
        assert_eq!(with("/dynamodb/Keys", json!({})), None);
        assert_eq!(with("/dynamodb/Keys/PK", json!({ "S": "ROOM#x" })), None);
        assert_eq!(with("/dynamodb/Keys/SK", json!({ "S": "META" })), None);
        assert_eq!(with("/dynamodb/NewImage/ver", json!({ "N": "-1" })), None);
        assert_eq!(with("/dynamodb/NewImage/ver", json!({ "S": "3" })), None);
        assert_eq!(sequence(&json!({ "dynamodb": { "SequenceNumber": "" } })), None);
    }
}
