//! Sounds that are frames one after the other, each with its own header: MPEG audio (ISO 11172-3, 13818-3) and AAC's ADTS (ISO 13818-7).
//! How long one is stands, for MPEG, in a frame that holds no sound, of which there are two kinds; otherwise it follows from the average
//! length of the first frames.

use super::{Said, be, bytes, millis, sound_start};
use crate::probe::RANGE_BYTES;
use crate::sparse::{Missing, Sparse};

/// Bytes of the longest header that is read.
const HEADER: usize = 7;

/// A frame, by its header.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    /// Its length, in bytes, at least that of the header.
    bytes: usize,
    /// Samples of one channel.
    samples: u64,
    /// In hertz.
    rate: u64,
    /// Its codec.
    codec: String,
    /// Bytes between its header and what a frame without sound says.
    side: usize,
}

impl Frame {
    fn is_like(&self, other: &Self) -> bool {
        (self.samples, self.rate, &self.codec) == (other.samples, other.rate, &other.codec)
    }
}

/// MPEG audio.
pub(super) fn mpeg(file: &Sparse) -> Result<Said, Missing> {
    read(file, mpeg_frame)
}

/// AAC in ADTS.
pub(super) fn adts(file: &Sparse) -> Result<Said, Missing> {
    read(file, adts_frame)
}

fn read(file: &Sparse, frame: impl Fn(&[u8]) -> Option<Frame>) -> Result<Said, Missing> {
    let start = sound_start(file)?;
    let head = bytes(file, start, RANGE_BYTES)?;
    let is_last = start.saturating_add(head.len() as u64) >= file.size();
    let Some(skipped) = (0..head.len()).find(|at| begins(&head, *at, is_last, &frame)) else {
        return Ok(Said::default());
    };
    let head = head.get(skipped..).unwrap_or_default();
    let Some(first) = frame(head) else { return Ok(Said::default()) };
    let counted = counted_samples(head, &first);
    let samples = counted.or_else(|| guessed_samples(head, &first, &frame, file.size() - start - skipped as u64));
    Ok(Said { duration_millis: samples.and_then(|samples| millis(samples, first.rate)), codec: Some(first.codec) })
}

/// Whether a frame begins at `at`: it does if another of its kind is behind it, or the file's end.
fn begins(head: &[u8], at: usize, is_last: bool, frame: impl Fn(&[u8]) -> Option<Frame>) -> bool {
    let from = |at: usize| head.get(at..).and_then(&frame);
    let Some(this) = from(at) else { return false };
    match from(at + this.bytes) {
        Some(next) => this.is_like(&next),
        None => is_last && at + this.bytes == head.len(),
    }
}

/// What the frame without sound counts, less what the encoder added before and behind: the tag of Xing, in the form that LAME gave it
/// (<http://gabriel.mp3-tech.org/mp3infotag.html>), and that of Fraunhofer (VBRI).
fn counted_samples(head: &[u8], first: &Frame) -> Option<u64> {
    let tag = head.get(4 + first.side..)?;
    if tag.starts_with(b"Xing") || tag.starts_with(b"Info") {
        let flags = be::<4>(tag, 4)?;
        let frames = be::<4>(tag, 8).filter(|_| flags & 1 != 0)?;
        // Flags say which of four numbers there are: frames, bytes, a table of places, quality.
        let length = 8 + [4, 4, 100, 4].iter().enumerate().map(|(bit, n)| n * (flags >> bit & 1)).sum::<u64>();
        let lame = tag.get(usize::try_from(length).ok()?..)?;
        let added = if lame.starts_with(b"LAME") || lame.starts_with(b"Lav") { be::<3>(lame, 21)? } else { 0 };
        return (frames * first.samples).checked_sub((added >> 12) + (added & 0xFFF));
    }
    let tag = head.get(4 + 32..)?;
    tag.starts_with(b"VBRI").then(|| be::<4>(tag, 14)).flatten().map(|frames| frames * first.samples)
}

/// How many samples there are in `size` bytes, if all frames are like those that `head` holds.
fn guessed_samples(head: &[u8], first: &Frame, frame: impl Fn(&[u8]) -> Option<Frame>, size: u64) -> Option<u64> {
    let (mut at, mut samples) = (0, 0);
    while let Some(next) = head.get(at..).and_then(&frame).filter(|next| next.is_like(first)) {
        at += next.bytes;
        samples += next.samples;
    }
    let guess = (u128::from(size) * u128::from(samples)).checked_div(at as u128)?;
    u64::try_from(guess).ok()
}

