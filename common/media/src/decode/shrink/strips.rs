//! Resizes a picture while its rows come in: a strip of the result as soon as the rows are there that it is made of, which then go.
//!
//! The resizer convolves down before it convolves across, and so each strip costs as much as its part of a whole picture, but for the
//! weights across, which each call works out anew.

use std::ops::Range;

use vestibule_resize::Source;

use super::length;
use crate::raster::Layout;
use crate::resize;
use crate::trouble::Trouble;

/// Bytes of rows that wait for their strip, about. More of them save weights across: those for 1280 pixels are half a millisecond.
const WINDOW_BYTES: u64 = 2_500_000;

/// Rows of the result in a strip, at least, however long the rows are that it is made of.
const MIN_STRIP: u64 = 16;

/// How far Lanczos-3 reaches to either side, in pixels of the result.
const SUPPORT: u64 = 3;

/// A picture on its way from rows to its final size.
pub(super) struct Strips {
    layout: Layout,
    down: Down,
    /// Pixels across: those of a row, and how many of them the picture covers.
    across: (u32, f64),
    size: (u32, u32),
    /// Rows that came in and that a strip to come is made of.
    window: Vec<u8>,
    /// What the rows in `window` are, from the top of the picture.
    held: Range<u32>,
    /// What the rows of the next strip are, from the top of the result; empty when all is done.
    strip: Range<u32>,
    /// The strips that are done.
    pixels: Vec<u8>,
}

impl Strips {
    /// For a picture of `full` pixels in the file of which `factor` × `factor` became one, to be made `size`.
    pub(super) fn new(full: (u32, u32), factor: u32, layout: Layout, size: (u32, u32)) -> Self {
        let width = full.0.div_ceil(factor);
        let down = Down::new(full.1, factor, size.1, u64::from(width) * layout.channels() as u64);
        let bytes =
            |width: u32, rows: u32| length(width).saturating_mul(layout.channels()).saturating_mul(length(rows));
        Self {
            layout,
            across: (width, f64::from(full.0) / f64::from(factor)),
            size,
            window: Vec::with_capacity(bytes(width, down.most())),
            held: 0..0,
            strip: 0..down.strip,
            pixels: Vec::with_capacity(bytes(size.0, size.1)),
            down,
        }
    }

    /// Takes the next row from the top.
    pub(super) fn row(&mut self, row: &[u8]) -> Result<(), Trouble> {
        self.window.extend_from_slice(row);
        self.held.end += 1;
        while !self.strip.is_empty() && self.held.end >= self.down.needed(&self.strip).end {
            self.resize()?;
        }
        Ok(())
    }

    /// The pixels of the result.
    pub(super) fn finish(self) -> Vec<u8> {
        self.pixels
    }

    /// Resizes the next strip, and lets go of what no later one needs.
    fn resize(&mut self) -> Result<(), Trouble> {
        let (top, height) = self.down.covered(&self.strip);
        let source = Source {
            pixels: &self.window,
            channels: self.layout.channels(),
            alpha: self.layout.has_alpha(),
            size: (self.across.0, self.held.end - self.held.start),
            corner: (0.0, top - f64::from(self.held.start)),
            covered: (self.across.1, height),
        };
        let size = (self.size.0, self.strip.end - self.strip.start);
        self.pixels.extend(resize::convolved(&source, size)?);
        self.strip = self.strip.end..self.size.1.min(self.strip.end.saturating_add(self.down.strip));
        let first = if self.strip.is_empty() { self.held.end } else { self.down.needed(&self.strip).start };
        let row = length(self.across.0).saturating_mul(self.layout.channels());
        self.window.drain(..length(first - self.held.start).saturating_mul(row).min(self.window.len()));
        self.held.start = first;
        Ok(())
    }
}

/// Which rows make which strip.
#[derive(Clone, Copy)]
struct Down {
    /// Rows in the file.
    full: u32,
    /// Rows in the file for each row that comes in.
    factor: u32,
    /// Rows of the result.
    result: u32,
    /// Rows of the result in each strip but the last.
    strip: u32,
}

