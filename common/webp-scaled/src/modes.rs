//! How each macroblock is predicted: sections 10 and 11.

use crate::bits::Bits;
use crate::tables::SUB_MODE_PROBS;

/// How 16×16 luma or 8×8 chroma pixels are predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// The average of the pixels above and left.
    #[default]
    Average,
    /// The row above.
    Above,
    /// The column to the left.
    Left,
    /// Both, less the corner.
    Gradient,
}

/// How 4×4 luma pixels are predicted, in the RFC's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(crate) enum SubMode {
    #[default]
    DC,
    TM,
    VE,
    HE,
    LD,
    RD,
    VR,
    VL,
    HD,
    HU,
}

impl Mode {
    /// What the neighbours' sub-blocks take it for.
    fn sub_mode(self) -> SubMode {
        match self {
            Self::Average => SubMode::DC,
            Self::Above => SubMode::VE,
            Self::Left => SubMode::HE,
            Self::Gradient => SubMode::TM,
        }
    }
}

/// What the first partition says of a macroblock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Macroblock {
    /// From 0 to 3.
    pub(crate) segment: u8,
    /// There are no coefficients.
    pub(crate) skipped: bool,
    /// Luma, unless there are sub-blocks.
    pub(crate) luma: Mode,
    /// Luma in sub-blocks, from the top left.
    pub(crate) sub_blocks: Option<[SubMode; 16]>,
    /// Chroma.
    pub(crate) chroma: Mode,
}

/// Reads a macroblock's modes; `above` and `left` are the sub-modes of its neighbours, and afterwards its own.
pub(crate) fn read(
    bits: &mut Bits<'_>,
    segment_probs: Option<[u8; 3]>,
    skip_prob: Option<u8>,
    above: &mut [SubMode; 4],
    left: &mut [SubMode; 4],
) -> Macroblock {
    let segment =
        segment_probs.map_or(
            0,
            |[first, low, high]| {
                if bits.bit(first) { 2 | u8::from(bits.bit(high)) } else { u8::from(bits.bit(low)) }
            },
        );
    let skipped = skip_prob.is_some_and(|prob| bits.bit(prob));
    let mut macroblock = Macroblock { segment, skipped, ..Macroblock::default() };
    if bits.bit(145) {
        macroblock.luma = match bits.bit(156) {
            true if bits.bit(128) => Mode::Gradient,
            true => Mode::Left,
            false if bits.bit(163) => Mode::Above,
            false => Mode::Average,
        };
        *above = [macroblock.luma.sub_mode(); 4];
        *left = *above;
    } else {
        let mut modes = [SubMode::DC; 16];
        for (row, left) in modes.as_chunks_mut::<4>().0.iter_mut().zip(left) {
            for (mode, above) in row.iter_mut().zip(above.iter_mut()) {
                *mode = sub_mode(bits, *above, *left);
                (*above, *left) = (*mode, *mode);
            }
        }
        macroblock.sub_blocks = Some(modes);
    }
    macroblock.chroma = match bits.bit(142) {
        false => Mode::Average,
        true if !bits.bit(114) => Mode::Above,
        true if bits.bit(183) => Mode::Gradient,
        true => Mode::Left,
    };
    macroblock
}

fn sub_mode(bits: &mut Bits<'_>, above: SubMode, left: SubMode) -> SubMode {
    let probs = SUB_MODE_PROBS.get(usize::from(above as u8)).and_then(|row| row.get(usize::from(left as u8)));
    let probs = probs.copied().unwrap_or_default();
    if !bits.bit(probs[0]) {
        SubMode::DC
    } else if !bits.bit(probs[1]) {
        SubMode::TM
    } else if !bits.bit(probs[2]) {
        SubMode::VE
    } else if !bits.bit(probs[3]) {
        if !bits.bit(probs[4]) {
            SubMode::HE
        } else if bits.bit(probs[5]) {
            SubMode::VR
        } else {
            SubMode::RD
        }
    } else if !bits.bit(probs[6]) {
        SubMode::LD
    } else if !bits.bit(probs[7]) {
        SubMode::VL
    } else if bits.bit(probs[8]) {
        SubMode::HU
    } else {
        SubMode::HD
    }
}
