//! From a TIFF's strips or tiles to its rows.

use std::io::Cursor;

use tiff::decoder::{ChunkType, Decoder};
use tiff::tags::{CompressionMethod, PhotometricInterpretation, Predictor, Tag};

use super::lzw::Lzw;
use crate::raster::Layout;
use crate::trouble::Trouble;

/// How often the bytes of a file are read at most, on average.
const MAX_TIMES_READ: u64 = 8;

/// The strips or tiles of a picture.
pub(super) struct Chunks<'a> {
    decoder: Decoder<Cursor<&'a [u8]>>,
    bits_per_pixel: usize,
    /// Where they are in the file, when no more is to be done with them than is done here.
    plain: Option<Plain<'a>>,
}

/// Chunks of bytes that are the samples, or become them through LZW and the differences between neighbours.
struct Plain<'a> {
    bytes: &'a [u8],
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    /// Unless the bytes are stored as they are.
    lzw: Option<Lzw>,
    has_differences: bool,
    channels: usize,
}

impl<'a> Chunks<'a> {
    /// The chunks of the first picture in `bytes`.
    pub(super) fn new(
        bytes: &'a [u8],
        mut decoder: Decoder<Cursor<&'a [u8]>>,
        layout: Layout,
        bits: u8,
    ) -> Result<Self, Trouble> {
        let channels = layout.channels();
        let mut tag =
            |tag: Tag, default: u16| decoder.find_tag_unsigned::<u16>(tag).map(|value| value.unwrap_or(default));
        let compression = tag(Tag::Compression, CompressionMethod::None.to_u16())?;
        let predictor = tag(Tag::Predictor, Predictor::None.to_u16())?;
        let inverted = tag(Tag::PhotometricInterpretation, 0)? == PhotometricInterpretation::WhiteIsZero.to_u16();
        let stored = usize::from(tag(Tag::SamplesPerPixel, 1)?);
        let is_compressed = compression == CompressionMethod::LZW.to_u16();
        let has_differences = predictor == Predictor::Horizontal.to_u16();
        let is_known = is_compressed && (has_differences || predictor == Predictor::None.to_u16())
            || compression == CompressionMethod::None.to_u16() && predictor == Predictor::None.to_u16();
        let (offsets, lengths) = match decoder.get_chunk_type() {
            ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
            ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
        };
        let lengths = decoder.find_tag(lengths)?.map_or(Ok(Vec::new()), tiff::decoder::ifd::Value::into_u64_vec)?;
        check_overlap(&lengths, bytes.len())?;
        let plain = if bits == 8 && stored == channels && is_known && !inverted {
            let offsets = decoder.get_tag_u64_vec(offsets)?;
            let lzw = is_compressed.then(Lzw::new);
            Some(Plain { bytes, offsets, lengths, lzw, has_differences, channels })
        } else {
            None
        };
        Ok(Self { decoder, bits_per_pixel: channels * usize::from(bits), plain })
    }

    /// Calls `each` with the rows of the picture of `width` × `height`, from the top. No more than a row of chunks is in
    /// memory.
    pub(super) fn rows(
        &mut self,
        (width, height): (u32, u32),
        mut each: impl FnMut(&[u8]) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let (across, down) = self.decoder.chunk_dimensions();
        let line = self.line(width);
        let columns = width.div_ceil(across);
        let (mut band, mut tile) = (Vec::new(), Vec::new());
        for (index, top) in (0_u32..).zip((0..height).step_by(length(down))) {
            let rows = length(down.min(height - top));
            if let (Some(plain), 1) = (self.plain.as_ref().filter(|plain| plain.lzw.is_none()), columns) {
                let stored = self.line(across);
                for row in 0..rows {
                    each(plain.stored(index, row * stored, line)?)?;
                }
                continue;
            }
            band.resize(line.saturating_mul(rows), 0);
            for column in 0..columns {
                let chunk = index * columns + column;
                let left = column * across;
                let part = self.line(across.min(width - left));
                if columns == 1 {
                    self.read(chunk, across, part, &mut band)?;
                    break;
                }
                tile.resize(part.saturating_mul(rows), 0);
                self.read(chunk, across, part, &mut tile)?;
                for (row, part) in band.chunks_exact_mut(line).zip(tile.chunks_exact(part)) {
                    let places = row.iter_mut().skip(left as usize * self.bits_per_pixel / 8);
                    places.zip(part).for_each(|(place, byte)| *place = *byte);
                }
            }
            for row in band.chunks_exact(line) {
                each(row)?;
            }
        }
        Ok(())
    }

