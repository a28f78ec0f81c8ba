//! What a file is looked into for, by its type, and what that adds to the facts.

use vestibule_domain::content_type::ContentType;
use vestibule_domain::inspection::{Facts, Inspection};
use vestibule_domain::policy::InspectLimits;

use crate::decode::Format;
#[cfg(feature = "video")]
use crate::film;
use crate::picture::{RECIPE, Shown};
#[cfg(feature = "audio")]
use crate::sound;
#[cfg(feature = "text")]
use crate::text;
use crate::trouble::Trouble;

/// How a file is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A picture: read whole and decoded.
    Picture(Format),
    /// A film, or sound in a film's container: its structure by ranges, and a keyframe.
    #[cfg(feature = "video")]
    Film(film::Container),
    /// A sound: read whole and listened to up to a length, beyond it only its headers are read.
    #[cfg(feature = "audio")]
    Sound(sound::Container),
    /// A document with pages: read whole if it is not longer than a picture may be, and its first page drawn.
    #[cfg(feature = "pdf")]
    Document,
    /// A text: its first lines, as far as they are there.
    #[cfg(feature = "text")]
    Text,
    /// Anything else: no further than `inside` does.
    Other,
}

impl Kind {
    /// How files of a content type in its usual name are looked into.
    pub(crate) fn of(content_type: &ContentType) -> Self {
        if let Some(format) = Format::of(content_type) {
            return Self::Picture(format);
        }
        #[cfg(feature = "audio")]
        if let Some(container) = sound::Container::of(content_type) {
            return Self::Sound(container);
        }
        #[cfg(feature = "video")]
        if let Some(container) = film::Container::of(content_type) {
            return Self::Film(container);
        }
        match content_type.as_str() {
            #[cfg(feature = "pdf")]
            "application/pdf" => Self::Document,
            #[cfg(feature = "text")]
            _ if text::is_kept_as_text(content_type) => Self::Text,
            _ => Self::Other,
        }
    }

    /// Whether a file of `size` bytes is read whole.
    #[cfg_attr(not(feature = "pdf"), expect(unused_variables, reason = "of other kinds all are, or none"))]
    pub(crate) fn is_read_whole(self, size: u64, limits: &InspectLimits) -> bool {
        match self {
            Self::Picture(_) => true,
            #[cfg(feature = "video")]
            Self::Film(_) => false,
            #[cfg(feature = "audio")]
            Self::Sound(_) => size <= sound::MAX_WHOLE_BYTES,
            #[cfg(feature = "pdf")]
            Self::Document => size <= limits.max_image_bytes,
            #[cfg(feature = "text")]
            Self::Text => false,
            Self::Other => false,
        }
    }
}

/// What was found in a file.
#[derive(Debug)]
pub(crate) struct Content {
    /// All that is known of it.
    pub(crate) facts: Facts,
    /// What was made of its picture, or why nothing was; `None` for what has none.
    pub(crate) shown: Option<Result<Shown, Trouble>>,
}

impl Content {
    /// What has no picture.
    pub(crate) fn plain(facts: Facts) -> Self {
        Self { facts, shown: None }
    }

    /// The answer, and why there is no thumbnail where there could be one.
    pub(crate) fn into_inspection(self) -> (Inspection, Option<String>) {
        let mut facts = self.facts;
        match self.shown {
            Some(Ok(shown)) => {
                facts.thumbhash = Some(shown.thumbhash);
                facts.recipe = Some(RECIPE.to_owned());
                (Inspection { facts, thumbnails: shown.thumbnails }, None)
            }
            Some(Err(trouble)) => (Inspection { facts, thumbnails: Vec::new() }, Some(trouble.to_string())),
            None => (Inspection { facts, thumbnails: Vec::new() }, None),
        }
    }
}
