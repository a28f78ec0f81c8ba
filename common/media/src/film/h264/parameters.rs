//! A sequence parameter set: what a decoder will have to do, before it does it (ITU-T H.264, 7.3.2.1.1 and E.1.1).

use vestibule_domain::policy::InspectLimits;

use crate::bits::{Bits, unescaped};
use crate::trouble::Trouble;

/// Profiles whose parameter sets begin with the form of the chromas.
const HIGH: &[u32] = &[100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
/// Longest parameter set that is looked at. The longest that means anything has all scaling lists and takes some hundred bytes.
const MAX_BYTES: usize = 4096;
/// Most pictures that others may refer to: `MaxDpbFrames` (A.3.1).
const MAX_REFERENCES: u32 = 16;

/// What a sequence parameter set says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::film) struct Sequence {
    /// Pixels across and down, in whole macroblocks.
    coded: (u64, u64),
    /// Bits of a sample, luma and chroma.
    depths: (u32, u32),
    /// 1 is 4:2:0.
    chroma_format: u32,
    /// Pictures that others may refer to.
    references: u32,
    /// Whether pictures may be missing.
    pub(super) gaps: bool,
    /// Whether the picture begins where the first macroblock does.
    starts_at_corner: bool,
    /// `matrix_coefficients`.
    pub(in crate::film) matrix: Option<u8>,
    /// `video_full_range_flag`.
    pub(in crate::film) full_range: Option<bool>,
}

impl Sequence {
    /// Reads the NAL unit of a sequence parameter set.
    pub(super) fn of(nal: &[u8]) -> Result<Self, Trouble> {
        let bytes = unescaped(nal, MAX_BYTES);
        read(bytes.get(1..).unwrap_or_default())
            .ok_or_else(|| Trouble::Unsupported("H.264: a parameter set that is cut off".to_owned()))
    }

    /// Whether its pictures may be decoded, and can be.
    pub(super) fn check(&self, max: &InspectLimits) -> Result<(), Trouble> {
        let (width, height) = self.coded;
        let problem = if width.saturating_mul(height) > max.max_pixels {
            format!("{width} × {height} pixels")
        } else if self.chroma_format != 1 || self.depths != (8, 8) {
            format!("chroma format {}, {} bits", self.chroma_format, self.depths.0)
        } else if self.references > MAX_REFERENCES {
            format!("{} references", self.references)
        } else if !self.starts_at_corner {
            "a picture that begins inside a macroblock".to_owned()
        } else {
            return Ok(());
        };
        Err(Trouble::Unsupported(format!("H.264: {problem}")))
    }
}

