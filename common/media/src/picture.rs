//! The way of a picture that is there in whole: one list of steps, one module each.

use std::time::Duration;

#[cfg(feature = "pdf")]
use image::metadata::Orientation;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::inspection::{Base64, Facts, Thumbnail};
use vestibule_domain::policy::InspectLimits;

use crate::content::Content;
use crate::decode::{self, Decoded, Format, Header};
use crate::encode::encode;
use crate::raster::Raster;
use crate::structure::Structure;
use crate::trouble::Trouble;
use crate::{colour, limits, orient, preview, resize, structure};

/// The revision of everything that decides a thumbnail's bytes: raise it with every change to decoding, colours, resizing or
/// encoding, and with every upgrade of a library that does one of them. It stands in the thumbnails' keys.
pub const RECIPE: &str = "r2";

/// The thumbnails' names and longest sides, in pixels, from the smallest. All always exist: a picture that is smaller keeps its size in
/// each, so that no client has to ask which there are.
pub const VARIANTS: [(&str, u32); 2] = [("320", 320), ("1280", 1280)];

/// Longest encoded thumbnail, in bytes. In base 64 those of [`VARIANTS`] are 5.34 MB together, and a Lambda response ends at 6 MB:
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
fn max_bytes(longest: u32) -> usize {
    if longest <= 320 { 500_000 } else { 3_500_000 }
}

/// No thumbnail was made of a picture: the reason in technical words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotShown(String);

/// Makes thumbnails of a whole picture, and nothing else: no facts, no digest. `variants` are like [`VARIANTS`], from the smallest.
///
/// # Errors
/// When the picture is damaged, beyond the limits, or of a kind that is not decoded here.
pub fn thumbnails(
    content_type: &ContentType,
    bytes: Vec<u8>,
    limits: &InspectLimits,
    variants: &[(&str, u32)],
) -> Result<Vec<Thumbnail>, NotShown> {
    let failed = |why: Trouble| NotShown(why.to_string());
    let format = Format::of(content_type).ok_or_else(|| NotShown(format!("{content_type} is not decoded here")))?;
    let picture = examine(format, bytes, limits, variants).map_err(failed)?;
    Ok(picture.shown.map_err(failed)?.thumbnails)
}

/// Looks into a picture.
///
/// # Errors
/// When it is damaged or beyond the limits.
pub(crate) fn look(format: Format, bytes: Vec<u8>, mut facts: Facts, max: &InspectLimits) -> Result<Content, Trouble> {
    let picture = examine(format, bytes, max, &VARIANTS)?;
    (facts.width, facts.height) = picture.size.unzip();
    facts.frames = picture.frames;
    facts.duration_millis = picture.duration_millis;
    Ok(Content { facts, shown: Some(picture.shown) })
}

/// What a picture gives.
#[derive(Debug)]
struct Picture {
    /// Pixels across and down, as shown; `None` when not even the header can be read here.
    size: Option<(u32, u32)>,
    /// Pictures in the animation; `None` for a still.
    frames: Option<u32>,
    /// How long they are shown once, in milliseconds; `None` for a still.
    duration_millis: Option<u64>,
    /// What was made of its pixels, or why nothing was.
    shown: Result<Shown, Trouble>,
}

/// What a page shows of a picture.
#[derive(Debug)]
pub(crate) struct Shown {
    /// One for each variant that was asked for.
    pub(crate) thumbnails: Vec<Thumbnail>,
    /// Base 64.
    pub(crate) thumbhash: String,
}

/// Examines a picture, and makes `variants` of it, which go from the smallest to the largest. The bytes are let go as soon as they are
/// decoded.
fn examine(format: Format, bytes: Vec<u8>, max: &InspectLimits, variants: &[(&str, u32)]) -> Result<Picture, Trouble> {
    let structure = match structure::walk(format, &bytes, max) {
        Err(unsupported @ Trouble::Unsupported(_)) => return Ok(unseen(unsupported)),
        structure => structure?,
    };
    let longest = variants.iter().map(|(_, longest)| *longest).max().unwrap_or_default();
    let (header, opened) = match decode::open(format, &bytes, longest, max) {
        Err(unsupported @ Trouble::Unsupported(_)) => return Ok(unseen(unsupported)),
        opened => opened?,
    };
    limits::check_pixels(header.width, header.height, max)?;
    limits::check_decoded_bytes(header.decoded_bytes, max)?;
    let decoded = opened.decode(&header, longest);
    drop(bytes);
    let shown = match decoded.and_then(|decoded| show(decoded, &header, variants)) {
        Err(unsupported @ Trouble::Unsupported(_)) => Err(unsupported),
        shown => Ok(shown?),
    };
    Ok(Picture {
        size: Some(orient::shown_size(header.width, header.height, header.orientation)),
        frames: frames(structure),
        duration_millis: duration_millis(structure),
        shown,
    })
}

/// What a page shows of pixels that were made here, such as a document's first page: upright, and in sRGB.
#[cfg(feature = "pdf")]
pub(crate) fn show_raster(raster: Raster) -> Result<Shown, Trouble> {
    let header = Header {
        width: raster.width,
        height: raster.height,
        orientation: Orientation::NoTransforms,
        icc: None,
        decoded_bytes: raster.pixels.len() as u64,
    };
    show(Decoded::whole(raster), &header, &VARIANTS)
}

/// From pixels to thumbnails, each from the next larger one. Everything after the first resize is done on a small picture, where it costs
/// little, and what is already small is encoded once.
pub(crate) fn show(decoded: Decoded, header: &Header, variants: &[(&str, u32)]) -> Result<Shown, Trouble> {
    let longest = variants.last().map_or(0, |(_, longest)| *longest);
    let largest = resize::shrink_decoded(decoded, longest)?;
    let largest = colour::to_srgb(largest, header.icc.as_deref())?.without_opaque_alpha();
    let mut raster = orient::upright(largest, header.orientation)?;
    let mut thumbnails: Vec<Thumbnail> = Vec::new();
    for (name, longest) in variants.iter().rev() {
        let before = (raster.width, raster.height);
        raster = resize::shrink(raster, *longest)?;
        let made = match thumbnails.last() {
            Some(same) if before == (raster.width, raster.height) => {
                Thumbnail { name: (*name).to_owned(), ..same.clone() }
            }
            Some(_) | None => thumbnail(name, &raster, max_bytes(*longest))?,
        };
        thumbnails.push(made);
    }
    thumbnails.reverse();
    Ok(Shown { thumbnails, thumbhash: preview::thumbhash(raster)? })
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

fn duration_millis(structure: Structure) -> Option<u64> {
    let rounded = structure.duration.saturating_add(Duration::from_micros(500));
    frames(structure).and_then(|_| u64::try_from(rounded.as_millis()).ok()).filter(|millis| *millis > 0)
}

/// A valid picture of a kind that is not decoded here.
fn unseen(why: Trouble) -> Picture {
    Picture { size: None, frames: None, duration_millis: None, shown: Err(why) }
}
