//! What a decoder hands over: pixels, and which part of them is how large a picture.

use crate::raster::Raster;

/// A decoded picture, which may have been made smaller while it was decoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decoded {
    /// Its pixels.
    pub(crate) raster: Raster,
    /// How much of `raster` the picture covers from the top left, in its pixels. That is a fraction where the size in the
    /// file is no multiple of what became one pixel, so that only a part of the last column or row belongs to the picture.
    pub(crate) covered: (f64, f64),
    /// Pixels across and down in the file.
    pub(crate) full: (u32, u32),
}

impl Decoded {
    /// A picture of which every pixel of the file is there.
    pub(crate) fn whole(raster: Raster) -> Self {
        let (width, height) = (raster.width, raster.height);
        Self { raster, covered: (width.into(), height.into()), full: (width, height) }
    }

    /// A picture of which `factor` × `factor` pixels of the file became one. A last column or row of fewer counts too.
    pub(crate) fn shrunk(raster: Raster, full: (u32, u32), factor: u32) -> Self {
        let covered = |length: u32| f64::from(length) / f64::from(factor.max(1));
        Self { raster, covered: (covered(full.0), covered(full.1)), full }
    }
}
