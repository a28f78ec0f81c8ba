//! What is kept of a progressive picture between its scans, and how it becomes samples.

use crate::idct::{Block, Pictures};
use crate::target::{Samples, Target};

/// A component's coefficients between its scans.
pub(crate) struct Store {
    pub(crate) keep: usize,
    /// `keep` of each block, in zigzag order.
    pub(crate) kept: Vec<i16>,
    /// Of each block, a bit for each coefficient that is not zero. Empty when none but the first is ever read.
    pub(crate) there: Vec<u64>,
}

impl Store {
    /// Bytes of what is kept of a component.
    pub(crate) fn bytes(target: &Target) -> usize {
        let keep = target.keep() as usize;
        target.padded.0.saturating_mul(target.padded.1).saturating_mul(keep * 2 + if keep > 1 { 8 } else { 0 })
    }

    pub(crate) fn new(target: &Target) -> Self {
        let (blocks, keep) = (target.padded.0 * target.padded.1, target.keep() as usize);
        Self { keep, kept: vec![0; blocks * keep], there: vec![0; if keep > 1 { blocks } else { 0 }] }
    }

    /// Makes the component's plane.
    pub(crate) fn render(self, target: &mut Target) {
        let (across, canvas) = (target.padded.0, &mut target.canvas);
        for (number, kept) in self.kept.chunks_exact(self.keep).enumerate() {
            let (column, row) = (number % across, number / across);
            let first = kept.first().copied().map_or(0.0, f32::from);
            match &target.samples {
                None => {}
                Some(Samples::One { step }) => canvas.put::<1, 1>(column, row, &[0.0], Some(first * step)),
                Some(Samples::Two(pictures)) => {
                    let (sums, plain) = add_up(kept, first, pictures);
                    canvas.put::<2, 4>(column, row, &sums, plain);
                }
                Some(Samples::Three(pictures)) => {
                    let (sums, plain) = add_up(kept, first, pictures);
                    canvas.put::<3, 9>(column, row, &sums, plain);
                }
                Some(Samples::Four(pictures)) => {
                    let (sums, plain) = add_up(kept, first, pictures);
                    canvas.put::<4, 16>(column, row, &sums, plain);
                }
                Some(Samples::Eight { cosines, steps }) => {
                    let mut block = Block::new(first, steps);
                    others(kept).for_each(|(place, value)| block.set(place, value, steps));
                    let (samples, plain) = block.samples(cosines);
                    canvas.put::<8, 64>(column, row, &samples, plain);
                }
            }
        }
    }
}

/// The coefficients behind the first that are not zero, with their places.
fn others(kept: &[i16]) -> impl Iterator<Item = (u32, f32)> {
    (0..).zip(kept).skip(1).filter(|(_, value)| **value != 0).map(|(place, value)| (place, f32::from(*value)))
}

/// The sum of a block's coefficients; and the first one, where it is the only one.
fn add_up<const S: usize>(kept: &[i16], first: f32, pictures: &Pictures<S>) -> ([f32; S], Option<f32>) {
    let mut sums = [0.0; S];
    pictures.add(&mut sums, 0, first);
    let mut only = true;
    for (place, value) in others(kept) {
        pictures.add(&mut sums, place, value);
        only = false;
    }
    (sums, only.then(|| pictures.flat(first)))
}
