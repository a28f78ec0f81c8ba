//! PNG: chunks up to IEND, and the frames that an animation announces. The decoder checks the checksums.
//! <https://www.w3.org/TR/png-3/#5Chunk-layout>

use vestibule_domain::policy::InspectLimits;

use super::{Structure, count, take, take_array};
use crate::limits::check_frames;
use crate::trouble::Trouble;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Finds IEND.
pub(super) fn walk(bytes: &[u8], limits: &InspectLimits) -> Result<Structure, Trouble> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or_else(|| Trouble::damaged("a PNG without its signature"))?;
    let mut structure = Structure::default();
    let mut has_data = false;
    loop {
        let length = count(u32::from_be_bytes(take_array(&mut rest)?));
        let name: [u8; 4] = take_array(&mut rest)?;
        take(&mut rest, length)?;
        let _checksum: [u8; 4] = take_array(&mut rest)?;
        match &name {
            b"IDAT" => has_data = true,
            b"fcTL" => {
                structure.frames = structure.frames.saturating_add(1);
                check_frames(structure.frames, limits)?;
            }
            b"IEND" if has_data => return Ok(structure.ended(bytes, rest)),
            b"IEND" => return Err(Trouble::damaged("a PNG without a picture")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(chunks: &[&[u8; 4]]) -> Vec<u8> {
        let chunk = |name: &[u8; 4]| [&[0, 0, 0, 2][..], name, b"xx", b"CRC?"].concat();
        SIGNATURE.iter().copied().chain(chunks.iter().flat_map(|name| chunk(name))).collect()
    }

    #[test]
    fn every_cut_before_the_end_is_noticed_and_what_follows_does_not_count() {
        let limits = InspectLimits::default();
        let whole = png(&[b"IHDR", b"IDAT", b"IEND"]);
        assert_eq!(walk(&whole, &limits).unwrap().end, Some(whole.len()));
        for end in 0..whole.len() {
            assert!(matches!(walk(&whole[..end], &limits), Err(Trouble::Damaged(_))), "{end}");
        }
        assert_eq!(walk(&png(&[b"IHDR", b"IDAT", b"IEND", b"more"]), &limits), walk(&whole, &limits));
        assert!(walk(&png(&[b"IHDR", b"IEND"]), &limits).is_err());
    }

    #[test]
    fn frames_are_counted_up_to_the_limit_inclusive() {
        let limits = InspectLimits { max_frames: 2, ..InspectLimits::default() };
        let two = walk(&png(&[b"acTL", b"fcTL", b"IDAT", b"fcTL", b"fdAT", b"IEND"]), &limits).unwrap();
        assert_eq!(two.frames, 2);
        let three = walk(&png(&[b"acTL", b"fcTL", b"IDAT", b"fcTL", b"fcTL", b"IEND"]), &limits);
        assert_eq!(three, Err(Trouble::TooManyFrames(2)));
    }
}
