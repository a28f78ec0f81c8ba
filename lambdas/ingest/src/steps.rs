//! One file per step.

pub mod ask;
pub mod inspect;
pub mod publish;
pub mod quarantine;
pub mod reject;
