//! The poster of a film: its first keyframe that is not black.

use std::ops::Range;

use image::metadata::Orientation;
use vestibule_domain::policy::InspectLimits;

use super::colours::{self, Colours};
use super::h264::{self, Configuration, Frame};
use crate::decode::{Decoded, Header, Planes};
use crate::picture::{self, Shown, VARIANTS};
use crate::resize;
use crate::sparse::Sparse;
use crate::stop::Stop;
use crate::trouble::Trouble;

/// Most keyframes that are decoded for a poster.
pub(super) const MAX_KEYFRAMES: u32 = 4;
/// Longest keyframe that is read, in bytes.
pub(super) const MAX_KEYFRAME_BYTES: u64 = 8 * 1024 * 1024;
/// All keyframes but the first may take this many bytes, or a hundredth of the film, if that is more.
const MORE_KEYFRAMES_BYTES: u64 = 512 * 1024;

/// A poster, or why there is none.
pub(super) type Made = Result<Shown, Trouble>;

/// What is known of a track whose keyframes are painted.
pub(super) struct Painting<'a> {
    /// Its `avcC`.
    pub(super) configuration: &'a [u8],
    /// Its `colr`.
    pub(super) colours: Option<&'a [u8]>,
    /// Pixels across and down, before it is turned, as square ones.
    pub(super) size: (u32, u32),
    /// How it is turned.
    pub(super) orientation: Orientation,
}

/// Paints the poster. `next` says where keyframes are, one after the other. Of keyframes that are all black, the brightest becomes the poster.
///
/// # Errors
/// What has to be read first; or that a keyframe is beyond the end of the file, which was cut off.
pub(super) fn paint(
    file: &Sparse,
    painting: &Painting<'_>,
    max: &InspectLimits,
    mut next: impl FnMut() -> Result<Option<Range<u64>>, Stop>,
) -> Result<Made, Stop> {
    let configuration = match Configuration::of(painting.configuration, max) {
        Ok(configuration) => configuration,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let mut brightest: Option<(u64, Frame)> = None;
    let mut left = (file.size() / 100).max(MORE_KEYFRAMES_BYTES);
    for keyframe in 0..MAX_KEYFRAMES {
        let Some(place) = next()? else { break };
        if place.end > file.size() {
            return Err(Trouble::damaged("MP4: a keyframe beyond its end").into());
        }
        let bytes = place.end.saturating_sub(place.start);
        let afforded = if keyframe == 0 { Some(left) } else { left.checked_sub(bytes) };
        let Some(rest) = afforded.filter(|_| bytes <= MAX_KEYFRAME_BYTES) else { break };
        left = rest;
        let frame = match h264::keyframe(&configuration, &file.bytes(place)?, max) {
            Ok(frame) => frame,
            Err(trouble) if brightest.is_none() => return Ok(Err(trouble)),
            Err(_) => break,
        };
        let light = frame.light(colours_of(&frame, painting).full_range);
        if !light.is_black {
            return Ok(show(frame, painting));
        }
        if brightest.as_ref().is_none_or(|(most, _)| light.sum > *most) {
            brightest = Some((light.sum, frame));
        }
    }
    Ok(match brightest {
        Some((_, frame)) => show(frame, painting),
        None => Err(Trouble::Unsupported("no keyframe that can be read".to_owned())),
    })
}

fn colours_of(frame: &Frame, painting: &Painting<'_>) -> Colours {
    let height = u32::try_from(frame.height).unwrap_or(u32::MAX);
    Colours::of(frame.matrix, frame.full_range, painting.colours, height)
}

/// From a decoded frame to thumbnails.
fn show(frame: Frame, painting: &Painting<'_>) -> Made {
    let longest = VARIANTS.iter().map(|(_, longest)| *longest).max().unwrap_or_default();
    let colours = colours_of(&frame, painting);
    let (width, height) = painting.size;
    let small = Planes { planes: frame.planes(), color: jpeg_scaled::Color::YCbCr };
    let small = small.shrink(resize::fit(width, height, longest))?;
    let decoded = Decoded::resized(colours::to_whole_range(small, &colours), painting.size);
    let header = Header { width, height, orientation: painting.orientation, icc: None, decoded_bytes: 0 };
    picture::show(decoded, &header, &VARIANTS)
}
