//! Start-up shared by the functions and the command line: settings, AWS clients, logs, clock and ids.

pub mod clock;
pub mod config;
pub mod ids;
pub mod logs;
pub mod metrics;
pub mod sdk;
pub mod websocket;
