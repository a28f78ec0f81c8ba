//! Everything outside that a request may touch, handed in, so that tests can hand in other parts.

use std::sync::Arc;

use vestibule_runtime::clock::Clock;
use vestibule_runtime::ids::Ids;
use vestibule_store::messages::Messages;
use vestibule_store::rooms::Rooms;
use vestibule_store::signed_urls::SignedUrls;

use crate::config::Settings;

/// What the routes work with.
#[derive(Clone)]
pub struct World {
    /// The rooms' documents.
    pub rooms: Rooms,
    /// The messages' documents.
    pub messages: Messages,
    /// Signs uploads and downloads.
    pub urls: SignedUrls,
    /// The function's settings.
    pub settings: Arc<Settings>,
    /// Tells the time.
    pub clock: Clock,
    /// Makes ids.
    pub ids: Ids,
}

impl World {
    /// The world that these clients reach.
    pub fn new(
        table: aws_sdk_dynamodb::Client,
        buckets: &aws_sdk_s3::Client,
        settings: Settings,
        clock: Clock,
        ids: Ids,
    ) -> Self {
        Self {
            rooms: Rooms::new(table.clone(), settings.table.clone()),
            messages: Messages::new(table, settings.table.clone()),
            urls: SignedUrls::new(
                buckets,
                settings.inbox_bucket.clone(),
                settings.processed_bucket.clone(),
                settings.upload_url_seconds,
                settings.download_url_seconds,
            ),
            settings: Arc::new(settings),
            clock,
            ids,
        }
    }
}
