//! AV1 through `re_rav1d`: dav1d in Rust, on this thread alone.

use re_rav1d::dav1d::{Decoder, Error, PixelLayout, PlanarImageComponent, Settings};

use super::frame::{Frame, Plane, Samples, Sampling};
use crate::bits::Bits;
use crate::heif::{Nclx, Tile};
use crate::trouble::Trouble;

/// Most pixels on a side. AV1 specification, 5.5.1.
const MAX_SIDE: u32 = 65_536;

/// Types of units: AV1 specification, 6.2.2.
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;

/// Decodes a picture that should be of `size`: the first that the bitstream shows.
///
/// # Errors
/// [`Trouble::Damaged`] when the decoder, which is dav1d's, calls the bitstream invalid; [`Trouble::Unsupported`] when it is of a kind that it does
/// not know, or larger than `size`.
pub(super) fn decode(tile: &Tile<'_>, size: (u32, u32)) -> Result<Frame, Trouble> {
    // What is not taken at once waits inside, and a picture is there all the same.
    let data = tile.data.concat();
    let said = sequence_header(&data).and_then(said);
    super::check_coded("AV1", said.as_ref().map_or(size, |said| said.size), size)?;
    if size.0.max(size.1) > MAX_SIDE {
        return Err(Trouble::Unsupported(format!("AV1: {size:?} pixels are announced, more than can be coded")));
    }
    let most = super::most_coded(size);
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_frame_size_limit(most.0.saturating_mul(most.1));
    let mut decoder = Decoder::with_settings(&settings).map_err(trouble)?;
    match decoder.send_data(data, None, None, None) {
        Ok(()) | Err(Error::Again) => {}
        Err(error) => return Err(trouble(error)),
    }
    let picture = decoder.get_picture().map_err(trouble)?;
    let sampling = match picture.pixel_layout() {
        PixelLayout::I400 => Sampling::Grey,
        PixelLayout::I420 => Sampling::Halves,
        PixelLayout::I422 => Sampling::Columns,
        PixelLayout::I444 => Sampling::Full,
    };
    let bits = picture.bit_depth();
    let plane = |component| {
        let stride = super::length(picture.stride(component));
        let bytes = Box::new(picture.plane(component));
        if bits > 8 {
            Plane { samples: Samples::Pairs(bytes), stride: stride / 2 }
        } else {
            Plane { samples: Samples::Bytes(bytes), stride }
        }
    };
    let mut planes = vec![plane(PlanarImageComponent::Y)];
    if sampling != Sampling::Grey {
        planes.extend([plane(PlanarImageComponent::U), plane(PlanarImageComponent::V)]);
    }
    let bits = u8::try_from(bits).unwrap_or(u8::MAX);
    Ok(Frame { size: (picture.width(), picture.height()), bits, sampling, planes, nclx: said.map(|said| said.nclx) })
}

/// What a sequence header says.
struct Said {
    /// Pixels across and down of the largest frame.
    size: (u32, u32),
    nclx: Nclx,
}

/// The payload of the sequence header, which comes first or behind an empty unit. AV1 specification, 5.3.
fn sequence_header(mut data: &[u8]) -> Option<&[u8]> {
    loop {
        let (header, rest) = data.split_first()?;
        let (kind, is_extended, has_size) = (header >> 3 & 15, header >> 2 & 1 == 1, header >> 1 & 1 == 1);
        data = rest.get(usize::from(is_extended)..)?;
        let mut length = data.len();
        if has_size {
            let bytes = data.iter().take_while(|byte| **byte >= 128).count() + 1;
            let size = data.get(..bytes.min(8))?;
            let sum = size.iter().rev().fold(0_u64, |sum, byte| sum << 7 | u64::from(byte & 127));
            (data, length) = (data.get(bytes..)?, usize::try_from(sum).ok()?);
        }
        let (payload, rest) = data.split_at_checked(length)?;
        match kind {
            SEQUENCE_HEADER => return Some(payload),
            TEMPORAL_DELIMITER => data = rest,
            _ => return None,
        }
    }
}

/// Reads a sequence header; `None` where it ends early, or says of times first, which pictures have no use for. 5.5.
fn said(header: &[u8]) -> Option<Said> {
    let mut bits = Bits::new(header);
    let profile = bits.number(3)?;
    let _is_still = bits.flag()?;
    let is_reduced = bits.flag()?;
    if is_reduced {
        bits.number(5)?;
    } else {
        if bits.flag()? {
            return None;
        }
        let has_delays = bits.flag()?;
        for _ in 0..=bits.number(5)? {
            bits.number(12)?;
            if bits.number(5)? > 7 {
                bits.number(1)?;
            }
            if has_delays && bits.flag()? {
                bits.number(4)?;
            }
        }
    }
    let (width_bits, height_bits) = (bits.number(4)? + 1, bits.number(4)? + 1);
    let size = (bits.number(width_bits)? + 1, bits.number(height_bits)? + 1);
    if !is_reduced && bits.flag()? {
        bits.number(7)?;
    }
    bits.number(3)?;
    if !is_reduced {
        tools(&mut bits)?;
    }
    bits.number(3)?;
    let is_deep = bits.flag()?;
    if profile == 2 && is_deep {
        bits.number(1)?;
    }
    let is_grey = profile != 1 && bits.flag()?;
    let (primaries, transfer, matrix) =
        if bits.flag()? { (bits.number(8)?, bits.number(8)?, bits.number(8)?) } else { (2, 2, 2) };
    // BT.709 in sRGB's curve and without a matrix is always of the full range.
    let is_full = (!is_grey && (primaries, transfer, matrix) == (1, 13, 0)) || bits.flag()?;
    let nclx = Nclx { primaries: u16::try_from(primaries).ok()?, matrix: u16::try_from(matrix).ok()?, is_full };
    Some(Said { size, nclx })
}

/// Passes over what a header that is not reduced says of coding tools.
fn tools(bits: &mut Bits<'_>) -> Option<()> {
    bits.number(4)?;
    let has_order = bits.flag()?;
    if has_order {
        bits.number(2)?;
    }
    let screen_content = bits.flag()? || bits.flag()?;
    if screen_content && !bits.flag()? {
        bits.number(1)?;
    }
    if has_order {
        bits.number(3)?;
    }
    Some(())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not exhaustive")]
fn trouble(error: Error) -> Trouble {
    match error {
        Error::InvalidArgument | Error::Again => Trouble::Damaged(format!("AV1: {error}")),
        Error::NotEnoughMemory => Trouble::OverBudget(format!("AV1: {error}")),
        // The type may get further variants.
        _ => Trouble::Unsupported(format!("AV1: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_coded_larger_than_announced_is_not_decoded() {
        // libaom's for 1600 × 1200 pixels.
        let header: &[u8] = &[0x12, 0, 0x0A, 10, 0x1A, 0x2A, 0xB1, 0xFC, 0xAF, 0x68, 0x80, 0x86, 0x83, 0x42];
        let tile = Tile { config: &[], data: vec![header] };
        let why = |size| match decode(&tile, size) {
            Err(trouble) => trouble.to_string(),
            Ok(frame) => panic!("{:?}", frame.size),
        };
        for size in [(1535, 1200), (1600, 1135), (1, 1)] {
            assert!(why(size).contains("(1600, 1200) pixels are coded"), "{}", why(size));
        }
        assert!(!why((1536, 1136)).contains("pixels are coded"), "{}", why((1536, 1136)));
        assert!(why((MAX_SIDE + 1, 1)).contains("pixels are coded"));
        assert!(why((MAX_SIDE + 1, 1200)).contains("more than can be coded"));
    }
}
