//! HEVC through `heic-rs`, one still picture at a time.
//!
//! The decoder is young and knows no more than intra pictures, so its word is not enough to call a file broken: what it does not decode comes in
//! without a picture. That the bytes are all there is known from the boxes.

use heic_rs::ChromaFormat;
use heic_rs::boxes::BoxHeader;
use heic_rs::props::hvcc;

use super::frame::{Frame, Plane, Samples, Sampling};
use crate::bits::{Bits, unescaped};
use crate::heif::Tile;
use crate::trouble::Trouble;

/// How much of a sequence parameter set is looked at, in bytes: its sizes are near its beginning.
const SET_BYTES: usize = 256;

/// The NAL unit type of a sequence parameter set. ITU-T H.265, table 7-1.
const SEQUENCE: u8 = 33;

/// Decodes a picture that should be of `size`.
///
/// # Errors
/// [`Trouble::Unsupported`] for what the decoder does not take, and when the coded picture is larger than `size`.
pub(super) fn decode(tile: &Tile<'_>, size: (u32, u32)) -> Result<Frame, Trouble> {
    let header = BoxHeader { boxtype: *b"hvcC", payload: tile.config, uuid: None, offset: 0 };
    let config = hvcc::parse(&header).map_err(not_decoded)?;
    if config.bit_depth_luma != config.bit_depth_chroma {
        return Err(Trouble::Unsupported("HEVC with chromas of another depth than luma".to_owned()));
    }
    let joined;
    let data = match tile.data.as_slice() {
        [piece] => *piece,
        pieces => {
            joined = pieces.concat();
            &joined
        }
    };
    let units = config.split_nals(data).map_err(not_decoded)?;
    let sets = config.parameter_sets();
    // Also those between the pictures' own units, where the standard does not have them.
    for set in sets.iter().map(|set| &set[..]).chain(units.iter().map(|unit| &unit[..])) {
        if set.first().is_some_and(|byte| byte >> 1 & 63 == SEQUENCE) {
            let coded = coded_size(set).ok_or_else(|| not_decoded("a sequence parameter set that ends early"))?;
            super::check_coded("HEVC", coded, size)?;
        }
    }
    let frame = heic_rs::hevc::decode_still(&sets, &units).map_err(not_decoded)?;
    frame.validate().map_err(not_decoded)?;
    let sampling = match frame.chroma {
        ChromaFormat::Monochrome => Sampling::Grey,
        ChromaFormat::Yuv420 => Sampling::Halves,
        ChromaFormat::Yuv422 => Sampling::Columns,
        ChromaFormat::Yuv444 => Sampling::Full,
    };
    let plane = |words, stride| Plane { samples: Samples::Words(words), stride: super::length(stride) };
    let mut planes = vec![plane(frame.y, frame.y_stride)];
    if sampling != Sampling::Grey {
        planes.extend([plane(frame.cb, frame.c_stride), plane(frame.cr, frame.c_stride)]);
    }
    Ok(Frame { size: (frame.width, frame.height), bits: frame.bit_depth, sampling, planes, nclx: None })
}

fn not_decoded(why: impl std::fmt::Display) -> Trouble {
    Trouble::Unsupported(format!("HEVC: {why}"))
}

/// Pixels across and down that are coded, before any is cut off, by a sequence parameter set with its two bytes of header. The crate
/// tells only what is left after the cut. ITU-T H.265, 7.3.2.2 and 7.3.3.
fn coded_size(unit: &[u8]) -> Option<(u32, u32)> {
    let set = unit.get(2..)?;
    let kept = unescaped(set.get(..SET_BYTES).unwrap_or(set), SET_BYTES);
    let mut bits = Bits::new(&kept);
    bits.number(4)?;
    let layers = bits.number(3)?;
    bits.number(1)?;
    // Profile and level, and those of the layers that have their own.
    for _ in 0..12 {
        bits.number(8)?;
    }
    let mut more = 0;
    for _ in 0..layers {
        let (profile, level) = (bits.number(1)?, bits.number(1)?);
        more += 88 * profile + 8 * level;
    }
    if layers > 0 {
        more += 2 * (8 - layers);
    }
    for _ in 0..more {
        bits.number(1)?;
    }
    let _id = bits.unsigned()?;
    if bits.unsigned()? == 3 {
        bits.number(1)?;
    }
    Some((bits.unsigned()?, bits.unsigned()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coded_size_is_that_before_the_cut() {
        // x265's for 64 × 64 pixels of which 50 × 36 are shown.
        let unit =
            [&[0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 30][..], &[0xA0, 0x20, 0x81, 5]].concat();
        assert_eq!(coded_size(&unit), Some((64, 64)));
        assert_eq!(coded_size(&unit[..20]), None);
        assert_eq!(coded_size(&[0x42, 1]), None);
    }

    #[test]
    fn what_is_coded_larger_than_announced_is_not_decoded() {
        // 200 × 200 pixels.
        let unit = [0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 30, 0xA0, 0x19, 0x20, 0x32, 0x40];
        let config = [&[1][..], &[0; 20], &[3, 1, 33, 0, 1, 0, 23], &unit].concat();
        let tile = Tile { config: &config, data: vec![b"\0\0\0\x02xx"] };
        let why = |size| match decode(&tile, size) {
            Err(Trouble::Unsupported(why)) => why,
            other => panic!("{:?}", other.map(|frame| frame.size)),
        };
        for size in [(135, 200), (200, 135), (1, 1)] {
            assert!(why(size).contains("(200, 200) pixels are coded"), "{}", why(size));
        }
        assert!(!why((136, 136)).contains("pixels are coded"), "{}", why((136, 136)));
    }
}
