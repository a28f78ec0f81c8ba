//! Archives every change of a message: the first reader of the table's stream.

pub mod config;
pub mod handler;
pub mod stream;
pub mod world;
