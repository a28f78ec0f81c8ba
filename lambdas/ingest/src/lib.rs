//! Takes one uploaded version from the inbox to its decision: the steps of docs/ARCHITECTURE.md, in their order.

pub mod arrival;
pub mod attempt;
pub mod config;
pub mod error;
pub mod handler;
pub mod ingest;
pub mod inspector;
pub mod steps;
pub mod worker;
pub mod world;
