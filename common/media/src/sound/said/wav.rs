//! WAV, and RF64 for what is over four gigabytes: chunks up to the samples. <https://www.itu.int/rec/R-REC-BS.2088>

use super::{Said, bytes, le, millis};
use crate::sparse::{Missing, Sparse};

/// Most chunks before the samples.
const MAX_CHUNKS: u32 = 64;
/// Longest chunk that is read, in bytes.
const MAX_CHUNK: u64 = 64;

/// The codecs that are known, by their numbers. <https://www.rfc-editor.org/rfc/rfc2361>
fn codec(format: u64) -> Option<&'static str> {
    match format {
        // Whole numbers, fractions, and those of more than two channels or other depths.
        1 | 3 | 0xFFFE => Some("pcm"),
        2 | 0x11 => Some("adpcm"),
        6 => Some("alaw"),
        7 => Some("ulaw"),
        0x50 => Some("mp2"),
        0x55 => Some("mp3"),
        _ => None,
    }
}

/// Reads it.
pub(super) fn read(file: &Sparse) -> Result<Said, Missing> {
    let mut said = Said::default();
    let (mut a_second, mut long) = (0, None);
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let chunk = bytes(file, at, 8 + MAX_CHUNK)?;
        let (Some(name), Some(length)) = (chunk.get(..4), le::<4>(&chunk, 4)) else { break };
        let body = chunk.get(8..).unwrap_or_default();
        match name {
            b"fmt " => {
                said.codec = le::<2>(body, 0).and_then(codec).map(str::to_owned);
                a_second = le::<4>(body, 8).unwrap_or_default();
            }
            b"ds64" => long = le::<8>(body, 8),
            b"data" => {
                let there = file.size().saturating_sub(at + 8);
                // Written on the fly, it is not known, and all that follows.
                let promised = match length {
                    0 => u64::MAX,
                    0xFFFF_FFFF => long.unwrap_or(u64::MAX),
                    length => length,
                };
                said.duration_millis = millis(promised.min(there), a_second);
                break;
            }
            _ => {}
        }
        at = at.saturating_add(8 + length + length % 2);
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{beginning, whole};
    use super::*;

    fn wav(kind: &[u8], chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let mut bytes = [kind, b"\0\0\0\0WAVE"].concat();
        for (name, length, body) in chunks {
            bytes.extend([&name[..], &length.to_le_bytes(), body].concat());
        }
        bytes
    }

    /// PCM, stereo, 44.1 kHz, 16 bits.
    const FORMAT: &[u8] = b"\x01\0\x02\0\x44\xAC\0\0\x10\xB1\x02\0\x04\0\x10\0";

    #[test]
    fn no_more_is_promised_than_is_there() {
        let said = |length: u32, there: usize| {
            let samples = vec![0; there];
            let list: (&[u8; 4], u32, &[u8]) = (b"LIST", 3, b"abc\0");
            read(&whole(&wav(b"RIFF", &[list, (b"fmt ", 16, FORMAT), (b"data", length, &samples)]))).unwrap()
        };
        for (length, there, expected) in
            [(17_640, 17_640, 100), (17_640, 1764, 10), (0, 1764, 10), (u32::MAX, 1764, 10), (1764, 17_640, 10)]
        {
            assert_eq!(said(length, there), Said { duration_millis: Some(expected), codec: Some("pcm".to_owned()) });
        }
    }

    #[test]
    fn an_hour_of_more_than_four_gigabytes_is_known_from_its_head() {
        let size = [&[0; 8][..], &7_000_000_000_u64.to_le_bytes(), &[0; 12]].concat();
        let head = wav(b"RF64", &[(b"ds64", 28, &size), (b"fmt ", 16, FORMAT), (b"data", u32::MAX, &[0; 64])]);
        let said = read(&beginning(&head, 7_000_001_000)).unwrap();
        assert_eq!(said.duration_millis, Some(39_682_540));
    }
}
