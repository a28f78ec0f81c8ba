//! The way of a picture that is there in whole: one list of steps, one module each.

use vestibule_domain::inspection::{Base64, Thumbnail};
use vestibule_domain::policy::InspectLimits;

use crate::decode::{self, Format, Header};
use crate::encode::encode;
use crate::raster::Raster;
use crate::structure::Structure;
use crate::trouble::Trouble;
use crate::{colour, limits, orient, preview, resize, structure};

/// The revision of everything that decides a thumbnail's bytes: raise it with every change to decoding, colours, resizing or
/// encoding, and with every upgrade of a library that does one of them. It stands in the thumbnails' keys.
pub const RECIPE: &str = "r1";

/// The thumbnails' names and longest sides, in pixels. Both always exist: a picture that is smaller keeps its size in both,
/// so that no client has to ask which there are.
pub const VARIANTS: [(&str, u32); 2] = [("320", 320), ("1280", 1280)];

/// Longest encoded thumbnail, in bytes, in the order of [`VARIANTS`]. In base 64 they are 5.34 MB together, and a Lambda
/// response ends at 6 MB: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_BYTES: [usize; 2] = [500_000, 3_500_000];

/// What a picture gives.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Pixels across and down, as shown; `None` when not even the header can be read here.
    pub(crate) size: Option<(u32, u32)>,
    /// Pictures in the animation; `None` for a still.
    pub(crate) frames: Option<u32>,
    /// What was made of its pixels, or why nothing was.
    pub(crate) shown: Result<Shown, Trouble>,
}

/// What a page shows of a picture.
#[derive(Debug)]
pub(crate) struct Shown {
    /// One for each of [`VARIANTS`].
    pub(crate) thumbnails: Vec<Thumbnail>,
    /// Base 64.
    pub(crate) thumbhash: String,
}

/// Examines a picture.
pub(crate) fn examine(format: Format, bytes: &[u8], max: &InspectLimits) -> Result<Picture, Trouble> {
    let structure = match structure::walk(format, bytes, max) {
        Err(unsupported @ Trouble::Unsupported(_)) => return Ok(unseen(unsupported)),
        structure => structure?,
    };
    let (header, opened) = match decode::open(format, bytes, structure, max) {
        Err(unsupported @ Trouble::Unsupported(_)) => return Ok(unseen(unsupported)),
        opened => opened?,
    };
    limits::check_pixels(header.width, header.height, max)?;
    limits::check_decoded_bytes(header.decoded_bytes, max)?;
    let shown = match opened.decode(&header).and_then(|raster| show(raster, &header)) {
        Err(unsupported @ Trouble::Unsupported(_)) => Err(unsupported),
        shown => Ok(shown?),
    };
    Ok(Picture {
        size: Some(orient::shown_size(header.width, header.height, header.orientation)),
        frames: frames(structure),
        shown,
    })
}

/// From pixels to thumbnails. Everything after the first resize is done on the small picture, where it costs little.
fn show(raster: Raster, header: &Header) -> Result<Shown, Trouble> {
    let [(small_name, small_side), (large_name, large_side)] = VARIANTS;
    let [small_bytes, large_bytes] = MAX_BYTES;
    let large = resize::shrink(&raster, large_side)?;
    drop(raster);
    let large = colour::to_srgb(large, header.icc.as_deref())?.without_opaque_alpha();
    let large = orient::upright(large, header.orientation)?;
    let small = resize::shrink(&large, small_side)?;
    Ok(Shown {
        thumbhash: preview::thumbhash(&small)?,
        thumbnails: vec![thumbnail(small_name, &small, small_bytes)?, thumbnail(large_name, &large, large_bytes)?],
    })
}

fn thumbnail(name: &str, raster: &Raster, max_bytes: usize) -> Result<Thumbnail, Trouble> {
    let encoded = encode(raster, max_bytes)?;
    Ok(Thumbnail {
        name: name.to_owned(),
        content_type: encoded.content_type.parse().map_err(|error| Trouble::damaged(format!("{error}")))?,
        width: raster.width,
        height: raster.height,
        bytes: Base64(encoded.bytes),
    })
}

fn frames(structure: Structure) -> Option<u32> {
    Some(structure.frames).filter(|frames| *frames > 1)
}

/// A valid picture of a kind that is not decoded here.
fn unseen(why: Trouble) -> Picture {
    Picture { size: None, frames: None, shown: Err(why) }
}
