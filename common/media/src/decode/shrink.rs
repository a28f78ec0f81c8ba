//! Makes a picture smaller while its rows come in, by the mean of boxes of whole pixels, so that it is never in memory whole.
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

use super::Decoded;
use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// How many times larger than the largest thumbnail the shrunk picture still is, at least.
const OVERSAMPLING: u32 = 2;

/// The sides of the largest box: the sums of a column then fit 16 bits, and those of a box with its alpha 32.
const MAX_FACTOR: u32 = 256;

/// The sides of the boxes, in pixels, for a picture of which thumbnails of at most `longest` are made; 1 where it stays whole.
pub(super) fn factor(width: u32, height: u32, longest: u32) -> u32 {
    let enough = longest.saturating_mul(OVERSAMPLING).max(1);
    (width.max(height) / enough).clamp(1, MAX_FACTOR)
}

/// A picture on its way in.
pub(super) struct Shrink {
    layout: Layout,
    full: (u32, u32),
    factor: u32,
    sums: Sums,
    /// Rows in `sums`.
    rows: u32,
    /// Pixels that are done.
    pixels: Vec<u8>,
    /// Rows that came in.
    seen: u32,
}

/// The sums of the columns of a row of boxes, sample by sample.
enum Sums {
    /// Of the samples themselves.
    Plain(Vec<u16>),
    /// Of the colours multiplied by the alpha, and of the alpha.
    Weighted(Vec<u32>),
}

impl Shrink {
    /// For a picture of `full` pixels across and down whose rows are of `layout`, and thumbnails of at most `longest`.
    pub(super) fn new(full: (u32, u32), layout: Layout, longest: u32) -> Self {
        Self::by(factor(full.0, full.1, longest), full, layout)
    }

    fn by(factor: u32, full: (u32, u32), layout: Layout) -> Self {
        let samples = if factor > 1 { row_length(full.0, layout) } else { 0 };
        let sums = if layout.has_alpha() { Sums::Weighted(vec![0; samples]) } else { Sums::Plain(vec![0; samples]) };
        let size = row_length(full.0.div_ceil(factor), layout).saturating_mul(length(full.1.div_ceil(factor)));
        Self { layout, full, factor, sums, rows: 0, pixels: Vec::with_capacity(size), seen: 0 }
    }

    /// Takes the next row from the top.
    pub(super) fn row(&mut self, row: &[u8]) -> Result<(), Trouble> {
        if row.len() != row_length(self.full.0, self.layout) || self.seen == self.full.1 {
            return Err(Trouble::damaged(format!("row {} of {} bytes", self.seen, row.len())));
        }
        self.seen += 1;
        if self.factor == 1 {
            self.pixels.extend_from_slice(row);
            return Ok(());
        }
        match (&mut self.sums, self.layout) {
            (Sums::Plain(sums), _) => {
                for (sum, sample) in sums.iter_mut().zip(row) {
                    *sum += u16::from(*sample);
                }
            }
            (Sums::Weighted(sums), Layout::GrayAlpha) => weigh::<2>(sums, row),
            (Sums::Weighted(sums), _) => weigh::<4>(sums, row),
        }
        self.rows += 1;
        if self.rows == self.factor || self.seen == self.full.1 {
            self.boxes();
        }
        Ok(())
    }

    /// The picture, when all of its rows came in.
    pub(super) fn finish(self) -> Result<Decoded, Trouble> {
        if self.seen != self.full.1 {
            return Err(Trouble::damaged(format!("{} rows of {}", self.seen, self.full.1)));
        }
        let across = |side: u32| side.div_ceil(self.factor);
        let raster = Raster::new(across(self.full.0), across(self.full.1), self.layout, self.pixels)?;
        Ok(Decoded::shrunk(raster, self.full, self.factor))
    }

