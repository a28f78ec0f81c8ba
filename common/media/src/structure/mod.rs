//! Walks a picture's blocks to its end without decoding a pixel: is all of it there, and how many frames has it?
//!
//! The decoders are no judges of that: they stop reading at the last pixel. BMP and TIFF have no such skeleton; their decoders do notice missing bytes.

mod gif;
#[cfg(any(feature = "heic", feature = "avif"))]
mod heif;
mod jpeg;
#[cfg(feature = "jxl")]
mod jxl;
mod png;
mod webp;

use std::time::Duration;

use vestibule_domain::policy::InspectLimits;

#[cfg(feature = "jxl")]
pub(crate) use self::jxl::codestream as jxl_codestream;
use crate::decode::Format;
use crate::polyglot;
use crate::trouble::Trouble;

/// What the walk finds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Structure {
    /// Pictures in the animation; 0 or 1 for a still.
    pub(crate) frames: u32,
    /// How long they are shown, all together.
    pub(crate) duration: Duration,
    /// Where the picture ends, in bytes from the beginning; `None` where that cannot be told.
    pub(crate) end: Option<usize>,
}

impl Structure {
    /// The structure of a picture of which `rest` is left behind its end.
    fn ended(self, bytes: &[u8], rest: &[u8]) -> Self {
        Self { end: Some(bytes.len() - rest.len()), ..self }
    }
}

/// Walks `bytes`, and looks at what is behind their end.
pub(crate) fn walk(format: Format, bytes: &[u8], limits: &InspectLimits) -> Result<Structure, Trouble> {
    let structure = match format {
        Format::Jpeg => jpeg::walk(bytes),
        Format::Png => png::walk(bytes, limits),
        Format::Gif => gif::walk(bytes, limits),
        Format::Webp => webp::walk(bytes, limits),
        #[cfg(feature = "heic")]
        Format::Heic => heif::walk(bytes, limits),
        #[cfg(feature = "avif")]
        Format::Avif => heif::walk(bytes, limits),
        #[cfg(feature = "jxl")]
        Format::Jxl => jxl::walk(bytes),
        Format::Bmp | Format::Tiff => Ok(Structure::default()),
    }?;
    let behind = structure.end.and_then(|end| bytes.get(end..)).unwrap_or_default();
    match polyglot::tail(format, behind) {
        Some(what) => Err(Trouble::Polyglot(what)),
        None => Ok(structure),
    }
}

/// Where a JPEG at the beginning of `bytes` ends; `None` when it is not whole.
pub(crate) fn jpeg_end(bytes: &[u8]) -> Option<usize> {
    jpeg::walk(bytes).ok()?.end
}

/// Bytes of the shortest header of a box.
#[cfg(any(feature = "heic", feature = "avif", feature = "jxl"))]
const BOX_HEADER: usize = 8;

/// Whether a box may begin at `rest`: its name is of letters and digits.
#[cfg(any(feature = "heic", feature = "avif", feature = "jxl"))]
fn is_box(rest: &[u8]) -> bool {
    rest.get(4..BOX_HEADER).is_some_and(|name| name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' '))
}

/// Refuses a file that ends in the middle of a box's header. Padding may be as short.
#[cfg(any(feature = "heic", feature = "avif", feature = "jxl"))]
fn no_half_header(rest: &[u8]) -> Result<(), Trouble> {
    if (1..BOX_HEADER).contains(&rest.len()) && rest.iter().any(|byte| *byte != 0) {
        return Err(Trouble::damaged("it ends in the middle of a box's header"));
    }
    Ok(())
}

/// The next `count` bytes of `rest`.
pub(crate) fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Trouble> {
    let (taken, left) =
        rest.split_at_checked(count).ok_or_else(|| Trouble::damaged("it ends in the middle of a block"))?;
    *rest = left;
    Ok(taken)
}

/// The next `N` bytes of `rest`.
pub(crate) fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Trouble> {
    let (taken, left) =
        rest.split_first_chunk::<N>().ok_or_else(|| Trouble::damaged("it ends in the middle of a block"))?;
    *rest = left;
    Ok(*taken)
}

/// A length as a count of bytes in memory.
pub(crate) fn count(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
