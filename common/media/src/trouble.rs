//! What can be wrong with a picture, and which refusal that is.

use image::ImageError;
use vestibule_domain::rejection::RejectionCode;

/// Why a picture could not be made into thumbnails. The text is for the logs.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// Cut off or broken inside.
    #[error("damaged: {0}")]
    Damaged(String),
    /// One picture or frame is over the limit, or would be when decoded.
    #[error("too many pixels: {0}")]
    TooManyPixels(String),
    /// More frames than the limit.
    #[error("too many frames: more than {0}")]
    TooManyFrames(u32),
    /// Something that does not belong there is behind the picture's end.
    #[error("polyglot: {0}")]
    Polyglot(String),
    /// A decoder gave up for want of memory.
    #[error("over the decoder's budget: {0}")]
    OverBudget(String),
    /// Valid as far as we can see, of a kind that we do not decode.
    #[error("not decoded here: {0}")]
    Unsupported(String),
}

impl Trouble {
    /// Shorthand for the commonest one.
    pub(crate) fn damaged(detail: impl Into<String>) -> Self {
        Self::Damaged(detail.into())
    }

    /// The refusal; `None` where the file is accepted without thumbnails.
    pub(crate) fn refusal(&self) -> Option<RejectionCode> {
        match self {
            Self::Damaged(_) => Some(RejectionCode::Damaged),
            Self::TooManyPixels(_) => Some(RejectionCode::TooManyPixels),
            Self::TooManyFrames(_) => Some(RejectionCode::TooManyFrames),
            Self::Polyglot(_) => Some(RejectionCode::Polyglot),
            Self::OverBudget(_) => Some(RejectionCode::InspectionFailed),
            Self::Unsupported(_) => None,
        }
    }
}

impl From<ImageError> for Trouble {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(why) => Self::Unsupported(why.to_string()),
            ImageError::Limits(why) => Self::OverBudget(why.to_string()),
            broken @ (ImageError::Decoding(_)
            | ImageError::Encoding(_)
            | ImageError::Parameter(_)
            | ImageError::IoError(_)) => Self::Damaged(broken.to_string()),
        }
    }
}

impl From<jpeg_scaled::Error> for Trouble {
    fn from(error: jpeg_scaled::Error) -> Self {
        match error {
            jpeg_scaled::Error::Damaged(why) => Self::Damaged(format!("JPEG: {why}")),
            jpeg_scaled::Error::Unsupported(why) => Self::Unsupported(format!("JPEG: {why}")),
        }
    }
}
