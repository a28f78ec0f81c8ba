//! Archive records: the format, how they are kept and how messages are rebuilt from them. Pure.
//!
//! A change of a message ([`change::Change`]) becomes a [`record::Record`], many of which make one object ([`batch`]). Read back
//! in any order, they rebuild every message ([`replay`]).

pub mod batch;
pub mod change;
pub mod record;
pub mod replay;
pub mod value;
