//! A macroblock's coefficients: section 13.

use crate::Scale;
use crate::bits::{Bits, enough};
use crate::header::{Probs, Steps};
use crate::tables::ZIGZAG;
use crate::transform::{self, Block};

/// What of a block there is to add to its prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// Nothing.
    #[default]
    Empty,
    /// The same to every pixel.
    Flat,
    /// Anything.
    Full,
}

/// The coefficients of a macroblock, until they are added to its pixels: sixteen blocks of luma, four of the first chroma, four of the second.
#[derive(Debug)]
pub(crate) struct Coefficients {
    /// Values that have been multiplied by their steps.
    pub(crate) blocks: [Block; 24],
    /// What each block is.
    pub(crate) kinds: [Kind; 24],
    inside: Inside,
}

/// Which of the neighbouring blocks have coefficients: four of luma, two of each chroma, the second order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Neighbours {
    luma: [u8; 4],
    chroma: [[u8; 2]; 2],
    second: u8,
}

/// What is wanted of blocks that no other macroblock is predicted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Every pixel.
    Exact,
    /// The averages of luma blocks, every pixel of chroma.
    LumaAverages,
    /// The averages.
    Averages,
}

impl Inside {
    /// What a scale needs: at a quarter, a block of luma becomes one pixel, at an eighth also a block of chroma.
    fn of(scale: Scale) -> Self {
        match scale {
            Scale::Full | Scale::Half => Self::Exact,
            Scale::Quarter => Self::LumaAverages,
            Scale::Eighth => Self::Averages,
        }
    }
}

impl Neighbours {
    /// What a macroblock without coefficients leaves. One in sub-blocks has no second order and leaves the one before it.
    pub(crate) fn clear(&mut self, has_sub_blocks: bool) {
        *self = Self { second: if has_sub_blocks { self.second } else { 0 }, ..Self::default() };
    }
}

impl Coefficients {
    /// Empty blocks, of which as much will be kept as the scale needs.
    pub(crate) fn new(scale: Scale) -> Self {
        Self { blocks: [[0; 16]; 24], kinds: [Kind::Empty; 24], inside: Inside::of(scale) }
    }

    /// Whether there is nothing to add.
    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.iter().all(|kind| *kind == Kind::Empty)
    }

    /// Reads the coefficients of a macroblock into empty blocks.
    pub(crate) fn read(
        &mut self,
        partition: &mut Bits<'_>,
        probs: &Probs,
        steps: &Steps,
        has_sub_blocks: bool,
        above: &mut Neighbours,
        left: &mut Neighbours,
    ) {
        let mut bits = *partition;
        let [without_dc, second_probs, chroma_probs, with_dc] = probs;
        let (mut first, mut luma_probs) = (0, with_dc);
        if !has_sub_blocks {
            let mut block = [0; 16];
            let end =
                coefficients::<true>(&mut bits, second_probs, above.second + left.second, 0, steps.second, &mut block);
            (above.second, left.second) = (u8::from(end > 0), u8::from(end > 0));
            if end > 0 {
                transform::second_order(&mut block);
                for (dc, block) in block.iter().zip(&mut self.blocks) {
                    block[0] = *dc;
                }
            }
            (first, luma_probs) = (1, without_dc);
        }
        let (luma, chroma) = self.blocks.split_at_mut(16);
        let (luma_kinds, chroma_kinds) = self.kinds.split_at_mut(16);
        let rows = luma.as_chunks_mut::<4>().0.iter_mut().zip(luma_kinds.as_chunks_mut::<4>().0);
        for (y, ((blocks, kinds), left)) in rows.zip(&mut left.luma).enumerate() {
            for (x, ((block, kind), above)) in blocks.iter_mut().zip(kinds).zip(&mut above.luma).enumerate() {
                let known = *above + *left;
                let end = if self.inside == Inside::Exact || has_sub_blocks || x == 3 || y == 3 {
                    let end = coefficients::<true>(&mut bits, luma_probs, known, first, steps.luma, block);
                    *kind = classify(end, block[0]);
                    end
                } else {
                    *kind = classify(0, block[0]);
                    coefficients::<false>(&mut bits, luma_probs, known, first, steps.luma, block)
                };
                (*above, *left) = (u8::from(end > first), u8::from(end > first));
            }
        }
        let planes = chroma.as_chunks_mut::<4>().0.iter_mut().zip(chroma_kinds.as_chunks_mut::<4>().0);
        for ((blocks, kinds), (above, left)) in planes.zip(above.chroma.iter_mut().zip(&mut left.chroma)) {
            let rows = blocks.as_chunks_mut::<2>().0.iter_mut().zip(kinds.as_chunks_mut::<2>().0);
            for (y, ((blocks, kinds), left)) in rows.zip(left).enumerate() {
                for (x, ((block, kind), above)) in blocks.iter_mut().zip(kinds).zip(above.iter_mut()).enumerate() {
                    let known = *above + *left;
                    let end = if self.inside == Inside::Averages && x == 0 && y == 0 {
                        let end = coefficients::<false>(&mut bits, chroma_probs, known, 0, steps.chroma, block);
                        *kind = classify(end.min(1), block[0]);
                        end
                    } else {
                        let end = coefficients::<true>(&mut bits, chroma_probs, known, 0, steps.chroma, block);
                        *kind = classify(end, block[0]);
                        end
                    };
                    (*above, *left) = (u8::from(end > 0), u8::from(end > 0));
                }
            }
        }
        *partition = bits;
    }
}

