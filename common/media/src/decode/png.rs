//! PNG, row by row: a picture that is not interlaced is made smaller while it is read.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Reader, Transformations};
use vestibule_domain::policy::InspectLimits;

use super::shrink::{Shrink, narrow};
use super::{Decoded, Header, orientation};
use crate::limits::decoded_bytes;
use crate::raster::Layout;
use crate::trouble::Trouble;

/// The longest profile that is looked at, in bytes: it is compressed in the file, and may claim to be anything.
const MAX_ICC_BYTES: usize = 16 << 20;

/// A PNG whose header has been read.
pub(crate) struct Png<'a> {
    reader: Reader<Cursor<&'a [u8]>>,
    layout: Layout,
    /// Two bytes a sample, the high one first.
    wide: bool,
}

/// Reads everything before the pixels. The decoder itself passes over metadata that is broken.
pub(super) fn open<'a>(bytes: &'a [u8], limits: &InspectLimits) -> Result<(Header, Png<'a>), Trouble> {
    let budget = Limits { bytes: usize::try_from(decoded_bytes(limits)).unwrap_or(usize::MAX) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), budget);
    decoder.set_ignore_text_chunk(true);
    // Palettes become colours, fewer than eight bits eight, and a transparent colour an alpha.
    decoder.set_transformations(Transformations::EXPAND);
    let reader = decoder.read_info()?;
    let (color, depth) = reader.output_color_type();
    let layout = match color {
        ColorType::Grayscale => Layout::Gray,
        ColorType::GrayscaleAlpha => Layout::GrayAlpha,
        ColorType::Rgb => Layout::Rgb,
        ColorType::Rgba => Layout::Rgba,
        ColorType::Indexed => return Err(Trouble::damaged("a palette that was not expanded")),
    };
    let wide = depth == BitDepth::Sixteen;
    let info = reader.info();
    let header = Header {
        width: info.width,
        height: info.height,
        orientation: orientation(info.exif_metadata.as_deref()),
        icc: info.icc_profile.as_deref().filter(|icc| icc.len() <= MAX_ICC_BYTES).map(<[u8]>::to_vec),
        decoded_bytes: reader.output_buffer_size().map_or(u64::MAX, |bytes| bytes as u64),
    };
    Ok((header, Png { reader, layout, wide }))
}

impl Png<'_> {
    /// Decodes the picture that programs show which know no animations.
    pub(crate) fn decode(mut self, header: &Header, longest: u32) -> Result<Decoded, Trouble> {
        let mut shrink = Shrink::new((header.width, header.height), self.layout, longest);
        if self.reader.info().interlaced {
            let mut pixels = vec![0; usize::try_from(header.decoded_bytes).unwrap_or(usize::MAX)];
            let line = self.reader.next_frame(&mut pixels)?.line_size;
            for row in pixels.chunks_exact(line) {
                feed(&mut shrink, row, self.wide, &mut Vec::new())?;
            }
        } else {
            let mut narrowed = Vec::new();
            // The end of the rows comes after the checksum of the pixels.
            while let Some(row) = self.reader.next_row()? {
                feed(&mut shrink, row.data(), self.wide, &mut narrowed)?;
            }
        }
        shrink.finish()
    }
}

fn feed(shrink: &mut Shrink, row: &[u8], wide: bool, narrowed: &mut Vec<u8>) -> Result<(), Trouble> {
    if !wide {
        return shrink.row(row);
    }
    narrowed.clear();
    narrowed.extend(row.as_chunks::<2>().0.iter().map(|sample| narrow(u16::from_be_bytes(*sample))));
    shrink.row(narrowed)
}

