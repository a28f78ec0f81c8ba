//! BMP, some rows at a time: `image` decodes whole files only, so each band of rows is made a file of its own, with the header of the
//! whole and another height. Whatever the pixels look like, they are the library's business.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::bmp::BmpDecoder;

use super::shrink::Shrink;
use super::{Decoded, Header};
use crate::raster::Layout;
use crate::trouble::Trouble;

/// Bytes of a band, about.
const BAND: usize = 256 * 1024;

/// Bytes before the pixels, at most: they are copied for each band. The largest header and palette take 1,162.
const HEAD: usize = 4096;

/// `BITMAPFILEHEADER` and as much as is read here of `BITMAPINFOHEADER`:
/// <https://learn.microsoft.com/en-us/windows/win32/api/wingdi/ns-wingdi-bitmapinfoheader>
const FIXED: usize = 34;
const INFO_HEADER: u32 = 40;
/// Rows without compression: `BI_RGB`, and `BI_BITFIELDS`.
const UNCOMPRESSED: [u32; 2] = [0, 3];

/// A BMP whose rows lie one after the other.
pub(crate) struct Bmp<'a> {
    /// Everything before the pixels.
    head: &'a [u8],
    pixels: &'a [u8],
    /// Bytes of a row as stored.
    stride: usize,
    is_top_down: bool,
}

/// Where the rows of the file are; `None` for one that is compressed or whose header is an old one, which `image` decodes whole.
pub(super) fn rows(bytes: &[u8]) -> Option<Bmp<'_>> {
    let fixed = bytes.first_chunk::<FIXED>()?;
    let long = |at: usize| Some(u32::from_le_bytes(*fixed.get(at..)?.first_chunk()?));
    let (offset, size, width, height) = (long(10)?, long(14)?, long(18)?, long(22)?);
    let (bits, compression) = (u16::from_le_bytes(*fixed.get(28..)?.first_chunk()?), long(30)?);
    let (head, pixels) = bytes.split_at_checked(usize::try_from(offset).ok()?)?;
    if size < INFO_HEADER || !(FIXED..=HEAD).contains(&head.len()) || !UNCOMPRESSED.contains(&compression) {
        return None;
    }
    let stride = (u64::from(width) * u64::from(bits)).div_ceil(32) * 4;
    // A negative height says that the first row is the uppermost.
    Some(Bmp { head, pixels, stride: usize::try_from(stride).ok()?, is_top_down: height.cast_signed() < 0 })
}

impl Bmp<'_> {
    /// Decodes it.
    pub(crate) fn decode(&self, header: &Header, longest: u32) -> Result<Decoded, Trouble> {
        let layout = match header.decoded_bytes / (u64::from(header.width) * u64::from(header.height)).max(1) {
            4 => Layout::Rgba,
            _ => Layout::Rgb,
        };
        let mut shrink = Shrink::new((header.width, header.height), layout, longest);
        let line = usize::try_from(header.width).unwrap_or(usize::MAX).saturating_mul(layout.channels());
        let most = u32::try_from(BAND / self.stride.max(1)).unwrap_or(u32::MAX).clamp(1, header.height.max(1));
        let mut pixels = Vec::new();
        for top in (0..header.height).step_by(usize::try_from(most).unwrap_or(usize::MAX)) {
            let rows = most.min(header.height - top);
            let band = self.band(header.height, top, rows)?;
            pixels.resize(line.saturating_mul(usize::try_from(rows).unwrap_or(usize::MAX)), 0);
            let decoder = BmpDecoder::new(Cursor::new(band))?;
            if decoder.total_bytes() != pixels.len() as u64 {
                return Err(Trouble::damaged("a BMP whose rows are not as long as its width says"));
            }
            decoder.read_image(&mut pixels)?;
            for row in pixels.chunks_exact(line) {
                shrink.row(row)?;
            }
        }
        shrink.finish()
    }

    /// A file of `rows` rows from `top`, of a picture that is `height` pixels high.
    fn band(&self, height: u32, top: u32, rows: u32) -> Result<Vec<u8>, Trouble> {
        let first = if self.is_top_down { top } else { height - top - rows };
        let place = |rows: u32| usize::try_from(rows).unwrap_or(usize::MAX).saturating_mul(self.stride);
        let stored = self.pixels.get(place(first)..).and_then(|rest| rest.get(..place(rows)));
        let stored = stored.ok_or_else(|| Trouble::damaged("a BMP that ends before its last row"))?;
        let mut band = [self.head, stored].concat();
        let signed = if self.is_top_down { rows.wrapping_neg() } else { rows };
        if let Some(height) = band.get_mut(22..).and_then(|rest| rest.first_chunk_mut()) {
            *height = signed.to_le_bytes();
        }
        Ok(band)
    }
}

#[cfg(test)]
mod tests {
    use image::codecs::bmp::BmpEncoder;
    use image::{ExtendedColorType, ImageEncoder};
    use vestibule_domain::policy::InspectLimits;

    use super::super::shrink::tests::{expected, samples};
    use super::super::{Format, Opened, open};
    use super::*;

    // So wide that there are three bands.
    const FULL: (u32, u32) = (2500, 80);

    fn encoded(color: ExtendedColorType, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        BmpEncoder::new(&mut bytes).write_image(pixels, FULL.0, FULL.1, color).unwrap();
        bytes
    }

    fn decoded(bytes: &[u8], longest: u32) -> Result<Decoded, Trouble> {
        let (header, opened) = open(Format::Bmp, bytes, u32::MAX, &InspectLimits::default())?;
        assert!(matches!(opened, Opened::Bmp(_)));
        opened.decode(&header, longest)
    }

    #[test]
    fn bands_make_the_picture_whichever_row_is_first() {
        for (color, layout) in [(ExtendedColorType::Rgb8, Layout::Rgb), (ExtendedColorType::Rgba8, Layout::Rgba)] {
            let pixels = samples(FULL, u32::try_from(layout.channels()).unwrap());
            for longest in [300, 4000] {
                let bytes = encoded(color, &pixels);
                let upright = expected(FULL, layout, &pixels, longest);
                assert_eq!(decoded(&bytes, longest).unwrap(), upright, "{color:?} {longest}");
                let mut flipped = bytes.clone();
                flipped[22..26].copy_from_slice(&(-80_i32).to_le_bytes());
                let lines = pixels.chunks(2500 * layout.channels()).rev();
                let upside_down = expected(FULL, layout, &lines.flatten().copied().collect::<Vec<_>>(), longest);
                assert_eq!(decoded(&flipped, longest).unwrap(), upside_down, "{color:?} {longest}");
            }
        }
    }

    #[test]
    fn greys_have_a_palette() {
        let pixels = samples(FULL, 1);
        let colours: Vec<u8> = pixels.iter().flat_map(|grey| [*grey; 3]).collect();
        let found = decoded(&encoded(ExtendedColorType::L8, &pixels), 300).unwrap();
        assert_eq!(found, expected(FULL, Layout::Rgb, &colours, 300));
    }

    #[test]
    fn a_file_that_ends_early_is_damage() {
        let bytes = encoded(ExtendedColorType::Rgb8, &samples(FULL, 3));
        assert!(decoded(&bytes, 300).is_ok());
        assert!(matches!(decoded(&bytes[..bytes.len() - 1], 300), Err(Trouble::Damaged(_))));
        assert!(matches!(decoded(&bytes[..bytes.len() / 2], 300), Err(Trouble::Damaged(_))));
    }
}
