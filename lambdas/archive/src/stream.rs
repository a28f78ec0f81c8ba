//! Reads one record of a table's stream, as Lambda brings it, and files it.

use aws_lambda_events::event::dynamodb::EventRecord;
use serde_dynamo::AttributeValue;
use serde_json::Value as Json;
use vestibule_domain::timestamp::Timestamp;
use vestibule_ledger::change::{Change, Event, Item, Poison};
use vestibule_ledger::record::Record;
use vestibule_ledger::value::{Number, Value};

/// Who deletes what DynamoDB deletes by itself.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html>
const TIME_TO_LIVE: (&str, &str) = ("Service", "dynamodb.amazonaws.com");

/// Reads and files a record.
///
/// # Errors
/// What keeps it from being filed.
pub fn file(record: &Json) -> Result<Record, Poison> {
    // An attribute of a type that `serde_dynamo` does not know fails here too.
    let record: EventRecord = serde_json::from_value(record.clone()).map_err(|_why| Poison::NoRecord)?;
    Record::of(change(record)?)
}

/// The record's place in its shard, as far as it has one.
pub fn sequence(record: &Json) -> Option<&str> {
    record.get("dynamodb")?.get("SequenceNumber")?.as_str().filter(|sequence| !sequence.is_empty())
}

fn change(record: EventRecord) -> Result<Change, Poison> {
    let event = match record.event_name.as_str() {
        "INSERT" => Event::Insert,
        "MODIFY" => Event::Modify,
        "REMOVE" => Event::Remove,
        _ => return Err(Poison::NoRecord),
    };
    // The key of an object is made of it.
    let sequence = record.change.sequence_number.filter(|text| is_decimal(text)).ok_or(Poison::NoRecord)?;
    if record.event_id.is_empty() {
        return Err(Poison::NoRecord);
    }
    let expired =
        record.user_identity.is_some_and(|who| (who.type_.as_str(), who.principal_id.as_str()) == TIME_TO_LIVE);
    let keys = item(record.change.keys)?;
    let key = |name: &str| match keys.get(name) {
        Some(Value::Text(text)) => Ok(text.clone()),
        Some(_) | None => Err(Poison::ForeignKeys),
    };
    let image = |image: serde_dynamo::Item| if image.is_empty() { Ok(None) } else { item(image).map(Some) };
    Ok(Change {
        event_id: record.event_id,
        event,
        time: Timestamp::from_millis(record.change.approximate_creation_date_time.timestamp_millis()),
        sequence,
        expired: expired && event == Event::Remove,
        pk: key("PK")?,
        sk: key("SK")?,
        old: image(record.change.old_image)?,
        new: image(record.change.new_image)?,
    })
}