impl Down {
    /// `row_bytes` are those of a row that comes in.
    fn new(full: u32, factor: u32, result: u32, row_bytes: u64) -> Self {
        let whole = Self { full, factor, result, strip: result };
        let rows = (WINDOW_BYTES / row_bytes.max(1)).saturating_sub(2 * whole.reach());
        let strip = (rows * whole.divisor() / u64::from(full).max(1)).max(MIN_STRIP);
        // All of about the same size.
        let strips = u64::from(result).div_ceil(strip).max(1);
        Self { strip: u32::try_from(u64::from(result).div_ceil(strips)).unwrap_or(result).max(1), ..whole }
    }

    /// A row of the result is `full / divisor` of those that come in.
    fn divisor(self) -> u64 {
        (u64::from(self.factor) * u64::from(self.result)).max(1)
    }

    /// Rows that come in from the centre of a row of the result to where the filter ends, and one for rounding.
    fn reach(self) -> u64 {
        (SUPPORT * u64::from(self.full).max(self.divisor())).div_ceil(self.divisor()) + 1
    }

    /// The row that comes in on which the centre of a row of the result falls.
    fn centre(self, row: u32) -> u64 {
        (2 * u64::from(row) + 1) * u64::from(self.full) / (2 * self.divisor())
    }

    /// The rows that a strip of the result is made of.
    fn needed(self, strip: &Range<u32>) -> Range<u32> {
        let rows = self.full.div_ceil(self.factor.max(1));
        let within = |row: u64| u32::try_from(row).unwrap_or(u32::MAX).min(rows);
        let (first, last) = (self.centre(strip.start), self.centre(strip.end.saturating_sub(1)));
        within(first.saturating_sub(self.reach()))..within(last + 1 + self.reach())
    }

    /// The most rows that a strip is made of.
    fn most(self) -> u32 {
        let rows = self.full.div_ceil(self.factor.max(1));
        let most = (u64::from(self.strip) * u64::from(self.full)).div_ceil(self.divisor()) + 2 * self.reach() + 1;
        u32::try_from(most).unwrap_or(u32::MAX).min(rows)
    }

