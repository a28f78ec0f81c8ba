//! A macroblock's coefficients: section 13.

use crate::bits::{Bits, enough};
use crate::header::{Probs, Steps};
use crate::tables::ZIGZAG;
use crate::transform::{self, Block};

/// What a block adds to its prediction.
pub(crate) type Difference = [[i16; 4]; 4];

/// Which of the neighbouring blocks have coefficients: four of luma, two of each chroma, the second order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Neighbours {
    /// Luma blocks.
    pub(crate) luma: [u8; 4],
    /// Blocks of each chroma.
    pub(crate) chroma: [[u8; 2]; 2],
    /// The second order.
    pub(crate) second: u8,
}

impl Neighbours {
    /// What a macroblock without coefficients leaves. One in sub-blocks has no second order and leaves the one before it.
    pub(crate) fn clear(&mut self, has_sub_blocks: bool) {
        *self = Self { second: if has_sub_blocks { self.second } else { 0 }, ..Self::default() };
    }
}

/// Reads the blocks of a macroblock, in their order.
///
/// Each is to be added to its prediction at once: a processor does that while it waits for the next block's bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'p, 'b> {
    bits: Bits<'b>,
    probs: &'p Probs,
    steps: Steps,
}

impl<'p, 'b> Reader<'p, 'b> {
    /// A reader of what comes next in a partition.
    pub(crate) fn new(partition: Bits<'b>, probs: &'p Probs, steps: Steps) -> Self {
        Self { bits: partition, probs, steps }
    }

    /// The partition from where this ended.
    pub(crate) fn partition(self) -> Bits<'b> {
        self.bits
    }

    /// Reads the second order: the DCs of the luma blocks.
    pub(crate) fn second(&mut self, above: &mut u8, left: &mut u8) -> Block {
        let mut block = [0; 16];
        let end =
            coefficients::<true>(&mut self.bits, &self.probs[1], *above + *left, 0, self.steps.second, &mut block);
        (*above, *left) = (u8::from(end > 0), u8::from(end > 0));
        if end > 0 {
            transform::second_order(&mut block);
        }
        block
    }

    /// Reads a luma block, the DC of which may be known already. One that is not `kept` gives the average of its difference.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as in the module of bits")]
    pub(crate) fn luma(&mut self, dc: Option<i16>, kept: bool, above: &mut u8, left: &mut u8) -> Option<Difference> {
        let mut block = [0; 16];
        let (first, probs) = if dc.is_some() { (1, &self.probs[0]) } else { (0, &self.probs[3]) };
        block[0] = dc.unwrap_or(0);
        let known = *above + *left;
        let end = if kept {
            coefficients::<true>(&mut self.bits, probs, known, first, self.steps.luma, &mut block)
        } else {
            coefficients::<false>(&mut self.bits, probs, known, first, self.steps.luma, &mut block)
        };
        (*above, *left) = (u8::from(end > first), u8::from(end > first));
        difference(kept && end > 1, &block)
    }

    /// Reads a chroma block.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as in the module of bits")]
    pub(crate) fn chroma(&mut self, kept: bool, above: &mut u8, left: &mut u8) -> Option<Difference> {
        let mut block = [0; 16];
        let known = *above + *left;
        let end = if kept {
            coefficients::<true>(&mut self.bits, &self.probs[2], known, 0, self.steps.chroma, &mut block)
        } else {
            coefficients::<false>(&mut self.bits, &self.probs[2], known, 0, self.steps.chroma, &mut block)
        };
        (*above, *left) = (u8::from(end > 0), u8::from(end > 0));
        difference(kept && end > 1, &block)
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as in the module of bits")]
fn difference(full: bool, block: &Block) -> Option<Difference> {
    if full {
        Some(transform::inverse(block))
    } else if block[0] != 0 {
        Some([[transform::flat(block[0]); 4]; 4])
    } else {
        None
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
