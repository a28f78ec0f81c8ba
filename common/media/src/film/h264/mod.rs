//! A keyframe of H.264: from a track's configuration and one sample to luma and chromas.
//!
//! What the decoder is given is looked at first, so that it does no more than decode one picture of a size that the limits allow: only
//! parameter sets that were checked, and only the slices of the sample's first picture.

mod decoder;
mod frame;
mod parameters;

use memchr::memmem;
use vestibule_domain::policy::InspectLimits;

use self::decoder::Decoder;
pub(super) use self::frame::Frame;
use self::parameters::Sequence;
use super::fields::Fields;
use crate::bits::{Bits, unescaped};
use crate::trouble::Trouble;

/// Most slices of one picture. Each may begin anywhere behind the one before it and end anywhere, so that all of them together may take as
/// many times as long as one.
const MAX_SLICES: u32 = 512;

/// `nal_unit_type` (ITU-T H.264, table 7-1).
mod nal {
    pub(super) const SLICE: u8 = 1;
    pub(super) const IDR_SLICE: u8 = 5;
    pub(super) const SEQUENCE: u8 = 7;
    pub(super) const PICTURE: u8 = 8;
}

/// What an `avcC` says (ISO 14496-15, 5.3.3).
#[derive(Debug)]
pub(super) struct Configuration<'a> {
    /// Bytes of the length before each NAL unit of a sample.
    length_bytes: usize,
    /// NAL units of parameter sets.
    parameters: Vec<&'a [u8]>,
    /// What the first sequence parameter set says; `None` where all stand in the samples.
    sequence: Option<Sequence>,
}

impl<'a> Configuration<'a> {
    /// Reads an `avcC`.
    ///
    /// # Errors
    /// When its pictures are not decoded here, or may not be.
    pub(super) fn of(body: &'a [u8], max: &InspectLimits) -> Result<Self, Trouble> {
        if !cfg!(feature = "h264") {
            return Err(Trouble::Unsupported("H.264: built without a decoder".to_owned()));
        }
        let (length_bytes, parameters) = units(body).ok_or_else(|| unsupported("an avcC that is cut off"))?;
        let mut sequence = None;
        for unit in parameters.iter().filter(|unit| kind(unit) == Some(nal::SEQUENCE)) {
            let found = Sequence::of(unit)?;
            found.check(max)?;
            sequence = sequence.or(Some(found));
        }
        Ok(Self { length_bytes, parameters, sequence })
    }
}

/// The length's length and the parameter sets of an `avcC`.
fn units(body: &[u8]) -> Option<(usize, Vec<&[u8]>)> {
    let mut fields = Fields(body);
    fields.skip(4)?;
    let length_bytes = usize::from(fields.u8()? & 3) + 1;
    let mut units = Vec::new();
    for mask in [0x1F, 0xFF] {
        for _ in 0..fields.u8()? & mask {
            let length = fields.u16()?;
            units.push(fields.take(length.into())?);
        }
    }
    Some((length_bytes, units))
}

fn kind(unit: &[u8]) -> Option<u8> {
    unit.first().map(|first| first & 0x1F)
}

fn unsupported(why: &str) -> Trouble {
    Trouble::Unsupported(format!("H.264: {why}"))
}

/// Decodes the picture of a sample that is a keyframe.
///
/// # Errors
/// When it is of a kind that is not decoded here, or broken: both are [`Trouble::Unsupported`], since a film is no worse for it.
pub(super) fn keyframe(
    configuration: &Configuration<'_>,
    sample: &[u8],
    max: &InspectLimits,
) -> Result<Frame, Trouble> {
    let mut sequence = configuration.sequence.clone();
    let mut decoder = Decoder::new();
    for unit in &configuration.parameters {
        feed(&mut decoder, unit)?;
    }
    let mut slices = Slices::default();
    let mut sample = Fields(sample);
    while !sample.0.is_empty() {
        let unit = next_unit(&mut sample, configuration.length_bytes)
            .ok_or_else(|| unsupported("a sample that is cut off"))?;
        let painted = match kind(unit) {
            Some(nal::SEQUENCE) => {
                let found = Sequence::of(unit)?;
                found.check(max)?;
                sequence = Some(found);
                feed(&mut decoder, unit)?
            }
            Some(nal::PICTURE) => feed(&mut decoder, unit)?,
            Some(nal::SLICE) if sequence.as_ref().is_some_and(|sequence| sequence.gaps) => {
                return Err(unsupported("a keyframe that may follow on missing pictures"));
            }
            Some(nal::SLICE | nal::IDR_SLICE) if slices.accept(unit)? => feed(&mut decoder, unit)?,
            Some(nal::SLICE | nal::IDR_SLICE) => break,
            Some(_) | None => None,
        };
        if let Some(frame) = painted {
            let (matrix, full_range) = sequence.map_or((None, None), |found| (found.matrix, found.full_range));
            return Ok(Frame { matrix, full_range, ..frame });
        }
    }
    Err(unsupported("a keyframe without a whole picture"))
}

