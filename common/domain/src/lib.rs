//! The words every part of Vestibule shares: ids, object keys, documents, states, rejections and the upload policy. Pure:
//! no AWS, no clock, no environment, no network.

pub mod admission;
pub mod attachment;
pub mod content_type;
pub mod correlation;
pub mod digest;
pub mod disposition;
pub mod hall;
pub mod id;
pub mod inspection;
pub mod key;
pub mod live;
pub mod message;
pub mod parts;
pub mod policy;
pub mod quota;
pub mod reclaim;
pub mod rejection;
pub mod room;
pub mod timestamp;
pub mod types;
pub mod upload_ticket;
pub mod work;
