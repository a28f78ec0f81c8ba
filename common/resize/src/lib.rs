//! Resizes rasters of one to four bytes a pixel, through `fast_image_resize`.
//!
//! That library is compiled anew, for each kind of pixel and of processor, in the package that calls it: a million lines of intermediate
//! code. Here that happens once, and not with every change of `common/media`.

use std::error::Error;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x2, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

/// Pixels in rows without padding, and the part of them that is to be resized.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// `width × height × channels` bytes.
    pub pixels: &'a [u8],
    /// Bytes of a pixel, from 1 to 4.
    pub channels: usize,
    /// Whether the last channel, of two or four, is an alpha that is not multiplied in. Colours under a transparent pixel do not bleed then.
    pub alpha: bool,
    /// Pixels across and down.
    pub size: (u32, u32),
    /// Where the part begins that is resized: pixels from the left and from the top, which may be fractions.
    pub corner: (f64, f64),
    /// How large that part is, in pixels, which may be fractions.
    pub covered: (f64, f64),
}

/// It was not resized.
#[derive(Debug)]
pub struct NotResized(Box<dyn Error + Send + Sync>);

impl std::fmt::Display for NotResized {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("not resized")
    }
}

impl Error for NotResized {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

/// The source in `size`: with Lanczos-3 where it becomes smaller, and with the mean of neighbours where it becomes larger, as decoders do
/// with chromas.
///
/// # Errors
/// When the pixels are not as many as the size says, or nothing is covered.
pub fn resize(source: &Source<'_>, size: (u32, u32)) -> Result<Vec<u8>, NotResized> {
    match source.channels {
        1 => convolve::<U8>(source, size),
        2 => convolve::<U8x2>(source, size),
        3 => convolve::<U8x3>(source, size),
        4 => convolve::<U8x4>(source, size),
        other => Err(format!("{other} channels").into()),
    }
    .map_err(NotResized)
}

fn convolve<P: PixelTrait>(
    source: &Source<'_>,
    (width, height): (u32, u32),
) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let from = TypedImageRef::<P>::from_buffer(source.size.0, source.size.1, source.pixels)?;
    let mut pixels = vec![0; usize::try_from(u64::from(width) * u64::from(height))? * source.channels];
    let mut to = TypedImage::<P>::from_buffer(width, height, &mut pixels)?;
    let becomes_larger = source.covered.0 < width.into() && source.covered.1 < height.into();
    let filter = if becomes_larger { FilterType::Bilinear } else { FilterType::Lanczos3 };
    let (left, top) = source.corner;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(left, top, inside(left, source.covered.0, source.size.0), inside(top, source.covered.1, source.size.1))
        .use_alpha(source.alpha);
    Resizer::new().resize_typed(&from, &mut to, &options)?;
    Ok(pixels)
}

/// The `length` that begins at `start`, without what is beyond the `end` only because sums are rounded.
fn inside(start: f64, length: f64, end: u32) -> f64 {
    let beyond = start + length - f64::from(end);
    if beyond > 0.0 && beyond < 1e-6 { length - 2.0 * beyond } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pixels: &[u8], channels: usize, size: (u32, u32)) -> Source<'_> {
        Source { pixels, channels, alpha: false, size, corner: (0.0, 0.0), covered: (size.0.into(), size.1.into()) }
    }

    #[test]
    fn every_kind_of_pixel_keeps_its_value_both_ways() {
        for channels in 1..=4_usize {
            let pixel = &[50, 100, 150, 200][..channels];
            let pixels = pixel.repeat(64 * 64);
            for size in [(8, 8), (100, 90)] {
                let resized = resize(&source(&pixels, channels, (64, 64)), size).unwrap();
                assert_eq!(resized, pixel.repeat((size.0 * size.1) as usize), "{channels} to {size:?}");
            }
        }
    }

    #[test]
    fn what_is_not_covered_does_not_move_the_picture() {
        // A ramp of 10 a pixel, of which seven and a half are covered: the halves' centres are at 1.875 and 5.625.
        let pixels: Vec<u8> = (0..16).flat_map(|_| (0..8).map(|x| x * 10 + 5)).collect();
        let source = Source { covered: (7.5, 16.0), ..source(&pixels, 1, (8, 16)) };
        let resized = resize(&source, (2, 4)).unwrap();
        for pair in resized.chunks_exact(2) {
            assert!(pair[0].abs_diff(19) <= 4 && pair[1].abs_diff(56) <= 4, "{pair:?}");
        }
    }

    #[test]
    fn a_part_is_resized_as_it_is_in_the_whole() {
        let pixels: Vec<u8> = (0..64 * 64_u32).map(|at| (at * at / 7 + at % 61).to_le_bytes()[0]).collect();
        let whole = resize(&source(&pixels, 1, (64, 64)), (24, 24)).unwrap();
        // A row of the result is 8 / 3 rows, and the filter reaches 8 to either side of its centre: its rows 8 to 15 are made of rows 14 to 49.
        let rows = Source {
            corner: (0.0, 64.0 / 3.0 - 12.0),
            covered: (64.0, 64.0 / 3.0),
            ..source(&pixels[12 * 64..51 * 64], 1, (64, 39))
        };
        assert_eq!(resize(&rows, (24, 8)).unwrap(), whole[8 * 24..16 * 24]);
    }

    #[test]
    fn a_part_that_ends_where_the_pixels_do_is_inside_whatever_its_sum_is_rounded_to() {
        for end in 1..2000_u32 {
            for part in 1..20_u32 {
                let start = f64::from(end) * f64::from(part) / 20.0;
                for length in [f64::from(end) - start, f64::from(end) * f64::from(20 - part) / 20.0] {
                    let inside = inside(start, length, end);
                    assert!(start + inside <= f64::from(end) && (inside - length).abs() < 1e-9, "{end} {part}");
                }
            }
        }
        assert!(inside(1.0, 2.0, 2) > 1.5);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        assert!(resize(&source(&[0; 11], 3, (2, 2)), (1, 1)).is_err());
        assert!(resize(&source(&[0; 20], 5, (2, 2)), (1, 1)).is_err());
        assert!(resize(&Source { covered: (3.0, 2.0), ..source(&[0; 4], 1, (2, 2)) }, (1, 1)).is_err());
    }
}
