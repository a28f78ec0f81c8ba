//! The product's AWS calls, grouped by what they keep. AWS types come in here and go no further.

pub mod archive;
pub mod cloudfront;
pub mod connections;
pub mod cursor;
pub mod decisions;
pub mod downloads;
pub mod error;
pub mod messages;
pub mod multipart;
pub mod objects;
pub mod quotas;
pub mod rooms;
pub mod signed_urls;
pub mod table;
pub mod upload_keys;

mod backoff;
mod documents;
mod post_policy;
mod transaction;
