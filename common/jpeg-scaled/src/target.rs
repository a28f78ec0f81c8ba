//! A component on its way to a plane: how large it is, what of its blocks is kept, and where their samples go.

#![expect(clippy::inline_always, reason = "a block takes some tens of nanoseconds: calls would be a good part of them")]
#![expect(clippy::cast_precision_loss, reason = "sampling factors and sizes of blocks are small numbers")]

use crate::error::{Error, damaged};
use crate::header::{Component, Header};
use crate::idct::{Cosines, Pictures, flat, to_sample};
use crate::{Plane, Scale};

/// What makes samples of a block, by how many there are of them across. Made when the quantization is known.
pub(crate) enum Samples {
    One { step: f32 },
    Two(Pictures<4>),
    Three(Pictures<9>),
    Four(Pictures<16>),
    Eight { cosines: Box<Cosines>, steps: Box<[f32; 64]> },
}

/// A component's plane while it is made.
pub(crate) struct Target {
    /// `None` before its first scan.
    pub(crate) samples: Option<Samples>,
    /// Samples of a block, across and down.
    size: usize,
    /// Blocks of the component itself.
    pub(crate) own: (usize, usize),
    /// Blocks with those that fill up the last minimum coded units.
    pub(crate) padded: (usize, usize),
    /// Blocks of a minimum coded unit.
    pub(crate) unit: (usize, usize),
    /// The component's part of the picture, in samples at full size, which may be a fraction.
    extent: (f64, f64),
    quantization_table: usize,
    pub(crate) canvas: Canvas,
    /// Whether a scan has brought what every block needs.
    pub(crate) begun: bool,
}

impl Target {
    /// The targets of all components. Nothing is allocated yet.
    pub(crate) fn of(header: &Header<'_>, scale: Scale, full_chroma: bool) -> Vec<Self> {
        let (horizontal, vertical) = header.sampling();
        let units =
            (usize::from(header.width).div_ceil(8 * horizontal), usize::from(header.height).div_ceil(8 * vertical));
        let target = |component: &Component| {
            let unit = (usize::from(component.horizontal), usize::from(component.vertical));
            let up = |pixels: u16, own: usize, largest: usize| (usize::from(pixels) * own).div_ceil(largest);
            let exact = |pixels: u16, own: usize, largest: usize| f64::from(pixels) * own as f64 / largest as f64;
            let mut size = scale.eighths();
            let mut ratio = (horizontal / unit.0, vertical / unit.1);
            // As libjpeg does: what was sampled at half the rate in both directions is decoded at twice the scale.
            while full_chroma && size < 8 && size != 3 && ratio.0 % 2 == 0 && ratio.1 % 2 == 0 && ratio.0 * ratio.1 > 1
            {
                size *= 2;
                ratio = (ratio.0 / 2, ratio.1 / 2);
            }
            Self {
                samples: None,
                size,
                own: (
                    up(header.width, unit.0, horizontal).div_ceil(8),
                    up(header.height, unit.1, vertical).div_ceil(8),
                ),
                padded: (units.0 * unit.0, units.1 * unit.1),
                unit,
                extent: (exact(header.width, unit.0, horizontal), exact(header.height, unit.1, vertical)),
                quantization_table: component.quantization.into(),
                canvas: Canvas { plane: Vec::new(), stride: units.0 * unit.0 * size },
                begun: false,
            }
        };
        header.components.iter().map(target).collect()
    }

    /// How many of a block's coefficients are kept, from the first in zigzag order.
    pub(crate) fn keep(&self) -> u32 {
        match self.size {
            1 => 1,
            2 => 5,
            3 => 13,
            4 => 25,
            _ => 64,
        }
    }

    /// Bytes of the plane while it is made; the most that there can be where that is more than a machine can address.
    pub(crate) fn plane_bytes(&self) -> usize {
        self.padded.0.saturating_mul(self.padded.1).saturating_mul(self.size * self.size)
    }

    /// Takes the quantization table that is in force at its first scan.
    pub(crate) fn begin(&mut self, tables: &[Option<[u16; 64]>; 4]) -> Result<(), Error> {
        if self.samples.is_some() {
            return Ok(());
        }
        let Some(Some(table)) = tables.get(self.quantization_table) else {
            return damaged("a component without a quantization table");
        };
        let steps = table.map(f32::from);
        let kept = steps.get(..self.keep() as usize).unwrap_or_default();
        self.samples = Some(match self.size {
            1 => Samples::One { step: steps[0] },
            2 => Samples::Two(Pictures::new(2, kept)),
            3 => Samples::Three(Pictures::new(3, kept)),
            4 => Samples::Four(Pictures::new(4, kept)),
            _ => Samples::Eight { cosines: Box::new(Cosines::new()), steps: Box::new(steps) },
        });
        self.canvas.plane = vec![0; self.plane_bytes()];
        Ok(())
    }

    /// The plane, without what fills up its last blocks.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a plane is at most 65,536 samples wide or high"
    )]
    pub(crate) fn finish(self) -> Plane {
        let Canvas { mut plane, stride } = self.canvas;
        let scaled = |extent: f64| extent * self.size as f64 / 8.0;
        let (covered_width, covered_height) = (scaled(self.extent.0), scaled(self.extent.1));
        let (width, height) = (covered_width.ceil() as usize, covered_height.ceil() as usize);
        if width < stride {
            for line in 1..height {
                plane.copy_within(line * stride..line * stride + width, line * width);
            }
        }
        plane.truncate(width * height);
        Plane { width, height, covered_width, covered_height, samples: plane }
    }
}

/// The samples of a component, in lines that go on to the end of the last minimum coded unit.
pub(crate) struct Canvas {
    plane: Vec<u8>,
    stride: usize,
}

impl Canvas {
    /// Puts the N × N samples of a block where they belong. `plain` is the first coefficient where there is no other.
    #[inline(always)]
    pub(crate) fn put<const N: usize, const S: usize>(
        &mut self,
        column: usize,
        row: usize,
        sums: &[f32; S],
        plain: Option<f32>,
    ) {
        const { assert!(N * N == S) };
        let samples = plain.map_or_else(|| sums.map(to_sample), |dc| [flat(dc); S]);
        let first = row * N * self.stride + column * N;
        for (line, samples) in samples.as_chunks::<N>().0.iter().enumerate() {
            let at = first + line * self.stride;
            if let Some(place) = self.plane.get_mut(at..at + N) {
                place.copy_from_slice(samples);
            }
        }
    }
}
