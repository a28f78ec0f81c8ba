//! From macroblock to macroblock: what each leaves to its neighbours, and where its pixels go.
#![expect(
    clippy::indexing_slicing,
    reason = "inner loops over arrays of fixed sizes; columns are below the row's length"
)]

use crate::container;
use crate::header::{self, Header, Smoothing};
use crate::modes::{self, Macroblock, SubMode};
use crate::picture::{self, Picture, Rgb};
use crate::planes::Growing;
use crate::predict::{self, Chroma, Luma, START};
use crate::smooth::{Edges, Window};
use crate::tokens::{self, Reader};
use crate::{Error, Scale};

/// Decodes a WebP file's still lossy picture.
///
/// Memory grows with the reduced picture: 1.5 bytes a pixel at [`Scale::Full`], 3 bytes a reduced pixel otherwise. Those who have a
/// limit ask [`parse`](crate::parse) for the size before.
///
/// # Errors
/// `Damaged` when anything is cut off or broken; `Unsupported` for pictures that are lossless, animated or have an alpha channel.
pub fn decode(file: &[u8], scale: Scale) -> Result<Picture, Error> {
    let container = container::parse(file)?;
    if container.alpha.is_some() {
        return Err(Error::Unsupported("an alpha channel"));
    }
    decode_frame(container.frame, scale)
}

/// Decodes what a `VP8 ` chunk holds. When its last bytes are missing this may go unnoticed: only the container knows its length.
///
/// # Errors
/// `Damaged` when anything is cut off or broken.
pub fn decode_frame(frame: &[u8], scale: Scale) -> Result<Picture, Error> {
    let header = header::read(frame)?;
    let (width, height) = (scale.apply(header.width), scale.apply(header.height));
    let mut decoder = Decoder::new(&header, scale, false);
    decoder.run(header, |_, _| {})?;
    let [blue, red] = decoder.chroma_planes.map(Growing::finish);
    Ok(Picture { width, height, scale, planes: [decoder.luma_plane.finish(), blue, red] })
}

/// Decodes what a `VP8 ` chunk holds to colours, as [`decode_frame`] and [`Picture::rgb`] do, but without the planes' memory where
/// anything is reduced.
///
/// # Errors
/// `Damaged` when anything is cut off or broken.
pub fn decode_rgb(frame: &[u8], scale: Scale) -> Result<Rgb, Error> {
    if scale == Scale::Full {
        let picture = decode_frame(frame, scale)?;
        return Ok(Rgb { width: picture.width, height: picture.height, pixels: picture.rgb() });
    }
    let header = header::read(frame)?;
    let (width, height) = (scale.apply(header.width), scale.apply(header.height));
    let mut pixels = vec![0; 3 * usize::from(width) * usize::from(height)];
    let mut rows = pixels.chunks_exact_mut(3 * usize::from(width));
    Decoder::new(&header, scale, true).run(header, |luma, [blue, red]| {
        // The last macroblocks have rows beyond the picture, for which there are no more pixels.
        for (luma, (blue, red)) in luma.rows().zip(blue.rows().zip(red.rows())) {
            let Some(row) = rows.next() else { break };
            picture::convert(row, luma, blue, red, 1);
        }
    })?;
    Ok(Rgb { width, height, pixels })
}

/// What a macroblock leaves to the one below it.
#[derive(Debug, Clone, Copy)]
struct Above {
    luma: [u8; 16],
    chroma: [[u8; 8]; 2],
    sub_modes: [SubMode; 4],
    coefficients: tokens::Neighbours,
}

/// The state of a picture.
struct Decoder {
    above: Vec<Above>,
    luma_rows: Luma,
    chroma_rows: [Chroma; 2],
    scale: Scale,
    luma_plane: Growing<16>,
    chroma_planes: [Growing<8>; 2],
    window: Option<Window>,
}

