//! The boolean entropy decoder of section 7, with a window of 64 bits that is filled seven bytes at a time.
#![expect(clippy::indexing_slicing, reason = "tables of 256 places, and a byte says which")]

/// A partition that is being read.
///
/// It is copied into a local variable around every hot loop, so that its fields stay in registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits<'a> {
    /// What has not been loaded yet.
    rest: &'a [u8],
    /// The window; the next bit is decided by its highest eight bits.
    window: u64,
    /// The range less 1, from 127 to 254.
    top: u32,
    /// Bits of the window that have been loaded.
    loaded: u32,
    /// How many of them are zeros that stand for what is beyond the end.
    missing: u32,
}

/// For what is left of a range, less 1: the same shifted until the range is at least 128, and by how much it was shifted.
///
/// A table is faster here than counting and shifting, because each bit waits for the range that the one before it left.
#[expect(clippy::cast_possible_truncation, reason = "below 256, and at most 7")]
const NARROWED: [[u8; 2]; 256] = {
    let mut narrowed = [[0; 2]; 256];
    let mut top = 0;
    while top < 256 {
        let shift = (top as u8).saturating_add(1).leading_zeros();
        narrowed[top] = [(((top + 1) << shift) - 1) as u8, shift as u8];
        top += 1;
    }
    narrowed
};

/// Loaded bits that `count` readings in a row need: the first decides by eight, and none uses up more than seven.
pub(crate) const fn enough(count: u32) -> u32 {
    8 + 7 * (count - 1)
}

impl<'a> Bits<'a> {
    /// A partition from its first byte.
    pub(crate) fn new(partition: &'a [u8]) -> Self {
        Self { rest: partition, window: 0, top: 254, loaded: 0, missing: 0 }
    }

    /// Whether the partition ended before what was asked of it. Encoders pad, so that a whole file never gets here.
    pub(crate) fn past_end(&self) -> bool {
        self.missing > 0 && self.loaded <= self.missing
    }

    /// A bit that is 0 with a probability of `probability` / 256.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the fields stay in registers only where no call comes between")]
    pub(crate) fn bit(&mut self, probability: u8) -> bool {
        self.load(enough(1));
        self.loaded_bit(probability)
    }

    /// As [`Self::bit`], where enough has been loaded.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    pub(crate) fn loaded_bit(&mut self, probability: u8) -> bool {
        let split = (self.top * u32::from(probability)) >> 8;
        let threshold = u64::from(split + 1) << 56;
        // Both ways are written out so that the compiler makes a jump of it and no select: a jump is foreseen most of the time,
        // and then what follows does not wait for the comparison.
        if self.window >= threshold {
            self.window -= threshold;
            self.narrow(self.top - split - 1);
            true
        } else {
            self.narrow(split);
            false
        }
    }

    /// The value, or its negative when the next bit, as likely as not, says so; enough must have been loaded.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    pub(crate) fn loaded_signed(&mut self, value: i32) -> i32 {
        // As `bit(128)`, but without a jump that no processor can foresee. The range is halved, so that the shift is 1 but for one
        // value of it.
        let split = self.top >> 1;
        let threshold = u64::from(split + 1) << 56;
        let negative = self.window >= threshold;
        self.window -= if negative { threshold } else { 0 };
        self.narrow(if negative { self.top - split - 1 } else { split });
        let sign = -i32::from(negative);
        (value ^ sign) - sign
    }

    /// Goes on in a part of the range.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn narrow(&mut self, top: u32) {
        let [top, shift] = NARROWED[(top & 0xff) as usize];
        self.top = top.into();
        self.window <<= shift;
        self.loaded -= u32::from(shift);
    }

    /// A bit that is as often 0 as 1.
    pub(crate) fn flag(&mut self) -> bool {
        self.bit(128)
    }

    /// An unsigned number of `width` ≤ 8 bits.
    pub(crate) fn literal(&mut self, width: u32) -> u8 {
        (0..width).fold(0, |value, _| (value << 1) | u8::from(self.flag()))
    }

    /// A number of `width` ≤ 7 bits and a sign behind it, or 0 when the flag before it is not set.
    pub(crate) fn optional_signed(&mut self, width: u32) -> i32 {
        if !self.flag() {
            return 0;
        }
        let value = i32::from(self.literal(width));
        if self.flag() { -value } else { value }
    }

    /// Loads until there are at least `bits` ≤ 56.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    pub(crate) fn load(&mut self, bits: u32) {
        if self.loaded >= bits {
            return;
        }
        if let Some((bytes, _)) = self.rest.split_first_chunk::<8>() {
            // Of the last byte a part may go in twice; it is the same part. Between 56 and 63 bits are loaded then: as many whole
            // bytes as fit.
            self.window |= u64::from_be_bytes(*bytes) >> self.loaded;
            self.rest = self.rest.get((63 - self.loaded as usize) / 8..).unwrap_or_default();
            self.loaded |= 0x38;
        } else {
            *self = self.near_the_end(bits);
        }
    }

    /// The bytes that are left, then zeros.
    #[cold]
    #[inline(never)]
    fn near_the_end(mut self, bits: u32) -> Self {
        while self.loaded < bits {
            if let Some((byte, rest)) = self.rest.split_first() {
                self.window |= u64::from(*byte) << (56 - self.loaded);
                self.rest = rest;
            } else {
                self.missing += 8;
            }
            self.loaded += 8;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The encoder of section 7.3, for bits of any probability.
    fn encode(bits: &[(bool, u8)]) -> Vec<u8> {
        let (mut out, mut range, mut bottom, mut count) = (Vec::<u8>::new(), 255_u32, 0_u32, 24);
        let carry = |out: &mut Vec<u8>| {
            for byte in out.iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        };
        for (bit, probability) in bits.iter().copied().chain([(false, 128); 32]) {
            let split = 1 + (((range - 1) * u32::from(probability)) >> 8);
            if bit {
                let (sum, over) = bottom.overflowing_add(split);
                bottom = sum;
                if over {
                    carry(&mut out);
                }
                range -= split;
            } else {
                range = split;
            }
            while range < 128 {
                range <<= 1;
                if bottom & (1 << 31) != 0 {
                    carry(&mut out);
                }
                bottom <<= 1;
                count -= 1;
                if count == 0 {
                    out.push(u8::try_from(bottom >> 24).unwrap());
                    bottom &= (1 << 24) - 1;
                    count = 8;
                }
            }
        }
        out
    }

    proptest::proptest! {
        #[test]
        fn what_was_encoded_is_read_back(bits: Vec<(bool, u8)>) {
            let bits: Vec<_> = bits.into_iter().map(|(bit, probability)| (bit, probability.max(1))).collect();
            let bytes = encode(&bits);
            let mut reader = Bits::new(&bytes);
            for (index, (bit, probability)) in bits.iter().enumerate() {
                let found = if *probability == 128 { {
                    reader.load(8);
                    reader.loaded_signed(1) < 0
                } } else { reader.bit(*probability) };
                assert_eq!(found, *bit, "bit {index}");
            }
            assert!(!reader.past_end());
        }
    }

    #[test]
    fn the_end_is_noticed_and_zeros_follow() {
        let mut reader = Bits::new(&[]);
        assert!(!reader.past_end() && !reader.flag() && !reader.literal(8) > 0 && reader.past_end());
        let mut reader = Bits::new(&[0xff; 9]);
        for _ in 0..64 {
            reader.flag();
        }
        assert!(!reader.past_end());
        for _ in 0..64 {
            reader.flag();
        }
        assert!(reader.past_end());
    }
}
