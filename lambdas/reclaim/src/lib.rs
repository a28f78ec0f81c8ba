//! Deletes the objects of removed attachments and deleted messages, and what nothing points at.
//!
//! Relay asks for each attachment that was decided, removed or deleted with its message. The document as it is now decides: see
//! [`vestibule_domain::reclaim::keep`]. Nothing of a pending attachment is ever touched.

pub mod config;
pub mod handler;
pub mod reclaim;
pub mod world;
