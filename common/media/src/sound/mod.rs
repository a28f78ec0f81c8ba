//! Sounds: how long, by which codec, and how loud over their length. Nothing of their tags is read: who sings, where it was taped and the
//! pictures on the cover are the sender's, and no reader asked for them.
//!
//! `said` is what a file's headers say, of a file that is there only in parts as well; `heard` is what its packets add up to and sound
//! like, where it is there in whole. docs/decisions/0018-what-a-sound-looks-like.md says how much of a sound is decoded.

mod demux;
mod ear;
mod heard;
mod peaks;
mod said;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::inspection::Facts;

use self::heard::Heard;
use crate::sparse::{Missing, Sparse};

/// Longest sound that is read whole, in bytes: half an hour of good MP3, three minutes of a compact disc, hours of speech. Of longer ones
/// the headers are read, and there is no waveform.
pub(crate) const MAX_WHOLE_BYTES: u64 = 32 * 1024 * 1024;

/// What packets of sound are put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// MPEG audio, layers I to III: frames one after the other, perhaps behind a tag.
    Mpeg,
    /// AAC in its own frames (ADTS).
    Adts,
    /// FLAC in its own frames.
    Flac,
    /// RIFF.
    Wav,
    /// AIFF and AIFF-C.
    Aiff,
    /// Ogg, of Opus, Vorbis, FLAC or Speex.
    Ogg,
    /// MP4.
    Mp4,
    /// Matroska and `WebM`, of which `film` reads the headers.
    #[cfg(feature = "video")]
    Matroska,
}

impl Container {
    /// The container of a content type in its usual name; `None` for what is no sound, or of a kind that is not looked into.
    pub(crate) fn of(content_type: &ContentType) -> Option<Self> {
        match content_type.as_str() {
            "audio/mpeg" => Some(Self::Mpeg),
            "audio/aac" => Some(Self::Adts),
            "audio/flac" => Some(Self::Flac),
            "audio/wav" => Some(Self::Wav),
            "audio/aiff" | "audio/x-aiff" => Some(Self::Aiff),
            "audio/ogg" | "audio/opus" | "audio/vorbis" | "audio/speex" => Some(Self::Ogg),
            "audio/mp4" => Some(Self::Mp4),
            _ => None,
        }
    }
}

/// Looks into a sound. Damage is no reason to refuse one: players play what they can, and so a sound of which nothing can be made comes in
/// with as many facts as there are: `durationMillis`, `codecs` and `waveform`.
///
/// # Errors
/// Which bytes are needed of a sound that is not there in whole.
pub(crate) fn look(container: Container, file: &Sparse, facts: &mut Facts) -> Result<(), Missing> {
    let said = said::read(container, file)?;
    let heard = file.whole().and_then(|bytes| heard::hear(container, bytes));
    let counted = heard.as_ref().and_then(Heard::millis);
    facts.duration_millis = match container {
        // Its tracks begin and end where its edit lists say; packets reach further.
        // Likewise an Ogg's pages, whatever was lost between them.
        Container::Mp4 | Container::Ogg => said.duration_millis.or(counted),
        // A header may promise more than there is, or nothing: what can be counted is what is played.
        Container::Mpeg | Container::Adts | Container::Flac | Container::Wav | Container::Aiff => {
            counted.or(said.duration_millis)
        }
        #[cfg(feature = "video")]
        Container::Matroska => counted.or(said.duration_millis),
    };
    facts.codecs = said.codec.into_iter().collect();
    facts.waveform = heard.and_then(|heard| heard.waveform).map(|points| STANDARD.encode(points));
    Ok(())
}

/// What is heard of a Matroska file without pictures: how long it is, in milliseconds, and its waveform as [`Facts`] has it. Browsers record
/// voice messages so.
///
/// # Errors
/// Which bytes are needed of a file that is to be read whole.
#[cfg(feature = "video")]
pub(crate) fn of_matroska(file: &Sparse) -> Result<(Option<u64>, Option<String>), Missing> {
    if file.size() > MAX_WHOLE_BYTES {
        return Ok((None, None));
    }
    let bytes = file.whole().ok_or_else(|| Missing(file.rest()))?;
    let Some(heard) = heard::hear(Container::Matroska, bytes) else { return Ok((None, None)) };
    Ok((heard.millis(), heard.waveform.map(|points| STANDARD.encode(points))))
}
