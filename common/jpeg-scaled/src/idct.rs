//! From a block's lowest coefficients to as many samples as there are of them.
//!
//! A block of 8 × 8 samples is a sum of cosines. Its lowest N × N of them, sampled N times across and down instead of eight, are the block
//! at N/8: <https://en.wikipedia.org/wiki/Discrete_cosine_transform#Inverse_transforms>. In single precision, without fused operations, so
//! that every machine makes the same bytes.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// For each of N coefficients, its cosine at N places, scaled so that rows and then columns give samples.
pub(crate) struct Basis<const N: usize>([[f32; N]; N]);

impl<const N: usize> Basis<N> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small numbers")]
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|coefficient| {
            let norm = if coefficient == 0 { FRAC_1_SQRT_2 } else { 1.0 };
            std::array::from_fn(|place| {
                let angle = (2 * place + 1) as f64 * coefficient as f64 * PI / (2 * N) as f64;
                (angle.cos() * norm / 2.0) as f32
            })
        }))
    }

    /// The samples of a block, row by row. `block` has eight coefficients in a row, of which the first N rows' first N count.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "N is at most 8, and the loops end there")]
    pub(crate) fn samples(&self, block: &[f32; 64]) -> [[u8; N]; N] {
        let mut across = [[0.0_f32; N]; N];
        for (row, sums) in across.iter_mut().enumerate() {
            for column in 0..N {
                let coefficient = block[row * 8 + column];
                for (sum, cosine) in sums.iter_mut().zip(&self.0[column]) {
                    *sum += coefficient * cosine;
                }
            }
        }
        std::array::from_fn(|line| {
            // Half a step up, and then the fraction is cut off: rounding.
            let mut sums = [128.5_f32; N];
            for row in 0..N {
                let cosine = self.0[row][line];
                for (sum, value) in sums.iter_mut().zip(&across[row]) {
                    *sum += value * cosine;
                }
            }
            sums.map(to_sample)
        })
    }
}

/// A sample of a block whose value is the same everywhere.
#[inline(always)]
pub(crate) fn flat(dc: f32) -> u8 {
    // An integer, so that the result is what integer decoders give: half an eighth up.
    to_sample((dc + 4.0) * 0.125 + 128.0)
}

/// Cuts off the fraction, and what is below 0 or above 255.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` from a float goes to the nearest that there is"
)]
fn to_sample(value: f32) -> u8 {
    value.clamp(0.0, 255.0) as i32 as u8
}
