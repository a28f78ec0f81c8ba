//! TIFF, strip by strip or tile by tile, of the kinds that cameras, scanners and editors write: samples of 1, 8 or 16 bits
//! side by side. What is rarer is left to `image`, which decodes the whole picture.

mod chunks;
mod lzw;
#[cfg(test)]
mod tests;

use std::io::Cursor;

use image::metadata::Orientation;
use tiff::decoder::{ChunkType, Decoder, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};
use vestibule_domain::policy::InspectLimits;

use self::chunks::Chunks;
use super::shrink::{Shrink, narrow};
use super::{Decoded, Header};
use crate::limits::{check_pixels, decoded_bytes};
use crate::raster::Layout;
use crate::trouble::Trouble;

/// The samples of each colour one after the other, instead of side by side: the value of the tag.
const PLANAR: u16 = 2;

/// A TIFF whose header has been read.
pub(crate) struct Tiff<'a> {
    chunks: Chunks<'a>,
    layout: Layout,
    bits: u8,
}

/// Reads the first picture's tags; `None` where `image` has to decode it.
pub(super) fn open<'a>(bytes: &'a [u8], limits: &InspectLimits) -> Result<Option<(Header, Tiff<'a>)>, Trouble> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions()?;
    let color = decoder.colortype()?;
    let (across, down) = decoder.chunk_dimensions();
    let is_tiled = decoder.get_chunk_type() == ChunkType::Tile;
    if is_tiled {
        check_pixels(across, down, limits)?;
    }
    if decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration)? == Some(PLANAR) {
        // `tiff` 0.11.3 takes the last tiles of every plane but the first for larger than they are, and panics.
        if is_tiled && color.num_samples() > 1 && height % down != 0 {
            return Err(Trouble::Unsupported("planes of tiles that reach over the edge".to_owned()));
        }
        return Ok(None);
    }
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat)?.unwrap_or_default();
    let is_misaligned = color == ColorType::Gray(1) && across < width && !across.is_multiple_of(8);
    let layout = if matches!(color, ColorType::Gray(1 | 8 | 16)) {
        Layout::Gray
    } else if matches!(color, ColorType::RGB(8 | 16)) {
        Layout::Rgb
    } else if matches!(color, ColorType::RGBA(8 | 16)) {
        Layout::Rgba
    } else if matches!(color, ColorType::CMYK(8 | 16)) {
        Layout::Cmyk
    } else {
        return Ok(None);
    };
    if is_misaligned || formats.iter().any(|format| *format != 1) {
        return Ok(None);
    }
    let bits = color.bit_depth();
    let bytes_per_pixel = layout.channels() as u64 * u64::from(bits.div_ceil(8));
    let header = Header {
        width,
        height,
        orientation: orientation(&mut decoder),
        // Broken metadata is no reason to refuse a picture that every program shows.
        icc: decoder.find_tag(Tag::IccProfile).unwrap_or_default().and_then(|value| value.into_u8_vec().ok()),
        decoded_bytes: u64::from(width) * u64::from(height) * bytes_per_pixel,
    };
    let budget = usize::try_from(decoded_bytes(limits)).unwrap_or(usize::MAX);
    let mut most = Limits::default();
    (most.decoding_buffer_size, most.intermediate_buffer_size, most.ifd_value_size) = (budget, budget, budget);
    let chunks = Chunks::new(bytes, decoder.with_limits(most), layout, bits)?;
    Ok(Some((header, Tiff { chunks, layout, bits })))
}

fn orientation(decoder: &mut Decoder<Cursor<&[u8]>>) -> Orientation {
    let value = decoder.find_tag_unsigned::<u8>(Tag::Orientation).unwrap_or_default();
    value.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

impl Tiff<'_> {
    /// Decodes the first picture.
    pub(crate) fn decode(mut self, header: &Header, longest: u32) -> Result<Decoded, Trouble> {
        let (width, height) = (header.width, header.height);
        let mut shrink = Shrink::new((width, height), self.layout, longest);
        let mut samples = Vec::new();
        let pixels = usize::try_from(width).unwrap_or(usize::MAX);
        self.chunks.rows((width, height), |row| match self.bits {
            1 => {
                let bits = row.iter().flat_map(|byte| (0..8).map(move |place| byte << place & 0x80 != 0));
                samples.clear();
                samples.extend(bits.take(pixels).map(|bit| if bit { 255 } else { 0 }));
                shrink.row(&samples)
            }
            8 => shrink.row(row),
            _ => {
                samples.clear();
                samples.extend(row.as_chunks::<2>().0.iter().map(|sample| narrow(u16::from_ne_bytes(*sample))));
                shrink.row(&samples)
            }
        })?;
        shrink.finish()
    }
}

impl From<TiffError> for Trouble {
    fn from(error: TiffError) -> Self {
        match error {
            TiffError::UnsupportedError(why) => Self::Unsupported(format!("TIFF: {why}")),
            TiffError::LimitsExceeded => Self::OverBudget(error.to_string()),
            TiffError::FormatError(_) | TiffError::IoError(_) | TiffError::IntSizeError | TiffError::UsageError(_) => {
                Self::Damaged(format!("TIFF: {error}"))
            }
        }
    }
}