/// Bit rates, in kbit/s, of MPEG 1's layers I to III and of MPEG 2's layer I and its other two.
const BIT_RATES: [[u16; 15]; 5] = [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// Sample rates of MPEG 1, in hertz; those of MPEG 2 are half, those of 2.5 a quarter.
const RATES: [u64; 3] = [44_100, 48_000, 32_000];

fn mpeg_frame(bytes: &[u8]) -> Option<Frame> {
    let [0xFF, b, c, d] = *bytes.first_chunk::<4>()? else { return None };
    let slower = match (b & 0xF8) >> 3 {
        0b11100 => 4,
        0b11110 => 2,
        0b11111 => 1,
        _ => return None,
    };
    let is_first = slower == 1;
    let layer = 4 - (b >> 1 & 3);
    let row = match (is_first, layer) {
        (true, 1..=3) => usize::from(layer) - 1,
        (false, 1) => 3,
        (false, 2 | 3) => 4,
        _ => return None,
    };
    let bits = 1000 * u64::from(*BIT_RATES.get(row)?.get(usize::from(c >> 4))?);
    let rate = RATES.get(usize::from(c >> 2 & 3))? / slower;
    let padding = u64::from(c >> 1 & 1);
    let (samples, length) = match (layer, is_first) {
        (1, _) => (384, (12 * bits / rate + padding) * 4),
        (3, false) => (576, 72 * bits / rate + padding),
        _ => (1152, 144 * bits / rate + padding),
    };
    let is_mono = d >> 6 == 3;
    let side = match (is_first, is_mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    let bytes = usize::try_from(length).ok().filter(|_| bits > 0)?;
    Some(Frame { bytes, samples, rate, codec: format!("mp{layer}"), side })
}

/// Sample rates of AAC, in hertz (ISO 14496-3, table 1.18).
const AAC_RATES: [u64; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];

fn adts_frame(bytes: &[u8]) -> Option<Frame> {
    // Twelve bits of ones, then a layer that is always 0.
    if be::<2>(bytes, 0)? & 0xFFF6 != 0xFFF0 {
        return None;
    }
    let rest = be::<5>(bytes, 2)?;
    let kind = (rest >> 38) + 1;
    let rate = *AAC_RATES.get(usize::try_from(rest >> 34 & 0xF).ok()?)?;
    let length = usize::try_from(rest >> 13 & 0x1FFF).ok()?;
    let samples = 1024 * ((rest & 3) + 1);
    (length >= HEADER).then(|| Frame { bytes: length, samples, rate, codec: format!("mp4a.40.{kind}"), side: 0 })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{beginning, whole};
    use super::*;

    /// Frames of MPEG 1, layer III, 128 kbit/s, 44.1 kHz, mono.
    fn frames(count: usize) -> Vec<u8> {
        [&b"\xFF\xFB\x90\xC0"[..], &[0; 413]].concat().repeat(count)
    }

    fn said(duration_millis: u64, codec: &str) -> Said {
        Said { duration_millis: Some(duration_millis), codec: Some(codec.to_owned()) }
    }

    #[test]
    fn frames_without_a_count_are_as_long_as_their_bytes() {
        assert_eq!(mpeg(&whole(&frames(20))), Ok(said(522, "mp3")));
        assert_eq!(mpeg(&whole(&[&b"\0\xFF\xFB\x90 junk"[..], &frames(20)].concat())), Ok(said(522, "mp3")));
        let head = frames(200);
        assert_eq!(mpeg(&beginning(&head[..65_536], 417 * 200_000)), Ok(said(5_224_490, "mp3")));
        assert_eq!(mpeg(&whole(&frames(1)[..416])), Ok(Said::default()));
    }

    #[test]
    fn a_count_is_believed_and_what_the_encoder_added_taken_off() {
        let mut bytes = frames(3);
        // Frames, bytes, table and quality; then LAME, which added 576 samples before and 1,000 behind.
        bytes[21..33].copy_from_slice(b"Xing\0\0\0\x0F\0\0\x03\xE8");
        assert_eq!(mpeg(&whole(&bytes)), Ok(said(26_122, "mp3")));
        bytes[141..145].copy_from_slice(b"LAME");
        bytes[162..165].copy_from_slice(b"\x24\x03\xE8");
        assert_eq!(mpeg(&whole(&bytes)), Ok(said(26_087, "mp3")));
        let mut bytes = frames(3);
        bytes[36..54].copy_from_slice(b"VBRI\0\x01\0\0\0\0\0\0\0\0\0\0\x03\xE8");
        assert_eq!(mpeg(&whole(&bytes)), Ok(said(26_122, "mp3")));
    }

    #[test]
    fn frames_of_aac_say_their_length() {
        // LC, 44.1 kHz, stereo, 200 bytes.
        let frame = [&b"\xFF\xF1\x50\x80\x19\x1F\xFC"[..], &[0; 193]].concat();
        assert_eq!(adts(&whole(&frame.repeat(43))), Ok(said(998, "mp4a.40.2")));
        assert_eq!(adts(&whole(&frame.repeat(43)[..100])), Ok(Said::default()));
    }
}
