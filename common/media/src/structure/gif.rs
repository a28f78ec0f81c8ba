//! GIF: blocks up to the trailer, and its frames. A file that ends cleanly between two blocks is accepted without its
//! trailer: all browsers show such files, and some encoders write them. <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>

use std::time::Duration;

use vestibule_domain::policy::InspectLimits;

use super::{Structure, take, take_array};
use crate::limits::{check_frames, check_pixels};
use crate::trouble::Trouble;

const EXTENSION: u8 = 0x21;
const CONTROL: u8 = 0xF9;
const IMAGE: u8 = 0x2C;
const TRAILER: u8 = 0x3B;

/// A frame that is to be shown for this long or shorter, in hundredths of a second, is shown for [`INSTEAD`]: so do all browsers, since
/// many files were made when nothing could show them that fast. <https://webkit.org/b/36082>
const TOO_FAST: u16 = 1;
/// For how long they show such a frame, in hundredths of a second.
const INSTEAD: u16 = 10;

/// Counts the frames, each of which may be as large as the limit. Padding zeros between blocks are passed over.
pub(super) fn walk(bytes: &[u8], limits: &InspectLimits) -> Result<Structure, Trouble> {
    let mut rest = bytes;
    let header: [u8; 6] = take_array(&mut rest)?;
    if &header != b"GIF87a" && &header != b"GIF89a" {
        return Err(Trouble::damaged("a GIF without its signature"));
    }
    let [_, _, _, _, flags, _, _] = take_array(&mut rest)?;
    colour_table(&mut rest, flags)?;
    let mut structure = Structure::default();
    let mut delay = 0;
    let mut end = bytes.len();
    while let Some((block, left)) = rest.split_first() {
        rest = left;
        match *block {
            EXTENSION => {
                let [label] = take_array(&mut rest)?;
                if label == CONTROL {
                    delay = control_delay(rest);
                }
                sub_blocks(&mut rest)?;
            }
            IMAGE => {
                let [_, _, _, _, w0, w1, h0, h1, flags] = take_array(&mut rest)?;
                check_pixels(u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into(), limits)?;
                structure.frames = structure.frames.saturating_add(1);
                check_frames(structure.frames, limits)?;
                structure.duration += shown_for(delay);
                // What controls a frame is said before each.
                delay = 0;
                colour_table(&mut rest, flags)?;
                let _code_size: [u8; 1] = take_array(&mut rest)?;
                sub_blocks(&mut rest)?;
            }
            TRAILER => {
                end = bytes.len() - rest.len();
                break;
            }
            0 => {}
            // Whatever is behind a frame that is whole is no part of the animation: browsers stop there too.
            _ if structure.frames > 0 => {
                end = bytes.len() - rest.len() - 1;
                break;
            }
            other => return Err(Trouble::damaged(format!("a GIF block of unknown kind {other:#04x}"))),
        }
    }
    structure.end = Some(end);
    if structure.frames == 0 { Err(Trouble::damaged("a GIF without a frame")) } else { Ok(structure) }
}

/// A frame's delay, in hundredths of a second, from the block that controls it.
fn control_delay(block: &[u8]) -> u16 {
    match block {
        [size, _, low, high, ..] if *size >= 4 => u16::from_le_bytes([*low, *high]),
        _ => 0,
    }
}

/// For how long browsers show a frame of a delay in hundredths of a second.
fn shown_for(delay: u16) -> Duration {
    let delay = if delay <= TOO_FAST { INSTEAD } else { delay };
    Duration::from_millis(10 * u64::from(delay))
}

fn colour_table(rest: &mut &[u8], flags: u8) -> Result<(), Trouble> {
    if flags & 0x80 != 0 {
        take(rest, 3 << ((flags & 7) + 1))?;
    }
    Ok(())
}

fn sub_blocks(rest: &mut &[u8]) -> Result<(), Trouble> {
    loop {
        let [length] = take_array(rest)?;
        if length == 0 {
            return Ok(());
        }
        take(rest, length.into())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gif(frames: usize) -> Vec<u8> {
        let mut bytes = b"GIF89a\x02\0\x02\0\x80\0\0".to_vec();
        bytes.extend([0; 6]);
        for _ in 0..frames {
            bytes.extend(b"\x21\xF9\x04\0\0\0\0\0\x2C\0\0\0\0\x02\0\x02\0\0\x02\x02\x44\x01\0");
        }
        bytes.push(TRAILER);
        bytes
    }

    #[test]
    fn a_cut_inside_a_block_is_noticed_and_a_missing_trailer_is_not() {
        let limits = InspectLimits::default();
        let whole = gif(1);
        assert_eq!(walk(&whole, &limits).unwrap().frames, 1);
        assert_eq!(walk(&whole[..whole.len() - 1], &limits).unwrap().frames, 1);
        assert_eq!(walk(&[&whole[..whole.len() - 1], b"GIF"].concat(), &limits).unwrap().frames, 1);
        for end in 0..whole.len() - 1 {
            assert!(matches!(walk(&whole[..end], &limits), Err(Trouble::Damaged(_))), "{end}");
        }
    }

    #[test]
    fn frames_are_counted_up_to_the_limit_inclusive() {
        let limits = InspectLimits { max_frames: 3, ..InspectLimits::default() };
        assert_eq!(walk(&gif(2), &limits).unwrap().frames, 2);
        assert_eq!(walk(&gif(3), &limits).unwrap().frames, 3);
        assert_eq!(walk(&gif(4), &limits), Err(Trouble::TooManyFrames(3)));
    }

    #[test]
    fn frames_are_shown_as_long_as_browsers_show_them() {
        let limits = InspectLimits::default();
        let mut bytes = gif(4);
        assert_eq!(walk(&bytes, &limits).unwrap().duration.as_millis(), 400);
        let delays: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"\x21\xF9\x04")).collect();
        for (at, delay) in delays.into_iter().zip([1_u16, 2, 300, 0]) {
            bytes[at + 4..at + 6].copy_from_slice(&delay.to_le_bytes());
        }
        assert_eq!(walk(&bytes, &limits).unwrap().duration.as_millis(), 100 + 20 + 3000 + 100);
        // A frame without a word on it is shown as one that says 0.
        let bare = b"\x2C\0\0\0\0\x02\0\x02\0\0\x02\x02\x44\x01\0\x3B";
        let two = [&bytes[..bytes.len() - 1], bare].concat();
        assert_eq!(walk(&two, &limits).unwrap().duration.as_millis(), 3320);
    }

    #[test]
    fn a_frame_larger_than_its_screen_counts_as_what_it_is() {
        let limits = InspectLimits { max_pixels: 4, ..InspectLimits::default() };
        let mut bytes = gif(1);
        assert!(walk(&bytes, &limits).is_ok());
        let width = bytes.len() - 11;
        assert_eq!(bytes[width], 2);
        bytes[width] = 3;
        assert!(matches!(walk(&bytes, &limits), Err(Trouble::TooManyPixels(_))));
    }
}
