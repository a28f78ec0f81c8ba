//! PNG: chunks up to IEND, and the frames of an animation. The decoder checks the checksums.
//! <https://www.w3.org/TR/png-3/#5Chunk-layout>

use std::time::Duration;

use vestibule_domain::policy::InspectLimits;

use super::{Structure, count, take, take_array};
use crate::limits::check_frames;
use crate::trouble::Trouble;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Finds IEND, and counts the frames: those that are there, whatever the animation announces. A picture that no frame control stands before is
/// shown by programs that know no animation, and is not one of its frames. <https://www.w3.org/TR/png-3/#apng-frame-based-animation>
pub(super) fn walk(bytes: &[u8], limits: &InspectLimits) -> Result<Structure, Trouble> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or_else(|| Trouble::damaged("a PNG without its signature"))?;
    let mut structure = Structure::default();
    let (mut has_data, mut is_animated) = (false, false);
    loop {
        let length = count(u32::from_be_bytes(take_array(&mut rest)?));
        let name: [u8; 4] = take_array(&mut rest)?;
        let chunk = take(&mut rest, length)?;
        let _checksum: [u8; 4] = take_array(&mut rest)?;
        match &name {
            b"IDAT" => has_data = true,
            // Behind the picture it is too late for it.
            b"acTL" if !has_data => is_animated = true,
            b"fcTL" => {
                structure.frames = structure.frames.saturating_add(1);
                check_frames(structure.frames, limits)?;
                structure.duration += delay(chunk).unwrap_or_default();
            }
            b"IEND" if has_data && !is_animated => return Ok(Structure::default().ended(bytes, rest)),
            b"IEND" if has_data => return Ok(structure.ended(bytes, rest)),
            b"IEND" => return Err(Trouble::damaged("a PNG without a picture")),
            _ => {}
        }
    }
}

/// For how long a frame is shown, by its control chunk: a fraction of a second, in hundredths if it has no denominator.
fn delay(control: &[u8]) -> Option<Duration> {
    let [a, b, c, d] = *control.get(20..)?.first_chunk()?;
    let denominator = match u16::from_be_bytes([c, d]) {
        0 => 100,
        given => given,
    };
    Duration::from_secs(u16::from_be_bytes([a, b]).into()).checked_div(denominator.into())
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
    #[test]
    fn frames_last_as_long_as_their_fractions_and_only_in_an_animation() {
        let limits = InspectLimits::default();
        let chunk = |name: &[u8; 4], data: &[u8]| {
            [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], name, data, b"CRC?"].concat()
        };
        let control = |delay: [u16; 2]| {
            let delay: Vec<u8> = delay.iter().flat_map(|half| half.to_be_bytes()).collect();
            chunk(b"fcTL", &[&[0; 20][..], &delay, &[0; 2]].concat())
        };
        // Three thirds of a second, and 50 of what are hundredths when it is not said what they are.
        let frames = [control([1, 3]), control([1, 3]), control([1, 3]), control([50, 0])].concat();
        let (picture, end) = (chunk(b"IDAT", b"xx"), chunk(b"IEND", b""));
        let animated = [SIGNATURE, &chunk(b"acTL", &[0; 8]), &picture, &frames, &end].concat();
        let found = walk(&animated, &limits).unwrap();
        assert_eq!((found.frames, (found.duration + Duration::from_nanos(1)).as_millis()), (4, 1500));
        let still = walk(&[SIGNATURE, &picture, &chunk(b"acTL", &[0; 8]), &frames, &end].concat(), &limits).unwrap();
        assert_eq!((still.frames, still.duration, still.end), (0, Duration::ZERO, found.end));
    }
}