fn read(bytes: &[u8]) -> Option<Sequence> {
    let mut bits = Bits::new(bytes);
    let mut found = Sequence { depths: (8, 8), chroma_format: 1, ..Sequence::default() };
    let profile = bits.number(8)?;
    bits.number(16)?;
    bits.unsigned()?;
    if HIGH.contains(&profile) {
        found.chroma_format = bits.unsigned()?;
        if found.chroma_format == 3 {
            bits.flag()?;
        }
        found.depths = (bits.unsigned()?.checked_add(8)?, bits.unsigned()?.checked_add(8)?);
        bits.flag()?;
        if bits.flag()? {
            for list in 0..if found.chroma_format == 3 { 12 } else { 8 } {
                if bits.flag()? {
                    scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.unsigned()?;
    picture_order(&mut bits)?;
    found.references = bits.unsigned()?;
    found.gaps = bits.flag()?;
    let (across, down) = (u64::from(bits.unsigned()?) + 1, u64::from(bits.unsigned()?) + 1);
    let frames_only = bits.flag()?;
    found.coded = (across * 16, down * if frames_only { 16 } else { 32 });
    if !frames_only {
        bits.flag()?;
    }
    bits.flag()?;
    found.starts_at_corner = true;
    if bits.flag()? {
        let [left, _, top, _] = [bits.unsigned()?, bits.unsigned()?, bits.unsigned()?, bits.unsigned()?];
        found.starts_at_corner = left == 0 && top == 0;
    }
    if bits.flag()? {
        // What is cut off here says nothing of colours, and decoders do not look at it.
        usability(&mut bits, &mut found);
    }
    Some(found)
}

fn scaling_list(bits: &mut Bits<'_>, length: u32) -> Option<()> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..length {
        if next != 0 {
            next = (last + bits.signed()?).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Some(())
}

fn picture_order(bits: &mut Bits<'_>) -> Option<()> {
    match bits.unsigned()? {
        0 => {
            bits.unsigned()?;
        }
        1 => {
            bits.flag()?;
            bits.signed()?;
            bits.signed()?;
            for _ in 0..bits.unsigned()? {
                bits.signed()?;
            }
        }
        _ => {}
    }
    Some(())
}

/// The beginning of `vui_parameters`, as far as the colours.
fn usability(bits: &mut Bits<'_>, found: &mut Sequence) -> Option<()> {
    const EXTENDED_SHAPE: u32 = 255;
    if bits.flag()? && bits.number(8)? == EXTENDED_SHAPE {
        bits.number(32)?;
    }
    if bits.flag()? {
        bits.flag()?;
    }
    if bits.flag()? {
        bits.number(3)?;
        found.full_range = Some(bits.flag()?);
        if bits.flag()? {
            bits.number(16)?;
            found.matrix = u8::try_from(bits.number(8)?).ok();
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a film of 1920 × 1080 by x264: High, level 4, four references, cropped by eight lines, without colours.
    const HIGH_1080: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xAC, 0xD9, 0x40, 0x78, 0x02, 0x27, 0xE5, 0xFF, 0xC4, 0x00, 0x03, 0xFF, 0xC4, 0x00,
        0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xC8, 0x3C, 0x60, 0xC6, 0x58,
    ];
    /// Of a film of 320 × 180 by x264: baseline, with BT.601's colours in the whole range.
    const BASELINE_180: &[u8] = &[
        0x67, 0x42, 0xC0, 0x0B, 0xD9, 0x01, 0x41, 0x9F, 0x9F, 0x01, 0x6E, 0x0C, 0x0C, 0x0C, 0x80, 0x00, 0x00, 0x03,
        0x00, 0x80, 0x00, 0x00, 0x05, 0x07, 0x8A, 0x15, 0x24,
    ];

    #[test]
    fn a_parameter_set_is_read_as_far_as_its_colours() {
        let found = Sequence::of(HIGH_1080).unwrap();
        assert_eq!((found.coded, found.depths, found.chroma_format), ((1920, 1088), (8, 8), 1));
        assert!(found.starts_at_corner && found.references == 4);
        assert_eq!((found.matrix, found.full_range), (None, None));
        let small = Sequence::of(BASELINE_180).unwrap();
        assert_eq!((small.coded, small.matrix, small.full_range), ((320, 192), Some(6), Some(true)));
        let limits = |max_pixels| InspectLimits { max_pixels, ..InspectLimits::default() };
        assert_eq!(found.check(&limits(1920 * 1088)), Ok(()));
        assert!(matches!(found.check(&limits(1920 * 1088 - 1)), Err(Trouble::Unsupported(_))));
    }

    #[test]
    fn what_is_not_decoded_is_said_before_it_is_tried() {
        let of = |change: fn(&mut Sequence)| {
            let mut sequence = Sequence::of(HIGH_1080).unwrap();
            change(&mut sequence);
            sequence.check(&InspectLimits::default())
        };
        assert_eq!(of(|_| ()), Ok(()));
        for change in [
            |sequence: &mut Sequence| sequence.depths = (10, 10),
            |sequence: &mut Sequence| sequence.chroma_format = 2,
            |sequence: &mut Sequence| sequence.references = 17,
            |sequence: &mut Sequence| sequence.starts_at_corner = false,
        ] {
            assert!(matches!(of(change), Err(Trouble::Unsupported(_))));
        }
    }

    #[test]
    fn a_parameter_set_that_is_cut_off_is_said_to_be() {
        for length in 0..9 {
            assert!(Sequence::of(&HIGH_1080[..length]).is_err(), "{length}");
        }
        assert!(Sequence::of(&[0; 5000]).is_err());
    }
}
