//! What the headers of a sound say: how long it is, and its codec. A few ranges are enough for that, however long the file.

mod aac;
mod aiff;
mod flac;
mod frames;
mod mp4;
mod ogg;
mod wav;

use super::Container;
use crate::probe::RANGE_BYTES;
use crate::sparse::{Missing, Sparse};

pub(super) use self::aac::core_of;
pub(super) use self::ogg::links;

/// Most tags in front of a sound that are passed over.
const MAX_TAGS: u32 = 4;
/// Length of a tag's header, in bytes.
const TAG_HEADER: u64 = 10;

/// What the headers say; what they do not say, or not in a way that makes sense, is absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// How long it is.
    pub(super) duration_millis: Option<u64>,
    /// The codec, by the name that `Facts` has for it.
    pub(super) codec: Option<String>,
}

/// Reads the headers.
///
/// # Errors
/// Which bytes are needed.
pub(super) fn read(container: Container, file: &Sparse) -> Result<Said, Missing> {
    match container {
        Container::Mpeg => frames::mpeg(file),
        Container::Adts => frames::adts(file),
        Container::Flac => flac::read(file),
        Container::Wav => wav::read(file),
        Container::Aiff => aiff::read(file),
        Container::Ogg => ogg::read(file),
        Container::Mp4 => mp4::read(file),
        #[cfg(feature = "video")]
        Container::Matroska => Ok(Said::default()),
    }
}

/// Where the sound begins in a file that is there in whole: behind its tags. <https://id3.org/id3v2.4.0-structure>
pub(super) fn id3_end(bytes: &[u8]) -> usize {
    let mut at = 0_usize;
    for _ in 0..MAX_TAGS {
        let length = bytes.get(at..).and_then(tag_length).and_then(|length| usize::try_from(length).ok());
        match length {
            Some(length) => at = at.saturating_add(length).min(bytes.len()),
            None => break,
        }
    }
    at
}

/// The same of a file that may be there in parts.
fn sound_start(file: &Sparse) -> Result<u64, Missing> {
    let mut at = 0_u64;
    for _ in 0..MAX_TAGS {
        match tag_length(&bytes(file, at, TAG_HEADER)?) {
            Some(length) => at = at.saturating_add(length),
            None => break,
        }
    }
    Ok(at)
}

/// How long a tag at the beginning of `bytes` is, in bytes with its header; `None` where there is none.
fn tag_length(bytes: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', _, _, flags, a, b, c, d] = *bytes.first_chunk::<10>()? else { return None };
    // Seven bits a byte; a tag may end as it began.
    let length = [a, b, c, d].iter().fold(0, |length, byte| length << 7 | u64::from(byte & 0x7F));
    let footer = if flags & 0x10 == 0 { 0 } else { TAG_HEADER };
    Some(TAG_HEADER + length + footer)
}

/// `count` bytes at `at`, or as many as the file has. Where they are not there, more is asked for than is needed now: what comes next is near.
fn bytes(file: &Sparse, at: u64, count: u64) -> Result<Vec<u8>, Missing> {
    let widened = |Missing(hole)| {
        let end = hole.start.saturating_add(RANGE_BYTES).max(hole.end).min(file.size());
        Missing(hole.start..end)
    };
    file.bytes(at..at.saturating_add(count)).map_err(widened)
}

/// A number of `N` bytes at `at`, most significant byte first; `None` when it is not there.
fn be<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(N)?)?;
    Some(part.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The same, least significant byte first.
fn le<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(N)?)?;
    Some(part.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// `count` of what there are `a_second` of, in milliseconds; `None` for a rate of nothing, or for no length at all.
fn millis(count: u64, a_second: u64) -> Option<u64> {
    let of_a_second = u128::from(a_second);
    let millis = (u128::from(count) * 1000 + of_a_second / 2).checked_div(of_a_second)?;
    u64::try_from(millis).ok().filter(|_| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of which all is there.
    pub(super) fn whole(bytes: &[u8]) -> Sparse {
        let mut file = Sparse::new(bytes.len() as u64);
        file.supply(0, bytes.to_vec());
        file
    }

    /// A file of `size` bytes that begins with `head`, of which no more is there.
    pub(super) fn beginning(head: &[u8], size: u64) -> Sparse {
        let mut file = Sparse::new(size);
        file.supply(0, head.to_vec());
        file
    }

    #[test]
    fn tags_are_passed_over_whatever_their_length() {
        let tag = |flags: u8, length: u8| [b"ID3\x04\0", &[flags, 0, 0, 1, length][..]].concat();
        assert_eq!(tag_length(&tag(0, 2)), Some(140));
        assert_eq!(tag_length(&tag(0x10, 2)), Some(150));
        assert_eq!(tag_length(b"\xFF\xFB\x90\0......"), None);
        let mut bytes = tag(0, 0);
        bytes.resize(138, 7);
        bytes.extend(tag(0, 0));
        assert_eq!(sound_start(&whole(&bytes)), Ok(276));
        assert_eq!(id3_end(&bytes), 148);
        // Its picture is not even asked for.
        let long = beginning(b"ID3\x04\0\0\0\x7F\x7F\x7F", 100_000_000);
        assert_eq!(sound_start(&long), Err(Missing(2_097_161..2_097_161 + RANGE_BYTES)));
    }

    #[test]
    fn lengths_are_rounded_and_nothing_is_not_a_length() {
        assert_eq!((millis(44_100, 44_100), millis(1, 44_100), millis(23, 44_100)), (Some(1000), Some(0), Some(1)));
        assert_eq!((millis(0, 44_100), millis(1, 0), millis(u64::MAX, 1)), (None, None, None));
    }
}
