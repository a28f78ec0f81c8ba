//! Tells the people of a room that a message changed, and reclaim what may be collected: the second reader of the table's stream.

pub mod config;
pub mod handler;
pub mod reclaim;
pub mod relay;
pub mod stream;
pub mod world;
