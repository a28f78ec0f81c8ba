//! How far the sweep has come: one item, so that the next run goes on where the last one's time was over.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use vestibule_domain::hall::Class;
use vestibule_domain::timestamp::Timestamp;

use crate::error::StoreError;
use crate::hall::Place;
use crate::table::{self, sweep_pk, sweep_sk};

/// A pass over the inbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Where its listing goes on; `None` at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Place>,
    /// Where the listing of uploads in parts goes on; `None` at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploads_after: Option<Place>,
    /// What it has seen so far, by class.
    #[serde(default)]
    pub seen: BTreeMap<Class, Seen>,
    /// When the oldest version that it has seen so far came, of those that do not stay for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Timestamp>,
    /// How many of them were given up, so that somebody must look.
    #[serde(default)]
    pub given_up: u64,
    /// How many belong to nothing, so that somebody must look.
    #[serde(default)]
    pub unknown: u64,
    /// How many it has put into the queue again so far.
    #[serde(default)]
    pub driven: u64,
}

/// Versions of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How many.
    pub versions: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Where the progress is kept.
#[derive(Clone)]
pub struct Progresses {
    client: Client,
    table: String,
}

impl Progresses {
    /// Kept in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The progress that was written last. One that cannot be read counts as none: a pass begun afresh sees everything again.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read.
    pub async fn get(&self) -> Result<Progress, StoreError> {
        const OPERATION: &str = "GetItem of the sweep's progress";
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = get.key("PK", sweep_pk()).key("SK", sweep_sk()).send().await;
        let found = found.map_err(|error| StoreError::classify(OPERATION, error))?;
        let Some(item) = found.item else { return Ok(Progress::default()) };
        Ok(table::from_item(OPERATION, item).unwrap_or_else(|unreadable| {
            tracing::warn!(error.message = %unreadable, "the pass begins afresh");
            Progress::default()
        }))
    }

    /// Keeps the progress. Of two sweeps at once the last one wins, and what either passes over the next pass sees.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn put(&self, progress: &Progress) -> Result<(), StoreError> {
        const OPERATION: &str = "PutItem of the sweep's progress";
        let item = table::to_item(OPERATION, progress)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put.item("PK", sweep_pk()).item("SK", sweep_sk()).send().await;
        put.map_err(|error| StoreError::classify(OPERATION, error))?;
        Ok(())
    }
}
