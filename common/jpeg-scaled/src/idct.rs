//! From a block's lowest coefficients to as many samples as there are of them.
//!
//! A block of 8 × 8 samples is a sum of cosines. Its lowest N × N of them, sampled N times across and down instead of eight, are the block
//! at N/8: <https://en.wikipedia.org/wiki/Discrete_cosine_transform#Inverse_transforms>. In single precision, without fused operations, so
//! that every machine makes the same bytes.

#![expect(clippy::inline_always, reason = "a block takes some tens of nanoseconds: calls would be a good part of them")]

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The place in a block's rows of each coefficient, in the order in which they are stored.
#[rustfmt::skip]
pub(crate) const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The cosine of a coefficient at a place of `size`, scaled so that one across times one down gives samples.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn cosine(coefficient: usize, place: usize, size: usize) -> f64 {
    let norm = if coefficient == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    let angle = (2 * place + 1) as f64 * coefficient as f64 * PI / (2 * size) as f64;
    angle.cos() * norm / 2.0
}

/// For each coefficient in zigzag order, the S = N × N samples that one step of it makes. A block is the sum of these, which for the few
/// coefficients that a small block has is less work than going across and down.
pub(crate) struct Pictures<const S: usize> {
    samples: Vec<[f32; S]>,
    /// One step of the first coefficient.
    step: f32,
}

impl<const S: usize> Pictures<S> {
    /// For blocks of `size` × `size` samples, of which the first coefficients, as many as there are `steps`, are looked at.
    #[expect(clippy::cast_possible_truncation, reason = "single precision is enough")]
    pub(crate) fn new(size: usize, steps: &[f32]) -> Self {
        let picture = |(place, step): (&u8, &f32)| {
            let (row, column) = (usize::from(place / 8), usize::from(place % 8));
            std::array::from_fn(|sample| {
                let product = cosine(column, sample % size, size) * cosine(row, sample / size, size);
                // What is between the lowest ones, in the order of the file, is not among them.
                if row < size && column < size { (product * f64::from(*step)) as f32 } else { 0.0 }
            })
        };
        let step = steps.first().copied().unwrap_or_default();
        Self { samples: ZIGZAG.iter().zip(steps).map(picture).collect(), step }
    }

    /// The first coefficient of `value` steps.
    pub(crate) fn flat(&self, value: f32) -> f32 {
        value * self.step
    }

    /// Adds `value` steps of a coefficient.
    #[inline(always)]
    pub(crate) fn add(&self, sums: &mut [f32; S], place: u32, value: f32) {
        if let Some(picture) = self.samples.get(place as usize) {
            for (sum, sample) in sums.iter_mut().zip(picture) {
                *sum += sample * value;
            }
        }
    }
}

/// A whole block's coefficients.
pub(crate) struct Block {
    values: [f32; 64],
    /// The rows and the columns that have any.
    rows: u8,
    columns: u8,
    only: bool,
}

impl Block {
    /// A block whose first coefficient is `first` steps.
    #[inline(always)]
    pub(crate) fn new(first: f32, steps: &[f32; 64]) -> Self {
        let mut values = [0.0; 64];
        values[0] = first * steps[0];
        Self { values, rows: 1, columns: 1, only: true }
    }

    /// Sets the coefficient at `place` in zigzag order to `value` steps.
    #[inline(always)]
    pub(crate) fn set(&mut self, place: u32, value: f32, steps: &[f32; 64]) {
        let place = place as usize & 63;
        let (Some(natural), Some(step)) = (ZIGZAG.get(place), steps.get(place)) else { return };
        if let Some(coefficient) = self.values.get_mut(usize::from(*natural)) {
            *coefficient = value * step;
        }
        self.rows |= 1 << (natural / 8);
        self.columns |= 1 << (natural % 8);
        self.only = false;
    }

    /// Its samples; and the first coefficient, where it is the only one.
    #[inline(always)]
    pub(crate) fn samples(&self, cosines: &Cosines) -> ([f32; 64], Option<f32>) {
        if self.only {
            return ([0.0; 64], Some(self.values[0]));
        }
        (cosines.samples(&self.values, self.rows, self.columns), None)
    }
}

/// The cosines of whole blocks.
pub(crate) struct Cosines([[f32; 8]; 8]);

impl Cosines {
    #[expect(clippy::cast_possible_truncation, reason = "single precision is enough")]
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|coefficient| std::array::from_fn(|place| cosine(coefficient, place, 8) as f32)))
    }

    /// The samples of a whole block, row by row. Only the rows and columns whose bits are set have coefficients that are not zero.
    #[expect(clippy::indexing_slicing, reason = "rows and columns are less than 8")]
    pub(crate) fn samples(&self, block: &[f32; 64], rows: u8, columns: u8) -> [f32; 64] {
        let mut across = [[0.0_f32; 8]; 8];
        for row in bits(rows) {
            for column in bits(columns) {
                let coefficient = block[row * 8 + column];
                for (sum, cosine) in across[row].iter_mut().zip(&self.0[column]) {
                    *sum += coefficient * cosine;
                }
            }
        }
        let mut samples = [0.0; 64];
        for row in bits(rows) {
            for (line, cosine) in samples.as_chunks_mut::<8>().0.iter_mut().zip(&self.0[row]) {
                for (sum, value) in line.iter_mut().zip(&across[row]) {
                    *sum += value * cosine;
                }
            }
        }
        samples
    }
}

/// The places of the bits that are set.
fn bits(mut mask: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        (place < 8).then_some(place as usize)
    })
}

/// A sample of a block whose value is the same everywhere, rounded as integer decoders do: half a step up.
#[inline(always)]
pub(crate) fn flat(dc: f32) -> u8 {
    to_sample((dc * 0.125 + 0.5).floor())
}

/// The nearest sample to a value around 0.
#[inline(always)]
pub(crate) fn to_sample(value: f32) -> u8 {
    // Single precision has steps of one here: the sum is rounded, and its last byte is the number.
    const STEPS_OF_ONE: f32 = 8_388_608.0;
    ((value + 128.0).clamp(0.0, 255.0) + STEPS_OF_ONE).to_bits().to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_rounded_and_stay_in_their_range() {
        for (value, expected) in
            [(-128.0, 0), (-200.0, 0), (0.0, 128), (0.4, 128), (0.6, 129), (127.0, 255), (9e9, 255)]
        {
            assert_eq!(to_sample(value), expected, "{value}");
        }
        for (dc, expected) in [(0.0, 128), (3.0, 128), (4.0, 129), (-4.0, 128), (-5.0, 127), (8.0, 129), (-9e9, 0)] {
            assert_eq!(flat(dc), expected, "{dc}");
        }
    }

    #[test]
    fn adding_up_and_going_across_and_down_are_the_same() {
        let steps: [f32; 64] = std::array::from_fn(|place| 1.0 + f32::from(u8::try_from(place).unwrap()));
        let pictures = Pictures::<64>::new(8, &steps);
        let (mut sums, mut block, mut rows, mut columns) = ([0.0; 64], [0.0; 64], 0, 0);
        for (place, value) in [(0, 40.0), (2, -3.0), (17, 2.0), (63, 1.0)] {
            pictures.add(&mut sums, place, value);
            let natural = usize::from(ZIGZAG[place as usize]);
            block[natural] = value * steps[place as usize];
            rows |= 1 << (natural / 8);
            columns |= 1 << (natural % 8);
        }
        let samples = Cosines::new().samples(&block, rows, columns);
        for (a, b) in sums.iter().zip(&samples) {
            assert!((a - b).abs() < 0.01, "{a} {b}");
        }
    }
}
