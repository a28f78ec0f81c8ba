//! A component on its way to a plane: how large it is, what of its blocks is kept, and where their samples go.

use crate::error::{Error, damaged};
use crate::header::{Header, ZIGZAG};
use crate::idct::{Basis, flat};
use crate::{Plane, Scale};

/// What makes samples of a block, by how many there are of them across.
enum Samples {
    One,
    Two(Basis<2>),
    Three(Basis<3>),
    Four(Basis<4>),
    Eight(Box<Basis<8>>),
}

/// A component's plane while it is made.
pub(crate) struct Target {
    samples: Samples,
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
    /// Factors of the coefficients in zigzag order.
    quantization: Option<[f32; 64]>,
    pub(crate) quantization_table: usize,
    plane: Vec<u8>,
    /// Whether a scan has brought what every block needs.
    pub(crate) begun: bool,
}

impl Target {
    /// The targets of all components. Nothing is allocated yet.
    pub(crate) fn of(header: &Header<'_>, scale: Scale, full_chroma: bool) -> Vec<Self> {
        let (horizontal, vertical) = header.sampling();
        let units =
            (usize::from(header.width).div_ceil(8 * horizontal), usize::from(header.height).div_ceil(8 * vertical));
        let target = |component: &crate::Component| {
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
                samples: match size {
                    1 => Samples::One,
                    2 => Samples::Two(Basis::new()),
                    3 => Samples::Three(Basis::new()),
                    4 => Samples::Four(Basis::new()),
                    _ => Samples::Eight(Box::new(Basis::new())),
                },
                size,
                own: (
                    up(header.width, unit.0, horizontal).div_ceil(8),
                    up(header.height, unit.1, vertical).div_ceil(8),
                ),
                padded: (units.0 * unit.0, units.1 * unit.1),
                unit,
                extent: (exact(header.width, unit.0, horizontal), exact(header.height, unit.1, vertical)),
                quantization: None,
                quantization_table: component.quantization.into(),
                plane: Vec::new(),
                begun: false,
            }
        };
        header.components.iter().map(target).collect()
    }

    /// How many of a block's coefficients are kept, from the first in zigzag order.
    pub(crate) fn keep(&self) -> u32 {
        match self.samples {
            Samples::One => 1,
            Samples::Two(_) => 5,
            Samples::Three(_) => 13,
            Samples::Four(_) => 25,
            Samples::Eight(_) => 64,
        }
    }

    /// Bytes of the plane while it is made.
    pub(crate) fn plane_bytes(&self) -> usize {
        self.padded.0 * self.padded.1 * self.size * self.size
    }

    /// Takes the quantization table that is in force at its first scan.
    pub(crate) fn begin(&mut self, tables: &[Option<[u16; 64]>; 4]) -> Result<(), Error> {
        if self.quantization.is_none() {
            let Some(Some(table)) = tables.get(self.quantization_table) else {
                return damaged("a component without a quantization table");
            };
            self.quantization = Some(table.map(f32::from));
            self.plane = vec![0; self.plane_bytes()];
        }
        Ok(())
    }

    /// Factors of the coefficients in zigzag order.
    pub(crate) fn quantization(&self) -> [f32; 64] {
        self.quantization.unwrap_or([1.0; 64])
    }

    /// Puts the samples of the block at `column` and `row` into the plane. `plain` says that only the first coefficient is there.
    #[inline(always)]
    pub(crate) fn put(&mut self, column: usize, row: usize, block: &[f32; 64], plain: bool) {
        let stride = self.padded.0 * self.size;
        let first = row * self.size * stride + column * self.size;
        match &self.samples {
            Samples::One => {
                if let Some(sample) = self.plane.get_mut(first) {
                    *sample = flat(block[0]);
                }
            }
            Samples::Two(basis) => store(&mut self.plane, first, stride, basis, block, plain),
            Samples::Three(basis) => store(&mut self.plane, first, stride, basis, block, plain),
            Samples::Four(basis) => store(&mut self.plane, first, stride, basis, block, plain),
            Samples::Eight(basis) => store(&mut self.plane, first, stride, basis, block, plain),
        }
    }

    /// The plane, without what fills up its last blocks.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a plane is at most 65,536 samples wide or high"
    )]
    pub(crate) fn finish(mut self) -> Plane {
        let stride = self.padded.0 * self.size;
        let scaled = |extent: f64| extent * self.size as f64 / 8.0;
        let (covered_width, covered_height) = (scaled(self.extent.0), scaled(self.extent.1));
        let (width, height) = (covered_width.ceil() as usize, covered_height.ceil() as usize);
        if width < stride {
            for line in 1..height {
                self.plane.copy_within(line * stride..line * stride + width, line * width);
            }
        }
        self.plane.truncate(width * height);
        Plane { width, height, covered_width, covered_height, samples: self.plane }
    }
}

/// Puts N lines of N samples where they belong.
#[inline(always)]
fn store<const N: usize>(
    plane: &mut [u8],
    first: usize,
    stride: usize,
    basis: &Basis<N>,
    block: &[f32; 64],
    plain: bool,
) {
    let samples = if plain { [[flat(block[0]); N]; N] } else { basis.samples(block) };
    for (line, samples) in samples.iter().enumerate() {
        let at = first + line * stride;
        if let Some(place) = plane.get_mut(at..at + N) {
            place.copy_from_slice(samples);
        }
    }
}

/// Where coefficient `place`, in zigzag order, is in a block's rows.
#[inline(always)]
pub(crate) fn natural(place: usize) -> usize {
    ZIGZAG.get(place).copied().unwrap_or_default().into()
}
