//! Everything outside that a request may touch, handed in, so that tests can hand in other parts.

use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::ids::{Ids, Secrets};
use vestibule_store::cloudfront::CloudFront;
use vestibule_store::connections::Tickets;
use vestibule_store::downloads::Downloads;
use vestibule_store::messages::Messages;
use vestibule_store::quotas::Quotas;
use vestibule_store::rooms::Rooms;
use vestibule_store::signed_urls::SignedUrls;
use vestibule_store::upload_keys::UploadKeys;

use crate::config::Settings;

/// What the routes work with.
#[derive(Clone)]
pub struct World {
    /// The rooms' documents.
    pub rooms: Rooms,
    /// The messages' documents.
    pub messages: Messages,
    /// Signs uploads.
    pub urls: SignedUrls,
    /// Signs downloads.
    pub downloads: Downloads,
    /// Seals and opens tickets for the upload routes.
    pub upload_keys: UploadKeys,
    /// What people may still upload.
    pub quotas: Quotas,
    /// What opens the WebSocket.
    pub tickets: Tickets,
    /// Where the WebSocket is.
    pub websocket_url: String,
    /// The function's settings.
    pub settings: Arc<Settings>,
    /// Tells the time.
    pub clock: Clock,
    /// Makes ids.
    pub ids: Ids,
    /// Makes secrets.
    pub secrets: Secrets,
}

/// What the world is reached with.
pub struct Clients {
    /// The table.
    pub table: aws_sdk_dynamodb::Client,
    /// The buckets.
    pub buckets: aws_sdk_s3::Client,
    /// Those of `buckets`.
    pub credentials: SharedCredentialsProvider,
    /// Seals and opens tickets for the upload routes.
    pub upload_keys: UploadKeys,
    /// What downloads come through, if not from the bucket.
    pub cloudfront: Option<CloudFront>,
    /// Where calls go, unless it is AWS.
    pub endpoint: Option<String>,
}

impl World {
    /// The world that `clients` reach.
    pub fn new(clients: Clients, settings: Settings, clock: Clock, ids: Ids, secrets: Secrets) -> Self {
        let Clients { table, buckets, credentials, upload_keys, cloudfront, endpoint } = clients;
        let urls = SignedUrls::new(
            &buckets,
            credentials,
            settings.inbox_bucket.clone(),
            settings.processed_bucket.clone(),
            settings.upload_url_seconds,
        );
        let (window, grace) = (settings.download_window_seconds, settings.download_url_seconds);
        let downloads = match cloudfront {
            Some(cloudfront) => Downloads::through_cloudfront(cloudfront, window, grace),
            None => Downloads::through_s3(urls.clone(), table.clone(), settings.table.clone(), window, grace),
        };
        Self {
            rooms: Rooms::new(table.clone(), settings.table.clone()),
            messages: Messages::new(table.clone(), settings.table.clone()),
            quotas: Quotas::new(table.clone(), settings.table.clone()),
            tickets: Tickets::new(table, settings.table.clone()),
            upload_keys,
            websocket_url: settings.websocket.client_url(endpoint.as_deref()),
            urls,
            downloads,
            settings: Arc::new(settings),
            clock,
            ids,
            secrets,
        }
    }
}
