//! Lets people in to the WebSocket, and out.

pub mod config;
pub mod handler;
pub mod world;
