//! The HTTP API: rooms, messages and uploads.

pub mod caller;
pub mod code;
pub mod config;
pub mod draft;
pub mod handler;
pub mod input;
pub mod openapi;
pub mod problem;
pub mod routes;
pub mod view;
pub mod world;

#[cfg(test)]
mod testing;
