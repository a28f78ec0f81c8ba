//! What the function works with.

use vestibule_runtime::clock::Clock;
use vestibule_runtime::sdk::{self, SdkConfig};
use vestibule_store::connections::{Connections, Tickets};

use crate::config::Config;

/// Clients and settings; made once, shared by all invocations.
pub struct World {
    /// What opens a connection.
    pub tickets: Tickets,
    /// The open connections.
    pub connections: Connections,
    /// The time.
    pub clock: Clock,
    /// How long a connection is remembered, in seconds.
    pub connection_seconds: u32,
}

impl World {
    /// The real world.
    pub fn new(config: Config, aws: &SdkConfig) -> Self {
        let dynamodb = aws_sdk_dynamodb::Client::new(aws);
        let posts = sdk::connections(aws, config.websocket.management_url(aws.endpoint_url()));
        Self {
            tickets: Tickets::new(dynamodb.clone(), config.table.clone()),
            connections: Connections::new(dynamodb, config.table, posts),
            clock: Clock::system(),
            connection_seconds: config.connection_seconds,
        }
    }
}
