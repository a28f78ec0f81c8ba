//! JPEG: markers up to EOI.
//! <https://www.w3.org/Graphics/JPEG/itu-t81.pdf>, annex B.

use super::{Structure, take, take_array};
use crate::trouble::Trouble;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;

/// Finds EOI.
pub(super) fn walk(bytes: &[u8]) -> Result<Structure, Trouble> {
    let mut rest = bytes;
    let mut scans = 0_u32;
    if take_array::<2>(&mut rest)? != [0xFF, SOI] {
        return Err(Trouble::damaged("a JPEG without SOI"));
    }
    loop {
        match next_marker(&mut rest)? {
            EOI if scans == 0 => return Err(Trouble::damaged("a JPEG without a scan")),
            EOI => return Ok(Structure::default().ended(bytes, rest)),
            0x01 | SOI | 0xD0..=0xD7 => {}
            marker => {
                let length = usize::from(u16::from_be_bytes(take_array(&mut rest)?));
                let body = length.checked_sub(2).ok_or_else(|| Trouble::damaged("a JPEG segment of no length"))?;
                take(&mut rest, body)?;
                scans += u32::from(marker == SOS);
            }
        }
    }
}

/// Moves behind the next marker that is neither stuffing nor a restart inside a scan's data, and answers its code.
fn next_marker(rest: &mut &[u8]) -> Result<u8, Trouble> {
    loop {
        let Some(at) = memchr::memchr(0xFF, rest) else { return Err(Trouble::damaged("a JPEG without EOI")) };
        *rest = rest.get(at + 1..).unwrap_or_default();
        match rest.split_first() {
            Some((0x00 | 0xD0..=0xD7, left)) => *rest = left,
            Some((0xFF, _)) => {}
            Some((marker, left)) => {
                *rest = left;
                return Ok(*marker);
            }
            None => return Err(Trouble::damaged("a JPEG without EOI")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SOI, an APP1 that holds a preview's markers, SOF0, SOS with stuffing and restarts, EOI.
    fn jpeg() -> Vec<u8> {
        let mut bytes = vec![0xFF, SOI];
        bytes.extend([0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9]);
        bytes.extend([0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
        bytes.extend([0xFF, SOS, 0, 8, 1, 1, 0, 0, 63, 0, 7, 0xFF, 0x00, 9, 0xFF, 0xD0, 3, 0xFF, 0xFF, EOI]);
        bytes
    }

    #[test]
    fn every_cut_before_eoi_is_noticed_and_what_follows_it_does_not_count() {
        let whole = jpeg();
        assert_eq!(walk(&whole), Ok(Structure { end: Some(whole.len()), ..Structure::default() }));
        for end in 0..whole.len() {
            assert!(matches!(walk(&whole[..end]), Err(Trouble::Damaged(_))), "{end}");
        }
        let mut trailed = whole.clone();
        trailed.extend(b"a video, perhaps \xFF\xD8\xFF");
        assert_eq!(walk(&trailed), walk(&whole));
    }
}
