//! The documents that callers get. Those that hold a signed URL cannot be printed.

pub mod attachment;
pub mod message;
pub mod room;
pub mod transfer;