impl Kind {
    /// What a block of this kind adds to its pixels, `None` for nothing; the block is empty afterwards.
    #[inline]
    pub(crate) fn take(&mut self, block: &mut Block) -> Option<[[i16; 4]; 4]> {
        let difference = match self {
            Self::Empty => return None,
            Self::Flat => [[transform::flat(block[0]); 4]; 4],
            Self::Full => transform::inverse(block),
        };
        *block = [0; 16];
        *self = Self::Empty;
        Some(difference)
    }
}

fn classify(end: usize, dc: i16) -> Kind {
    if end > 1 {
        Kind::Full
    } else if dc != 0 {
        Kind::Flat
    } else {
        Kind::Empty
    }
}

/// The extra bits of the four largest categories, section 13.2.
const EXTRA: [&[u8]; 4] = [
    &[173, 148, 140],
    &[176, 155, 140, 135],
    &[180, 157, 141, 134, 130],
    &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
];

/// Reads one block's coefficients from the `first` on, and keeps them all or only the DC; gives the place after the last one.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the reader's fields stay in registers only where no call comes between")]
#[expect(clippy::indexing_slicing, reason = "the hottest loop; places are below 16, of arrays that have 17 and 16")]
#[expect(
    clippy::cast_possible_truncation,
    reason = "as libwebp: only a file that no encoder makes has larger products"
)]
fn coefficients<const KEEP: bool>(
    bits: &mut Bits<'_>,
    probs: &[[[u8; 11]; 3]; 17],
    neighbours: u8,
    first: usize,
    steps: [i16; 2],
    block: &mut Block,
) -> usize {
    let mut place = first;
    let mut prob = &probs[place][usize::from(neighbours.min(2))];
    while place < 16 {
        // Whether this is the end, a zero, a one; and the sign.
        bits.load(enough(4));
        if !bits.loaded_bit(prob[0]) {
            return place;
        }
        while !bits.loaded_bit(prob[1]) {
            place += 1;
            if place == 16 {
                return 16;
            }
            prob = &probs[place][0];
            bits.load(enough(3));
        }
        let next = &probs[place + 1];
        let value = if bits.loaded_bit(prob[2]) {
            let value = large(bits, prob);
            prob = &next[2];
            bits.load(enough(1));
            bits.loaded_signed(value)
        } else {
            prob = &next[1];
            bits.loaded_signed(1)
        };
        if KEEP || place == 0 {
            let step = i32::from(steps[usize::from(place > 0)]);
            block[ZIGZAG[place]] = (value * step) as i16;
        }
        place += 1;
    }
    16
}

/// A value of 2 or more.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
#[expect(clippy::indexing_slicing, reason = "as above; a category is below 4")]
fn large(bits: &mut Bits<'_>, prob: &[u8; 11]) -> i32 {
    bits.load(enough(5));
    if !bits.loaded_bit(prob[3]) {
        return if bits.loaded_bit(prob[4]) { 3 + i32::from(bits.loaded_bit(prob[5])) } else { 2 };
    }
    if !bits.loaded_bit(prob[6]) {
        return if bits.loaded_bit(prob[7]) {
            let high = 2 * i32::from(bits.loaded_bit(165));
            7 + high + i32::from(bits.loaded_bit(145))
        } else {
            5 + i32::from(bits.loaded_bit(159))
        };
    }
    let category = if bits.loaded_bit(prob[8]) {
        2 + usize::from(bits.loaded_bit(prob[10]))
    } else {
        usize::from(bits.loaded_bit(prob[9]))
    };
    let mut extra = 0;
    for prob in EXTRA[category] {
        extra = 2 * extra + i32::from(bits.bit(*prob));
    }
    3 + (8 << category) + extra
}
