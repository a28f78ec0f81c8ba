//! WebP: lossy stills straight to a smaller size through `webp-scaled`, which needs little time and memory; everything else (lossless,
//! alpha, animations) whole through `image`.

use vestibule_domain::policy::InspectLimits;
use webp_scaled::{Container, Error, Scale};

use super::still::{self, Still};
use super::{Format, Header};
use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// A WebP whose header has been read.
pub(crate) enum Webp<'a> {
    /// Lossy, one picture, no alpha.
    Scaled(Container<'a>),
    /// Any other.
    Whole(Still<'a>),
}

/// Reads the header.
pub(super) fn open<'a>(bytes: &'a [u8], limits: &InspectLimits) -> Result<(Header, Webp<'a>), Trouble> {
    let (header, whole) = still::open(Format::Webp, bytes, limits)?;
    match webp_scaled::parse(bytes) {
        Ok(parts) if parts.alpha.is_none() => Ok((header, Webp::Scaled(parts))),
        Ok(_) | Err(Error::Unsupported(_)) => Ok((header, Webp::Whole(whole))),
        Err(damaged @ Error::Damaged(_)) => Err(damaged.into()),
    }
}

impl Webp<'_> {
    /// Decodes it, no smaller than `longest` needs.
    pub(crate) fn decode(self, header: &Header, longest: u32) -> Result<Raster, Trouble> {
        match self {
            Self::Scaled(parts) => {
                let scale = scale(u32::from(parts.width.max(parts.height)), longest);
                let picture = webp_scaled::decode_frame(parts.frame, scale)?;
                Raster::new(picture.width.into(), picture.height.into(), Layout::Rgb, picture.rgb())
            }
            Self::Whole(still) => still.decode(header),
        }
    }
}

/// The smallest scale that leaves a picture whose longer side is `side` large enough for a thumbnail of `longest`.
///
/// How much is kept beyond that was measured against a Lanczos reduction of the whole picture, so that the most detailed photo of five
/// has 4 dB more than what sharp makes of it: averages of two pixels need a quarter more, those of four and eight twice as much.
fn scale(side: u32, longest: u32) -> Scale {
    let fits = |scale: Scale, quarters: u32| {
        u64::from(side) * 4 >= u64::from(longest) * u64::from(scale.divisor()) * u64::from(quarters)
    };
    if fits(Scale::Eighth, 8) {
        Scale::Eighth
    } else if fits(Scale::Quarter, 8) {
        Scale::Quarter
    } else if fits(Scale::Half, 5) {
        Scale::Half
    } else {
        Scale::Full
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Damaged(_) => Self::Damaged(error.to_string()),
            Error::Unsupported(_) => Self::Unsupported(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_pixels_are_left() {
        for (side, longest, expected) in [
            (5120, 320, Scale::Eighth),
            (5119, 320, Scale::Quarter),
            (4032, 320, Scale::Quarter),
            (2560, 320, Scale::Quarter),
            (2559, 320, Scale::Half),
            (800, 320, Scale::Half),
            (799, 320, Scale::Full),
            (320, 320, Scale::Full),
            (1, 320, Scale::Full),
            (4032, 1280, Scale::Half),
            (16_383, 1, Scale::Eighth),
        ] {
            assert_eq!(scale(side, longest), expected, "{side} to {longest}");
        }
    }
}
