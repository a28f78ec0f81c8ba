//! JPEG: markers up to EOI.
//! <https://www.w3.org/Graphics/JPEG/itu-t81.pdf>, annex B.

use super::{Structure, take, take_array};
use crate::trouble::Trouble;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP14: u8 = 0xEE;

/// Finds EOI, and says at once when the coding is one that the decoder does not know.
pub(super) fn walk(bytes: &[u8]) -> Result<Structure, Trouble> {
    let mut rest = bytes;
    let mut structure = Structure::default();
    let mut scans = 0_u32;
    if take_array::<2>(&mut rest)? != [0xFF, SOI] {
        return Err(Trouble::damaged("a JPEG without SOI"));
    }
    loop {
        match next_marker(&mut rest)? {
            EOI if scans == 0 => return Err(Trouble::damaged("a JPEG without a scan")),
            EOI => return Ok(structure.ended(bytes, rest)),
            0x01 | SOI | 0xD0..=0xD7 => {}
            marker => {
                let length = usize::from(u16::from_be_bytes(take_array(&mut rest)?));
                let body = length.checked_sub(2).ok_or_else(|| Trouble::damaged("a JPEG segment of no length"))?;
                let body = take(&mut rest, body)?;
                match marker {
                    SOS => scans += 1,
                    APP14 if body.starts_with(b"Adobe") => structure.inverted_inks = true,
                    0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => check_frame_header(marker, body)?,
                    _ => {}
                }
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

/// SOF: the coding process, the sample precision, the size and the components.
fn check_frame_header(marker: u8, body: &[u8]) -> Result<(), Trouble> {
    let &[precision, height_high, height_low, _, _, components, ..] = body else {
        return Err(Trouble::damaged("a JPEG frame header cut short"));
    };
    if !matches!(marker, 0xC0..=0xC2) || precision != 8 || !matches!(components, 1 | 3 | 4) {
        return Err(Trouble::Unsupported(format!(
            "JPEG process {marker:#04x}, {precision} bits, {components} components"
        )));
    }
    if [height_high, height_low] == [0, 0] {
        return Err(Trouble::Unsupported("a JPEG whose height follows its first scan".to_owned()));
    }
    Ok(())
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

    #[test]
    fn a_coding_that_is_not_decoded_here_is_not_called_damaged() {
        for (at, value) in [(11, 0xC9), (14, 12), (16, 0)] {
            let mut bytes = jpeg();
            bytes[at] = value;
            assert!(matches!(walk(&bytes), Err(Trouble::Unsupported(_))), "{at}");
        }
    }

    #[test]
    fn adobes_marker_inverts_inks() {
        let mut bytes = jpeg();
        bytes.splice(2..2, [0xFF, APP14, 0, 7, b'A', b'd', b'o', b'b', b'e']);
        assert!(walk(&bytes).unwrap().inverted_inks);
    }
}
