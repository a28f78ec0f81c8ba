#![doc = include_str!("../README.md")]

mod bits;
mod container;
mod frame;
mod header;
mod modes;
mod picture;
mod planes;
mod predict;
mod smooth;
mod tables;
mod tokens;
mod transform;

pub use container::{Container, parse};
pub use frame::{decode, decode_frame, decode_rgb};
pub use picture::{Picture, Plane, Rgb};

/// By how much a picture is reduced while it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Not at all: bit for bit what libwebp decodes. The planes of chroma are half as wide and high as that of luma.
    #[default]
    Full,
    /// To a half. From here on all planes have the same size.
    Half,
    /// To a quarter.
    Quarter,
    /// To an eighth.
    Eighth,
}

impl Scale {
    /// From the largest to the smallest picture.
    pub const ALL: [Self; 4] = [Self::Full, Self::Half, Self::Quarter, Self::Eighth];

    /// Pixels that become one, across and down.
    pub const fn divisor(self) -> u16 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// What a length in pixels becomes: what is left over at the end becomes one more pixel.
    pub const fn apply(self, length: u16) -> u16 {
        length.div_ceil(self.divisor())
    }
}

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file is cut off or broken.
    #[error("damaged WebP: {0}")]
    Damaged(&'static str),
    /// Valid as far as can be seen, but lossless, animated, or otherwise not decoded here.
    #[error("WebP that is not decoded here: {0}")]
    Unsupported(&'static str),
}
