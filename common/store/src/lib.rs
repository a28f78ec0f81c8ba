//! The product's AWS calls, grouped by what they keep. AWS types come in here and go no further.

pub mod archive;
pub mod connections;
pub mod cursor;
pub mod decisions;
pub mod error;
pub mod messages;
pub mod objects;
pub mod rooms;
pub mod signed_urls;
pub mod table;

mod backoff;
mod documents;
mod transaction;
