//! The formats that have no decoder of their own here, through `image`: its first picture, at eight bits a channel.

use std::io::Cursor;

use image::codecs::{bmp::BmpDecoder, tiff::TiffDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, Limits};
use vestibule_domain::policy::InspectLimits;

use super::shrink::narrow;
use super::{Format, Header, orientation};
use crate::limits::decoded_bytes;
use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// A picture whose header has been read.
pub(crate) struct Still<'a>(Box<dyn ImageDecoder + 'a>);

/// Reads the header.
pub(super) fn open<'a>(
    format: Format,
    bytes: &'a [u8],
    limits: &InspectLimits,
) -> Result<(Header, Still<'a>), Trouble> {
    let mut budget = Limits::no_limits();
    budget.max_alloc = Some(decoded_bytes(limits));
    let bytes = Cursor::new(bytes);
    let mut decoder: Box<dyn ImageDecoder + 'a> = match format {
        Format::Webp => Box::new(WebPDecoder::new(bytes)?),
        Format::Bmp => Box::new(BmpDecoder::new(bytes)?),
        Format::Tiff => Box::new(TiffDecoder::new(bytes)?),
        Format::Jpeg | Format::Png | Format::Gif => return Err(elsewhere(format)),
        #[cfg(feature = "heic")]
        Format::Heic => return Err(elsewhere(format)),
        #[cfg(feature = "avif")]
        Format::Avif => return Err(elsewhere(format)),
        #[cfg(feature = "jxl")]
        Format::Jxl => return Err(elsewhere(format)),
    };
    // Some decoders know no limits at all: the caller checks the header too.
    decoder.set_limits(budget)?;
    let (width, height) = decoder.dimensions();
    // Broken metadata is no reason to refuse a picture that every program shows.
    let icc = decoder.icc_profile().unwrap_or_default();
    let turned = if format == Format::Tiff {
        decoder.orientation().unwrap_or(Orientation::NoTransforms)
    } else {
        orientation(decoder.exif_metadata().unwrap_or_default().as_deref())
    };
    let header = Header { width, height, orientation: turned, icc, decoded_bytes: decoder.total_bytes() };
    Ok((header, Still(decoder)))
}

/// What has its own decoder never comes here.
fn elsewhere(format: Format) -> Trouble {
    Trouble::Unsupported(format!("{format:?} has its own decoder"))
}

impl Still<'_> {
    /// Decodes its first picture whole.
    pub(crate) fn decode(self, header: &Header) -> Result<Raster, Trouble> {
        let color = self.0.color_type();
        let mut pixels = vec![0; usize::try_from(header.decoded_bytes).unwrap_or(usize::MAX)];
        self.0.read_image_boxed(&mut pixels)?;
        let (layout, pixels) = match color {
            ColorType::L8 => (Layout::Gray, pixels),
            ColorType::La8 => (Layout::GrayAlpha, pixels),
            ColorType::Rgb8 => (Layout::Rgb, pixels),
            ColorType::Rgba8 => (Layout::Rgba, pixels),
            ColorType::L16 => (Layout::Gray, from_16_bits(pixels)),
            ColorType::La16 => (Layout::GrayAlpha, from_16_bits(pixels)),
            ColorType::Rgb16 => (Layout::Rgb, from_16_bits(pixels)),
            ColorType::Rgba16 => (Layout::Rgba, from_16_bits(pixels)),
            ColorType::Rgb32F => (Layout::Rgb, from_floats(pixels)),
            ColorType::Rgba32F => (Layout::Rgba, from_floats(pixels)),
            other => return Err(Trouble::Unsupported(format!("pixels of {other:?}"))),
        };
        Raster::new(header.width, header.height, layout, pixels)
    }
}

/// Rounds native 16-bit values to 8 bits, in the memory they are in.
fn from_16_bits(mut pixels: Vec<u8>) -> Vec<u8> {
    in_place::<2>(&mut pixels, |wide| narrow(u16::from_ne_bytes(wide)));
    pixels
}

/// Rounds native floats from 0 to 1 to 8 bits, in the memory they are in.
fn from_floats(mut pixels: Vec<u8>) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255; NaN becomes 0")]
    in_place::<4>(&mut pixels, |wide| (f32::from_ne_bytes(wide).clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
    pixels
}

/// Replaces each group of `N` bytes by one. A group is read before the byte that may overwrite it is written.
fn in_place<const N: usize>(pixels: &mut Vec<u8>, narrow: impl Fn([u8; N]) -> u8) {
    let count = pixels.len() / N;
    for at in 0..count {
        let Some(wide) = pixels.get(at * N..).and_then(|rest| rest.first_chunk::<N>()).copied() else { break };
        if let Some(place) = pixels.get_mut(at) {
            *place = narrow(wide);
        }
    }
    pixels.truncate(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_clamped_and_rounded() {
        let wide: Vec<u8> = [0.0_f32, 0.5, 1.0, 7.0, -1.0, f32::NAN].iter().flat_map(|v| v.to_ne_bytes()).collect();
        assert_eq!(from_floats(wide), [0, 128, 255, 255, 0, 0]);
    }
}
