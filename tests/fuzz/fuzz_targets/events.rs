//! What wakes the functions, of any JSON: events of S3 and EventBridge, bare or in a queue's messages, and records of the table's stream.
//! What is read is a key of ours or nothing, and an archived line is JSON in one line.
//!
//! The readers are compiled in as they are, each file by itself: what surrounds them is AWS's SDK, which takes longer to build than to
//! fuzz.

#![no_main]
#![allow(dead_code, unreachable_pub, reason = "the readers are parts of other packages")]

extern crate self as vestibule_store;

#[path = "../../../lambdas/archive/src/stream.rs"]
mod archive;
#[path = "../../../lambdas/ingest/src/arrival.rs"]
mod arrival;
#[path = "../../../lambdas/relay/src/stream.rs"]
mod relay;

use aws_lambda_events::event::sqs::SqsEvent;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

use self::arrival::Arrival;

/// All that the reader of events needs of the store.
mod objects {
    use vestibule_domain::id::VersionId;
    use vestibule_domain::key::InboxKey;

    #[derive(Debug, Clone)]
    pub struct InboxVersion {
        pub key: InboxKey,
        pub version: VersionId,
        pub size: u64,
    }
}

/// The bucket of the fixtures.
const BUCKET: &str = "inbox";

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
    for record in event.get("Records").and_then(Value::as_array).into_iter().flatten().chain([&event]) {
        stream(record);
    }
    if let Ok(batch) = serde_json::from_value::<SqsEvent>(event.clone()) {
        for message in batch.records {
            if let Ok(event) = serde_json::from_str(&message.body.unwrap_or_default()) {
                arrivals(event);
            }
        }
    }
    arrivals(event);
});

fn arrivals(event: Value) {
    for arrival in arrival::read(event, BUCKET).unwrap_or_default() {
        match arrival {
            Arrival::Upload(upload) => {
                let again: vestibule_domain::key::InboxKey =
                    upload.key.to_string().parse().expect("a key that was read");
                assert_eq!(again.to_string(), upload.key.to_string());
            }
            Arrival::Unknown(unknown) => assert!(unknown.key.chars().count() <= 256),
            Arrival::Nothing => {}
        }
    }
}

fn stream(record: &Value) {
    relay::push(record);
    assert_eq!(relay::sequence(record), archive::sequence(record));
    if let Ok(filed) = archive::file(record) {
        let line = filed.to_line().expect("a record that was filed");
        let trimmed = line.strip_suffix('\n').unwrap_or(&line);
        assert!(!trimmed.contains('\n'), "{line:?}");
        serde_json::from_str::<Value>(trimmed).expect("a line of JSON");
    }
}
