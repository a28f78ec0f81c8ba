//! From macroblock to macroblock: what each leaves to its neighbours, and where its pixels go.
#![expect(
    clippy::indexing_slicing,
    reason = "inner loops over arrays of fixed sizes; columns are below the row's length"
)]

use crate::container;
use crate::header::{self, Header, Smoothing};
use crate::modes::{self, Macroblock, SubMode};
use crate::picture::Picture;
use crate::planes::Growing;
use crate::predict::{self, Chroma, Luma, START};
use crate::smooth::{Edges, Window};
use crate::tokens::{self, Coefficients};
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
    let mut decoder = Decoder::new(&header, scale);
    decoder.run(header)?;
    let [blue, red] = decoder.chroma.map(Growing::finish);
    Ok(Picture { width, height, scale, planes: [decoder.luma.finish(), blue, red] })
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
    coefficients: Coefficients,
    luma: Growing<16>,
    chroma: [Growing<8>; 2],
    window: Option<Window>,
}

impl Decoder {
    fn new(header: &Header<'_>, scale: Scale) -> Self {
        let size = (header.width, header.height);
        let chroma_size = (size.0.div_ceil(2), size.1.div_ceil(2));
        let divisor = usize::from(scale.divisor());
        // Chroma is stored at half of luma's size: at half of the picture's size it is as it should be.
        let chroma = || Growing::new(chroma_size, (divisor / 2).max(1));
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
            coefficients: Coefficients::new(scale),
            luma: Growing::new(size, divisor),
            chroma: [chroma(), chroma()],
            window: smoothed.then(|| Window::new(columns, header.smoothing)),
        }
    }

    fn run(&mut self, header: Header<'_>) -> Result<(), Error> {
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
                if macroblock.skipped {
                    above.coefficients.clear(macroblock.sub_blocks.is_some());
                    coefficients.clear(macroblock.sub_blocks.is_some());
                } else {
                    self.coefficients.read(
                        partition,
                        probs,
                        &header.steps[segment],
                        macroblock.sub_blocks.is_some(),
                        &mut above.coefficients,
                        &mut coefficients,
                    );
                }
                let inner = macroblock.sub_blocks.is_some() || !self.coefficients.is_empty();
                self.reconstruct(x, y, &macroblock);
                self.hand_on(x);
                if let Some(window) = &mut self.window {
                    let strength = header.strengths[segment][usize::from(macroblock.sub_blocks.is_some())];
                    window.put(x, Edges { strength, inner }, &self.luma_rows, &self.chroma_rows);
                } else {
                    self.luma.put(x, y, &mut self.luma_rows);
                    for (plane, rows) in self.chroma.iter_mut().zip(&mut self.chroma_rows) {
                        plane.put(x, y, rows);
                    }
                }
            }
            if modes.past_end() || partition.past_end() {
                return Err(Error::Damaged("a partition ends before the picture"));
            }
            if let Some(window) = &mut self.window {
                window.end_row(y, rows, &mut self.luma, &mut self.chroma);
            }
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

    /// Predicts a macroblock and adds its differences.
    fn reconstruct(&mut self, x: usize, y: usize, macroblock: &Macroblock) {
        let there = predict::Neighbours { above: y > 0, left: x > 0 };
        let above = &self.above[x];
        self.luma_rows[0][START..START + 16].copy_from_slice(&above.luma);
        let (luma_blocks, chroma_blocks) = self.coefficients.blocks.split_at_mut(16);
        let (luma_kinds, chroma_kinds) = self.coefficients.kinds.split_at_mut(16);
        if let Some(modes) = &macroblock.sub_blocks {
            // Beyond the right edge the last pixel goes on. The lower sub-blocks have the same neighbours as the highest.
            let next = self.above.get(x + 1).and_then(|next| next.luma.first_chunk::<4>().copied());
            let next = next.unwrap_or([above.luma[15]; 4]);
            for row in [0, 4, 8, 12] {
                self.luma_rows[row][START + 16..START + 20].copy_from_slice(&next);
            }
            for (index, (mode, (kind, block))) in modes.iter().zip(luma_kinds.iter_mut().zip(luma_blocks)).enumerate() {
                predict::sub_block(&mut self.luma_rows, index % 4, index / 4, *mode, kind.take(block));
            }
        } else {
            predict::whole::<16, 32>(&mut self.luma_rows, macroblock.luma, there);
            predict::add_blocks(&mut self.luma_rows, 4, luma_blocks, luma_kinds);
        }
        let planes = chroma_blocks.chunks_exact_mut(4).zip(chroma_kinds.chunks_exact_mut(4));
        for ((rows, above), (blocks, kinds)) in self.chroma_rows.iter_mut().zip(&above.chroma).zip(planes) {
            rows[0][START..START + 8].copy_from_slice(above);
            predict::whole::<8, 16>(rows, macroblock.chroma, there);
            predict::add_blocks(rows, 2, blocks, kinds);
        }
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
