//! The product's AWS calls, grouped by what they keep. AWS types come in here and go no further.

pub mod archive;
pub mod audit;
pub mod cloudfront;
pub mod collector;
pub mod connections;
pub mod cursor;
pub mod dead_letters;
pub mod decisions;
pub mod downloads;
pub mod error;
pub mod failed_batches;
pub mod hall;
pub mod messages;
pub mod multipart;
pub mod objects;
pub mod progress;
pub mod queues;
pub mod quotas;
pub mod rooms;
pub mod signed_urls;
pub mod table;
pub mod upload_keys;
pub mod work;

mod backoff;
mod documents;
mod post_policy;
mod transaction;
