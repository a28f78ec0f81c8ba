//! WebP: lossy stills straight to a smaller size through `webp-scaled`, which needs little time and memory; everything else (lossless,
//! alpha, animations, and what is not much larger than its thumbnail) whole through `image`.

use vestibule_domain::policy::InspectLimits;
use webp_scaled::{Container, Error, Scale};

use super::still::{self, Still};
use super::{Decoded, Format, Header};
use crate::raster::{Layout, Raster};
use crate::trouble::Trouble;

/// A WebP whose header has been read.
pub(crate) struct Webp<'a> {
    whole: Still<'a>,
    /// A lossy still without an alpha.
    parts: Option<Container<'a>>,
}

/// Reads the header.
pub(super) fn open<'a>(bytes: &'a [u8], limits: &InspectLimits) -> Result<(Header, Webp<'a>), Trouble> {
    let (header, whole) = still::open(Format::Webp, bytes, limits)?;
    let parts = match webp_scaled::parse(bytes) {
        Ok(parts) => Some(parts).filter(|parts| parts.alpha.is_none()),
        Err(Error::Unsupported(_)) => None,
        Err(damaged @ Error::Damaged(_)) => return Err(damaged.into()),
    };
    Ok((header, Webp { whole, parts }))
}

impl Webp<'_> {
    /// Decodes it, no smaller than `longest` needs.
    pub(crate) fn decode(self, header: &Header, longest: u32) -> Result<Decoded, Trouble> {
        let scale = scale(header.width.max(header.height), longest);
        match self.parts {
            // At full size `image` interpolates chroma, which shows.
            Some(parts) if scale != Scale::Full => {
                let picture = webp_scaled::decode_rgb(parts.frame, scale)?;
                let raster = Raster::new(picture.width.into(), picture.height.into(), Layout::Rgb, picture.pixels)?;
                Ok(Decoded::shrunk(raster, (header.width, header.height), scale.divisor().into()))
            }
            Some(_) | None => self.whole.decode(header).map(Decoded::whole),
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
    use crate::resize;

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

    #[test]
    fn the_thumbnail_is_that_of_the_whole_picture() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/files/lossy.webp");
        let bytes = std::fs::read(path).unwrap();
        let limits = InspectLimits::default();
        let (header, whole) = still::open(Format::Webp, &bytes, &limits).unwrap();
        let whole = whole.decode(&header).unwrap();
        for longest in [64, 160, 320] {
            let (header, webp) = open(&bytes, &limits).unwrap();
            assert!(webp.parts.is_some());
            let reduced = webp.decode(&header, longest).unwrap();
            assert_eq!(reduced.full, (whole.width, whole.height));
            let expected = resize::shrink(whole.clone(), longest).unwrap();
            let found = resize::shrink_decoded(reduced, longest).unwrap();
            assert_eq!((found.width, found.height), (expected.width, expected.height));
            let differences = found.pixels.iter().zip(&expected.pixels).map(|(a, b)| u32::from(a.abs_diff(*b)));
            let mean = f64::from(differences.sum::<u32>()) / f64::from(found.width * found.height * 3);
            assert!(mean < 1.5, "{longest}: {mean}");
        }
    }
}