    /// Reads a chunk into rows of `line` bytes. As stored it has `across` pixels, of which some may be behind the edge.
    fn read(&mut self, chunk: u32, across: u32, line: usize, rows: &mut [u8]) -> Result<(), Trouble> {
        let stored = self.line(across);
        let Some(plain) = &mut self.plain else { return Ok(self.decoder.read_chunk_bytes(chunk, rows)?) };
        if plain.lzw.is_none() {
            for (row, place) in rows.chunks_exact_mut(line).enumerate() {
                place.copy_from_slice(plain.stored(chunk, row * stored, line)?);
            }
        } else if stored == line {
            plain.decompress(chunk, stored, rows)?;
        } else {
            let mut whole = vec![0; (rows.len() / line).saturating_mul(stored)];
            plain.decompress(chunk, stored, &mut whole)?;
            for (place, row) in rows.chunks_exact_mut(line).zip(whole.chunks_exact(stored)) {
                place.iter_mut().zip(row).for_each(|(place, byte)| *place = *byte);
            }
        }
        Ok(())
    }

    /// Bytes of a row of `width` pixels.
    fn line(&self, width: u32) -> usize {
        length(width).saturating_mul(self.bits_per_pixel).div_ceil(8)
    }
}

impl Plain<'_> {
    /// `count` bytes of a chunk that is not compressed.
    fn stored(&self, chunk: u32, skip: usize, count: usize) -> Result<&[u8], Trouble> {
        let bytes = chunk_of(self.bytes, &self.offsets, chunk)
            .and_then(|bytes| bytes.get(skip..))
            .and_then(|bytes| bytes.get(..count));
        bytes.ok_or_else(|| Trouble::damaged("TIFF: it ends before its last row"))
    }

    /// The samples of a chunk whose rows have `line` bytes.
    fn decompress(&mut self, chunk: u32, line: usize, rows: &mut [u8]) -> Result<(), Trouble> {
        let length = self.lengths.get(length(chunk)).and_then(|length| usize::try_from(*length).ok());
        let input = chunk_of(self.bytes, &self.offsets, chunk);
        let input = input.map(|bytes| length.and_then(|length| bytes.get(..length)).unwrap_or(bytes));
        if !input.zip(self.lzw.as_mut()).is_some_and(|(input, lzw)| lzw.decode(input, rows)) {
            return Err(Trouble::damaged("TIFF: LZW data that are broken or end early"));
        }
        if self.has_differences {
            for row in rows.chunks_exact_mut(line) {
                match self.channels {
                    1 => add_up::<1>(row),
                    3 => add_up::<3>(row),
                    _ => add_up::<4>(row),
                }
            }
        }
        Ok(())
    }
}

/// Chunks may share their bytes, and equal ones do in some files. But a small file whose thousands of chunks are all the same long data that
/// decompress to nothing would keep a decoder busy for minutes.
fn check_overlap(lengths: &[u64], file: usize) -> Result<(), Trouble> {
    let file = u64::try_from(file).unwrap_or(u64::MAX);
    let together = lengths.iter().fold(0_u64, |sum, length| sum.saturating_add((*length).min(file)));
    if together > file.saturating_mul(MAX_TIMES_READ) {
        return Err(Trouble::damaged("TIFF: its strips or tiles share too many bytes"));
    }
    Ok(())
}

/// The file from the beginning of a chunk.
fn chunk_of<'a>(bytes: &'a [u8], offsets: &[u64], chunk: u32) -> Option<&'a [u8]> {
    bytes.get(usize::try_from(*offsets.get(length(chunk))?).ok()?..)
}

/// Makes samples of the differences between each pixel and the one to its left.
fn add_up<const N: usize>(row: &mut [u8]) {
    let mut left = [0_u8; N];
    for pixel in row.as_chunks_mut::<N>().0 {
        for (sample, left) in pixel.iter_mut().zip(&mut left) {
            *left = left.wrapping_add(*sample);
            *sample = *left;
        }
    }
}

fn length(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_eight_times_and_no_more() {
        assert!(check_overlap(&[100; 8], 100).is_ok());
        assert!(check_overlap(&[100; 9], 100).is_err());
        // Longer than the file is to its end.
        assert!(check_overlap(&[u64::MAX; 8], 100).is_ok());
        assert!(check_overlap(&[u64::MAX; 9], 100).is_err());
    }
}
