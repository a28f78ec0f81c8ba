//! Reads what woke the function: S3's events, bare, wrapped by EventBridge, or in the body of a queue's message.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use vestibule_domain::id::VersionId;
use vestibule_domain::key::InboxKey;
use vestibule_store::objects::InboxVersion;

/// One thing that an event says.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// A version arrived in the inbox.
    Upload(InboxVersion),
    /// Something arrived that cannot be one of our uploads. It stays where it is, and somebody must look.
    Unknown(Unknown),
    /// Nothing to do: S3's test event, a deletion, a delete marker.
    Nothing,
}

/// An object that nobody announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The key as the event has it, at most 256 characters.
    pub key: String,
    /// Why it cannot be an upload.
    pub reason: &'static str,
}

impl Unknown {
    fn new(key: &str, reason: &'static str) -> Self {
        Self { key: key.chars().take(256).collect(), reason }
    }
}

/// What S3 sends once when a notification is set up. It has no `Records` and would not parse as an event.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
const TEST_EVENT: &str = "s3:TestEvent";

/// Reads an event of S3 or of EventBridge about `bucket`.
///
/// # Errors
/// The parser's, when it is neither.
pub fn read(event: Value, bucket: &str) -> Result<Vec<Arrival>, serde_json::Error> {
    if event.get("Event").and_then(Value::as_str) == Some(TEST_EVENT) {
        return Ok(vec![Arrival::Nothing]);
    }
    if event.get("detail-type").is_some() {
        let event: EventBridgeEvent<Detail> = serde_json::from_value(event)?;
        return Ok(vec![from_eventbridge(&event, bucket)]);
    }
    let event: S3Event = serde_json::from_value(event)?;
    Ok(event.records.iter().map(|record| from_s3(record, bucket)).collect())
}

fn from_s3(record: &S3EventRecord, bucket: &str) -> Arrival {
    // `ObjectCreated:Put`, in older versions of the format with `s3:` before it.
    let name = record.event_name.as_deref().unwrap_or_default();
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Arrival::Nothing;
    }
    let object = &record.s3.object;
    let encoded = object.key.as_deref().unwrap_or_default();
    let Some(key) = form_decode(encoded) else {
        return Arrival::Unknown(Unknown::new(encoded, "the key is not UTF-8"));
    };
    let size = u64::try_from(object.size.unwrap_or_default()).unwrap_or_default();
    arrival(bucket, record.s3.bucket.name.as_deref(), &key, object.version_id.as_deref(), size)
}

/// The part of an `Object Created` event that we read. Its key is plain, not form-encoded.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
#[derive(Deserialize, serde::Serialize)]
struct Detail {
    bucket: DetailBucket,
    object: DetailObject,
}

#[derive(Deserialize, serde::Serialize)]
struct DetailBucket {
    name: String,
}

#[derive(Deserialize, serde::Serialize)]
struct DetailObject {
    key: String,
    #[serde(default)]
    size: u64,
    #[serde(rename = "version-id")]
    version_id: Option<String>,
}

fn from_eventbridge(event: &EventBridgeEvent<Detail>, bucket: &str) -> Arrival {
    if event.detail_type != "Object Created" {
        return Arrival::Nothing;
    }
    let object = &event.detail.object;
    arrival(bucket, Some(&event.detail.bucket.name), &object.key, object.version_id.as_deref(), object.size)
}

fn arrival(inbox: &str, bucket: Option<&str>, key: &str, version: Option<&str>, size: u64) -> Arrival {
    if bucket != Some(inbox) {
        return Arrival::Unknown(Unknown::new(key, "the bucket is not the inbox"));
    }
    let Ok(parsed) = key.parse::<InboxKey>() else {
        return Arrival::Unknown(Unknown::new(key, "the key is outside the grammar"));
    };
    match version.map(str::parse::<VersionId>) {
        Some(Ok(version)) => Arrival::Upload(InboxVersion { key: parsed, version, size }),
        Some(Err(_)) => Arrival::Unknown(Unknown::new(key, "the version id is malformed")),
        None => Arrival::Unknown(Unknown::new(key, "there is no version id")),
    }
}

