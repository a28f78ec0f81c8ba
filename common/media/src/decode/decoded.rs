//! What a decoder hands over: pixels, and which part of them is how large a picture.

use super::Planes;
use crate::raster::Raster;

/// A decoded picture, which may have been made smaller while it was decoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decoded {
    /// What it is made of.
    pub(crate) pixels: Pixels,
    /// Pixels across and down in the file.
    pub(crate) full: (u32, u32),
}

/// What a decoded picture is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pixels {
    /// Pixels in rows.
    Rows {
        /// The pixels.
        raster: Raster,
        /// How much of `raster` the picture covers from the top left, in its pixels. That is a fraction where the size in the file is no
        /// multiple of what became one pixel, so that only a part of the last column or row belongs to the picture.
        covered: (f64, f64),
    },
    /// A plane for each component.
    Planes(Planes),
}

impl Decoded {
    /// A picture of which every pixel of the file is there.
    pub(crate) fn whole(raster: Raster) -> Self {
        let (width, height) = (raster.width, raster.height);
        Self { pixels: Pixels::Rows { raster, covered: (width.into(), height.into()) }, full: (width, height) }
    }

    /// A picture of which `factor` × `factor` pixels of the file became one. A last column or row of fewer counts too.
    pub(crate) fn shrunk(raster: Raster, full: (u32, u32), factor: u32) -> Self {
        let covered = |length: u32| f64::from(length) / f64::from(factor.max(1));
        Self { pixels: Pixels::Rows { raster, covered: (covered(full.0), covered(full.1)) }, full }
    }

    /// A picture of `full` pixels that is resized already.
    pub(crate) fn resized(raster: Raster, full: (u32, u32)) -> Self {
        Self { full, ..Self::whole(raster) }
    }

    /// Its pixels in rows, and how much of them it covers.
    #[cfg(test)]
    pub(crate) fn rows(&self) -> (&Raster, (f64, f64)) {
        match &self.pixels {
            Pixels::Rows { raster, covered } => (raster, *covered),
            Pixels::Planes(_) => panic!("a picture in planes"),
        }
    }

    /// A picture in planes.
    pub(crate) fn planes(planes: Planes, full: (u32, u32)) -> Self {
        Self { pixels: Pixels::Planes(planes), full }
    }
}
