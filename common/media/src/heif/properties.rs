//! The properties of an item. ISO/IEC 23008-12, 6.5.

use image::metadata::Orientation;

use super::fields::{long, short, version_and_flags};
use super::meta::Meta;
use super::turns::Turns;
use crate::boxes::Part;
use crate::structure::take_array;
use crate::trouble::Trouble;

/// What says that an auxiliary picture is an alpha: MIAF, and HEVC's own name.
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

/// Properties that change nothing here, though a reader must know some of them: they say again what the bitstream says, choose among layers of
/// which the best is taken here, or are about screens.
const OF_NO_CONCERN: &[&[u8; 4]] =
    &[b"pixi", b"pasp", b"a1op", b"a1lx", b"lsel", b"clli", b"mdcv", b"cclv", b"amve", b"udes", b"altt", b"rloc"];

/// What numbers of colours mean, in the code points of ITU-T H.273. The transfer is not read: see `decode/heif/colours.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nclx {
    /// The primaries.
    pub(crate) primaries: u16,
    /// How luma and chromas are made from red, green and blue.
    pub(crate) matrix: u16,
    /// Whether all 256 values are used.
    pub(crate) is_full: bool,
}

/// The part of a picture that is shown, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Pixels to its left.
    pub(crate) left: u32,
    /// Pixels above it.
    pub(crate) top: u32,
    /// Pixels across and down.
    pub(crate) size: (u32, u32),
}

/// What is done to a decoded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change<'a> {
    /// The body of `clap`.
    Cut(&'a [u8]),
    /// Quarter turns, against the clock.
    Turn(u8),
    /// Mirrored: 0 exchanges top and bottom, 1 left and right.
    Mirror(u8),
}

/// The properties of an item that matter here.
#[derive(Debug, Default)]
pub(super) struct Properties<'a> {
    pub(super) size: Option<(u32, u32)>,
    pub(super) hevc: Option<&'a [u8]>,
    pub(super) av1: Option<&'a [u8]>,
    pub(super) icc: Option<&'a [u8]>,
    pub(super) nclx: Option<Nclx>,
    pub(super) is_alpha: bool,
    /// Whether there is one that a reader must know, and that is not known here.
    pub(super) asks_for_more: bool,
    changes: Vec<Change<'a>>,
}

impl<'a> Properties<'a> {
    /// The properties of an item.
    pub(super) fn of(meta: &Meta<'a>, item: u32) -> Result<Self, Trouble> {
        let mut found = Self::default();
        for (Part { name, mut body }, essential) in meta.properties(item) {
            match &name {
                b"ispe" => {
                    version_and_flags(&mut body)?;
                    found.size = Some((long(&mut body)?, long(&mut body)?));
                }
                b"hvcC" => found.hevc = Some(body),
                b"av1C" => found.av1 = Some(body),
                b"colr" => found.read_colours(body)?,
                b"auxC" => {
                    version_and_flags(&mut body)?;
                    let urn = body.split(|byte| *byte == 0).next().unwrap_or_default();
                    found.is_alpha = ALPHA.contains(&urn);
                }
                b"clap" => found.changes.push(Change::Cut(body)),
                b"irot" => {
                    let [turns] = take_array(&mut body)?;
                    found.changes.push(Change::Turn(turns & 3));
                }
                b"imir" => {
                    let [axis] = take_array(&mut body)?;
                    found.changes.push(Change::Mirror(axis & 1));
                }
                other if essential && !OF_NO_CONCERN.contains(&other) => found.asks_for_more = true,
                _ => {}
            }
        }
        Ok(found)
    }

    /// Whether the decoded picture is cut or turned.
    pub(super) fn is_changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// What is shown of a picture of `size`, and how it is turned. The cut comes first, as MIAF says (ISO/IEC 23000-22, 7.3.6.7).
    pub(super) fn shown(&self, size: (u32, u32)) -> Result<(Window, Orientation), Trouble> {
        let mut window = Window { left: 0, top: 0, size };
        let mut turns = Turns::default();
        for change in &self.changes {
            match change {
                Change::Cut(_) if turns != Turns::default() => {
                    return Err(Trouble::Unsupported("a picture that is cut after it is turned".to_owned()));
                }
                Change::Cut(body) => window = cut(window, body)?,
                Change::Turn(quarters) => turns = turns.turned(*quarters),
                Change::Mirror(axis) => turns = turns.mirrored(*axis),
            }
        }
        Ok((window, turns.orientation()))
    }

    /// A picture may have a profile and code points.
    fn read_colours(&mut self, mut body: &'a [u8]) -> Result<(), Trouble> {
        match &take_array(&mut body)? {
            b"nclx" => {
                let (primaries, _transfer, matrix) = (short(&mut body)?, short(&mut body)?, short(&mut body)?);
                let [range] = take_array(&mut body)?;
                self.nclx = Some(Nclx { primaries, matrix, is_full: range >> 7 == 1 });
            }
            b"prof" | b"rICC" => self.icc = Some(body),
            _ => {}
        }
        Ok(())
    }
}

/// The part of `window` that `clap` leaves: its size and the distance of its middle from the middle, as fractions. ISO/IEC 14496-12, 12.1.4.
fn cut(window: Window, mut body: &[u8]) -> Result<Window, Trouble> {
    let mut side = |length: u32| -> Result<(u64, i64), Trouble> {
        let (wanted, of) = (long(&mut body)?, long(&mut body)?);
        Ok((u64::from(wanted).checked_div(of.into()).unwrap_or_default().min(length.into()), i64::from(length)))
    };
    let ((width, full_width), (height, full_height)) = (side(window.size.0)?, side(window.size.1)?);
    // The corner in halves of a pixel, so that nothing is rounded before the end.
    let mut corner = |length: u64, full: i64| -> Result<u32, Trouble> {
        let (away, by) = (i64::from(long(&mut body)?.cast_signed()), i64::from(long(&mut body)?));
        let away = (2 * away).checked_div(by).unwrap_or_default();
        let free = full - length.cast_signed();
        u32::try_from((free + away).div_euclid(2).clamp(0, free)).map_err(|error| Trouble::damaged(error.to_string()))
    };
    let (left, top) = (corner(width, full_width)?, corner(height, full_height)?);
    let side = |length: u64| u32::try_from(length).unwrap_or_default();
    if width == 0 || height == 0 {
        return Err(Trouble::damaged("a picture that is cut to nothing"));
    }
    Ok(Window { left: window.left + left, top: window.top + top, size: (side(width), side(height)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clap(numbers: [i32; 8]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn a_cut_is_around_the_middle() {
        let whole = Window { left: 0, top: 0, size: (100, 80) };
        let at = |numbers| cut(whole, &clap(numbers)).map(|window| (window.left, window.top, window.size));
        assert_eq!(at([50, 1, 40, 1, 0, 1, 0, 1]), Ok((25, 20, (50, 40))));
        // An odd size of an even one: the last column and row go.
        assert_eq!(at([99, 1, 79, 1, -1, 2, -1, 2]), Ok((0, 0, (99, 79))));
        assert_eq!(at([50, 1, 40, 1, 25, 1, -20, 1]), Ok((50, 0, (50, 40))));
        // What lies outside is moved inside, and what is too large is made smaller.
        assert_eq!(at([50, 1, 400, 1, 2_000, 1, -20, 1]), Ok((50, 0, (50, 80))));
        assert!(at([50, 0, 40, 1, 0, 1, 0, 1]).is_err());
        assert!(cut(whole, &clap([1; 8])[..31]).is_err());
    }
}
