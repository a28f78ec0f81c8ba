//! GIF: the first frame, from its palette's indices to rows of the canvas that are made smaller at once.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError};
use image::metadata::Orientation;

use super::shrink::Shrink;
use super::{Decoded, Header};
use crate::raster::Layout;
use crate::trouble::Trouble;

/// Indices that are decoded at a time, about: a step of the decoder costs the same whether it gives few or many.
const BAND: usize = 64 * 1024;

/// Bytes of a pixel in the rows.
const CHANNELS: usize = 4;

/// A GIF whose header has been read.
pub(crate) struct Gif<'a>(Decoder<Cursor<&'a [u8]>>);

/// Reads everything before the first frame.
pub(super) fn open(bytes: &[u8]) -> Result<(Header, Gif<'_>), Trouble> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    let decoder = options.read_info(Cursor::new(bytes))?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    let header = Header {
        width,
        height,
        orientation: Orientation::NoTransforms,
        icc: decoder.icc_profile().map(<[u8]>::to_vec),
        decoded_bytes: u64::from(width) * u64::from(height) * CHANNELS as u64,
    };
    Ok((header, Gif(decoder)))
}

impl Gif<'_> {
    /// Decodes the first frame. What it leaves of the canvas is transparent, as in browsers.
    pub(crate) fn decode(mut self, header: &Header, longest: u32) -> Result<Decoded, Trouble> {
        let frame = self.0.next_frame_info()?.ok_or_else(|| Trouble::damaged("a GIF without a frame"))?;
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let (width, height) = (usize::from(frame.width), usize::from(frame.height));
        let (interlaced, transparent) = (frame.interlaced, frame.transparent);
        let colors = colors(self.0.palette()?, transparent);
        if width == 0 {
            return Err(Trouble::damaged("a GIF frame without pixels"));
        }
        let across = usize::try_from(header.width).unwrap_or(usize::MAX);
        let down = usize::try_from(header.height).unwrap_or(usize::MAX);
        let mut canvas = Canvas {
            shrink: Shrink::new((header.width, header.height), Layout::Rgba, longest),
            row: vec![0; across.saturating_mul(CHANNELS)],
            left,
            colors,
            free: down,
        };
        canvas.clear(top)?;
        // Interlaced rows come in another order, so that all of them are needed before the second can be shown.
        let band = if interlaced { height } else { (BAND / width).clamp(1, height.max(1)) };
        let mut indices = vec![0; width * band];
        for start in (0..height).step_by(band.max(1)) {
            let rows = band.min(height - start);
            let Some(indices) = indices.get_mut(..rows * width) else { break };
            if interlaced {
                self.0.read_into_buffer(indices)?;
            } else if !self.0.fill_buffer(indices)? {
                return Err(Trouble::damaged("GIF: a frame that ends before its last pixel"));
            }
            for indices in indices.chunks_exact(width) {
                canvas.show(indices)?;
            }
        }
        canvas.clear(down)?;
        canvas.shrink.finish()
    }
}

/// Where the rows of the frame go.
struct Canvas {
    shrink: Shrink,
    row: Vec<u8>,
    /// Of the frame, in pixels.
    left: usize,
    colors: [[u8; CHANNELS]; 256],
    /// Rows that are still to come, of the canvas.
    free: usize,
}

impl Canvas {
    /// Shows `rows` rows in which nothing is, or what is left.
    fn clear(&mut self, rows: usize) -> Result<(), Trouble> {
        let rows = rows.min(self.free);
        if rows > 0 {
            self.row.fill(0);
        }
        for _ in 0..rows {
            self.shrink.row(&self.row)?;
        }
        self.free -= rows;
        Ok(())
    }

    /// Shows a row of the frame, as far as it is on the canvas.
    fn show(&mut self, indices: &[u8]) -> Result<(), Trouble> {
        if self.free == 0 {
            return Ok(());
        }
        self.free -= 1;
        let places = self.row.as_chunks_mut::<CHANNELS>().0.iter_mut().skip(self.left);
        for (pixel, index) in places.zip(indices) {
            *pixel = self.colors.get(usize::from(*index)).copied().unwrap_or_default();
        }
        self.shrink.row(&self.row)
    }
}

/// The colours of all indices; one that has none is as transparent as the one that is said to be.
fn colors(palette: &[u8], transparent: Option<u8>) -> [[u8; CHANNELS]; 256] {
    let mut colors = [[0; CHANNELS]; 256];
    for (place, [red, green, blue]) in colors.iter_mut().zip(palette.as_chunks().0) {
        *place = [*red, *green, *blue, 255];
    }
    if let Some(place) = transparent.and_then(|index| colors.get_mut(usize::from(index))) {
        *place = [0; CHANNELS];
    }
    colors
}

