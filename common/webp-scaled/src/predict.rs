//! A macroblock's pixels from those above and left of it: section 12.
#![expect(
    clippy::indexing_slicing,
    reason = "inner loops over arrays of fixed sizes; blocks are at 0 to 3 by construction"
)]

use crate::modes::{Mode, SubMode};
use crate::tokens::Difference;

/// Where in a row the macroblock begins: the pixel before it is its left neighbour's.
pub(crate) const START: usize = 8;

/// Luma rows: the one above, then sixteen; behind the macroblock's pixels are four of its right upper neighbour.
pub(crate) type Luma = [[u8; 32]; 17];

/// Chroma rows: the one above, then eight.
pub(crate) type Chroma = [[u8; 16]; 9];

/// Which neighbours there are: averages leave out those beyond the picture, whose pixels are constants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neighbours {
    /// It is not the first row.
    pub(crate) above: bool,
    /// It is not the first column.
    pub(crate) left: bool,
}

/// Predicts `SIZE` × `SIZE` pixels; there are as many rows and one more, of `WIDTH` > `SIZE` + 8.
pub(crate) fn whole<const SIZE: usize, const WIDTH: usize>(rows: &mut [[u8; WIDTH]], mode: Mode, there: Neighbours) {
    let Some((above, rows)) = rows.split_first_mut() else { return };
    let corner = above[START - 1];
    let Some(above) = above[START..].first_chunk::<SIZE>() else { return };
    match mode {
        Mode::Average => {
            let value = average(above, rows.iter().map(|row| row[START - 1]), there);
            for row in rows {
                row[START..START + SIZE].fill(value);
            }
        }
        Mode::Above => rows.iter_mut().for_each(|row| row[START..START + SIZE].copy_from_slice(above)),
        Mode::Left => rows.iter_mut().for_each(|row| {
            let left = row[START - 1];
            row[START..START + SIZE].fill(left);
        }),
        Mode::Gradient => {
            for row in rows {
                let difference = i16::from(row[START - 1]) - i16::from(corner);
                for (pixel, above) in row[START..START + SIZE].iter_mut().zip(above) {
                    *pixel = clamp(i16::from(*above) + difference);
                }
            }
        }
    }
}

fn average<const SIZE: usize>(above: &[u8; SIZE], left: impl Iterator<Item = u8>, there: Neighbours) -> u8 {
    let (mut sum, mut count) = (0, 0);
    if there.above {
        sum += above.iter().copied().map(u32::from).sum::<u32>();
        count += 1;
    }
    if there.left {
        sum += left.map(u32::from).sum::<u32>();
        count += 1;
    }
    match (count, u32::try_from(SIZE)) {
        (1 | 2, Ok(size)) => u8::try_from((sum + size * count / 2) / (size * count)).unwrap_or(u8::MAX),
        _ => 128,
    }
}

/// Predicts the sub-block at (`across`, `down`) and adds its difference.
pub(crate) fn sub_block(rows: &mut Luma, across: usize, down: usize, mode: SubMode, difference: Option<Difference>) {
    let start = START + 4 * (across & 3);
    let Some(rows) = rows[4 * (down & 3)..].first_chunk_mut::<5>() else { return };
    let above = &rows[0];
    // Section 12.3: the edge from the left column's lowest pixel over the corner to the eighth pixel above.
    let edge: [u8; 13] = [
        rows[4][start - 1],
        rows[3][start - 1],
        rows[2][start - 1],
        rows[1][start - 1],
        above[start - 1],
        above[start],
        above[start + 1],
        above[start + 2],
        above[start + 3],
        above[start + 4],
        above[start + 5],
        above[start + 6],
        above[start + 7],
    ];
    let mut pixels = predicted(mode, &edge);
    if let Some(difference) = difference {
        add(&mut pixels, &difference);
    }
    for (row, pixels) in rows[1..].iter_mut().zip(&pixels) {
        row[start..start + 4].copy_from_slice(pixels);
    }
}

