//! The loop filter over a window of two rows of macroblocks: section 15.
#![expect(clippy::indexing_slicing, reason = "inner loops; columns are below the row's length by construction")]

use crate::header::{Smoothing, Strength};
use crate::planes::Growing;
use crate::predict::{Chroma, Luma, START};

/// What is smoothed of a macroblock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Edges {
    /// How much.
    pub(crate) strength: Strength,
    /// The edges between its blocks too.
    pub(crate) inner: bool,
}

/// Two rows of macroblocks: the upper one is final as soon as the lower one has been smoothed.
pub(crate) struct Window {
    smoothing: Smoothing,
    edges: Vec<Edges>,
    luma: Rows<16>,
    chroma: [Rows<8>; 2],
}

struct Rows<const SIZE: usize> {
    stride: usize,
    bytes: Vec<u8>,
}

impl<const SIZE: usize> Rows<SIZE> {
    fn new(columns: usize) -> Self {
        Self { stride: columns * SIZE, bytes: vec![0; 2 * SIZE * columns * SIZE] }
    }

    fn put<const WIDTH: usize>(&mut self, x: usize, rows: &[[u8; WIDTH]]) {
        let lower = self.bytes.chunks_exact_mut(self.stride).skip(SIZE);
        for (out, row) in lower.zip(&rows[1..]) {
            out[x * SIZE..][..SIZE].copy_from_slice(&row[START..START + SIZE]);
        }
    }

    fn upper(&mut self) -> &mut [u8] {
        &mut self.bytes[..SIZE * self.stride]
    }

    fn lower_up(&mut self) {
        self.bytes.copy_within(SIZE * self.stride.., 0);
    }
}

impl Window {
    /// A window of so many macroblocks across.
    pub(crate) fn new(columns: usize, smoothing: Smoothing) -> Self {
        Self {
            smoothing,
            edges: vec![Edges::default(); columns],
            luma: Rows::new(columns),
            chroma: [Rows::new(columns), Rows::new(columns)],
        }
    }

    /// Puts a macroblock that has not been smoothed into the lower row.
    pub(crate) fn put(&mut self, x: usize, edges: Edges, luma: &Luma, chroma: &[Chroma; 2]) {
        self.edges[x] = edges;
        self.luma.put(x, luma);
        for (out, rows) in self.chroma.iter_mut().zip(chroma) {
            out.put(x, rows);
        }
    }

    /// Smooths the lower row, which is row `y` of `rows`, and passes on what is final.
    pub(crate) fn end_row(&mut self, y: usize, rows: usize, luma: &mut Growing<16>, chroma: &mut [Growing<8>; 2]) {
        for x in 0..self.edges.len() {
            if self.edges[x].strength.edge > 0 {
                self.smooth(x, y);
            }
        }
        if y > 0 {
            self.pass_on(y - 1, luma, chroma);
        }
        self.luma.lower_up();
        self.chroma.iter_mut().for_each(Rows::lower_up);
        if y + 1 == rows {
            self.pass_on(y, luma, chroma);
        }
    }

    fn pass_on(&mut self, y: usize, luma: &mut Growing<16>, chroma: &mut [Growing<8>; 2]) {
        luma.put_rows(y, self.luma.upper());
        for (plane, rows) in chroma.iter_mut().zip(&mut self.chroma) {
            plane.put_rows(y, rows.upper());
        }
    }

    fn smooth(&mut self, x: usize, y: usize) {
        let Edges { strength, inner } = self.edges[x];
        let whole = Strength { edge: strength.edge + 4, ..strength };
        let simple = self.smoothing == Smoothing::Simple;
        let normal = |outer| if outer { Filter::Outer } else { Filter::Inner };
        let filter = |outer| if simple { Filter::Simple } else { normal(outer) };
        if x > 0 {
            self.luma.across(x, 0, filter(true), whole);
            self.for_chroma(simple, |rows| rows.across(x, 0, Filter::Outer, whole));
        }
        if inner {
            for at in [4, 8, 12] {
                self.luma.across(x, at, filter(false), strength);
            }
            self.for_chroma(simple, |rows| rows.across(x, 4, Filter::Inner, strength));
        }
        if y > 0 {
            self.luma.down(x, 0, filter(true), whole);
            self.for_chroma(simple, |rows| rows.down(x, 0, Filter::Outer, whole));
        }
        if inner {
            for at in [4, 8, 12] {
                self.luma.down(x, at, filter(false), strength);
            }
            self.for_chroma(simple, |rows| rows.down(x, 4, Filter::Inner, strength));
        }
    }