/// S3 form-encodes the keys of its events: `+` is a space, then `%XX`.
fn form_decode(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const KEY: &str = "01jd3v8q0zk5w6x7y8z9abcdef/000000000042/01jd3v8q0zk5w6x7y8z9abcdeg";

    fn put(key: &str, version: Option<&str>) -> Value {
        json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2026-11-22T22:00:00.000Z", "eventName": "ObjectCreated:Put",
            "userIdentity": { "principalId": "X" }, "requestParameters": {},
            "s3": { "bucket": { "name": "inbox" }, "object": { "key": key, "size": 3, "versionId": version } },
        }] })
    }

    fn only(event: Value) -> Arrival {
        let mut arrivals = read(event, "inbox").unwrap();
        assert_eq!(arrivals.len(), 1);
        arrivals.remove(0)
    }

    fn reason(event: Value) -> &'static str {
        let Arrival::Unknown(unknown) = only(event) else { panic!("this could be an upload") };
        unknown.reason
    }

    #[test]
    fn a_put_names_the_version_that_arrived() {
        let Arrival::Upload(upload) = only(put(KEY, Some("v1"))) else { panic!() };
        assert_eq!((upload.key.to_string().as_str(), upload.version.as_str(), upload.size), (KEY, "v1", 3));
    }

    #[test]
    fn a_key_is_form_decoded_before_it_is_judged() {
        assert!(matches!(only(put(&KEY.replace('/', "%2F"), Some("v1"))), Arrival::Upload(_)));
        assert_eq!(form_decode("a+b%2Bc%C3%BC"), Some("a b+cü".to_owned()));
        assert_eq!(reason(put("%ff", Some("v1"))), "the key is not UTF-8");
    }

    #[test]
    fn what_cannot_be_an_upload_is_unknown_and_never_an_error() {
        assert_eq!(reason(put("holiday.jpg", Some("v1"))), "the key is outside the grammar");
        assert_eq!(reason(put(KEY, None)), "there is no version id");
        assert_eq!(reason(put(KEY, Some("null"))), "the version id is malformed");
        let mut elsewhere = put(KEY, Some("v1"));
        elsewhere["Records"][0]["s3"]["bucket"]["name"] = json!("other");
        assert_eq!(reason(elsewhere), "the bucket is not the inbox");
    }

    #[test]
    fn test_events_and_deletions_ask_for_nothing() {
        let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "inbox" });
        assert!(matches!(only(test), Arrival::Nothing));
        let mut deletion = put(KEY, Some("v1"));
        deletion["Records"][0]["eventName"] = json!("ObjectRemoved:DeleteMarkerCreated");
        assert!(matches!(only(deletion), Arrival::Nothing));
    }

    #[test]
    fn eventbridge_says_the_same_in_its_own_words() {
        let event = json!({
            "version": "0", "id": "x", "detail-type": "Object Created", "source": "aws.s3", "account": "123456789012",
            "time": "2026-11-22T22:00:00Z", "region": "eu-central-1", "resources": [],
            "detail": { "bucket": { "name": "inbox" }, "object": { "key": KEY, "size": 3, "version-id": "v1" } },
        });
        assert!(matches!(only(event), Arrival::Upload(_)));
    }

    #[test]
    fn anything_else_is_an_error() {
        for event in [json!(null), json!({}), json!([]), json!({ "Records": "x" }), json!({ "detail-type": 3 })] {
            assert!(read(event.clone(), "inbox").is_err(), "{event}");
        }
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[A-Za-z]{1,12}", inner, 0..4).prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_key_makes_it_panic(key in any::<String>()) {
            prop_assert!(read(put(&key, Some("v1")), "inbox").is_ok());
        }

        /// An upload is only what has a bucket, a key and a version of ours.
        #[test]
        fn whatever_stands_anywhere_in_an_event_it_is_read_or_refused(
            pointer in prop::sample::select(vec![
                "", "/Records", "/Records/0", "/Records/0/eventName", "/Records/0/s3", "/Records/0/s3/bucket",
                "/Records/0/s3/bucket/name", "/Records/0/s3/object", "/Records/0/s3/object/key", "/Records/0/s3/object/size",
                "/Records/0/s3/object/versionId", "/Records/0/eventTime",
            ]),
            value in anything(),
        ) {
            let mut event = put(KEY, Some("v1"));
            *event.pointer_mut(pointer).unwrap() = value;
            for arrival in read(event, "inbox").unwrap_or_default() {
                if let Arrival::Upload(upload) = arrival {
                    prop_assert_eq!(upload.key.to_string(), KEY);
                }
            }
        }
    }
}
