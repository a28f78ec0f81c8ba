//! What the steps work with.

use vestibule_runtime::clock::Clock;
use vestibule_runtime::sdk::{self, SdkConfig};
use vestibule_store::decisions::Decisions;
use vestibule_store::objects::Objects;
use vestibule_store::work::Works;

use crate::config::Config;
use crate::inspector::Inspector;

/// Clients and settings; made once, shared by all invocations.
pub struct World {
    /// The message documents.
    pub decisions: Decisions,
    /// The hints about tries.
    pub works: Works,
    /// The buckets.
    pub objects: Objects,
    /// The function that looks into files.
    pub inspector: Inspector,
    /// The queue that brings the uploads.
    pub queue: aws_sdk_sqs::Client,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Config,
}

impl World {
    /// The real world.
    pub fn new(config: Config, aws: &SdkConfig) -> Self {
        let dynamodb = aws_sdk_dynamodb::Client::new(aws);
        Self {
            decisions: Decisions::new(dynamodb.clone(), config.table.clone()),
            works: Works::new(dynamodb, config.table.clone()),
            objects: Objects::new(sdk::s3(aws), config.buckets.clone(), config.copy_part_bytes),
            inspector: Inspector::new(aws_sdk_lambda::Client::new(aws), config.inspect_function.clone()),
            queue: aws_sdk_sqs::Client::new(aws),
            clock: Clock::system(),
            config,
        }
    }
}
