//! Why a JPEG is not decoded.

/// What is wrong with the bytes, or with asking for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Cut off, or broken inside: no picture can be had of it, not even half of one.
    #[error("damaged: {0}")]
    Damaged(&'static str),
    /// A JPEG of a kind that is not decoded here.
    #[error("not decoded here: {0}")]
    Unsupported(&'static str),
}

/// Shorthand for what is broken.
pub(crate) fn damaged<T>(what: &'static str) -> Result<T, Error> {
    Err(Error::Damaged(what))
}
