//! Makes a picture as small as its largest thumbnail while its rows come in, so that it is never in memory whole: by the mean of boxes of
//! whole pixels as far as they are good for it, and by the resizer, strip by strip, for the rest.
//!
//! A box is a poor filter near its own size and a very good one far from it, so a reduction to a half at least is left to the
//! Lanczos filter behind it. Measured as PSNR of the luma against that filter on the whole picture, down to 320 pixels
//! (`f` is how many times larger than the thumbnail the boxes leave the picture):
//!
//! | | f = 3 | 2.4 | 2 | 1.7 | 1.5 | 1.2 |
//! |---|---|---|---|---|---|---|
//! | a photo of 12 megapixels | 58 dB | 56 | 54 | 52 | 50 | 46 |
//! | a screenshot of 3840 × 2160 | 57 dB | 52 | 47 | 44 | 41 | 39 |
//!
//! libvips, and sharp with it, draw the line at 2 too: <https://www.libvips.org/API/current/method.Image.resize.html>

mod boxes;
mod strips;

use self::boxes::{Boxes, MAX_FACTOR};
use self::strips::Strips;
use super::Decoded;
use crate::raster::{Layout, Raster};
use crate::resize;
use crate::trouble::Trouble;

/// How many times larger than the largest thumbnail the boxes leave the picture, at least.
const OVERSAMPLING: u32 = 2;

/// The sides of the boxes, in pixels, for a picture of which thumbnails of at most `longest` are made; 1 where it stays whole.
pub(super) fn factor(width: u32, height: u32, longest: u32) -> u32 {
    let enough = longest.saturating_mul(OVERSAMPLING).max(1);
    (width.max(height) / enough).clamp(1, MAX_FACTOR)
}

/// A picture on its way in.
pub(super) struct Shrink {
    layout: Layout,
    full: (u32, u32),
    /// What it is going to be.
    size: (u32, u32),
    way: Way,
    /// Rows that came in.
    seen: u32,
}

/// What becomes of the rows.
enum Way {
    /// They are the picture.
    Whole(Vec<u8>),
    /// They are made fewer.
    Smaller(Option<Boxes>, Strips),
}

impl Shrink {
    /// For a picture of `full` pixels across and down whose rows are of `layout`, and thumbnails of at most `longest`.
    pub(super) fn new(full: (u32, u32), layout: Layout, longest: u32) -> Self {
        let size = resize::fit(full.0, full.1, longest);
        let samples = row_length(full.0, layout);
        let way = if size == full {
            Way::Whole(Vec::with_capacity(samples.saturating_mul(length(full.1))))
        } else {
            let factor = factor(full.0, full.1, longest);
            let boxes = (factor > 1).then(|| Boxes::new(factor, samples, layout));
            Way::Smaller(boxes, Strips::new(full, factor, layout, size))
        };
        Self { layout, full, size, way, seen: 0 }
    }

    /// Takes the next row from the top.
    pub(super) fn row(&mut self, row: &[u8]) -> Result<(), Trouble> {
        if row.len() != row_length(self.full.0, self.layout) || self.seen == self.full.1 {
            return Err(Trouble::damaged(format!("row {} of {} bytes", self.seen, row.len())));
        }
        self.seen += 1;
        match &mut self.way {
            Way::Whole(pixels) => pixels.extend_from_slice(row),
            Way::Smaller(None, strips) => strips.row(row)?,
            Way::Smaller(Some(boxes), strips) => {
                if let Some(row) = boxes.row(row, self.seen == self.full.1) {
                    strips.row(row)?;
                }
            }
        }
        Ok(())
    }

    /// The picture, when all of its rows came in.
    pub(super) fn finish(self) -> Result<Decoded, Trouble> {
        if self.seen != self.full.1 {
            return Err(Trouble::damaged(format!("{} rows of {}", self.seen, self.full.1)));
        }
        let pixels = match self.way {
            Way::Whole(pixels) => pixels,
            Way::Smaller(_, strips) => strips.finish(),
        };
        Ok(Decoded::resized(Raster::new(self.size.0, self.size.1, self.layout, pixels)?, self.full))
    }
}

fn row_length(width: u32, layout: Layout) -> usize {
    length(width).saturating_mul(layout.channels())
}

fn length(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}

