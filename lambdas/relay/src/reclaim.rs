//! Reads off a record of the table's stream whose objects may be collected: attachments that were decided, taken out, or deleted with
//! their message. Asking too often is harmless: reclaim reads the document and decides by that alone.

use std::collections::HashMap;

use serde_dynamo::AttributeValue;
use serde_json::Value as Json;
use vestibule_domain::key::InboxKey;
use vestibule_domain::reclaim::{Place, Reason, Reclaim};

use crate::stream::{Change, Image, change};

/// What reclaim is asked for on behalf of `record`, and after how many seconds.
///
/// What a decision leaves on the way to it is collected late, when no copy can still be under way. What was taken out or deleted
/// goes at once, and late once more: a worker may have been about to write.
pub fn requests(record: &Json, collect_delay_seconds: u16) -> Vec<(Reclaim, u16)> {
    let Some(Change { room, seq: message, old, new }) = change(record) else { return Vec::new() };
    let (was, is) = (states(&old), states(&new));
    let is_deleted = flag(&new, "deleted");
    // A tombstone has no attachments, so the ones to look at are in the image of before.
    let attachments = if is_deleted { &was } else { &is };
    let mut requests = Vec::new();
    for (attachment, state) in attachments {
        let before = was.get(attachment);
        let why = match state.as_str() {
            _ if is_deleted => Reason::Deleted,
            "removed" if before != Some(state) => Reason::Removed,
            "ready" | "rejected" | "cancelled" if before != Some(state) => Reason::Decided,
            _ => continue,
        };
        let Ok(attachment) = attachment.parse() else { continue };
        let key = Place(InboxKey { room: room.clone(), message, attachment });
        if why != Reason::Decided {
            requests.push((Reclaim { key: key.clone(), why }, 0));
        }
        requests.push((Reclaim { key, why }, collect_delay_seconds));
    }
    requests
}

/// The states of an image's attachments, by id.
fn states(image: &Image) -> HashMap<&str, &String> {
    let Some(AttributeValue::M(attachments)) = image.get("attachments") else { return HashMap::new() };
    attachments.iter().filter_map(|(id, entry)| Some((id.as_str(), state(entry)?))).collect()
}

fn state(entry: &AttributeValue) -> Option<&String> {
    let AttributeValue::M(entry) = entry else { return None };
    match entry.get("state") {
        Some(AttributeValue::S(state)) => Some(state),
        _ => None,
    }
}

fn flag(image: &Image, name: &str) -> bool {
    matches!(image.get(name), Some(AttributeValue::Bool(true)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
    const ATTACHMENTS: [&str; 2] = ["01jd3v8q0zk5w6x7y8z9abcdeg", "01jd3v8q0zk5w6x7y8z9abcdeh"];

    fn image(states: [&str; 2]) -> Json {
        let entry = |state: &str| json!({ "M": { "state": { "S": state } } });
        json!({
            "ver": { "N": "2" }, "deleted": { "BOOL": false },
            "attachments": { "M": { ATTACHMENTS[0]: entry(states[0]), ATTACHMENTS[1]: entry(states[1]) } },
        })
    }

    fn record(old: &Json, new: &Json) -> Json {
        json!({
            "eventID": "1", "eventName": "MODIFY", "awsRegion": "eu-central-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_386_914.5, "SizeBytes": 59, "SequenceNumber": "100",
                "Keys": { "PK": { "S": format!("ROOM#{ROOM}") }, "SK": { "S": "MSG#000000000007" } },
                "NewImage": new, "OldImage": old,
            },
        })
    }

    fn asked(old: &Json, new: &Json) -> Vec<(String, Reason, u16)> {
        let mut asked: Vec<_> = requests(&record(old, new), 900)
            .into_iter()
            .map(|(ask, delay)| (ask.key.to_string(), ask.why, delay))
            .collect();
        asked.sort_by_key(|(key, _, delay)| (key.clone(), *delay));
        asked
    }

    fn key(attachment: usize) -> String {
        format!("{ROOM}/000000000007/{}", ATTACHMENTS[attachment])
    }

    #[test]
    fn a_decision_is_collected_late_and_once() {
        for decided in ["ready", "rejected", "cancelled"] {
            let (old, new) = (image(["pending", "pending"]), image(["pending", decided]));
            assert_eq!(asked(&old, &new), [(key(1), Reason::Decided, 900)]);
            assert_eq!(asked(&new, &new), []);
        }
    }

    #[test]
    fn what_is_taken_out_goes_at_once_and_again_late() {
        let (old, new) = (image(["ready", "pending"]), image(["removed", "pending"]));
        assert_eq!(asked(&old, &new), [(key(0), Reason::Removed, 0), (key(0), Reason::Removed, 900)]);
    }

    #[test]
    fn a_deleted_message_lets_all_its_attachments_go() {
        let tombstone = json!({ "ver": { "N": "3" }, "deleted": { "BOOL": true } });
        let asked_for = asked(&image(["ready", "pending"]), &tombstone);
        let keys: Vec<_> = asked_for.iter().map(|(key, why, delay)| (key.clone(), *why, *delay)).collect();
        assert_eq!(
            keys,
            [0, 1]
                .into_iter()
                .flat_map(|place| [0, 900].map(|delay| (key(place), Reason::Deleted, delay)))
                .collect::<Vec<_>>()
        );
        assert_eq!(asked(&tombstone, &tombstone), []);
    }

    #[test]
    fn a_message_that_was_sent_asks_for_nothing_and_a_strange_record_neither() {
        assert_eq!(asked(&json!({}), &image(["pending", "pending"])), []);
        assert!(requests(&json!({}), 900).is_empty());
        assert!(requests(&json!({ "dynamodb": { "Keys": {} } }), 900).is_empty());
    }
}