/// A sequence number has 21 to 40 digits. The local cloud's have fewer.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>
fn is_decimal(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn item(item: serde_dynamo::Item) -> Result<Item, Poison> {
    item.into_inner().into_iter().map(|(name, attribute)| Ok((name, value(attribute)?))).collect()
}

fn value(attribute: AttributeValue) -> Result<Value, Poison> {
    let number = |text: &String| Number::parse(text).map_err(|_why| Poison::NotANumber);
    match attribute {
        AttributeValue::N(text) => number(&text).map(Value::Number),
        AttributeValue::S(text) => Ok(Value::Text(text)),
        AttributeValue::Bool(truth) => Ok(Value::Bool(truth)),
        AttributeValue::B(bytes) => Ok(Value::Binary(bytes)),
        AttributeValue::Null(_) => Ok(Value::Null),
        AttributeValue::M(attributes) => attributes
            .into_iter()
            .map(|(name, attribute)| Ok((name, value(attribute)?)))
            .collect::<Result<_, _>>()
            .map(Value::Map),
        AttributeValue::L(attributes) => attributes.into_iter().map(value).collect::<Result<_, _>>().map(Value::List),
        AttributeValue::Ss(texts) => Ok(Value::Texts(sorted(texts))),
        AttributeValue::Ns(texts) => texts.iter().map(number).collect::<Result<_, _>>().map(sorted).map(Value::Numbers),
        AttributeValue::Bs(binaries) => Ok(Value::Binaries(sorted(binaries))),
    }
}

/// A set has no order, so an archive gives it one: the same item is then always the same text.
fn sorted<T: Ord>(mut set: Vec<T>) -> Vec<T> {
    set.sort();
    set
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";

    fn insert() -> Json {
        json!({
            "eventID": "c81e728d9d4c2f636f067f89cc14862c", "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "eu-central-1", "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/Chat/stream/2026",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_386_914.0, "SequenceNumber": "442158450000000001745000001", "SizeBytes": 59,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
                "Keys": { "PK": { "S": format!("ROOM#{ROOM}") }, "SK": { "S": "MSG#000000000007" } },
                "NewImage": {
                    "PK": { "S": format!("ROOM#{ROOM}") }, "SK": { "S": "MSG#000000000007" }, "ver": { "N": "1" },
                    "by": { "S": "anna" }, "cause": { "S": "sent" }, "at": { "S": "2026-11-22T22:35:14.123Z" },
                    "attachments": { "M": { "a": { "M": { "size": { "N": "12345678901234567890123456789012345678" } } } } },
                    "all": { "L": [
                        { "B": "AP8=" }, { "SS": ["b", "a"] }, { "NS": ["3", "1.5"] }, { "BS": ["Ag==", "AQ=="] }, { "BOOL": true },
                        { "NULL": true }, { "L": [] },
                    ] },
                },
            },
        })
    }

    #[test]
    fn nested_attributes_are_unfolded_with_every_digit() {
        let line = file(&insert()).unwrap().to_line().unwrap();
        for part in [
            r#""time":"2026-11-22T22:35:14.000Z""#,
            r#""attachments":{"a":{"size":12345678901234567890123456789012345678}}"#,
            r#""all":["AP8=",["a","b"],[1.5,3],["AQ==","Ag=="],true,null,[]]"#,
            r#""types":{"/new/all/0":"B","/new/all/1":"SS","/new/all/2":"NS","/new/all/3":"BS"}"#,
            r#""old":null"#,
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[test]
    fn every_recorded_and_documented_change_is_filed_as_its_manifest_says() {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/events");
        let read =
            |file: &str| -> Json { serde_json::from_slice(&std::fs::read(fixtures.join(file)).unwrap()).unwrap() };
        let manifest = read("changes.json");
        let manifest = manifest.as_array().unwrap();
        assert!(manifest.len() >= 12);
        for row in manifest {
            let file_name = row["file"].as_str().unwrap();
            let batch = read(file_name);
            let told: Vec<Json> = batch["Records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|record| match file(record) {
                    Err(poison) => json!({ "poison": poison.to_string() }),
                    Ok(record) => json!({
                        "event": record.event, "room": record.room, "seq": record.seq, "ver": record.ver, "expired": record.expired,
                    }),
                })
                .collect();
            assert_eq!(Json::from(told), row["expect"], "{file_name}");
        }
    }

    #[test]
    fn a_removal_by_time_is_told_from_a_call() {
        let mut removal = insert();
        removal["eventName"] = json!("REMOVE");
        removal["dynamodb"]["OldImage"] = removal["dynamodb"]["NewImage"].take();
        removal["dynamodb"].as_object_mut().unwrap().remove("NewImage");
        assert!(!file(&removal).unwrap().expired);
        removal["userIdentity"] = json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
        assert!(file(&removal).unwrap().expired);
        removal["userIdentity"] = json!({ "type": "AssumedRole", "principalId": "dynamodb.amazonaws.com" });
        assert!(!file(&removal).unwrap().expired);
    }

    #[test]
    fn whatever_is_missing_or_wrong_is_poison_and_never_a_panic() {
        let with = |pointer: &str, value: Json| {
            let mut record = insert();
            *record.pointer_mut(pointer).unwrap() = value;
            file(&record).unwrap_err()
        };
        assert_eq!(file(&json!(null)), Err(Poison::NoRecord));
        assert_eq!(file(&json!({})), Err(Poison::NoRecord));
        assert_eq!(with("/eventID", json!("")), Poison::NoRecord);
        assert_eq!(with("/eventName", json!("RENAME")), Poison::NoRecord);
        for sequence in [json!(null), json!(""), json!("../x"), json!("1".repeat(41))] {
            assert_eq!(with("/dynamodb/SequenceNumber", sequence), Poison::NoRecord);
        }
        assert_eq!(with("/dynamodb/Keys", json!({})), Poison::ForeignKeys);
        assert_eq!(with("/dynamodb/Keys/SK", json!({ "S": "MSG#garbage" })), Poison::ForeignKeys);
        assert_eq!(with("/dynamodb/Keys/SK", json!({ "N": "7" })), Poison::ForeignKeys);
        assert_eq!(with("/dynamodb/NewImage", json!({})), Poison::NoImage);
        assert_eq!(with("/dynamodb/NewImage/ver", json!({ "N": "one" })), Poison::NotANumber);
        assert_eq!(with("/dynamodb/NewImage/ver", json!({ "S": "1" })), Poison::NoVersion);
        assert_eq!(with("/dynamodb/NewImage/by", json!({ "X": "1" })), Poison::NoRecord);
    }

    /// Any JSON, not too deep.
    fn anything() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<String>().prop_map(Json::from),
            Just(json!({ "N": "1e999" })),
            Just(json!({ "B": "not base 64" })),
            Just(json!({ "S": 3 })),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                prop::collection::btree_map("S|N|M|L|NULL|[a-z]", inner, 0..3).prop_map(Json::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_stands_anywhere_in_a_record_it_is_filed_or_poison(
            pointer in prop::sample::select(vec![
                "", "/eventID", "/eventName", "/awsRegion", "/dynamodb", "/dynamodb/Keys", "/dynamodb/Keys/PK", "/dynamodb/Keys/SK/S",
                "/dynamodb/NewImage", "/dynamodb/NewImage/ver", "/dynamodb/NewImage/ver/N", "/dynamodb/NewImage/by",
                "/dynamodb/NewImage/attachments", "/dynamodb/NewImage/all/L/1", "/dynamodb/SequenceNumber",
                "/dynamodb/ApproximateCreationDateTime", "/dynamodb/SizeBytes",
            ]),
            value in anything(),
        ) {
            let mut record = insert();
            *record.pointer_mut(pointer).unwrap() = value;
            if let Ok(filed) = file(&record) {
                let line = filed.to_line().unwrap();
                prop_assert_eq!(Record::from_line(&line).unwrap(), filed);
            }
            sequence(&record);
        }
    }
}
