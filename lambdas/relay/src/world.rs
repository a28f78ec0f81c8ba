//! What the function works with.

use vestibule_runtime::clock::Clock;
use vestibule_runtime::sdk::{self, SdkConfig};
use vestibule_store::connections::Connections;
use vestibule_store::queues::ReclaimQueue;
use vestibule_store::rooms::Rooms;

use crate::config::Config;

/// Clients; made once, shared by all invocations.
pub struct World {
    /// Who is in a room.
    pub rooms: Rooms,
    /// Who is connected.
    pub connections: Connections,
    /// Who collects what nothing points at.
    pub reclaim: ReclaimQueue,
    /// How long after a decision, in seconds.
    pub collect_delay_seconds: u16,
    /// The time.
    pub clock: Clock,
}

impl World {
    /// The real world.
    pub fn new(config: Config, aws: &SdkConfig) -> Self {
        let dynamodb = aws_sdk_dynamodb::Client::new(aws);
        let posts = sdk::connections(aws, config.websocket.management_url(aws.endpoint_url()));
        Self {
            rooms: Rooms::new(dynamodb.clone(), config.table.clone()),
            reclaim: ReclaimQueue::new(aws_sdk_sqs::Client::new(aws), config.reclaim_queue_url),
            collect_delay_seconds: config.collect_delay_seconds,
            connections: Connections::new(dynamodb, config.table, posts),
            clock: Clock::system(),
        }
    }
}