    /// Turns the sums into a row of pixels.
    fn boxes(&mut self) {
        let Self { sums, pixels, .. } = self;
        let (width, rows) = (length(self.factor), std::mem::take(&mut self.rows));
        match (sums, self.layout) {
            (Sums::Plain(sums), Layout::Gray | Layout::GrayAlpha) => plain::<1>(sums, width, rows, pixels),
            (Sums::Plain(sums), Layout::Rgb | Layout::Ycc) => plain::<3>(sums, width, rows, pixels),
            (Sums::Plain(sums), Layout::Rgba | Layout::Cmyk) => plain::<4>(sums, width, rows, pixels),
            (Sums::Weighted(sums), Layout::GrayAlpha) => weighted::<2>(sums, width, rows, pixels),
            (Sums::Weighted(sums), _) => weighted::<4>(sums, width, rows, pixels),
        }
    }
}

/// Adds a row of pixels whose last channel is the alpha.
fn weigh<const N: usize>(sums: &mut [u32], row: &[u8]) {
    for (sums, pixel) in sums.as_chunks_mut::<N>().0.iter_mut().zip(row.as_chunks::<N>().0) {
        let (Some((alphas, sums)), Some((alpha, colors))) = (sums.split_last_mut(), pixel.split_last()) else { return };
        for (sum, color) in sums.iter_mut().zip(colors) {
            *sum += u32::from(*color) * u32::from(*alpha);
        }
        *alphas += u32::from(*alpha);
    }
}

/// Means of `N` channels over boxes of `width` × `rows`; clears the sums.
fn plain<const N: usize>(sums: &mut [u16], width: usize, rows: u32, pixels: &mut Vec<u8>) {
    for columns in sums.as_chunks_mut::<N>().0.chunks_mut(width) {
        let count = count(columns.len(), rows);
        let mut totals = [0_u32; N];
        for column in columns {
            for (total, sum) in totals.iter_mut().zip(column) {
                *total += u32::from(std::mem::take(sum));
            }
        }
        pixels.extend(totals.map(|total| mean(total, count)));
    }
}

/// Means of `N` channels, the colours weighted by the alpha, over boxes of `width` × `rows`; clears the sums.
fn weighted<const N: usize>(sums: &mut [u32], width: usize, rows: u32, pixels: &mut Vec<u8>) {
    for columns in sums.as_chunks_mut::<N>().0.chunks_mut(width) {
        let count = count(columns.len(), rows);
        let mut totals = [0_u32; N];
        for column in columns {
            for (total, sum) in totals.iter_mut().zip(column) {
                *total += std::mem::take(sum);
            }
        }
        let alphas = totals.last().copied().unwrap_or_default();
        pixels.extend(totals.iter().take(N - 1).map(|total| mean(*total, alphas)));
        pixels.push(mean(alphas, count));
    }
}

/// The mean of `count` samples, rounded; 0 of none.
fn mean(total: u32, count: u32) -> u8 {
    let rounded = (u64::from(total) + u64::from(count / 2)) / u64::from(count.max(1));
    u8::try_from(rounded).unwrap_or(u8::MAX)
}