impl Decoder {
    fn new(header: &Header<'_>, scale: Scale, strip: bool) -> Self {
        let size = (header.width, header.height);
        let chroma_size = (size.0.div_ceil(2), size.1.div_ceil(2));
        let divisor = usize::from(scale.divisor());
        // Chroma is stored at half of luma's size: at half of the picture's size it is as it should be.
        let chroma = || Growing::new(chroma_size, (divisor / 2).max(1), strip);
        let columns = usize::from(size.0.div_ceil(16));
        let beyond = Above {
            luma: [127; 16],
            chroma: [[127; 8]; 2],
            sub_modes: [SubMode::DC; 4],
            coefficients: tokens::Neighbours::default(),
        };
        // An average hides most of what the filter does: the README has numbers. libwebp leaves it out below three quarters.
        let smoothed = header.smoothing != Smoothing::None && scale == Scale::Full;
        Self {
            above: vec![beyond; columns],
            luma_rows: [[127; 32]; 17],
            chroma_rows: [[[127; 16]; 9]; 2],
            scale,
            luma_plane: Growing::new(size, divisor, strip),
            chroma_planes: [chroma(), chroma()],
            window: smoothed.then(|| Window::new(columns, header.smoothing)),
        }
    }

    /// Decodes it; `row` sees the planes after each row of macroblocks.
    fn run(&mut self, header: Header<'_>, mut row: impl FnMut(&Growing<16>, &[Growing<8>; 2])) -> Result<(), Error> {
        let Header { mut modes, mut partitions, ref probs, .. } = header;
        let rows = usize::from(header.height.div_ceil(16));
        let count = partitions.len();
        for y in 0..rows {
            let partition = &mut partitions[y % count];
            self.begin_row(y);
            let mut sub_modes = [SubMode::DC; 4];
            let mut coefficients = tokens::Neighbours::default();
            for x in 0..self.above.len() {
                let above = &mut self.above[x];
                let macroblock = modes::read(
                    &mut modes,
                    header.segment_probs,
                    header.skip_prob,
                    &mut above.sub_modes,
                    &mut sub_modes,
                );
                let segment = usize::from(macroblock.segment & 3);
                let has_sub_blocks = macroblock.sub_blocks.is_some();
                if macroblock.skipped {
                    above.coefficients.clear(has_sub_blocks);
                    coefficients.clear(has_sub_blocks);
                }
                let mut reader = Reader::new(*partition, probs, header.steps[segment]);
                let there = predict::Neighbours { above: y > 0, left: x > 0 };
                let mut inner = has_sub_blocks;
                inner |= self.luma(x, there, &macroblock, &mut reader, &mut coefficients);
                inner |= self.chroma(x, there, &macroblock, &mut reader, &mut coefficients);
                *partition = reader.partition();
                self.hand_on(x);
                if let Some(window) = &mut self.window {
                    let strength = header.strengths[segment][usize::from(has_sub_blocks)];
                    window.put(x, Edges { strength, inner }, &self.luma_rows, &self.chroma_rows);
                } else {
                    self.luma_plane.put(x, y, &mut self.luma_rows);
                    for (plane, rows) in self.chroma_planes.iter_mut().zip(&mut self.chroma_rows) {
                        plane.put(x, y, rows);
                    }
                }
            }
            if modes.past_end() || partition.past_end() {
                return Err(Error::Damaged("a partition ends before the picture"));
            }
            if let Some(window) = &mut self.window {
                window.end_row(y, rows, &mut self.luma_plane, &mut self.chroma_planes);
            }
            row(&self.luma_plane, &self.chroma_planes);
        }
        Ok(())
    }

    /// The pixels left of the picture are 129; those above it 127, with the corner.
    fn begin_row(&mut self, y: usize) {
        for row in &mut self.luma_rows {
            row[START - 1] = 129;
        }
        self.luma_rows[0][START - 1] = if y == 0 { 127 } else { 129 };
        for rows in &mut self.chroma_rows {
            for row in rows.iter_mut() {
                row[START - 1] = 129;
            }
            rows[0][START - 1] = if y == 0 { 127 } else { 129 };
        }
    }

