//! Turns a batch of the table's stream into pushes, room by room, and their ends into what Lambda wants to hear.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};
use vestibule_domain::id::RoomId;
use vestibule_domain::live::Push;
use vestibule_runtime::logs::chain;
use vestibule_store::error::StoreError;

use crate::reclaim;
use crate::relay::{ROOM, relay};
use crate::stream;
use crate::world::World;

/// Rooms that are relayed at a time.
const ROOMS_AT_ONCE: usize = 8;
/// The function's time-out, as the template says it; who hits it has the whole batch brought again.
const TIME_OUT: Duration = Duration::from_secs(30);
/// How long after a batch's arrival another room is begun, so that all is said before the time-out.
const LAST_ROOM: Duration = TIME_OUT.saturating_sub(ROOM).saturating_sub(Duration::from_secs(6));

/// What changed in one room, in the stream's order.
#[derive(Debug, Default, PartialEq, Eq)]
struct RoomChanges {
    pushes: Vec<Push>,
    /// Where the first of them is in the batch.
    first: usize,
}

/// Asks reclaim for what a batch lets go of, and relays it. When the table fails for a room, or its turn does not come in time, Lambda is told to bring the batch again from
/// that room's first change: who was told already is told again, with the same version.
///
/// # Errors
/// When the event is none of a table's stream, reclaim's queue does not take all requests, or the room that failed has the batch's first record or one without a place.
pub async fn handle(world: &World, event: Value) -> Result<Value, lambda_runtime::Error> {
    let records = event.get("Records").and_then(Value::as_array).ok_or("not an event of a table's stream")?;
    let last_room = Instant::now() + LAST_ROOM;
    // First, since what is never collected is a file that should be gone; but people are told all the same when it fails.
    let asked = ask_reclaim(world, records).await;
    let rooms = futures::stream::iter(by_room(records)).map(async |(room, RoomChanges { pushes, first })| {
        if Instant::now() >= last_room {
            tracing::warn!(room.id = %room, "its turn did not come in time");
            return Some(first);
        }
        match relay(world, &room, &pushes).await {
            Ok(told) => {
                tracing::info!(
                    room.id = %room,
                    changes.count = pushes.len(),
                    pushes.sent = told.sent,
                    connections.gone = told.gone,
                    connections.failed = told.failed,
                    "relayed"
                );
                None
            }
            Err(error) => {
                tracing::error!(outcome = "fault", room.id = %room, error.message = %chain(&error), "not relayed");
                Some(first)
            }
        }
    });
    let failed: Vec<Option<usize>> = rooms.buffer_unordered(ROOMS_AT_ONCE).collect().await;
    asked?;
    answer(records, failed.into_iter().flatten().min())
}

async fn ask_reclaim(world: &World, records: &[Value]) -> Result<(), StoreError> {
    let requests: Vec<_> =
        records.iter().flat_map(|record| reclaim::requests(record, world.collect_delay_seconds)).collect();
    if requests.is_empty() {
        return Ok(());
    }
    world.reclaim.ask(&requests).await.inspect_err(|error| {
        tracing::error!(outcome = "fault", error.message = %chain(error), "reclaim could not be asked");
    })?;
    tracing::info!(requests.count = requests.len(), "asked reclaim");
    Ok(())
}

/// What Lambda wants to hear when the room whose first record is at `failed` could not be relayed.
fn answer(records: &[Value], failed: Option<usize>) -> Result<Value, lambda_runtime::Error> {
    let Some(place) = failed else { return Ok(json!({ "batchItemFailures": [] })) };
    let sequence = records.get(place).filter(|_| place > 0).and_then(stream::sequence);
    let sequence = sequence.ok_or("the changes could not be relayed")?;
    Ok(json!({ "batchItemFailures": [{ "itemIdentifier": sequence }] }))
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

    #[test]
    fn a_room_that_failed_is_answered_by_its_first_record() {
        let records = [record('a', 1, 1), record('b', 1, 1)];
        assert_eq!(answer(&records, None).unwrap(), json!({ "batchItemFailures": [] }));
        assert_eq!(answer(&records, Some(1)).unwrap(), json!({ "batchItemFailures": [{ "itemIdentifier": "100" }] }));
        // Nothing before it is done with: the whole batch failed.
        assert!(answer(&records, Some(0)).is_err());
        assert!(answer(&[json!({}), json!({})], Some(1)).is_err());
    }
}
