//! Makes a picture smaller, never larger.

use std::error::Error as _;

use jpeg_scaled::Plane;
use vestibule_resize::{NotResized, Source};

use crate::decode::{Decoded, Pixels};
use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// The size that `width` × `height` has when its longer side is at most `longest`; neither side is ever less than 1.
pub(crate) fn fit(width: u32, height: u32, longest: u32) -> (u32, u32) {
    let side = width.max(height);
    if side <= longest {
        return (width, height);
    }
    let scaled = |length: u32| {
        let rounded = (u64::from(length) * u64::from(longest) + u64::from(side) / 2) / u64::from(side);
        u32::try_from(rounded).unwrap_or(longest).max(1)
    };
    (scaled(width), scaled(height))
}

/// The picture with its longer side at most `longest`.
pub(crate) fn shrink(raster: Raster, longest: u32) -> Result<Raster, Trouble> {
    let (width, height) = (raster.width, raster.height);
    let size = fit(width, height, longest);
    if size == (width, height) {
        return Ok(raster);
    }
    convolve(&raster, (width.into(), height.into()), size)
}

/// The picture with the longer side that it has in the file at most `longest`, as far as it is not that small already.
pub(crate) fn shrink_decoded(decoded: Decoded, longest: u32) -> Result<Raster, Trouble> {
    let size = fit(decoded.full.0, decoded.full.1, longest);
    match decoded.pixels {
        Pixels::Planes(planes) => planes.shrink(size),
        Pixels::Rows { raster, covered } if is_so(&raster, covered, size) => Ok(raster),
        Pixels::Rows { raster, covered } => convolve(&raster, covered, size),
    }
}

/// Whether there is nothing left to do.
fn is_so(raster: &Raster, covered: (f64, f64), size: (u32, u32)) -> bool {
    size == (raster.width, raster.height) && covered == (size.0.into(), size.1.into())
}

/// A plane's samples in `size`, which for a chroma may be larger than the plane.
pub(crate) fn convolve_plane(plane: Plane, size: (u32, u32)) -> Result<Vec<u8>, Trouble> {
    let failed = |error: std::num::TryFromIntError| Trouble::OverBudget(format!("resize: {error}"));
    let (width, height) = (u32::try_from(plane.width).map_err(failed)?, u32::try_from(plane.height).map_err(failed)?);
    let covered = (plane.covered_width, plane.covered_height);
    let raster = Raster::new(width, height, Layout::Gray, plane.samples)?;
    if is_so(&raster, covered, size) { Ok(raster.pixels) } else { Ok(convolve(&raster, covered, size)?.pixels) }
}

/// The part of `covered` pixels across and down, from the top left, in `size`. Colours under a transparent pixel do not bleed
/// into its neighbours: the resizer multiplies alpha in and divides it out again.
fn convolve(raster: &Raster, covered: (f64, f64), size: (u32, u32)) -> Result<Raster, Trouble> {
    let source = Source {
        pixels: &raster.pixels,
        channels: raster.layout.channels(),
        alpha: raster.layout.has_alpha(),
        size: (raster.width, raster.height),
        corner: (0.0, 0.0),
        covered,
    };
    Raster::new(size.0, size.1, raster.layout, convolved(&source, size)?)
}

/// The source's pixels in `size`.
pub(crate) fn convolved(source: &Source<'_>, size: (u32, u32)) -> Result<Vec<u8>, Trouble> {
    vestibule_resize::resize(source, size).map_err(|error: NotResized| {
        Trouble::OverBudget(format!("{error}: {}", error.source().map_or_else(String::new, ToString::to_string)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_fits_and_nothing_grows() {
        assert_eq!(fit(4000, 3000, 320), (320, 240));
        assert_eq!(fit(3000, 4000, 1280), (960, 1280));
        assert_eq!(fit(319, 200, 320), (319, 200));
        assert_eq!(fit(320, 320, 320), (320, 320));
        assert_eq!(fit(321, 321, 320), (320, 320));
        assert_eq!(fit(50_000, 1, 320), (320, 1));
        assert_eq!(fit(1, 65_535, 320), (1, 320));
        assert_eq!(fit(u32::MAX, u32::MAX, 320), (320, 320));
    }

    #[test]
    fn the_colour_under_a_transparent_pixel_does_not_bleed() {
        // Columns of opaque red and of a green that nobody can see.
        let pixels = [255, 0, 0, 255, 0, 255, 0, 0].repeat(32 * 64);
        let small = shrink(Raster::new(64, 64, Layout::Rgba, pixels).unwrap(), 8).unwrap();
        for pixel in small.pixels.chunks_exact(4) {
            assert!(pixel[0] >= 250 && pixel[1] <= 5, "{pixel:?}");
        }
    }

    #[test]
    fn a_picture_that_was_decoded_smaller_is_neither_moved_nor_stretched() {
        // A ramp of one level a pixel in the file, 255 pixels wide; a pixel of the decoded picture is the mean of four, and
        // the last one of three.
        let mean =
            |boxed: u32| (0..255).skip(4 * boxed as usize).take(4).sum::<u32>().div_ceil((255 - 4 * boxed).min(4));
        let row: Vec<u8> = (0..64).map(|boxed| u8::try_from(mean(boxed)).unwrap()).collect();
        let full: Vec<u8> = (0..255).collect();
        let small = Decoded::shrunk(Raster::new(64, 8, Layout::Gray, row.repeat(8)).unwrap(), (255, 32), 4);
        let small = shrink_decoded(small, 24).unwrap();
        let whole = Decoded::whole(Raster::new(255, 32, Layout::Gray, full.repeat(32)).unwrap());
        let whole = shrink_decoded(whole, 24).unwrap();
        assert_eq!((small.width, small.height), (24, 3));
        assert_eq!((whole.width, whole.height), (24, 3));
        assert!(small.pixels.iter().zip(&whole.pixels).all(|(a, b)| a.abs_diff(*b) <= 1), "{small:?} {whole:?}");
    }

    #[test]
    fn the_size_follows_from_the_file_and_not_from_what_was_decoded() {
        // 1001 × 333 fits 320 as 320 × 106; the 501 × 167 of a half would be 320 × 107.
        let half = Raster::new(501, 167, Layout::Gray, vec![9; 501 * 167]).unwrap();
        let small = shrink_decoded(Decoded::shrunk(half, (1001, 333), 2), 320).unwrap();
        assert_eq!((small.width, small.height), (320, 106));
    }

    #[test]
    fn a_picture_that_is_small_enough_keeps_its_pixels() {
        let raster = Raster::new(3, 1, Layout::Gray, vec![1, 2, 3]).unwrap();
        assert_eq!(shrink_decoded(Decoded::whole(raster.clone()), 3).unwrap(), raster);
    }

    #[test]
    fn inks_are_not_taken_for_an_alpha() {
        // Full cyan without black: as an alpha, the zero would take the cyan away.
        let pixels = [255, 0, 0, 0].repeat(64 * 64);
        let small = shrink(Raster::new(64, 64, Layout::Cmyk, pixels).unwrap(), 8).unwrap();
        assert!(small.pixels.chunks_exact(4).all(|pixel| pixel == [255, 0, 0, 0]));
    }
}
