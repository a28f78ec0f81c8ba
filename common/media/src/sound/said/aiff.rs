//! AIFF and AIFF-C: the chunk that counts the samples. <https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/AIFF/AIFF.html>

use super::{Said, be, bytes, millis};
use crate::sparse::{Missing, Sparse};

/// Most chunks before the one that is looked for.
const MAX_CHUNKS: u32 = 64;
/// Of that chunk: channels, count, depth, rate and the codec's name.
const COMMON: u64 = 22;

/// Reads it.
pub(super) fn read(file: &Sparse) -> Result<Said, Missing> {
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let chunk = bytes(file, at, 8 + COMMON)?;
        let (Some(name), Some(length)) = (chunk.get(..4), be::<4>(&chunk, 4)) else { break };
        if name == b"COMM" {
            let body = chunk.get(8..).unwrap_or_default();
            // AIFF knows but one codec; AIFF-C says which.
            let codec = if length >= COMMON { body.get(18..22).and_then(codec) } else { Some("pcm") };
            let duration_millis = be::<4>(body, 2).zip(rate(body)).and_then(|(count, rate)| millis(count, rate));
            return Ok(Said { duration_millis, codec: codec.map(str::to_owned) });
        }
        at = at.saturating_add(8 + length + length % 2);
    }
    Ok(Said::default())
}

fn codec(name: &[u8]) -> Option<&'static str> {
    match name {
        b"NONE" | b"sowt" | b"twos" | b"fl32" | b"FL32" | b"fl64" | b"FL64" | b"in24" | b"in32" => Some("pcm"),
        b"alaw" | b"ALAW" => Some("alaw"),
        b"ulaw" | b"ULAW" => Some("ulaw"),
        b"ima4" => Some("adpcm"),
        _ => None,
    }
}

/// The rate is a float of 80 bits: here, that of its first 32 whose value is a whole number below 2³².
fn rate(common: &[u8]) -> Option<u64> {
    let exponent = be::<2>(common, 8)?.checked_sub(16_383)?;
    be::<4>(common, 10)?.checked_shr(31_u32.checked_sub(u32::try_from(exponent).ok()?)?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::whole;
    use super::*;

    #[test]
    fn the_common_chunk_says_how_long_it_is() {
        // Stereo, 88,200 of 16 bits, 44.1 kHz.
        let common = b"\0\x02\0\x01\x58\x88\0\x10\x40\x0E\xAC\x44\0\0\0\0\0\0";
        let aiff = [b"FORM\0\0\0\0AIFFNAME\0\0\0\x03abc\0COMM\0\0\0\x12", &common[..]].concat();
        let said = |codec: &str| Said { duration_millis: Some(2000), codec: Some(codec.to_owned()) };
        assert_eq!(read(&whole(&aiff)), Ok(said("pcm")));
        let ima = [b"FORM\0\0\0\0AIFCCOMM\0\0\0\x18", &common[..], b"ima4\0\0"].concat();
        assert_eq!(read(&whole(&ima)), Ok(said("adpcm")));
        assert_eq!(read(&whole(&aiff[..40])).unwrap().duration_millis, None);
    }
}
