//! Means of boxes of whole pixels, row by row.

use super::length;
use crate::raster::Layout;

/// The sides of the largest box: the sums of a column then fit 16 bits, and those of a box with its alpha 32.
pub(super) const MAX_FACTOR: u32 = 256;

/// A row of boxes on its way in.
pub(super) struct Boxes {
    layout: Layout,
    factor: u32,
    sums: Sums,
    /// Rows in `sums`.
    rows: u32,
    /// The last row that was done.
    row: Vec<u8>,
}

/// The sums of the columns of a row of boxes, sample by sample.
enum Sums {
    /// Of the samples themselves.
    Plain(Vec<u16>),
    /// Of the colours multiplied by the alpha, and of the alpha.
    Weighted(Vec<u32>),
}

impl Boxes {
    /// Of `factor` × `factor` pixels, at most [`MAX_FACTOR`], for rows of so many `samples`.
    pub(super) fn new(factor: u32, samples: usize, layout: Layout) -> Self {
        let sums = if layout.has_alpha() { Sums::Weighted(vec![0; samples]) } else { Sums::Plain(vec![0; samples]) };
        Self { layout, factor, sums, rows: 0, row: Vec::new() }
    }

    /// Takes the next row from the top. Gives a row of boxes when they are full or it is the last one.
    pub(super) fn row(&mut self, row: &[u8], is_last: bool) -> Option<&[u8]> {
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
        (self.rows == self.factor || is_last).then(|| self.means())
    }

    /// Turns the sums into a row of pixels.
    fn means(&mut self) -> &[u8] {
        let Self { sums, row: pixels, .. } = self;
        pixels.clear();
        let (width, rows) = (length(self.factor), std::mem::take(&mut self.rows));
        match (sums, self.layout) {
            (Sums::Plain(sums), Layout::Gray | Layout::GrayAlpha) => plain::<1>(sums, width, rows, pixels),
            (Sums::Plain(sums), Layout::Rgb | Layout::Ycc) => plain::<3>(sums, width, rows, pixels),
            (Sums::Plain(sums), Layout::Rgba | Layout::Cmyk) => plain::<4>(sums, width, rows, pixels),
            (Sums::Weighted(sums), Layout::GrayAlpha) => weighted::<2>(sums, width, rows, pixels),
            (Sums::Weighted(sums), _) => weighted::<4>(sums, width, rows, pixels),
        }
        &self.row
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

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All that differ in their bytes.
    pub(in super::super) const LAYOUTS: [Layout; 5] =
        [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba, Layout::Cmyk];

    fn boxed(factor: u32, (width, height): (u32, u32), layout: Layout, pixels: &[u8]) -> Vec<u8> {
        let samples = length(width) * layout.channels();
        let mut boxes = Boxes::new(factor, samples, layout);
        let mut small = Vec::new();
        for (y, row) in pixels.chunks_exact(samples).enumerate() {
            small.extend(boxes.row(row, y + 1 == length(height)).unwrap_or_default());
        }
        small
    }

    #[test]
    fn a_box_is_the_rounded_mean_of_its_pixels_and_the_last_ones_are_of_fewer() {
        let small = boxed(2, (3, 3), Layout::Gray, &[1, 2, 10, 3, 5, 21, 100, 101, 255]);
        assert_eq!(small, [3, 16, 101, 255]);
    }

    #[test]
    fn colours_count_as_much_as_they_can_be_seen() {
        let pixels = [200, 10, 0, 255, 0, 255, 0, 0, 100, 20, 0, 255, 9, 9, 9, 0];
        let small = boxed(2, (2, 2), Layout::Rgba, &pixels);
        assert_eq!(small, [150, 15, 0, 128]);
        let small = boxed(2, (2, 2), Layout::GrayAlpha, &[200, 1, 90, 0, 100, 1, 90, 0]);
        assert_eq!(small, [150, 1]);
        let small = boxed(2, (2, 2), Layout::Cmyk, &[255, 0, 0, 0].repeat(4));
        assert_eq!(small, [255, 0, 0, 0]);
    }

    #[test]
    fn the_largest_box_does_not_overflow() {
        for layout in LAYOUTS {
            let pixels = vec![255; 256 * 256 * layout.channels()];
            let small = boxed(MAX_FACTOR, (256, 256), layout, &pixels);
            assert_eq!(small, vec![255; layout.channels()]);
        }
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
            factor in 2_u32..9,
            layout in prop::sample::select(LAYOUTS.to_vec()),
            seed in prop::collection::vec(any::<u8>(), 40 * 40 * 4),
        ) {
            let pixels = &seed[..width as usize * height as usize * layout.channels()];
            let small = boxed(factor, (width, height), layout, pixels);
            prop_assert_eq!(small, naive(factor, (width, height), layout, pixels));
        }
    }
}
