//! What the function works with.

use vestibule_runtime::clock::Clock;
use vestibule_runtime::sdk::{self, SdkConfig};
use vestibule_store::hall::Hall;
use vestibule_store::progress::Progresses;
use vestibule_store::queues::IngestQueue;
use vestibule_store::quotas::Quotas;
use vestibule_store::work::Works;

use crate::config::Config;

/// Clients and settings; made once, shared by all invocations.
pub struct World {
    /// What stands in the inbox.
    pub hall: Hall,
    /// The hints about tries.
    pub works: Works,
    /// What people have reserved.
    pub quotas: Quotas,
    /// How far the pass has come.
    pub progresses: Progresses,
    /// The queue that brings uploads to ingest.
    pub queue: IngestQueue,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Config,
}

impl World {
    /// The real world.
    pub fn new(config: Config, aws: &SdkConfig) -> Self {
        let dynamodb = aws_sdk_dynamodb::Client::new(aws);
        let queue = aws_sdk_sqs::Client::new(aws);
        Self {
            hall: Hall::new(sdk::s3(aws), dynamodb.clone(), config.inbox.clone(), config.table.clone()),
            works: Works::new(dynamodb.clone(), config.table.clone()),
            quotas: Quotas::new(dynamodb.clone(), config.table.clone()),
            progresses: Progresses::new(dynamodb, config.table.clone()),
            queue: IngestQueue::new(queue, config.queue_url.clone(), config.inbox.clone()),
            clock: Clock::system(),
            config,
        }
    }
}