    fn for_chroma(&mut self, simple: bool, smooth: impl Fn(&mut Rows<8>)) {
        if !simple {
            self.chroma.iter_mut().for_each(smooth);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Simple,
    /// The normal filter between macroblocks.
    Outer,
    /// The normal filter between the blocks of one.
    Inner,
}

impl<const SIZE: usize> Rows<SIZE> {
    /// Smooths across the vertical edge `at` pixels into macroblock `x` of the lower row.
    fn across(&mut self, x: usize, at: usize, filter: Filter, strength: Strength) {
        let start = x * SIZE + at - 4;
        for row in self.bytes.chunks_exact_mut(self.stride).skip(SIZE) {
            if let Some(pixels) = row[start..].first_chunk_mut::<8>() {
                *pixels = smoothed(*pixels, filter, strength);
            }
        }
    }

    /// Smooths across the horizontal edge `at` pixels below the top of macroblock `x` of the lower row.
    fn down(&mut self, x: usize, at: usize, filter: Filter, strength: Strength) {
        let first = (SIZE + at - 4) * self.stride + x * SIZE;
        let mut columns = [[0_u8; 8]; SIZE];
        for (index, row) in self.bytes[first..].chunks(self.stride).take(8).enumerate() {
            for (column, pixel) in columns.iter_mut().zip(row) {
                column[index] = *pixel;
            }
        }
        for column in &mut columns {
            *column = smoothed(*column, filter, strength);
        }
        for (index, row) in self.bytes[first..].chunks_mut(self.stride).take(8).enumerate() {
            for (column, pixel) in columns.iter().zip(row) {
                *pixel = column[index];
            }
        }
    }
}

/// Eight pixels, smoothed across the edge in their middle.
#[inline]
fn smoothed(pixels: [u8; 8], filter: Filter, strength: Strength) -> [u8; 8] {
    let [p3, p2, p1, p0, q0, q1, q2, q3] = pixels;
    let height = u16::from(p0.abs_diff(q0)) * 2 + u16::from(p1.abs_diff(q1)) / 2;
    if height > u16::from(strength.edge) {
        return pixels;
    }
    let signed = |pixel: u8| i32::from(pixel) - 128;
    let clamped = |value: i32| value.clamp(-128, 127);
    let pixel = |value: i32| u8::try_from(clamped(value) + 128).unwrap_or(0);
    let common = |outer: bool| {
        let taps = if outer { clamped(signed(p1) - signed(q1)) } else { 0 };
        let step = clamped(taps + 3 * (signed(q0) - signed(p0)));
        (clamped(step + 4) >> 3, clamped(step + 3) >> 3)
    };
    if filter == Filter::Simple {
        let (right, left) = common(true);
        return [p3, p2, p1, pixel(signed(p0) + left), pixel(signed(q0) - right), q1, q2, q3];
    }
    let neighbours = [(p3, p2), (p2, p1), (p1, p0), (q1, q0), (q2, q1), (q3, q2)];
    if neighbours.iter().any(|(near, far)| near.abs_diff(*far) > strength.interior) {
        return pixels;
    }
    let variance = p1.abs_diff(p0) > strength.variance || q1.abs_diff(q0) > strength.variance;
    if variance {
        let (right, left) = common(true);
        return [p3, p2, p1, pixel(signed(p0) + left), pixel(signed(q0) - right), q1, q2, q3];
    }
    if filter == Filter::Inner {
        let (right, left) = common(false);
        let half = (right + 1) >> 1;
        return [
            p3,
            p2,
            pixel(signed(p1) + half),
            pixel(signed(p0) + left),
            pixel(signed(q0) - right),
            pixel(signed(q1) - half),
            q2,
            q3,
        ];
    }
    let step = clamped(clamped(signed(p1) - signed(q1)) + 3 * (signed(q0) - signed(p0)));
    let [near, next, far] = [27, 18, 9].map(|factor| clamped((factor * step + 63) >> 7));
    [
        p3,
        pixel(signed(p2) + far),
        pixel(signed(p1) + next),
        pixel(signed(p0) + near),
        pixel(signed(q0) - near),
        pixel(signed(q1) - next),
        pixel(signed(q2) - far),
        q3,
    ]
}
