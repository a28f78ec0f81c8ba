//! What the decoders of video give: a plane for luma and two for the chromas.

use crate::heif::Nclx;

/// How many samples the chromas have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// None: luma alone.
    Grey,
    /// A half across and down.
    Halves,
    /// A half across.
    Columns,
    /// As many as luma.
    Full,
}

impl Sampling {
    /// By how many bits the chromas' columns and rows are fewer.
    pub(super) fn shifts(self) -> (u32, u32) {
        match self {
            Self::Grey | Self::Full => (0, 0),
            Self::Halves => (1, 1),
            Self::Columns => (1, 0),
        }
    }
}

/// The samples of a plane, in rows.
pub(super) enum Samples {
    /// Each in a word of its own.
    #[cfg(feature = "heic")]
    Words(Vec<u16>),
    /// Eight bits each.
    #[cfg(feature = "avif")]
    Bytes(Box<dyn AsRef<[u8]>>),
    /// Two bytes each, in the order of the machine.
    #[cfg(feature = "avif")]
    Pairs(Box<dyn AsRef<[u8]>>),
}

/// A plane.
pub(super) struct Plane {
    /// Its samples.
    pub(super) samples: Samples,
    /// Samples from one row to the next.
    pub(super) stride: usize,
}

/// A decoded picture.
pub(super) struct Frame {
    /// Pixels across and down.
    pub(super) size: (u32, u32),
    /// Bits of a sample: 8 to 16.
    pub(super) bits: u8,
    /// How many samples the chromas have.
    pub(super) sampling: Sampling,
    /// Luma, and the chromas where there are any.
    pub(super) planes: Vec<Plane>,
    /// What the bitstream says of its colours, if that is known.
    pub(super) nclx: Option<Nclx>,
}

impl Frame {
    /// Appends the first `count` samples of row `y` of a plane to `row`, at eight bits; `None` when they are not there.
    pub(super) fn append(&self, plane: usize, y: usize, count: usize, row: &mut Vec<u8>) -> Option<()> {
        let plane = self.planes.get(plane)?;
        let from = y.checked_mul(plane.stride)?;
        let more = u32::from(self.bits.saturating_sub(8));
        match &plane.samples {
            #[cfg(feature = "heic")]
            Samples::Words(words) => {
                let words = words.get(from..from.checked_add(count)?)?;
                if more == 0 {
                    row.extend(words.iter().map(|word| word.to_le_bytes()[0]));
                } else {
                    row.extend(words.iter().map(|word| narrow(*word, more)));
                }
            }
            #[cfg(feature = "avif")]
            Samples::Bytes(bytes) => {
                row.extend_from_slice((**bytes).as_ref().get(from..from.checked_add(count)?)?);
            }
            #[cfg(feature = "avif")]
            Samples::Pairs(bytes) => {
                let (from, count) = (from.checked_mul(2)?, count.checked_mul(2)?);
                let pairs = (**bytes).as_ref().get(from..from.checked_add(count)?)?;
                row.extend(pairs.as_chunks::<2>().0.iter().map(|pair| narrow(u16::from_ne_bytes(*pair), more)));
            }
        }
        Some(())
    }
}

/// A sample of eight bits and `more` rounded to eight. The highest values of a full range all become 255.
fn narrow(wide: u16, more: u32) -> u8 {
    let half = (1_u32 << more) >> 1;
    u8::try_from((u32::from(wide) + half) >> more).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_rounded_to_eight_bits() {
        assert_eq!([0, 1, 2, 512, 1021, 1022, 1023].map(|wide| narrow(wide, 2)), [0, 0, 1, 128, 255, 255, 255]);
        assert_eq!([0, 7, 8, 4095].map(|wide| narrow(wide, 4)), [0, 0, 1, 255]);
        assert_eq!([0, 255].map(|wide| narrow(wide, 0)), [0, 255]);
    }
}
