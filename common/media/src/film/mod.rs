//! Films, and sound in the same containers: how long, how large, which codecs, and a poster. They are read by ranges, and never whole.
//!
//! Nothing is taken out of a film but what is named here: titles, comments and places stay in it.

mod codec;
mod colours;
mod fields;
mod h264;
mod matroska;
mod mp4;
mod poster;
mod reach;

use vestibule_domain::content_type::ContentType;
use vestibule_domain::inspection::Facts;
use vestibule_domain::policy::InspectLimits;

use crate::content::Content;
#[cfg(feature = "audio")]
use crate::sound;
use crate::sparse::Sparse;
use crate::stop::Stop;
use crate::trouble::Trouble;

/// Most ranges that a film costs, beyond those that any file does: its places, its `moov` or tracks, an index from either end and what that
/// leads to, and keyframes with the fragments that they are in.
pub(crate) const MAX_RANGES: u32 = reach::MAX_HOPS + 6 + 2 * poster::MAX_KEYFRAMES;
/// Longest single range of a film, in bytes.
pub(crate) const MAX_RANGE_BYTES: u64 = mp4::MAX_MOOV_BYTES + reach::HOP_BYTES;

/// The containers that are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// MP4 and its relatives.
    Mp4,
    /// Matroska and `WebM`.
    Matroska,
}

impl Container {
    /// The container of a content type in its usual name; `None` for what is none of them.
    pub(crate) fn of(content_type: &ContentType) -> Option<Self> {
        match content_type.as_str() {
            "video/mp4" | "video/quicktime" | "video/3gpp" | "video/3gpp2" | "audio/mp4" | "audio/3gpp"
            | "audio/3gpp2" => Some(Self::Mp4),
            "video/webm" | "video/matroska" | "audio/webm" | "audio/matroska" => Some(Self::Matroska),
            _ => None,
        }
    }
}

/// What a film says of itself.
#[derive(Debug, Default)]
struct Film {
    /// Its length, where it says it.
    duration_millis: Option<u64>,
    /// When the last that is in it ends, of a film that does not say how long it is.
    ends_millis: Option<u64>,
    /// Pixels across and down, as shown.
    size: Option<(u32, u32)>,
    /// Degrees clockwise.
    rotation: Option<u16>,
    codecs: Vec<String>,
    /// Its poster, or why there is none; `None` for sound.
    shown: Option<poster::Made>,
}

impl Film {
    /// A film that is not looked into any further.
    fn unseen(why: &str) -> Self {
        Self { shown: Some(Err(Trouble::Unsupported(why.to_owned()))), ..Self::default() }
    }
}

/// Most times that a side of a picture is stretched or shrunk to be shown: by far more than pixels of any shape that films have. Lenses that
/// squeeze do so by two.
const MAX_STRETCH: u64 = 3;

/// The size that a film says it is shown in, if that can be one of pictures of this size.
fn believed(shown: (u32, u32), coded: (u32, u32)) -> Option<(u32, u32)> {
    let near = |shown: u32, coded: u32| {
        let (shown, coded) = (u64::from(shown), u64::from(coded));
        shown <= coded * MAX_STRETCH && coded <= shown * MAX_STRETCH
    };
    Some(shown).filter(|(width, height)| near(*width, coded.0) && near(*height, coded.1))
}

/// Looks into a film.
///
/// # Errors
/// What has to be read first; or that the film was cut off.
pub(crate) fn look(container: Container, file: &Sparse, facts: Facts, max: &InspectLimits) -> Result<Content, Stop> {
    let found = match container {
        Container::Mp4 => mp4::look(file, max)?,
        Container::Matroska => matroska::look(file)?,
    };
    #[cfg(feature = "audio")]
    let (counted, waveform) = match (container, &found.shown) {
        (Container::Matroska, None) => sound::of_matroska(file)?,
        (Container::Matroska | Container::Mp4, _) => (None, None),
    };
    #[cfg(not(feature = "audio"))]
    let (counted, waveform) = (None, None);
    let (width, height) = found.size.unzip();
    let facts = Facts {
        // Of what could be heard, something may have been lost between its packets, and of its end only when the last packet begins.
        duration_millis: found.duration_millis.or(counted.max(found.ends_millis)),
        waveform,
        width,
        height,
        rotation: found.rotation,
        codecs: found.codecs,
        ..facts
    };
    Ok(Content { facts, shown: found.shown })
}
