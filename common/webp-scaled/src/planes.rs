//! The planes that grow while macroblocks are decoded, and the averages that they hold.
#![expect(clippy::indexing_slicing, reason = "inner loops over arrays of fixed sizes")]

use crate::picture::Plane;
use crate::predict::START;

/// A plane with room for whole macroblocks, of `SIZE` × `SIZE` source pixels each.
pub(crate) struct Growing<const SIZE: usize> {
    plane: Plane,
    /// Source pixels of the plane, across and down.
    source: (usize, usize),
    /// Source pixels that become one.
    divisor: usize,
    /// Only the last row of macroblocks is kept.
    strip: bool,
}

impl<const SIZE: usize> Growing<SIZE> {
    /// Room for `source` pixels, reduced by `divisor`, a power of two up to `SIZE`; or in a `strip`, for one row of their macroblocks.
    pub(crate) fn new(source: (u16, u16), divisor: usize, strip: bool) -> Self {
        let source = (usize::from(source.0), usize::from(source.1));
        let across = source.0.div_ceil(SIZE);
        let down = if strip { 1 } else { source.1.div_ceil(SIZE) };
        let side = SIZE / divisor;
        let stride = across * side;
        let (width, height) = (source.0.div_ceil(divisor), source.1.div_ceil(divisor).min(down * side));
        let plane = Plane { width, height, stride, bytes: vec![0; stride * down * side] };
        Self { plane, source, divisor, strip }
    }

    /// The rows that are kept.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.plane.rows()
    }

    /// The plane.
    pub(crate) fn finish(self) -> Plane {
        self.plane
    }

    /// Adds the macroblock at (`x`, `y`), whose pixels are in all rows but the first, from `START` on. What of it is beyond the picture
    /// is overwritten.
    pub(crate) fn put<const WIDTH: usize>(&mut self, x: usize, y: usize, rows: &mut [[u8; WIDTH]]) {
        let rows = &mut rows[1..];
        let inside = (self.source.0 - x * SIZE, self.source.1 - y * SIZE);
        if inside.0 < SIZE || inside.1 < SIZE {
            repeat_edge::<SIZE, WIDTH>(rows, inside);
        }
        let side = SIZE / self.divisor;
        let stride = self.plane.stride;
        let above = if self.strip { 0 } else { y * stride * side };
        let out = self.plane.bytes[above..][..stride * side].chunks_exact_mut(stride);
        let out = out.map(|row| &mut row[x * side..][..side]);
        match self.divisor {
            1 => out.zip(rows).for_each(|(out, row)| out.copy_from_slice(&row[START..START + SIZE])),
            2 => average::<2, SIZE, WIDTH>(rows, out),
            4 => average::<4, SIZE, WIDTH>(rows, out),
            _ => average::<8, SIZE, WIDTH>(rows, out),
        }
    }

    /// Adds all of the macroblock row `y`, from rows as wide as its macroblocks, where nothing is reduced.
    pub(crate) fn put_rows(&mut self, y: usize, rows: &[u8]) {
        self.plane.bytes[y * rows.len()..][..rows.len()].copy_from_slice(rows);
    }
}

#[cold]
fn repeat_edge<const SIZE: usize, const WIDTH: usize>(rows: &mut [[u8; WIDTH]], inside: (usize, usize)) {
    for row in rows.iter_mut().take(inside.1) {
        if inside.0 < SIZE {
            let last = row[START + inside.0 - 1];
            row[START + inside.0..START + SIZE].fill(last);
        }
    }
    // Not the pixel before them, which the next macroblock is predicted from.
    for row in inside.1.min(SIZE)..SIZE {
        let last = rows[inside.1 - 1];
        rows[row][START..START + SIZE].copy_from_slice(&last[START..START + SIZE]);
    }
}

/// Averages of `BOX` × `BOX` pixels, a power of two.
#[inline]
fn average<'a, const BOX: usize, const SIZE: usize, const WIDTH: usize>(
    rows: &[[u8; WIDTH]],
    out: impl Iterator<Item = &'a mut [u8]>,
) {
    let shift = 2 * BOX.ilog2();
    for (out, rows) in out.zip(rows.as_chunks::<BOX>().0) {
        let mut sums = [0_u16; SIZE];
        for row in rows {
            for (sum, pixel) in sums.iter_mut().zip(&row[START..START + SIZE]) {
                *sum += u16::from(*pixel);
            }
        }
        for (out, sums) in out.iter_mut().zip(sums.as_chunks::<BOX>().0) {
            *out = byte((sums.iter().sum::<u16>() + (1 << (shift - 1))) >> shift);
        }
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "an average of bytes is a byte")]
fn byte(average: u16) -> u8 {
    average as u8
}
