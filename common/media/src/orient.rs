//! Turns a picture the way its EXIF orientation says. It is done last, on the small picture.

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Rgb, Rgba};

use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// The size of a picture of `width` × `height` as shown.
pub(crate) fn shown_size(width: u32, height: u32, orientation: Orientation) -> (u32, u32) {
    match orientation {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => (width, height),
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
    }
}

/// The picture as shown.
pub(crate) fn upright(raster: Raster, orientation: Orientation) -> Result<Raster, Trouble> {
    if orientation == Orientation::NoTransforms {
        return Ok(raster);
    }
    let layout = raster.layout;
    let mut picture = match layout {
        Layout::Gray => DynamicImage::ImageLuma8(buffer::<Luma<u8>>(raster)?),
        Layout::GrayAlpha => DynamicImage::ImageLumaA8(buffer::<LumaA<u8>>(raster)?),
        Layout::Rgb | Layout::Ycc => DynamicImage::ImageRgb8(buffer::<Rgb<u8>>(raster)?),
        Layout::Rgba | Layout::Cmyk => DynamicImage::ImageRgba8(buffer::<Rgba<u8>>(raster)?),
    };
    picture.apply_orientation(orientation);
    Raster::new(picture.width(), picture.height(), layout, picture.into_bytes())
}

fn buffer<P: Pixel<Subpixel = u8>>(raster: Raster) -> Result<ImageBuffer<P, Vec<u8>>, Trouble> {
    ImageBuffer::from_raw(raster.width, raster.height, raster.pixels)
        .ok_or_else(|| Trouble::damaged("fewer pixels than its size says"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eight values of EXIF's tag 0x0112, on a picture of 3 × 2 numbered pixels. The expected rows follow from the tag's
    /// definition: where row 0 and column 0 of the stored picture are to be shown.
    #[test]
    fn each_of_the_eight_orientations_puts_every_pixel_in_its_place() {
        let expected: [(u8, u32, u32, [u8; 6]); 8] = [
            (1, 3, 2, [1, 2, 3, 4, 5, 6]),
            (2, 3, 2, [3, 2, 1, 6, 5, 4]),
            (3, 3, 2, [6, 5, 4, 3, 2, 1]),
            (4, 3, 2, [4, 5, 6, 1, 2, 3]),
            (5, 2, 3, [1, 4, 2, 5, 3, 6]),
            (6, 2, 3, [4, 1, 5, 2, 6, 3]),
            (7, 2, 3, [6, 3, 5, 2, 4, 1]),
            (8, 2, 3, [3, 6, 2, 5, 1, 4]),
        ];
        for layout in [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba] {
            let spread = |values: [u8; 6]| values.iter().flat_map(|v| vec![*v; layout.channels()]).collect::<Vec<_>>();
            for (exif, width, height, pixels) in expected {
                let stored = Raster::new(3, 2, layout, spread([1, 2, 3, 4, 5, 6])).unwrap();
                let orientation = Orientation::from_exif(exif).unwrap();
                let shown = upright(stored, orientation).unwrap();
                assert_eq!(shown, Raster::new(width, height, layout, spread(pixels)).unwrap(), "{exif}");
                assert_eq!(shown_size(3, 2, orientation), (width, height), "{exif}");
            }
        }
    }
}
