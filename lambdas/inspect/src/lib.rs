//! Says what a file is and makes its thumbnails; may do nothing but log.
//!
//! The file's bytes are parsed by a child process alone, one per file ([`child`]). Its parent ([`sandbox`]) fetches the ranges
//! that the child asks for from a [`source`], and ends it when it takes too long, whatever state it is in. What the child does
//! wrong is the file's fault and refuses the file; what the parent cannot do is a fault, and the call may be repeated.

pub mod child;
pub mod config;
pub mod ended;
pub mod error;
pub mod examine;
mod fetch;
mod frame;
pub mod handler;
pub mod layers;
mod pixels;
mod plausible;
pub mod sandbox;
pub mod source;