/// A sample of 16 bits rounded to 8.
pub(super) fn narrow(wide: u16) -> u8 {
    // 257 = 65535 / 255
    u8::try_from((u32::from(wide) + 128) / 257).unwrap_or(u8::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a decoder must make of `pixels` when thumbnails of at most `longest` are wanted.
    pub(in crate::decode) fn expected(full: (u32, u32), layout: Layout, pixels: &[u8], longest: u32) -> Decoded {
        let mut shrink = Shrink::new(full, layout, longest);
        for row in pixels.chunks_exact(row_length(full.0, layout)) {
            shrink.row(row).unwrap();
        }
        shrink.finish().unwrap()
    }

    /// Samples that look a little like a picture: no two rows or columns alike, and no channel like another.
    pub(in crate::decode) fn samples((width, height): (u32, u32), channels: u32) -> Vec<u8> {
        let sample = |x: u32, y: u32, channel: u32| (x * 5 + y * 3 + x * y / 7 + channel * 80).to_le_bytes()[0];
        (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| (0..channels).map(move |channel| sample(x, y, channel))))
            .collect()
    }

    #[test]
    fn what_is_left_is_twice_as_large_as_the_thumbnail_or_more() {
        assert_eq!(factor(4032, 3024, 320), 6);
        assert_eq!(factor(3840, 2160, 320), 6);
        assert_eq!(factor(3839, 2160, 320), 5);
        assert_eq!(factor(3840, 2160, 1280), 1);
        assert_eq!(factor(2160, 5120, 1280), 2);
        assert_eq!(factor(1, 1, 320), 1);
        assert_eq!(factor(u32::MAX, 1, 320), MAX_FACTOR);
        assert_eq!(factor(7, 7, 0), 7);
        assert_eq!(factor(7, 7, u32::MAX), 1);
    }

    #[test]
    fn what_is_small_enough_stays_as_it_is() {
        let pixels = samples((5, 3), 3);
        let whole = Decoded::whole(Raster::new(5, 3, Layout::Rgb, pixels.clone()).unwrap());
        assert_eq!(expected((5, 3), Layout::Rgb, &pixels, 5), whole);
        assert_eq!(expected((5, 3), Layout::Rgb, &pixels, u32::MAX), whole);
    }

    #[test]
    fn what_is_larger_has_the_size_of_its_thumbnail_with_boxes_and_without() {
        for (longest, size) in [(100, (100, 66)), (51, (51, 34)), (50, (50, 33)), (7, (7, 5)), (1, (1, 1)), (0, (1, 1))]
        {
            let small = expected((101, 67), Layout::Rgba, &samples((101, 67), 4), longest);
            assert_eq!((small.rows().0.width, small.rows().0.height), size);
            assert_eq!((small.rows().1, small.full), ((size.0.into(), size.1.into()), (101, 67)));
            assert_eq!(resize::shrink_decoded(small.clone(), longest).unwrap(), *small.rows().0);
        }
    }

    #[test]
    fn a_last_box_of_fewer_pixels_does_not_stretch_the_picture() {
        // A ramp of one level a pixel, 255 pixels across and 33 down: boxes of five leave 51 × 6.6.
        let row: Vec<u8> = (0..255).collect();
        let raster = Raster::new(255, 33, Layout::Gray, row.repeat(33)).unwrap();
        let whole = resize::shrink_decoded(Decoded::whole(raster.clone()), 24).unwrap();
        let small = expected((255, 33), Layout::Gray, &raster.pixels, 24);
        let small = small.rows().0;
        assert_eq!((small.width, small.height), (24, 3));
        assert!(small.pixels.iter().zip(&whole.pixels).all(|(a, b)| a.abs_diff(*b) <= 2), "{small:?} {whole:?}");
    }

    #[test]
    fn too_few_rows_or_too_many_or_of_another_length_are_damage() {
        let mut shrink = Shrink::new((2, 2), Layout::Gray, 1);
        assert!(matches!(shrink.row(&[1]), Err(Trouble::Damaged(_))));
        assert!(matches!(shrink.row(&[1, 2, 3]), Err(Trouble::Damaged(_))));
        shrink.row(&[1, 2]).unwrap();
        shrink.row(&[1, 2]).unwrap();
        assert!(matches!(shrink.row(&[1, 2]), Err(Trouble::Damaged(_))));
        assert!(shrink.finish().is_ok());
        let mut shrink = Shrink::new((2, 2), Layout::Gray, 2);
        shrink.row(&[1, 2]).unwrap();
        assert!(matches!(shrink.finish(), Err(Trouble::Damaged(_))));
    }

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        let wide = [0_u16, 128, 129, 257, 0x8000, 65_406, 65_407, 65_535];
        assert_eq!(wide.map(narrow), [0, 0, 1, 1, 128, 254, 255, 255]);
    }
}
