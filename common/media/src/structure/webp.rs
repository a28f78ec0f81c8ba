//! WebP: the RIFF container's length and its chunks. <https://developers.google.com/speed/webp/docs/riff_container>

use std::time::Duration;

use vestibule_domain::policy::InspectLimits;

use super::{Structure, count, take, take_array};
use crate::limits::check_frames;
use crate::trouble::Trouble;

/// Counts the frames; all that the container announces must be there, and what follows it does not count.
pub(super) fn walk(bytes: &[u8], limits: &InspectLimits) -> Result<Structure, Trouble> {
    let mut rest = bytes;
    if &take_array::<4>(&mut rest)? != b"RIFF" {
        return Err(Trouble::damaged("a WebP without its signature"));
    }
    let length = count(u32::from_le_bytes(take_array(&mut rest)?));
    let mut body = take(&mut rest, length)?;
    if &take_array::<4>(&mut body)? != b"WEBP" {
        return Err(Trouble::damaged("a WebP without its signature"));
    }
    let mut structure = Structure::default();
    while !body.is_empty() {
        let name: [u8; 4] = take_array(&mut body)?;
        let length = count(u32::from_le_bytes(take_array(&mut body)?));
        let chunk = take(&mut body, length)?;
        // Chunks begin at even offsets; some encoders leave the last one unpadded.
        body = body.get(length % 2..).unwrap_or_default();
        if &name == b"ANMF" {
            structure.frames = structure.frames.saturating_add(1);
            check_frames(structure.frames, limits)?;
            // Behind its place and size, which take three bytes each.
            if let Some([a, b, c]) = chunk.get(12..).and_then(|rest| rest.first_chunk()) {
                structure.duration += Duration::from_millis(u32::from_le_bytes([*a, *b, *c, 0]).into());
            }
        }
    }
    Ok(structure.ended(bytes, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webp(chunks: &[&[u8; 4]]) -> Vec<u8> {
        let body: Vec<u8> = chunks.iter().flat_map(|name| [&name[..], &[3, 0, 0, 0], b"xyz", &[0]].concat()).collect();
        let length = u32::try_from(body.len() + 4).unwrap().to_le_bytes();
        [b"RIFF", &length[..], b"WEBP", &body].concat()
    }

    #[test]
    fn every_cut_is_noticed_and_what_follows_does_not_count() {
        let limits = InspectLimits::default();
        let mut whole = webp(&[b"VP8X", b"VP8 "]);
        assert!(walk(&whole, &limits).is_ok());
        for end in 0..whole.len() {
            assert!(matches!(walk(&whole[..end], &limits), Err(Trouble::Damaged(_))), "{end}");
        }
        whole.extend(b"more");
        assert!(walk(&whole, &limits).is_ok());
    }

    #[test]
    fn the_frames_durations_are_added_up() {
        let frame = [b"ANMF\x10\0\0\0", &[0; 12][..], b"\x10\x27\0\0"].concat();
        let body = frame.repeat(3);
        let length = u32::try_from(body.len() + 4).unwrap().to_le_bytes();
        let whole = [b"RIFF", &length[..], b"WEBP", &body].concat();
        assert_eq!(walk(&whole, &InspectLimits::default()).unwrap().duration.as_millis(), 30_000);
    }

    #[test]
    fn frames_are_counted_up_to_the_limit_inclusive() {
        let limits = InspectLimits { max_frames: 2, ..InspectLimits::default() };
        assert_eq!(walk(&webp(&[b"VP8X", b"ANIM", b"ANMF", b"ANMF"]), &limits).unwrap().frames, 2);
        assert_eq!(walk(&webp(&[b"ANMF", b"ANMF", b"ANMF"]), &limits), Err(Trouble::TooManyFrames(2)));
    }
}
