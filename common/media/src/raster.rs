//! Decoded pixels, eight bits a channel, rows without padding.

use crate::colour::rgb;
use crate::trouble::Trouble;

/// What the bytes of a pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One grey.
    Gray,
    /// A grey and an alpha that is not multiplied in.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Luma and chromas of the whole range, as in JFIF.
    Ycc,
    /// Red, green, blue and an alpha that is not multiplied in.
    Rgba,
    /// Ink: 0 is none, 255 is full.
    Cmyk,
}

impl Layout {
    /// Bytes of a pixel.
    pub(crate) fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb | Self::Ycc => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    /// Whether the last channel is an alpha.
    pub(crate) fn has_alpha(self) -> bool {
        match self {
            Self::GrayAlpha | Self::Rgba => true,
            Self::Gray | Self::Rgb | Self::Ycc | Self::Cmyk => false,
        }
    }
}

/// A picture in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raster {
    /// Pixels across.
    pub(crate) width: u32,
    /// Pixels down.
    pub(crate) height: u32,
    /// The meaning of a pixel's bytes.
    pub(crate) layout: Layout,
    /// `width × height × channels` bytes, from the top left.
    pub(crate) pixels: Vec<u8>,
}

impl Raster {
    /// A picture, when there are exactly as many bytes as its size says.
    pub(crate) fn new(width: u32, height: u32, layout: Layout, pixels: Vec<u8>) -> Result<Self, Trouble> {
        let expected = u64::from(width) * u64::from(height) * layout.channels() as u64;
        if pixels.len() as u64 != expected {
            return Err(Trouble::damaged(format!("{} bytes of pixels where {expected} belong", pixels.len())));
        }
        Ok(Self { width, height, layout, pixels })
    }

    /// The same picture in red, green and blue, when it is in luma and chromas.
    #[must_use]
    pub(crate) fn without_chromas(mut self) -> Self {
        if self.layout == Layout::Ycc {
            self.layout = Layout::Rgb;
            self.pixels.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = rgb(*pixel));
        }
        self
    }

    /// The same picture without its alpha channel, when that says that every pixel is opaque.
    #[must_use]
    pub(crate) fn without_opaque_alpha(self) -> Self {
        let channels = self.layout.channels();
        if !self.layout.has_alpha() || self.pixels.chunks_exact(channels).any(|pixel| pixel.last() != Some(&255)) {
            return self;
        }
        let layout = if self.layout == Layout::Rgba { Layout::Rgb } else { Layout::Gray };
        let pixels =
            self.pixels.chunks_exact(channels).flat_map(|pixel| pixel.iter().take(channels - 1)).copied().collect();
        Self { layout, pixels, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alpha_that_hides_nothing_is_dropped_and_any_other_kept() {
        let opaque = Raster::new(2, 1, Layout::Rgba, vec![1, 2, 3, 255, 4, 5, 6, 255]).unwrap();
        assert_eq!(opaque.without_opaque_alpha(), Raster::new(2, 1, Layout::Rgb, vec![1, 2, 3, 4, 5, 6]).unwrap());
        let gray = Raster::new(2, 1, Layout::GrayAlpha, vec![1, 255, 4, 255]).unwrap();
        assert_eq!(gray.without_opaque_alpha(), Raster::new(2, 1, Layout::Gray, vec![1, 4]).unwrap());
        let glass = Raster::new(2, 1, Layout::Rgba, vec![1, 2, 3, 255, 4, 5, 6, 254]).unwrap();
        assert_eq!(glass.clone().without_opaque_alpha(), glass);
    }

    #[test]
    fn pixels_must_fill_the_picture_exactly() {
        assert!(Raster::new(2, 2, Layout::Rgb, vec![0; 12]).is_ok());
        assert!(Raster::new(2, 2, Layout::Rgb, vec![0; 11]).is_err());
        assert!(Raster::new(2, 2, Layout::Rgb, vec![0; 13]).is_err());
    }
}
