//! What the flows share: the local cloud, a room of one's own, and the whole state of it.

pub(crate) mod archive;
pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod cloud;
pub(crate) mod crowd;
pub(crate) mod gateway;
pub(crate) mod law;
pub(crate) mod line;
pub(crate) mod socket;
pub(crate) mod state;
pub(crate) mod wait;