impl From<DecodingError> for Trouble {
    fn from(error: DecodingError) -> Self {
        // Its variants may become more, and all but these mean that the bytes are wrong.
        if matches!(error, DecodingError::OutOfMemory | DecodingError::MemoryLimit) {
            return Self::OverBudget(error.to_string());
        }
        Self::Damaged(format!("GIF: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use gif::{Encoder, Frame};

    use super::super::shrink::tests::{expected, samples};
    use super::*;

    const FULL: (u16, u16) = (101, 67);

    fn palette() -> Vec<u8> {
        (0..=255).flat_map(|index: u8| [index, 255 - index, index / 2]).collect()
    }

    fn encoded(frames: &[Frame<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, FULL.0, FULL.1, &palette()).unwrap();
        for frame in frames {
            encoder.write_frame(frame).unwrap();
        }
        drop(encoder);
        bytes
    }

    fn frame(left: u16, top: u16, width: u16, height: u16) -> Frame<'static> {
        let buffer = samples((width.into(), height.into()), 1).into();
        Frame { left, top, width, height, buffer, ..Frame::default() }
    }

    fn decoded(bytes: &[u8], longest: u32) -> Result<Decoded, Trouble> {
        let (header, gif) = open(bytes)?;
        gif.decode(&header, longest)
    }

    /// Where the frame's pixels are on the canvas, as the definition says.
    fn shown(frame: &Frame<'_>) -> Vec<u8> {
        let mut canvas = Vec::new();
        for y in 0..FULL.1 {
            for x in 0..FULL.0 {
                let (across, down) = (x.wrapping_sub(frame.left), y.wrapping_sub(frame.top));
                let is_inside = across < frame.width && down < frame.height;
                let index = is_inside
                    .then(|| frame.buffer[usize::from(down) * usize::from(frame.width) + usize::from(across)])
                    .filter(|index| Some(*index) != frame.transparent);
                canvas.extend(index.map_or([0; 4], |index| [index, 255 - index, index / 2, 255]));
            }
        }
        canvas
    }

    fn full() -> (u32, u32) {
        (FULL.0.into(), FULL.1.into())
    }

    #[test]
    fn a_frame_is_shown_where_it_belongs_and_cut_at_the_canvas() {
        for frame in [
            frame(0, 0, 101, 67),
            frame(3, 5, 50, 20),
            frame(90, 60, 50, 20),
            frame(200, 200, 5, 5),
            Frame { transparent: Some(9), ..frame(0, 0, 101, 67) },
        ] {
            for longest in [20, 25, 320] {
                let bytes = encoded(&[frame.clone(), self::frame(0, 0, 1, 1)]);
                let expected = expected(full(), Layout::Rgba, &shown(&frame), longest);
                assert_eq!(decoded(&bytes, longest).unwrap(), expected, "{frame:?} {longest}");
            }
        }
    }

    #[test]
    fn a_palette_of_its_own_goes_before_that_of_all() {
        let own = Frame { palette: Some(vec![9; 768]), ..frame(0, 0, 101, 67) };
        let expected = expected(full(), Layout::Rgba, &[9, 9, 9, 255].repeat(101 * 67), 25);
        assert_eq!(decoded(&encoded(&[own]), 25).unwrap(), expected);
    }

    #[test]
    fn interlaced_rows_are_put_in_order() {
        let progressive = frame(0, 0, 101, 67);
        let order = [(0, 8), (4, 8), (2, 4), (1, 2)].map(|(first, step)| (first..67).step_by(step));
        let rows = order.into_iter().flatten().flat_map(|y: usize| progressive.buffer[y * 101..][..101].to_vec());
        let interlaced = Frame { interlaced: true, buffer: rows.collect(), ..progressive.clone() };
        let expected = expected(full(), Layout::Rgba, &shown(&progressive), 25);
        assert_eq!(decoded(&encoded(&[interlaced]), 25).unwrap(), expected);
    }

    #[test]
    fn an_index_without_a_colour_is_transparent() {
        let own = Frame { palette: Some(vec![9; 6]), ..frame(0, 0, 101, 67) };
        let visible = |index: &u8| if *index < 2 { [9, 9, 9, 255] } else { [0; 4] };
        let canvas: Vec<u8> = own.buffer.iter().flat_map(visible).collect();
        // The encoder writes the codes of eight bits that the indices need only if the palette seems to ask for them.
        let mut bytes = encoded(&[Frame { palette: Some(vec![9; 768]), ..own }]);
        let table = bytes.windows(768).position(|window| window == [9; 768]).unwrap();
        bytes.drain(table + 6..table + 768);
        bytes[table - 1] &= !7;
        assert_eq!(decoded(&bytes, 25).unwrap(), expected(full(), Layout::Rgba, &canvas, 25));
    }

    #[test]
    fn a_frame_that_ends_early_is_damage() {
        for interlaced in [false, true] {
            let mut short = frame(0, 0, 101, 66);
            short.interlaced = interlaced;
            let mut bytes = encoded(&[short]);
            let descriptor = bytes.windows(9).position(|window| window == b"\x2C\0\0\0\0\x65\0\x42\0").unwrap();
            bytes[descriptor + 7] = 0x43;
            assert!(matches!(decoded(&bytes, 25), Err(Trouble::Damaged(_))), "{interlaced}");
        }
    }
}
