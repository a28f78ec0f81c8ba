//! Reads many documents by their keys at once, in the order in which they were asked for.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::table::Item;

/// Most keys of one `BatchGetItem`, and so of one page.
pub(crate) const MOST: usize = 100;

/// The items at `keys` (PK and SK; at most [`MOST`], none twice), read consistently; `None` where there is none.
pub(crate) async fn read(
    client: &Client,
    table: &str,
    operation: &'static str,
    keys: &[(AttributeValue, AttributeValue)],
) -> Result<Vec<Option<Item>>, StoreError> {
    let mut left: Vec<Item> = keys.iter().map(|(pk, sk)| key(pk, sk)).collect();
    let mut found: HashMap<(String, String), Item> = HashMap::with_capacity(keys.len());
    let seed = format!("{keys:?}");
    let mut backoff = Backoff::new(&seed);
    while !left.is_empty() {
        let before = left.len();
        let (items, unprocessed) = once(client, table, operation, left).await?;
        found.extend(items.into_iter().filter_map(|item| Some((place(&item)?, item))));
        left = unprocessed;
        // What is left may be too much for one answer (16 MB) or for the table's capacity. Only the second calls for a wait.
        if left.len() == before && !backoff.again().await {
            return Err(StoreError::Unavailable {
                operation,
                code: "UnprocessedKeys".to_owned(),
                source: "the table answered none of the keys".into(),
            });
        }
    }
    Ok(keys.iter().map(|(pk, sk)| found.remove(&(string(pk)?, string(sk)?))).collect())
}

/// One call: the items it answered, and the keys it left out.
async fn once(
    client: &Client,
    table: &str,
    operation: &'static str,
    keys: Vec<Item>,
) -> Result<(Vec<Item>, Vec<Item>), StoreError> {
    let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
    let wanted = wanted.map_err(|source| StoreError::unreadable(operation, source))?;
    let answer = client
        .batch_get_item()
        .request_items(table, wanted)
        .send()
        .await
        .map_err(|error| StoreError::classify(operation, error))?;
    // One table was asked, whatever name (or ARN) the answer gives it.
    let items = answer.responses.unwrap_or_default().into_values().flatten().collect();
    let unprocessed = answer.unprocessed_keys.unwrap_or_default().into_values().flat_map(|left| left.keys).collect();
    Ok((items, unprocessed))
}

fn key(pk: &AttributeValue, sk: &AttributeValue) -> Item {
    [("PK".to_owned(), pk.clone()), ("SK".to_owned(), sk.clone())].into()
}

fn place(item: &Item) -> Option<(String, String)> {
    Some((string(item.get("PK")?)?, string(item.get("SK")?)?))
}

fn string(value: &AttributeValue) -> Option<String> {
    value.as_s().ok().cloned()
}
