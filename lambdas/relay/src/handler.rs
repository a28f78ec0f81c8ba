//! Turns a batch of the table's stream into pushes, room by room, and their ends into what Lambda wants to hear.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vestibule_domain::id::RoomId;
use vestibule_domain::live::Push;
use vestibule_runtime::logs::chain;

use crate::relay::relay;
use crate::stream;
use crate::world::World;

/// What changed in one room, in the stream's order.
#[derive(Debug, Default, PartialEq, Eq)]
struct RoomChanges {
    pushes: Vec<Push>,
    /// Where the first of them is in the batch.
    first: usize,
}

/// Relays a batch. When the table fails for a room, Lambda is told to bring the batch again from that room's first change: who
/// was told already is told again, with the same version.
///
/// # Errors
/// When the event is none of a table's stream, or the room that failed has the batch's first record or one without a place.
pub async fn handle(world: &World, event: Value) -> Result<Value, lambda_runtime::Error> {
    let records = event.get("Records").and_then(Value::as_array).ok_or("not an event of a table's stream")?;
    let mut failed: Option<usize> = None;
    for (room, RoomChanges { pushes, first }) in by_room(records) {
        match relay(world, &room, &pushes).await {
            Ok(told) => tracing::info!(
                room.id = %room,
                changes.count = pushes.len(),
                pushes.sent = told.sent,
                connections.gone = told.gone,
                connections.failed = told.failed,
                "relayed"
            ),
            Err(error) => {
                tracing::error!(outcome = "fault", room.id = %room, error.message = %chain(&error), "not relayed");
                failed = Some(failed.map_or(first, |earlier| earlier.min(first)));
            }
        }
    }
    match failed {
        None => Ok(json!({ "batchItemFailures": [] })),
        Some(place) => {
            let sequence = records.get(place).filter(|_| place > 0).and_then(stream::sequence);
            let sequence = sequence.ok_or("the changes could not be relayed")?;
            Ok(json!({ "batchItemFailures": [{ "itemIdentifier": sequence }] }))
        }
    }
}

fn by_room(records: &[Value]) -> BTreeMap<RoomId, RoomChanges> {
    let mut rooms: BTreeMap<RoomId, RoomChanges> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        // The archive keeps what is no change of a message; here there is nobody to tell of it.
        let Some(push) = stream::push(record) else {
            tracing::warn!(record.sequence = stream::sequence(record), "not a change of a message");
            continue;
        };
        let first = RoomChanges { pushes: Vec::new(), first: place };
        rooms.entry(push.room.clone()).or_insert(first).pushes.push(push);
    }
    rooms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(room: char, seq: u64, ver: u64) -> Value {
        json!({
            "eventID": "1", "eventName": "MODIFY", "awsRegion": "eu-central-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_386_914, "SizeBytes": 59, "SequenceNumber": "100",
                "Keys": {
                    "PK": { "S": format!("ROOM#01jd3v8q0zk5w6x7y8z9abcde{room}") }, "SK": { "S": format!("MSG#{seq:012}") },
                },
                "NewImage": { "ver": { "N": ver.to_string() } },
            },
        })
    }

    #[test]
    fn changes_are_gathered_by_room_in_their_order() {
        let records = [record('a', 1, 1), json!({}), record('b', 1, 1), record('a', 1, 2), record('a', 2, 1)];
        let rooms: Vec<_> = by_room(&records)
            .into_values()
            .map(|room| {
                let pushes: Vec<_> = room.pushes.iter().map(|push| (push.seq.get(), push.ver)).collect();
                (room.first, pushes)
            })
            .collect();
        assert_eq!(rooms, [(0, vec![(1, 1), (1, 2), (2, 1)]), (2, vec![(1, 1)])]);
    }
}
