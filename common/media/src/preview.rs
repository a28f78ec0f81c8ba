//! The blurred preview that a page shows until the thumbnail is there: <https://evanw.github.io/thumbhash/>

use base64::Engine as _;

use crate::colour::rgb;
use crate::raster::{Layout, Raster};
use crate::resize;
use crate::trouble::Trouble;

/// The algorithm's own upper bound of a side.
const LONGEST: u32 = 100;

/// The thumbhash of a picture in sRGB, base 64.
pub(crate) fn thumbhash(raster: Raster) -> Result<String, Trouble> {
    let small = resize::shrink(raster, LONGEST)?;
    let rgba: Vec<u8> = small
        .pixels
        .chunks_exact(small.layout.channels())
        .flat_map(|pixel| match (small.layout, pixel) {
            (Layout::Gray, [grey]) => [*grey, *grey, *grey, 255],
            (Layout::GrayAlpha, [grey, alpha]) => [*grey, *grey, *grey, *alpha],
            (Layout::Rgb, [red, green, blue]) => [*red, *green, *blue, 255],
            (Layout::Ycc, [luma, blue, red]) => {
                let [red, green, blue] = rgb([*luma, *blue, *red]);
                [red, green, blue, 255]
            }
            (_, pixel) => pixel.first_chunk().copied().unwrap_or_default(),
        })
        .collect();
    let side = |length: u32| usize::try_from(length).unwrap_or_default();
    let hash = thumbhash::rgba_to_thumb_hash(side(small.width), side(small.height), &rgba);
    Ok(base64::engine::general_purpose::STANDARD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_average_colour_and_the_shape() {
        let pixels = [200, 100, 50].repeat(400 * 200);
        let hash = thumbhash(Raster::new(400, 200, Layout::Rgb, pixels).unwrap()).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(hash).unwrap();
        let (red, green, blue, alpha) = thumbhash::thumb_hash_to_average_rgba(&bytes).unwrap();
        for (found, expected) in [(red, 200.0), (green, 100.0), (blue, 50.0), (alpha, 255.0)] {
            assert!((found * 255.0 - expected).abs() < 8.0, "{found} {expected}");
        }
        assert!((thumbhash::thumb_hash_to_approximate_aspect_ratio(&bytes).unwrap() - 2.0).abs() < 0.5);
    }

    #[test]
    fn the_thinnest_pictures_have_one_too() {
        for (width, height) in [(1, 1), (4000, 1), (1, 4000)] {
            for layout in [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba] {
                let pixels = vec![7; (width * height) as usize * layout.channels()];
                assert!(thumbhash(Raster::new(width, height, layout, pixels).unwrap()).is_ok());
            }
        }
    }
}
