//! What the function works with.

use vestibule_runtime::sdk::{self, SdkConfig};
use vestibule_store::collector::Collector;
use vestibule_store::decisions::Decisions;

use crate::config::Config;

/// Clients; made once, shared by all invocations.
pub struct World {
    /// The message documents.
    pub decisions: Decisions,
    /// The buckets.
    pub collector: Collector,
}

impl World {
    /// The real world.
    pub fn new(config: Config, aws: &SdkConfig) -> Self {
        Self {
            decisions: Decisions::new(aws_sdk_dynamodb::Client::new(aws), config.table),
            collector: Collector::new(sdk::s3(aws), config.processed, config.quarantine),
        }
    }
}
