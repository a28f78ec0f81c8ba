//! Tells the people of a room that a message changed: the second reader of the table's stream.

pub mod config;
pub mod handler;
pub mod relay;
pub mod stream;
pub mod world;
