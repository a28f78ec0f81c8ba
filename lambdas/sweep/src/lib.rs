//! Lists the inbox, which is the truth, and brings to ingest what no event finished.
//!
//! A pass goes over all versions, page by page, and goes on in the next run where the time of one was over. It also frees reservations
//! that have lapsed, and gives up uploads in parts that nobody can finish. At the end of a pass it says what it saw.

pub mod config;
pub mod handler;
pub mod sweep;
pub mod world;
