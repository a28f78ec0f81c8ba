//! A JPEG's components, each in its own plane, and how they become pixels once they are small.

use jpeg_scaled::{Color, Plane};

use crate::colour::rgb;
use crate::raster::{Layout, Raster};
use crate::resize::convolve_plane;
use crate::trouble::Trouble;

/// The planes of a JPEG, of which those of the chromas may be smaller.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planes {
    /// One for each component.
    pub(crate) planes: Vec<Plane>,
    /// What they mean.
    pub(crate) color: Color,
}

impl Planes {
    /// The picture in `size`. Resizing and turning luma and chromas into colours commute, so each plane is resized for itself.
    pub(crate) fn shrink(self, size: (u32, u32)) -> Result<Raster, Trouble> {
        let planes: Vec<Vec<u8>> =
            self.planes.into_iter().map(|plane| convolve_plane(plane, size)).collect::<Result<_, _>>()?;
        let (layout, mut pixels) = match (planes.as_slice(), self.color) {
            ([first, second, third, fourth], _) => (Layout::Cmyk, join([first, second, third, fourth])),
            ([first, second, third], Color::Rgb) => (Layout::Rgb, join([first, second, third])),
            ([first, second, third], _) => (Layout::Ycc, join([first, second, third])),
            ([first, ..], _) => (Layout::Gray, first.clone()),
            ([], _) => return Err(Trouble::damaged("a JPEG without components")),
        };
        let (is_ycck, inverted) = match self.color {
            Color::Ycck { inverted } => (true, inverted),
            Color::Cmyk { inverted } => (false, inverted),
            Color::Gray | Color::YCbCr | Color::Rgb => (false, false),
        };
        if is_ycck {
            inks_from_ycck(&mut pixels);
        }
        if inverted {
            for value in &mut pixels {
                *value = !*value;
            }
        }
        Raster::new(size.0, size.1, layout, pixels)
    }
}

/// One sample of each plane after the other.
fn join<const N: usize>(planes: [&[u8]; N]) -> Vec<u8> {
    let mut pixels = vec![0; planes.first().map_or(0, |plane| plane.len() * N)];
    for (channel, plane) in planes.iter().enumerate() {
        for (pixel, sample) in pixels.as_chunks_mut::<N>().0.iter_mut().zip(*plane) {
            if let Some(place) = pixel.get_mut(channel) {
                *place = *sample;
            }
        }
    }
    pixels
}

/// Y, Cb, Cr, K to C, M, Y, K: the complement of what luma and chromas would show.
/// <https://www.itu.int/rec/T-REC-T.871>, and Adobe's technical note 5116 for the marker that announces it.
fn inks_from_ycck(pixels: &mut [u8]) {
    for [first, second, third, _] in pixels.as_chunks_mut::<4>().0 {
        [*first, *second, *third] = rgb([*first, *second, *third]).map(|light| !light);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ycck_is_the_complement_of_what_ycc_would_show() {
        // White, black, pure red (76, 85, 255 in YCbCr), with any black ink.
        let mut pixels = [255, 128, 128, 9, 0, 128, 128, 9, 76, 85, 255, 9];
        inks_from_ycck(&mut pixels);
        assert_eq!(pixels, [0, 0, 0, 9, 255, 255, 255, 9, 1, 255, 255, 9]);
    }

    #[test]
    fn a_small_chroma_is_spread_and_inks_are_turned_over() {
        let plane = |width: u32, height: u32, value: u8| Plane {
            width: width as usize,
            height: height as usize,
            covered_width: width.into(),
            covered_height: height.into(),
            samples: vec![value; (width * height) as usize],
        };
        let planes = Planes { planes: vec![plane(8, 4, 90), plane(4, 2, 100), plane(4, 2, 110)], color: Color::YCbCr };
        assert_eq!(planes.shrink((4, 2)).unwrap(), Raster::new(4, 2, Layout::Ycc, [90, 100, 110].repeat(8)).unwrap());
        let planes = Planes { planes: (0..4).map(|n| plane(2, 1, n)).collect(), color: Color::Cmyk { inverted: true } };
        assert_eq!(
            planes.shrink((2, 1)).unwrap(),
            Raster::new(2, 1, Layout::Cmyk, vec![255, 254, 253, 252, 255, 254, 253, 252]).unwrap()
        );
    }
}