    /// Where, in rows that come in, a strip of the result begins, and how high it is.
    fn covered(self, strip: &Range<u32>) -> (f64, f64) {
        let divisor = f64::from(self.factor) * f64::from(self.result);
        let at = |row: u32| f64::from(row) * f64::from(self.full) / divisor;
        (at(strip.start), at(strip.end) - at(strip.start))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::boxes::tests::LAYOUTS;
    use super::*;
    use crate::decode::Decoded;
    use crate::raster::Raster;

    /// The rows of a picture that came through boxes already, in strips of `strip` rows instead of what memory allows; the window is
    /// never larger than it may be.
    fn in_strips(
        full: (u32, u32),
        factor: u32,
        layout: Layout,
        pixels: &[u8],
        longest: u32,
        strip: Option<u32>,
    ) -> Raster {
        let size = resize::fit(full.0, full.1, longest);
        let mut strips = Strips::new(full, factor, layout, size);
        if let Some(strip) = strip {
            strips.down.strip = strip;
            strips.strip = 0..strip.min(size.1);
        }
        for row in pixels.chunks_exact(strips.across.0 as usize * layout.channels()) {
            strips.row(row).unwrap();
            assert!(strips.held.end - strips.held.start <= strips.down.most());
            assert_eq!(strips.window.len(), (strips.held.end - strips.held.start) as usize * row.len());
        }
        assert!(strips.window.is_empty() && strips.strip.is_empty());
        Raster::new(size.0, size.1, layout, strips.finish()).unwrap()
    }

    fn whole(full: (u32, u32), factor: u32, layout: Layout, pixels: &[u8], longest: u32) -> Raster {
        let raster = Raster::new(full.0.div_ceil(factor), full.1.div_ceil(factor), layout, pixels.to_vec()).unwrap();
        resize::shrink_decoded(Decoded::shrunk(raster, full, factor), longest).unwrap()
    }

    /// Noise, which no rounding leaves alone.
    fn noise(length: usize, seed: u32) -> Vec<u8> {
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        std::iter::successors(Some(seed), next).skip(1).map(|state| state.to_be_bytes()[0]).take(length).collect()
    }

    fn pixels(full: (u32, u32), factor: u32, layout: Layout, seed: u32) -> Vec<u8> {
        noise(full.0.div_ceil(factor) as usize * full.1.div_ceil(factor) as usize * layout.channels(), seed)
    }

    /// The largest difference, and how many samples in a thousand differ, beyond a few. The resizer rounds its weights to what the largest of them leaves
    /// room for, and so a few samples differ by one. Of colours that counts before the alpha is divided out, which makes more of it.
    fn difference(one: &Raster, other: &Raster) -> (u32, usize) {
        assert_eq!((one.width, one.height, one.layout), (other.width, other.height, other.layout));
        let channels = one.layout.channels();
        let visible = |pixel: &[u8], channel: usize| {
            let is_colour = one.layout.has_alpha() && channel + 1 < channels;
            u32::from(pixel[channel]) * if is_colour { u32::from(pixel[channels - 1]) } else { 255 }
        };
        let pairs = || one.pixels.chunks_exact(channels).zip(other.pixels.chunks_exact(channels));
        let differences = pairs()
            .flat_map(|(a, b)| (0..channels).map(move |channel| visible(a, channel).abs_diff(visible(b, channel))));
        let many = one.pixels.iter().zip(&other.pixels).filter(|(a, b)| a != b).count();
        // Half of one more for each of the two colours that were rounded once more.
        let rounding = if one.layout.has_alpha() { 255 } else { 0 };
        let largest = differences.max().unwrap_or_default().saturating_sub(rounding).div_ceil(255);
        (largest, many.saturating_sub(4) * 1000 / one.pixels.len())
    }

    #[test]
    fn strips_are_what_fits_memory_and_never_more_than_the_result() {
        let strip = |full, factor, result, row_bytes| Down::new(full, factor, result, row_bytes).strip;
        assert_eq!(strip(3024, 6, 240, 672 * 3), 240);
        assert_eq!(strip(3000, 1, 960, 4000 * 3), 57);
        assert_eq!(strip(3000, 1, 960, 4000 * 300), 16);
        assert_eq!(strip(1, 1, 1, 4000 * 3), 1);
        for (full, factor, result, row_bytes) in
            [(3000, 1, 960, 4000 * 3), (2160, 1, 720, 3840 * 4), (5119, 1, 1280, 9)]
        {
            let down = Down::new(full, factor, result, row_bytes);
            assert!(u64::from(down.most()) * row_bytes < WINDOW_BYTES * 11 / 10, "{full}");
        }
    }

    #[test]
    fn a_large_picture_is_cut_and_nobody_sees_where() {
        for (layout, full, factor) in
            [(Layout::Rgb, (4000, 1500), 1), (Layout::Rgba, (1500, 3001), 1), (Layout::Gray, (5121, 3999), 2)]
        {
            let pixels = pixels(full, factor, layout, 7);
            let found = in_strips(full, factor, layout, &pixels, 1280, None);
            let (largest, many) = difference(&found, &whole(full, factor, layout, &pixels, 1280));
            assert!(largest <= 1 && many < 10, "{full:?}: {largest} {many}");
        }
    }

    #[test]
    fn lines_are_pictures_too() {
        for full in [(4000, 1), (1, 4000), (4000, 2), (3, 4001), (5000, 1), (1, 5001)] {
            for (factor, longest) in [(1, 1280), (1, 3999), (2, 1280), (3, 320)] {
                let pixels = pixels(full, factor, Layout::Rgba, 3);
                for strip in [None, Some(1), Some(7)] {
                    let found = in_strips(full, factor, Layout::Rgba, &pixels, longest, strip);
                    let (largest, _) = difference(&found, &whole(full, factor, Layout::Rgba, &pixels, longest));
                    assert!(largest <= 1, "{full:?} {factor} {longest} {strip:?}: {largest}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn strips_are_the_whole(
            width in 2_u32..200,
            height in 1_u32..300,
            scale in 1.01_f64..8.0,
            factor in prop::sample::select(vec![1_u32, 1, 2, 3, 5]),
            strip in 1_u32..40,
            layout in prop::sample::select(LAYOUTS.to_vec()),
            seed in any::<u32>(),
        ) {
            let full = (width * factor - seed % factor, height * factor - seed / 7 % factor);
            let longest = (1..=u32::MAX).take_while(|side| f64::from(*side) * scale * f64::from(factor) <= f64::from(full.0.max(full.1)));
            let longest = longest.last().unwrap_or(1);
            let pixels = pixels(full, factor, layout, seed);
            let found = in_strips(full, factor, layout, &pixels, longest, Some(strip));
            let (largest, many) = difference(&found, &whole(full, factor, layout, &pixels, longest));
            prop_assert!(largest <= 1, "{largest}");
            prop_assert!(many < 50, "{many}");
        }
    }
}
