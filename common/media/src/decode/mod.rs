//! From a picture's bytes to its header, and from there to its pixels.
//!
//! Each format has a module of its own, which makes the picture smaller while it decodes it: how far says [`Decoded`].

mod bmp;
mod decoded;
mod gif;
#[cfg(any(feature = "heic", feature = "avif"))]
mod heif;
mod jpeg;
#[cfg(feature = "jxl")]
mod jxl;
mod planes;
mod png;
mod shrink;
mod still;
mod tiff;
mod webp;

use image::metadata::Orientation;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::policy::InspectLimits;

use crate::trouble::Trouble;

pub(crate) use decoded::{Decoded, Pixels};
pub(crate) use planes::Planes;

/// The pictures that are decoded here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/gif`
    Gif,
    /// `image/webp`
    Webp,
    /// `image/bmp`
    Bmp,
    /// `image/tiff`
    Tiff,
    /// `image/heic`, and `image/heif`, which may be coded as either of the two
    #[cfg(feature = "heic")]
    Heic,
    /// `image/avif`
    #[cfg(feature = "avif")]
    Avif,
    /// `image/jxl`
    #[cfg(feature = "jxl")]
    Jxl,
}

impl Format {
    /// The format of a content type in its usual name; `None` for what is not decoded.
    pub(crate) fn of(content_type: &ContentType) -> Option<Self> {
        match content_type.as_str() {
            "image/jpeg" => Some(Self::Jpeg),
            "image/png" => Some(Self::Png),
            "image/gif" => Some(Self::Gif),
            "image/webp" => Some(Self::Webp),
            "image/bmp" => Some(Self::Bmp),
            "image/tiff" => Some(Self::Tiff),
            #[cfg(feature = "heic")]
            "image/heic" | "image/heif" => Some(Self::Heic),
            #[cfg(feature = "avif")]
            "image/avif" => Some(Self::Avif),
            #[cfg(feature = "jxl")]
            "image/jxl" => Some(Self::Jxl),
            _ => None,
        }
    }
}

/// What a picture says of itself before any pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Pixels across, as stored.
    pub(crate) width: u32,
    /// Pixels down, as stored.
    pub(crate) height: u32,
    /// How to turn it.
    pub(crate) orientation: Orientation,
    /// Its colour profile.
    pub(crate) icc: Option<Vec<u8>>,
    /// What the decoder will produce, in bytes.
    pub(crate) decoded_bytes: u64,
}

/// A decoder that has read the header.
pub(crate) enum Opened<'a> {
    Jpeg(Box<jpeg::Jpeg<'a>>),
    Png(Box<png::Png<'a>>),
    Gif(Box<gif::Gif<'a>>),
    Tiff(Box<tiff::Tiff<'a>>),
    Bmp(bmp::Bmp<'a>),
    Still(still::Still<'a>),
    Webp(webp::Webp<'a>),
    #[cfg(any(feature = "heic", feature = "avif"))]
    Heif(Box<heif::Heif<'a>>),
    #[cfg(feature = "jxl")]
    Jxl(Box<jxl::Jxl<'a>>),
}

/// Reads the header of a picture of which thumbnails are wanted whose longer side is at most `longest` pixels.
pub(crate) fn open<'a>(
    format: Format,
    bytes: &'a [u8],
    longest: u32,
    limits: &InspectLimits,
) -> Result<(Header, Opened<'a>), Trouble> {
    match format {
        Format::Jpeg => jpeg::open(bytes, longest).map(|(header, jpeg)| (header, Opened::Jpeg(Box::new(jpeg)))),
        Format::Png => png::open(bytes, limits).map(|(header, png)| (header, Opened::Png(Box::new(png)))),
        Format::Gif => gif::open(bytes).map(|(header, gif)| (header, Opened::Gif(Box::new(gif)))),
        Format::Tiff => match tiff::open(bytes, limits)? {
            Some((header, tiff)) => Ok((header, Opened::Tiff(Box::new(tiff)))),
            None => still::open(format, bytes, limits).map(|(header, still)| (header, Opened::Still(still))),
        },
        Format::Bmp => still::open(format, bytes, limits).map(|(header, still)| match bmp::rows(bytes) {
            Some(bmp) => (header, Opened::Bmp(bmp)),
            None => (header, Opened::Still(still)),
        }),
        Format::Webp => webp::open(bytes, limits).map(|(header, webp)| (header, Opened::Webp(webp))),
        #[cfg(feature = "heic")]
        Format::Heic => heif::open(bytes, limits).map(|(header, heif)| (header, Opened::Heif(Box::new(heif)))),
        #[cfg(feature = "avif")]
        Format::Avif => heif::open(bytes, limits).map(|(header, heif)| (header, Opened::Heif(Box::new(heif)))),
        #[cfg(feature = "jxl")]
        Format::Jxl => jxl::open(bytes).map(|(header, jxl)| (header, Opened::Jxl(Box::new(jxl)))),
    }
}

impl Opened<'_> {
    /// Decodes the first picture, or makes of it at once a smaller one, from which a thumbnail whose longer side is `longest` pixels can be made. Call it only after
    /// the header passed the limits.
    pub(crate) fn decode(self, header: &Header, longest: u32) -> Result<Decoded, Trouble> {
        match self {
            Self::Jpeg(jpeg) => jpeg.decode(header),
            Self::Webp(webp) => webp.decode(header, longest),
            Self::Png(png) => png.decode(header, longest),
            Self::Gif(gif) => gif.decode(header, longest),
            Self::Tiff(tiff) => tiff.decode(header, longest),
            Self::Bmp(bmp) => bmp.decode(header, longest),
            Self::Still(still) => still.decode(header).map(Decoded::whole),
            #[cfg(any(feature = "heic", feature = "avif"))]
            Self::Heif(heif) => heif.decode(header, longest),
            #[cfg(feature = "jxl")]
            Self::Jxl(jxl) => jxl.decode(header, longest),
        }
    }
}

/// How an EXIF block says to turn the picture. The block may begin with the name that JPEG gives it.
fn orientation(exif: Option<&[u8]>) -> Orientation {
    exif.map(|block| block.strip_prefix(b"Exif\0\0").unwrap_or(block))
        .and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms)
}

#[cfg(test)]
mod tests {
    use vestibule_domain::types::{Handling, TYPES};

    use super::*;

    #[test]
    fn the_table_promises_thumbnails_of_what_is_decoded_here_and_of_nothing_else() {
        // The table is of a build with all features.
        let left_out = |name: &str| match name {
            "image/heic" | "image/heif" => !cfg!(feature = "heic"),
            "image/avif" => !cfg!(feature = "avif"),
            "image/jxl" => !cfg!(feature = "jxl"),
            _ => false,
        };
        for row in TYPES.iter().filter(|row| !left_out(row.name)) {
            let promised = matches!(row.handling, Handling::Shown | Handling::Pictured);
            assert_eq!(Format::of(&row.name.parse().unwrap()).is_some(), promised, "{}", row.name);
        }
    }
}