#[inline]
fn predicted(mode: SubMode, edge: &[u8; 13]) -> [[u8; 4]; 4] {
    let two = |at: usize| avg2(edge[at], edge[at + 1]);
    let three = |at: usize| avg3(edge[at - 1], edge[at], edge[at + 1]);
    let [e0, e1, e2, e3, corner, a0, a1, a2, a3, _, _, a6, a7] = *edge;
    match mode {
        SubMode::DC => {
            let sum: u16 = [e0, e1, e2, e3, a0, a1, a2, a3].into_iter().map(u16::from).sum();
            [[u8::try_from((sum + 4) >> 3).unwrap_or(u8::MAX); 4]; 4]
        }
        SubMode::TM => [e3, e2, e1, e0].map(|left| {
            let difference = i16::from(left) - i16::from(corner);
            [a0, a1, a2, a3].map(|above| clamp(i16::from(above) + difference))
        }),
        SubMode::VE => [[three(5), three(6), three(7), three(8)]; 4],
        SubMode::HE => [[three(3); 4], [three(2); 4], [three(1); 4], [avg3(e1, e0, e0); 4]],
        SubMode::LD => {
            let d: [u8; 7] = [three(6), three(7), three(8), three(9), three(10), three(11), avg3(a6, a7, a7)];
            [[d[0], d[1], d[2], d[3]], [d[1], d[2], d[3], d[4]], [d[2], d[3], d[4], d[5]], [d[3], d[4], d[5], d[6]]]
        }
        SubMode::RD => {
            let d: [u8; 7] = [three(1), three(2), three(3), three(4), three(5), three(6), three(7)];
            [[d[3], d[4], d[5], d[6]], [d[2], d[3], d[4], d[5]], [d[1], d[2], d[3], d[4]], [d[0], d[1], d[2], d[3]]]
        }
        SubMode::VR => {
            let top = [two(4), two(5), two(6), two(7)];
            let next = [three(4), three(5), three(6), three(7)];
            [top, next, [three(3), top[0], top[1], top[2]], [three(2), next[0], next[1], next[2]]]
        }
        SubMode::VL => {
            let top = [two(5), two(6), two(7), two(8)];
            let next = [three(6), three(7), three(8), three(9)];
            [top, next, [top[1], top[2], top[3], three(10)], [next[1], next[2], next[3], three(11)]]
        }
        SubMode::HD => {
            let (b0, b1, b2, b3) = (two(0), two(1), two(2), two(3));
            let (t1, t2, t3) = (three(1), three(2), three(3));
            [[b3, three(4), three(5), three(6)], [b2, t3, b3, three(4)], [b1, t2, b2, t3], [b0, t1, b1, t2]]
        }
        SubMode::HU => {
            let (b0, b1, b2) = (two(2), two(1), two(0));
            let (t0, t1, t2) = (three(2), three(1), avg3(e1, e0, e0));
            [[b0, t0, b1, t1], [b1, t1, b2, t2], [b2, t2, e0, e0], [e0; 4]]
        }
    }
}

/// Adds a difference to the block at (`across`, `down`) of pixels that have been predicted.
#[inline]
pub(crate) fn add_block<const WIDTH: usize>(
    rows: &mut [[u8; WIDTH]],
    across: usize,
    down: usize,
    difference: &Difference,
) {
    let start = START + 4 * (across & 3);
    for (row, difference) in rows[1 + 4 * down..].iter_mut().zip(difference) {
        for (pixel, difference) in row[start..start + 4].iter_mut().zip(difference) {
            *pixel = clamp(i16::from(*pixel).wrapping_add(*difference));
        }
    }
}

#[inline]
fn add(pixels: &mut [[u8; 4]; 4], difference: &Difference) {
    for (pixel, difference) in pixels.as_flattened_mut().iter_mut().zip(difference.as_flattened()) {
        *pixel = clamp(i16::from(*pixel).wrapping_add(*difference));
    }
}

#[inline]
#[expect(clippy::cast_sign_loss, reason = "clamped to 0..=255")]
fn clamp(value: i16) -> u8 {
    value.clamp(0, 255) as u8
}

#[inline]
fn avg2(a: u8, b: u8) -> u8 {
    a.midpoint(b) + ((a ^ b) & 1)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "an average of bytes is a byte")]
fn avg3(a: u8, b: u8, c: u8) -> u8 {
    ((u16::from(a) + 2 * u16::from(b) + u16::from(c) + 2) >> 2) as u8
}