impl From<DecodingError> for Trouble {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::LimitsExceeded => Self::OverBudget(error.to_string()),
            DecodingError::IoError(_) | DecodingError::Format(_) | DecodingError::Parameter(_) => {
                Self::Damaged(format!("PNG: {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shrink::tests::{expected, samples};
    use super::*;

    const FULL: (u32, u32) = (101, 67);

    fn encoded(
        color: ColorType,
        depth: BitDepth,
        pixels: &[u8],
        more: impl Fn(&mut png::Encoder<'_, &mut Vec<u8>>),
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, FULL.0, FULL.1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        more(&mut encoder);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        bytes
    }

    fn decoded(bytes: &[u8], longest: u32) -> Result<Decoded, Trouble> {
        let (header, png) = open(bytes, &InspectLimits::default())?;
        png.decode(&header, longest)
    }

    #[test]
    fn every_kind_of_pixel_comes_out_as_the_boxes_of_what_it_says() {
        for (color, layout) in [
            (ColorType::Grayscale, Layout::Gray),
            (ColorType::GrayscaleAlpha, Layout::GrayAlpha),
            (ColorType::Rgb, Layout::Rgb),
            (ColorType::Rgba, Layout::Rgba),
        ] {
            let eight = samples(FULL, u32::try_from(layout.channels()).unwrap());
            let sixteen: Vec<u8> = eight.iter().flat_map(|sample| [*sample, *sample]).collect();
            for longest in [20, 25, 67, 320] {
                let expected = expected(FULL, layout, &eight, longest);
                let narrow = encoded(color, BitDepth::Eight, &eight, |_| {});
                assert_eq!(decoded(&narrow, longest).unwrap(), expected, "{color:?} {longest}");
                let wide = encoded(color, BitDepth::Sixteen, &sixteen, |_| {});
                assert_eq!(decoded(&wide, longest).unwrap(), expected, "{color:?} {longest}");
            }
        }
    }

    #[test]
    fn a_palette_and_its_transparency_become_colours() {
        let indices = samples(FULL, 1);
        let palette: Vec<u8> = (0..=255).flat_map(|index: u8| [index, 255 - index, index / 2]).collect();
        let bytes =
            encoded(ColorType::Indexed, BitDepth::Eight, &indices, |encoder| encoder.set_palette(palette.clone()));
        let colours: Vec<u8> = indices.iter().flat_map(|index| [*index, 255 - *index, *index / 2]).collect();
        assert_eq!(decoded(&bytes, 25).unwrap(), expected(FULL, Layout::Rgb, &colours, 25));
        let bytes = encoded(ColorType::Indexed, BitDepth::Eight, &indices, |encoder| {
            encoder.set_palette(palette.clone());
            encoder.set_trns(vec![7; 128]);
        });
        let alpha = |index: u8| if index < 128 { 7 } else { 255 };
        let colours: Vec<u8> =
            indices.iter().flat_map(|index| [*index, 255 - *index, *index / 2, alpha(*index)]).collect();
        assert_eq!(decoded(&bytes, 25).unwrap(), expected(FULL, Layout::Rgba, &colours, 25));
    }

    #[test]
    fn a_single_bit_is_black_or_white() {
        let packed: Vec<u8> = samples((101_u32.div_ceil(8), FULL.1), 1);
        let bytes = encoded(ColorType::Grayscale, BitDepth::One, &packed, |_| {});
        let bits = packed
            .chunks_exact(13)
            .flat_map(|row| (0..101).map(|x| if row[x / 8] >> (7 - x % 8) & 1 == 1 { 255 } else { 0 }));
        assert_eq!(decoded(&bytes, 25).unwrap(), expected(FULL, Layout::Gray, &bits.collect::<Vec<u8>>(), 25));
    }

    #[test]
    fn wrong_pixels_are_damage_to_the_last_bit_of_their_checksum() {
        let bytes = encoded(ColorType::Rgb, BitDepth::Eight, &samples(FULL, 3), |_| {});
        assert!(decoded(&bytes, 25).is_ok());
        // IEND takes the last twelve bytes, and the four before it are the checksum.
        for behind in [13, 16, 17, 40] {
            let mut broken = bytes.clone();
            let place = broken.len() - behind;
            broken[place] ^= 1;
            assert!(matches!(decoded(&broken, 25), Err(Trouble::Damaged(_))), "{behind}");
        }
        assert!(matches!(decoded(&bytes[..bytes.len() - 30], 25), Err(Trouble::Damaged(_))));
    }
}
