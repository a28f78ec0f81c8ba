//! Makes a picture smaller, never larger.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::raster::Raster;
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

/// The picture with its longer side at most `longest`. Colours under a transparent pixel do not bleed into its neighbours:
/// the resizer multiplies alpha in and divides it out again.
pub(crate) fn shrink(raster: &Raster, longest: u32) -> Result<Raster, Trouble> {
    let (width, height) = fit(raster.width, raster.height, longest);
    if (width, height) == (raster.width, raster.height) {
        return Ok(raster.clone());
    }
    let failed = |error: &dyn std::fmt::Display| Trouble::OverBudget(format!("resize: {error}"));
    let pixel = raster.layout.pixel_type();
    let from = ImageRef::new(raster.width, raster.height, &raster.pixels, pixel).map_err(|error| failed(&error))?;
    let mut to = Image::new(width, height, pixel);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .use_alpha(raster.layout.has_alpha());
    Resizer::new().resize(&from, &mut to, &options).map_err(|error| failed(&error))?;
    Raster::new(width, height, raster.layout, to.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Layout;

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
        let small = shrink(&Raster::new(64, 64, Layout::Rgba, pixels).unwrap(), 8).unwrap();
        for pixel in small.pixels.chunks_exact(4) {
            assert!(pixel[0] >= 250 && pixel[1] <= 5, "{pixel:?}");
        }
    }

    #[test]
    fn inks_are_not_taken_for_an_alpha() {
        // Full cyan without black: as an alpha, the zero would take the cyan away.
        let pixels = [255, 0, 0, 0].repeat(64 * 64);
        let small = shrink(&Raster::new(64, 64, Layout::Cmyk, pixels).unwrap(), 8).unwrap();
        assert!(small.pixels.chunks_exact(4).all(|pixel| pixel == [255, 0, 0, 0]));
    }
}