fn next_unit<'a>(sample: &mut Fields<'a>, length_bytes: usize) -> Option<&'a [u8]> {
    let length = sample.take(length_bytes)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    sample.take(length)
}

/// A NAL unit on its own. With a start code in it, it would be several.
fn feed(decoder: &mut Decoder, unit: &[u8]) -> Result<Option<Frame>, Trouble> {
    const START: &[u8] = &[0, 0, 1];
    if memmem::find(unit, START).is_some() {
        return Err(unsupported("a start code inside a NAL unit"));
    }
    decoder.feed(&[START, unit].concat()).map_err(|why| unsupported(&why))
}

/// The slices of one picture so far.
#[derive(Debug, Default)]
struct Slices {
    count: u32,
    first_of_last: Option<u32>,
}

impl Slices {
    /// Whether a slice belongs to the picture: it begins behind the one before. It must be one that needs no other picture.
    fn accept(&mut self, unit: &[u8]) -> Result<bool, Trouble> {
        // `first_mb_in_slice` and `slice_type` take at most 63 bits each.
        let bytes = unescaped(unit, 17);
        let mut bits = Bits::new(bytes.get(1..).unwrap_or_default());
        let (Some(first), Some(kind)) = (bits.unsigned(), bits.unsigned()) else {
            return Err(unsupported("a slice that is cut off"));
        };
        match self.first_of_last {
            None if first != 0 => return Err(unsupported("a picture without its beginning")),
            Some(last) if first <= last => return Ok(false),
            None | Some(_) => {}
        }
        if !matches!(kind, 2 | 7) {
            return Err(unsupported("a keyframe that needs other pictures"));
        }
        self.first_of_last = Some(first);
        self.count += 1;
        if self.count > MAX_SLICES { Err(unsupported("too many slices")) } else { Ok(true) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_SLICE: &[u8] = &[0x65, 0x88, 0x80];
    const SECOND_SLICE: &[u8] = &[0x65, 0x42, 0x08];
    /// One that predicts from other pictures.
    const PREDICTED: &[u8] = &[0x41, 0xC0, 0x80];

    #[test]
    fn only_the_slices_of_one_picture_that_needs_no_other_are_passed_on() {
        let mut slices = Slices::default();
        assert_eq!(slices.accept(FIRST_SLICE), Ok(true));
        assert_eq!(slices.accept(SECOND_SLICE), Ok(true));
        assert_eq!(slices.accept(FIRST_SLICE), Ok(false));
        assert!(Slices::default().accept(SECOND_SLICE).is_err());
        assert!(Slices::default().accept(PREDICTED).is_err());
        assert!(Slices::default().accept(&[0x65]).is_err());
        let mut many = Slices { count: MAX_SLICES - 1, first_of_last: Some(0) };
        assert_eq!(many.accept(SECOND_SLICE), Ok(true));
        assert!(Slices { count: MAX_SLICES, first_of_last: Some(0) }.accept(SECOND_SLICE).is_err());
    }

    #[test]
    fn an_avcc_says_its_parameter_sets_and_how_lengths_are_written() {
        let body = [1, 0x42, 0xC0, 0x0A, 0xFF, 0xE1, 0, 2, 0x67, 1, 1, 0, 1, 0x68];
        assert_eq!(units(&body), Some((4, vec![&[0x67, 1][..], &[0x68]])));
        for length in 0..body.len() {
            assert_eq!(units(&body[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_sample_without_a_picture_is_no_fault_of_the_film() {
        let configuration = Configuration { length_bytes: 2, parameters: Vec::new(), sequence: None };
        let of = |sample: &[u8]| keyframe(&configuration, sample, &InspectLimits::default());
        for sample in [&b""[..], b"\0", b"\0\x05abc", b"\0\0", b"\0\x03\x09\x10\x80", b"\0\x05\x68\0\0\x01\x67"] {
            assert!(matches!(of(sample), Err(Trouble::Unsupported(_))), "{sample:?}");
        }
        let slice = [&[0, 3], FIRST_SLICE].concat();
        assert!(matches!(of(&slice), Err(Trouble::Unsupported(_))));
    }
}