    /// Predicts luma and adds its differences; says whether there were any.
    fn luma(
        &mut self,
        x: usize,
        there: predict::Neighbours,
        macroblock: &Macroblock,
        partition: &mut Reader<'_, '_>,
        left: &mut tokens::Neighbours,
    ) -> bool {
        let mut reader = *partition;
        let rows = &mut self.luma_rows;
        // Beyond the right edge the last pixel goes on.
        let next = self.above.get(x + 1).and_then(|next| next.luma.first_chunk::<4>().copied());
        let Above { luma: row_above, coefficients: above, .. } = &mut self.above[x];
        rows[0][START..START + 16].copy_from_slice(row_above);
        let mut differs = false;
        if let Some(modes) = &macroblock.sub_blocks {
            // The lower sub-blocks have the same right upper neighbour as the highest.
            for row in [0, 4, 8, 12] {
                rows[row][START + 16..START + 20].copy_from_slice(&next.unwrap_or([row_above[15]; 4]));
            }
            for (down, (modes, left)) in modes.as_chunks::<4>().0.iter().zip(&mut left.luma).enumerate() {
                for (across, (mode, above)) in modes.iter().zip(&mut above.luma).enumerate() {
                    let difference = if macroblock.skipped { None } else { reader.luma(None, true, above, left) };
                    differs |= difference.is_some();
                    predict::sub_block(rows, across, down, *mode, difference);
                }
            }
        } else {
            predict::whole::<16, 32>(rows, macroblock.luma, there);
            if macroblock.skipped {
                return false;
            }
            // At a quarter a block becomes one pixel or less: of those that nothing is predicted from, the average is enough.
            let keep_all = matches!(self.scale, Scale::Full | Scale::Half);
            let dcs = reader.second(&mut above.second, &mut left.second);
            for (down, (dcs, left)) in dcs.as_chunks::<4>().0.iter().zip(&mut left.luma).enumerate() {
                for (across, (dc, above)) in dcs.iter().zip(&mut above.luma).enumerate() {
                    let kept = keep_all || across == 3 || down == 3;
                    if let Some(difference) = reader.luma(Some(*dc), kept, above, left) {
                        differs = true;
                        predict::add_block(rows, across, down, &difference);
                    }
                }
            }
        }
        *partition = reader;
        differs
    }

    /// The same for both planes of chroma.
    fn chroma(
        &mut self,
        x: usize,
        there: predict::Neighbours,
        macroblock: &Macroblock,
        partition: &mut Reader<'_, '_>,
        left: &mut tokens::Neighbours,
    ) -> bool {
        let mut reader = *partition;
        let Above { chroma: rows_above, coefficients: above, .. } = &mut self.above[x];
        let mut differs = false;
        let neighbours = above.chroma.iter_mut().zip(&mut left.chroma);
        for ((rows, row_above), (above, left)) in self.chroma_rows.iter_mut().zip(rows_above).zip(neighbours) {
            rows[0][START..START + 8].copy_from_slice(row_above);
            predict::whole::<8, 16>(rows, macroblock.chroma, there);
            if macroblock.skipped {
                continue;
            }
            for (down, left) in left.iter_mut().enumerate() {
                for (across, above) in above.iter_mut().enumerate() {
                    // As with luma, at half of its scale.
                    let kept = self.scale != Scale::Eighth || across == 1 || down == 1;
                    if let Some(difference) = reader.chroma(kept, above, left) {
                        differs = true;
                        predict::add_block(rows, across, down, &difference);
                    }
                }
            }
        }
        *partition = reader;
        differs
    }

    /// Leaves the lowest row to the macroblock below and the last column to the next one.
    fn hand_on(&mut self, x: usize) {
        let above = &mut self.above[x];
        above.luma.copy_from_slice(&self.luma_rows[16][START..START + 16]);
        for row in &mut self.luma_rows {
            row[START - 1] = row[START + 15];
        }
        for (rows, above) in self.chroma_rows.iter_mut().zip(&mut above.chroma) {
            above.copy_from_slice(&rows[8][START..START + 8]);
            for row in rows {
                row[START - 1] = row[START + 7];
            }
        }
    }
}
