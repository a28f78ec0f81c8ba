//! The rows of a picture that is coded in tiles, of which one row at a time is decoded.

use std::ops::Range;

use super::frame::{Frame, Sampling};
use super::{decoded, length};
use crate::heif::{Coded, Nclx};
use crate::trouble::Trouble;

/// A picture whose rows are asked for from above.
pub(super) struct Rows<'a> {
    coded: &'a Coded<'a>,
    /// The tiles across, of the row of tiles `at`.
    band: Vec<Frame>,
    at: u32,
    /// Whether chromas are interpolated: that shows where a picture is not made smaller.
    is_smooth: bool,
    sampling: Sampling,
    bits: u8,
    nclx: Option<Nclx>,
    /// Luma and chromas of a row.
    row: [Vec<u8>; 3],
    /// Chromas as stored, and those of the next row.
    narrow: [Vec<u8>; 2],
}

impl<'a> Rows<'a> {
    /// Decodes the first row of tiles.
    pub(super) fn new(coded: &'a Coded<'a>, is_smooth: bool) -> Result<Self, Trouble> {
        let mut rows = Self {
            coded,
            band: Vec::new(),
            at: 0,
            is_smooth,
            sampling: Sampling::Grey,
            bits: 8,
            nclx: None,
            row: Default::default(),
            narrow: Default::default(),
        };
        let first = coded.tiles.first().ok_or_else(|| Trouble::damaged("a picture without tiles"))?;
        let first = decoded(coded.codec, first, coded.tile)?;
        (rows.sampling, rows.bits, rows.nclx) = (first.sampling, first.bits, first.nclx);
        rows.band.push(first);
        rows.fill(0)?;
        Ok(rows)
    }

    /// How its chromas are sampled.
    pub(super) fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// What the bitstream says of its colours.
    pub(super) fn nclx(&self) -> Option<Nclx> {
        self.nclx
    }

    /// Decodes what is missing of the row of tiles `at`.
    fn fill(&mut self, at: u32) -> Result<(), Trouble> {
        let columns = length(self.coded.columns);
        let first = columns.saturating_mul(length(at));
        let tiles = self.coded.tiles.get(first..).and_then(|tiles| tiles.get(..columns));
        let tiles = tiles.ok_or_else(|| Trouble::damaged("a picture with too few tiles"))?;
        for tile in tiles.iter().skip(self.band.len()) {
            let frame = decoded(self.coded.codec, tile, self.coded.tile)?;
            if (frame.sampling, frame.bits) != (self.sampling, self.bits) {
                return Err(Trouble::Unsupported("tiles that are not coded alike".to_owned()));
            }
            self.band.push(frame);
        }
        self.at = at;
        Ok(())
    }

    /// The samples of row `y`, at `columns`, of luma and the two chromas, each as wide as luma; those of a grey picture are empty.
    pub(super) fn row(&mut self, y: u32, columns: Range<usize>) -> Result<[&[u8]; 3], Trouble> {
        let at = y.checked_div(self.coded.tile.1).unwrap_or_default();
        if at != self.at {
            self.band.clear();
            self.fill(at)?;
        }
        let y = y - at * self.coded.tile.1;
        self.stitch(y).ok_or_else(|| Trouble::damaged("a tile with fewer samples than its size says"))?;
        let is_grey = self.sampling == Sampling::Grey;
        let part = |plane: &'_ [u8]| -> bool { plane.get(columns.clone()).is_some() };
        let [luma, blue, red] = &self.row;
        let has_chromas = is_grey || (part(blue) && part(red));
        if !part(luma) || !has_chromas {
            return Err(Trouble::damaged("a row that is shorter than the picture"));
        }
        Ok([luma, blue, red].map(|plane| plane.get(columns.clone()).unwrap_or_default()))
    }

    /// Puts row `y` of the band together.
    fn stitch(&mut self, y: u32) -> Option<()> {
        let width = length(self.coded.size.0);
        let tile = length(self.coded.tile.0);
        let (across, down) = self.sampling.shifts();
        let [luma, chromas @ ..] = &mut self.row;
        append(&self.band, 0, length(y), (width, tile), luma)?;
        if self.sampling == Sampling::Grey {
            return Some(());
        }
        let (narrow_width, narrow_tile) = (width.div_ceil(1 << across), tile.div_ceil(1 << across));
        let near = y >> down;
        for (plane, wide) in (1..).zip(chromas) {
            let [narrow, other] = &mut self.narrow;
            append(&self.band, plane, length(near), (narrow_width, narrow_tile), narrow)?;
            if self.is_smooth && down == 1 {
                // The row of chromas on the other side: a half of luma's rows is above, a half below.
                let last = (self.coded.tile.1 - 1) >> 1;
                let far = if y & 1 == 0 { near.saturating_sub(1) } else { (near + 1).min(last) };
                append(&self.band, plane, length(far), (narrow_width, narrow_tile), other)?;
                narrow.iter_mut().zip(other).for_each(|(near, far)| *near = nearer(*near, *far));
            }
            wide.clear();
            match (across, self.is_smooth) {
                (0, _) => wide.extend_from_slice(narrow),
                (_, false) => wide.extend(narrow.iter().flat_map(|sample| [*sample, *sample])),
                (_, true) => {
                    let before = narrow.iter().take(1).chain(narrow.iter());
                    let after = narrow.iter().skip(1).chain(narrow.last());
                    wide.extend(
                        narrow
                            .iter()
                            .zip(before)
                            .zip(after)
                            .flat_map(|((at, before), after)| [nearer(*at, *before), nearer(*at, *after)]),
                    );
                }
            }
            wide.truncate(width);
        }
        Some(())
    }
}

/// The samples of row `y` of a plane, of all tiles of a band: `width` in all, `tile` of each.
fn append(band: &[Frame], plane: usize, y: usize, (width, tile): (usize, usize), row: &mut Vec<u8>) -> Option<()> {
    row.clear();
    for frame in band {
        frame.append(plane, y, tile.min(width.saturating_sub(row.len())), row)?;
    }
    (row.len() == width).then_some(())
}

/// Three parts of one and one of the other.
fn nearer(near: u8, far: u8) -> u8 {
    u8::try_from((3 * u32::from(near) + u32::from(far) + 2) / 4).unwrap_or(u8::MAX)
}
