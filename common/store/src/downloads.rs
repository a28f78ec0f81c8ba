//! URLs of what may be shown and downloaded: within a window of time the same for everybody, so that browsers and shared caches can keep
//! what they point at.
//!
//! CloudFront's are the same by themselves. S3's hold the signer's session, and every function has another: there the first who signs
//! for a window leaves the URL in the table, and all answer that.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use vestibule_domain::id::RoomId;
use vestibule_domain::quota::Window;
use vestibule_domain::timestamp::Timestamp;

use crate::cloudfront::{CloudFront, Cookie};
use crate::documents;
use crate::error::StoreError;
use crate::signed_urls::{Download, SignedUrls};
use crate::table::{self, Item, since_1970, stored_url_pk, stored_url_sk, text};

/// A URL that is answered works for this long yet, in seconds.
const LEAST_SECONDS: i64 = 60;
/// URLs that are stored at a time.
const AT_ONCE: usize = 16;
/// URLs that are remembered in the process: about 10 MB.
const REMEMBERED: usize = 10_000;

/// Signs downloads.
#[derive(Clone)]
pub struct Downloads {
    by: Signer,
    window_seconds: u32,
    grace_seconds: u32,
    /// By key and the window's begin.
    known: Arc<Mutex<HashMap<(String, Timestamp), Download>>>,
}

#[derive(Clone)]
enum Signer {
    CloudFront(Arc<CloudFront>),
    S3 { urls: SignedUrls, client: Client, table: String },
}

/// The item at `URL#…`.
#[derive(Serialize, Deserialize)]
struct Stored {
    url: String,
    expires: Timestamp,
    ttl: u64,
}

impl Downloads {
    /// Through S3. A window's URLs work for `grace_seconds` after it, but no longer than their signer's session.
    pub fn through_s3(
        urls: SignedUrls,
        client: Client,
        table: String,
        window_seconds: u32,
        grace_seconds: u32,
    ) -> Self {
        let by = Signer::S3 { urls, client, table };
        Self { by, window_seconds, grace_seconds, known: Arc::default() }
    }

    /// Through CloudFront.
    pub fn through_cloudfront(cloudfront: CloudFront, window_seconds: u32, grace_seconds: u32) -> Self {
        let by = Signer::CloudFront(Arc::new(cloudfront));
        Self { by, window_seconds, grace_seconds, known: Arc::default() }
    }

    /// One URL of each of these objects of the processed bucket.
    ///
    /// # Errors
    /// [`StoreError`], when there are no credentials to sign with, or the table cannot be read or written.
    pub async fn urls(&self, keys: &[&str], now: Timestamp) -> Result<BTreeMap<String, Download>, StoreError> {
        let window = Window::at(now, self.window_seconds);
        let expires = window.end.plus_seconds(self.grace_seconds.into());
        match &self.by {
            Signer::CloudFront(cloudfront) => {
                let mut found = self.known(keys, window.begin, now);
                for key in keys {
                    if !found.contains_key(*key) {
                        found.insert((*key).to_owned(), Download { url: cloudfront.url(key, expires), expires });
                        // Each takes milliseconds of computing: others may be answered in between.
                        tokio::task::yield_now().await;
                    }
                }
                self.remember(&found, window.begin);
                Ok(found)
            }
            Signer::S3 { .. } => self.stored(keys, window.begin, expires, now).await,
        }
    }

    /// Cookies for all of a room, and until when; `None` without CloudFront.
    pub fn cookies(&self, room: &RoomId, now: Timestamp) -> Option<([Cookie; 3], Timestamp)> {
        let expires = Window::at(now, self.window_seconds).end.plus_seconds(self.grace_seconds.into());
        match &self.by {
            Signer::CloudFront(cloudfront) => Some((cloudfront.cookies(room, expires), expires)),
            Signer::S3 { .. } => None,
        }
    }

    async fn stored(
        &self,
        keys: &[&str],
        begin: Timestamp,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Download>, StoreError> {
        const OPERATION: &str = "BatchGetItem of URLs";
        let Signer::S3 { client, table, .. } = &self.by else { return Ok(BTreeMap::new()) };
        let soon = now.plus_seconds(LEAST_SECONDS);
        let mut found = self.known(keys, begin, now);
        let mut missing: Vec<&str> = keys.iter().copied().filter(|key| !found.contains_key(*key)).collect();
        missing.sort_unstable();
        missing.dedup();
        let mut fresh = Vec::new();
        for some in missing.chunks(documents::MOST) {
            let places: Vec<_> = some.iter().map(|key| (stored_url_pk(key), stored_url_sk(begin))).collect();
            let items = documents::read(client, table, OPERATION, &places).await?;
            for (key, item) in some.iter().zip(items) {
                match item.map(|item| read(OPERATION, item)).transpose()?.filter(|url| url.expires > soon) {
                    Some(download) => {
                        found.insert((*key).to_owned(), download);
                    }
                    None => fresh.push((*key).to_owned()),
                }
            }
        }
        let made = stream::iter(fresh).map(|key| async move {
            let download = self.store(&key, begin, expires, now).await?;
            Ok::<_, StoreError>((key, download))
        });
        let made = made.buffer_unordered(AT_ONCE);
        found.extend(made.try_collect::<Vec<_>>().await?);
        self.remember(&found, begin);
        Ok(found)
    }

    /// What this process knows of the window's URLs.
    fn known(&self, keys: &[&str], begin: Timestamp, now: Timestamp) -> BTreeMap<String, Download> {
        let soon = now.plus_seconds(LEAST_SECONDS);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let good = |key: &&str| known.get(&((*key).to_owned(), begin)).filter(|url| url.expires > soon).cloned();
        keys.iter().filter_map(|key| Some(((*key).to_owned(), good(key)?))).collect()
    }

    fn remember(&self, found: &BTreeMap<String, Download>, begin: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + found.len() > REMEMBERED {
            known.clear();
        }
        known.extend(found.iter().map(|(key, url)| ((key.clone(), begin), url.clone())));
    }

    /// Signs for `key` and leaves the URL for the others, unless one of them was faster.
    async fn store(
        &self,
        key: &str,
        begin: Timestamp,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Download, StoreError> {
        const OPERATION: &str = "PutItem of a URL";
        let Signer::S3 { urls, client, table, .. } = &self.by else {
            return Err(StoreError::unreadable(OPERATION, "there is nothing to store"));
        };
        let download = urls.download_until(key, now, expires).await?;
        let stored = Stored { url: download.url.clone(), expires: download.expires, ttl: since_1970(download.expires) };
        let put = client.put_item().table_name(table).set_item(Some(table::to_item(OPERATION, &stored)?));
        let put = put.item("PK", stored_url_pk(key)).item("SK", stored_url_sk(begin));
        let put = put.condition_expression("attribute_not_exists(PK) OR expires <= :soon");
        let put = put.expression_attribute_values(":soon", text(now.plus_seconds(LEAST_SECONDS).to_string()));
        let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(download) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) if failed.item().is_some() => {
                read(OPERATION, failed.item().cloned().unwrap_or_default())
            }
            _ => Err(StoreError::classify(OPERATION, error)),
        }
    }
}

fn read(operation: &'static str, item: Item) -> Result<Download, StoreError> {
    let stored: Stored = table::from_item(operation, item)?;
    Ok(Download { url: stored.url, expires: stored.expires })
}
