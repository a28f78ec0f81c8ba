//! Turns a batch of the table's stream into one object of the archive, and what cannot be filed into what Lambda wants to hear.

use serde_json::{Value, json};
use vestibule_ledger::batch::{self, BatchError};
use vestibule_ledger::change::Poison;
use vestibule_ledger::record::Record;
use vestibule_runtime::logs::chain;
use vestibule_store::archive::Kept;
use vestibule_store::error::StoreError;

use crate::stream;
use crate::world::World;

/// A batch that was not archived, or not whole. Lambda brings it again, halves it, and in the end puts it into the failure bucket.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The event holds no records of a stream.
    #[error("not an event of a table's stream")]
    UnknownEvent,
    /// The first record cannot be filed, so there is no place to go on from.
    #[error("the first record of the batch cannot be archived")]
    Poison(#[source] Poison),
    /// The records could not be packed.
    #[error("the records cannot be packed")]
    Pack(#[from] BatchError),
    /// The object could not be put.
    #[error("the archive failed")]
    Store(#[from] StoreError),
}

/// A batch, sorted.
struct Sorted {
    /// What can be filed, in the stream's order.
    healthy: Vec<Record>,
    /// Where the first record that cannot is, its sequence number, and why.
    poison: Option<(usize, Option<String>, Poison)>,
}

/// Archives a batch: all that can be filed, in one object. Where something cannot, Lambda is told from where on to try again.
///
/// What is poison stays so. To answer its sequence number makes Lambda keep what came before it, try again from there and in
/// the end halve the rest; where it comes first there is nothing to keep, and only an error makes Lambda halve the batch. Either way it
/// is alone at last, and goes to the failure bucket with its payload. What is healthy behind it is archived each time, under
/// names that clobber nothing.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
///
/// # Errors
/// [`ArchiveError`]; Lambda then brings the whole batch again.
pub async fn handle(world: &World, event: Value) -> Result<Value, lambda_runtime::Error> {
    archive(world, &event).await.map_err(|error| {
        tracing::error!(outcome = "fault", error.message = %chain(&error), "the batch was not archived");
        Box::new(error) as lambda_runtime::Error
    })
}

async fn archive(world: &World, event: &Value) -> Result<Value, ArchiveError> {
    let records = event.get("Records").and_then(Value::as_array).ok_or(ArchiveError::UnknownEvent)?;
    let Sorted { healthy, poison } = sort(records);
    if let Some(packed) = batch::pack(&healthy)? {
        let kept = world.archive.keep(&packed.key, packed.bytes).await?;
        let again = kept == Kept::Before;
        tracing::info!(object.key = packed.key, records.count = healthy.len(), delivered.again = again, "archived");
    }
    match poison {
        None => Ok(json!({ "batchItemFailures": [] })),
        Some((place, Some(sequence), _)) if place > 0 => {
            Ok(json!({ "batchItemFailures": [{ "itemIdentifier": sequence }] }))
        }
        Some((.., why)) => Err(ArchiveError::Poison(why)),
    }
}

fn sort(records: &[Value]) -> Sorted {
    let mut sorted = Sorted { healthy: Vec::with_capacity(records.len()), poison: None };
    for (place, record) in records.iter().enumerate() {
        match stream::file(record) {
            Ok(record) => sorted.healthy.push(record),
            Err(why) => {
                let sequence = stream::sequence(record);
                tracing::error!(outcome = "poison", record.sequence = sequence, reason = %why, "a change cannot be archived");
                sorted.poison.get_or_insert_with(|| (place, sequence.map(ToOwned::to_owned), why));
            }
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(place: usize) -> Value {
        json!({
            "eventID": format!("event-{place}"), "eventName": "INSERT", "awsRegion": "eu-central-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_386_914, "SizeBytes": 59, "SequenceNumber": format!("10{place}"),
                "Keys": { "PK": { "S": "ROOM#01jd3v8q0zk5w6x7y8z9abcdef" }, "SK": { "S": format!("MSG#{:012}", place + 1) } },
                "NewImage": { "ver": { "N": "1" } },
            },
        })
    }

    fn poison(place: usize) -> Value {
        let mut record = record(place);
        record["dynamodb"]["Keys"]["SK"] = json!({ "S": "MSG#garbage" });
        record
    }

    #[test]
    fn one_that_cannot_be_filed_spoils_no_other() {
        let Sorted { healthy, poison } = sort(&[record(0), poison(1), record(2), poison(3)]);
        assert_eq!(healthy.iter().map(|record| record.seq.get()).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(poison, Some((1, Some("101".to_owned()), Poison::ForeignKeys)));
        assert!(sort(&[record(0)]).poison.is_none());
    }

    /// A world whose archive nobody answers for: fine as long as nothing is put.
    fn world() -> World {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::from_static("eu-central-1"))
            .build();
        let client = aws_sdk_s3::Client::from_conf(config);
        World { archive: vestibule_store::archive::Archive::new(client, "archive".to_owned()) }
    }

    #[tokio::test]
    async fn poison_that_comes_first_is_an_error_so_that_lambda_halves_the_batch() {
        let alone = json!({ "Records": [poison(0)] });
        assert!(matches!(archive(&world(), &alone).await, Err(ArchiveError::Poison(Poison::ForeignKeys))));
        let empty = json!({ "Records": [] });
        assert_eq!(archive(&world(), &empty).await.unwrap(), json!({ "batchItemFailures": [] }));
        assert!(matches!(archive(&world(), &json!({})).await, Err(ArchiveError::UnknownEvent)));
    }
}