fn count(columns: usize, rows: u32) -> u32 {
    u32::try_from(columns).unwrap_or(MAX_FACTOR) * rows
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
    use proptest::prelude::*;

    use super::*;

    fn shrunk(factor: u32, full: (u32, u32), layout: Layout, pixels: &[u8]) -> Decoded {
        let mut shrink = Shrink::by(factor, full, layout);
        for row in pixels.chunks_exact(row_length(full.0, layout)) {
            shrink.row(row).unwrap();
        }
        shrink.finish().unwrap()
    }

    /// What a decoder must make of `pixels` when thumbnails of at most `longest` are wanted.
    pub(in crate::decode) fn expected(full: (u32, u32), layout: Layout, pixels: &[u8], longest: u32) -> Decoded {
        shrunk(factor(full.0, full.1, longest), full, layout, pixels)
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
    fn a_box_is_the_rounded_mean_of_its_pixels_and_the_last_ones_are_of_fewer() {
        let small = shrunk(2, (3, 3), Layout::Gray, &[1, 2, 10, 3, 5, 21, 100, 101, 255]);
        assert_eq!(small.rows().0, &Raster::new(2, 2, Layout::Gray, vec![3, 16, 101, 255]).unwrap());
        assert_eq!((small.rows().1, small.full), ((1.5, 1.5), (3, 3)));
    }

    #[test]
    fn colours_count_as_much_as_they_can_be_seen() {
        let pixels = [200, 10, 0, 255, 0, 255, 0, 0, 100, 20, 0, 255, 9, 9, 9, 0];
        let small = shrunk(2, (2, 2), Layout::Rgba, &pixels);
        assert_eq!(small.rows().0.pixels, [150, 15, 0, 128]);
        let small = shrunk(2, (2, 2), Layout::GrayAlpha, &[200, 1, 90, 0, 100, 1, 90, 0]);
        assert_eq!(small.rows().0.pixels, [150, 1]);
        let small = shrunk(2, (2, 2), Layout::Cmyk, &[255, 0, 0, 0].repeat(4));
        assert_eq!(small.rows().0.pixels, [255, 0, 0, 0]);
    }

    #[test]
    fn the_largest_box_does_not_overflow() {
        for layout in [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba, Layout::Cmyk] {
            let pixels = vec![255; 256 * 256 * layout.channels()];
            let small = shrunk(MAX_FACTOR, (256, 256), layout, &pixels);
            assert_eq!(small.rows().0.pixels, vec![255; layout.channels()]);
        }
    }

    #[test]
    fn too_few_rows_or_too_many_or_of_another_length_are_damage() {
        let mut shrink = Shrink::by(2, (2, 2), Layout::Gray);
        assert!(matches!(shrink.row(&[1]), Err(Trouble::Damaged(_))));
        assert!(matches!(shrink.row(&[1, 2, 3]), Err(Trouble::Damaged(_))));
        shrink.row(&[1, 2]).unwrap();
        shrink.row(&[1, 2]).unwrap();
        assert!(matches!(shrink.row(&[1, 2]), Err(Trouble::Damaged(_))));
        assert!(shrink.finish().is_ok());
        let mut shrink = Shrink::by(1, (2, 2), Layout::Gray);
        shrink.row(&[1, 2]).unwrap();
        assert!(matches!(shrink.finish(), Err(Trouble::Damaged(_))));
    }

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        let wide = [0_u16, 128, 129, 257, 0x8000, 65_406, 65_407, 65_535];
        assert_eq!(wide.map(narrow), [0, 0, 1, 1, 128, 254, 255, 255]);
    }

    /// The definition, pixel by pixel.
    fn naive(factor: u32, (width, height): (u32, u32), layout: Layout, pixels: &[u8]) -> Vec<u8> {
        let channels = layout.channels();
        let at = |x: u32, y: u32| {
            let start = (y as usize * width as usize + x as usize) * channels;
            &pixels[start..start + channels]
        };
        let mut small = Vec::new();
        for top in (0..height).step_by(factor as usize) {
            for left in (0..width).step_by(factor as usize) {
                let inside = || {
                    (top..height.min(top + factor))
                        .flat_map(|y| (left..width.min(left + factor)).map(move |x| (x, y)))
                        .map(|(x, y)| at(x, y))
                };
                for channel in 0..channels {
                    let weight = |pixel: &[u8]| {
                        let is_colour = layout.has_alpha() && channel + 1 < channels;
                        if is_colour { u64::from(pixel[channels - 1]) } else { 1 }
                    };
                    let total: u64 = inside().map(|pixel| u64::from(pixel[channel]) * weight(pixel)).sum();
                    let weights: u64 = inside().map(weight).sum();
                    small.push(u8::try_from((total + weights / 2) / weights.max(1)).unwrap());
                }
            }
        }
        small
    }

    proptest! {
        #[test]
        fn it_is_what_its_definition_says(
            width in 1_u32..40,
            height in 1_u32..40,
            factor in 1_u32..9,
            layout in prop::sample::select(
                vec![Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba, Layout::Cmyk],
            ),
            seed in prop::collection::vec(any::<u8>(), 40 * 40 * 4),
        ) {
            let pixels = &seed[..width as usize * height as usize * layout.channels()];
            let small = shrunk(factor, (width, height), layout, pixels);
            let expected = if factor == 1 { pixels.to_vec() } else { naive(factor, (width, height), layout, pixels) };
            prop_assert_eq!(&small.rows().0.pixels, &expected);
        }
    }
}
