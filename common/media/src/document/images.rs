//! How many pixels an image of a page has, by the words of whatever its decoder goes by, before it is decoded.

use hayro::hayro_interpret::hayro_syntax::Filter;
use hayro::hayro_interpret::hayro_syntax::object::dict::keys::{
    COLORSPACE, COLUMNS, CS, DECODE_PARMS, DP, H, HEIGHT, MASK, SMASK, W, WIDTH,
};
use hayro::hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Stream};
use memchr::memmem;
use vestibule_domain::policy::InspectLimits;

/// Nanoseconds that a pixel takes to decode, whatever its compression, but for JPEG 2000.
const PIXEL: f64 = 15.0;
/// The same of JPEG 2000.
const WAVELET: f64 = 100.0;
/// The same where a function of the document's own turns its numbers into a colour.
const TINTED: f64 = 150.0;

/// What an image costs.
pub(super) struct Pixels {
    /// Pixels of the image itself.
    pub(super) shown: f64,
    /// Nanoseconds until it and its masks are decoded.
    pub(super) cost: f64,
}

/// The image's pixels and those of its mask; `None` when either has more than a picture may, or does not say.
pub(super) fn pixels(image: &Stream<'_>, limits: &InspectLimits) -> Option<Pixels> {
    let shown = within(image, limits)?;
    let mask = [SMASK, MASK].into_iter().find_map(|key| image.dict().get::<Stream<'_>>(key));
    let masked = mask.map_or(Some(0.0), |mask| within(&mask, limits))?;
    let each = if image.filters().contains(&Filter::JpxDecode) { WAVELET } else { PIXEL };
    let each = if is_tinted(image.dict()) { each + TINTED } else { each };
    Some(Pixels { shown, cost: shown * each + masked * PIXEL })
}

/// The pixels that are decoded; `None` for too many.
fn within(image: &Stream<'_>, limits: &InspectLimits) -> Option<f64> {
    let dict = image.dict();
    let number = |short: &'static [u8], long: &'static [u8]| dict.get::<u32>(short).or_else(|| dict.get::<u32>(long));
    let said = (number(W, WIDTH)?, number(H, HEIGHT)?);
    let mut most = count(said);
    let filters = image.filters();
    for (at, filter) in filters.iter().enumerate() {
        let decoded = match filter {
            // These go by what their own bytes say, which are not seen behind another filter.
            Filter::JpxDecode | Filter::Jbig2Decode if at > 0 => return None,
            Filter::JpxDecode => wavelet_size(&image.raw_data())?,
            Filter::Jbig2Decode => bilevel_size(&image.raw_data())?,
            Filter::CcittFaxDecode => (columns(dict)?, said.1),
            // JPEG's are cut to what the dictionary says, and the others are so many bytes as they have.
            Filter::AsciiHexDecode
            | Filter::Ascii85Decode
            | Filter::LzwDecode
            | Filter::FlateDecode
            | Filter::RunLengthDecode
            | Filter::DctDecode
            | Filter::Crypt => said,
        };
        most = most.max(count(decoded));
    }
    #[expect(clippy::cast_precision_loss, reason = "at most the limit's pixels")]
    (most <= limits.max_pixels).then_some(most as f64)
}

fn count((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// The columns of a fax: its width unless its parameters say otherwise, and 1,728 if they say nothing. ISO 32000-1, table 11.
fn columns(dict: &Dict<'_>) -> Option<u32> {
    let one = |key: &'static [u8]| {
        dict.get::<Dict<'_>>(key)
            .map(|one| vec![one])
            .or_else(|| Some(dict.get::<Array<'_>>(key)?.iter::<Dict<'_>>().collect()))
    };
    let parameters = one(DP).or_else(|| one(DECODE_PARMS)).unwrap_or_default();
    let columns = parameters.iter().filter_map(|parameters| parameters.get::<usize>(COLUMNS)).max().unwrap_or(1728);
    u32::try_from(columns).ok()
}

/// The size in a JPEG 2000 codestream's SIZ segment, which begins it. ISO 15444-1, A.5.1.
fn wavelet_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let at = memmem::find(bytes, b"\xFF\x4F\xFF\x51")?;
    let number = |from: usize| Some(u32::from_be_bytes(bytes.get(at + from..at + from + 4)?.try_into().ok()?));
    Some((number(8)?, number(12)?))
}

/// The size in JBIG2's page information, which must be the first segment. ISO 14492, 7.2 and 7.4.8.
fn bilevel_size(bytes: &[u8]) -> Option<(u32, u32)> {
    const PAGE_INFORMATION: u8 = 48;
    const LARGEST: u32 = 65_535;
    let (kind, referred) = (bytes.get(4)?, bytes.get(5)?);
    if kind & 0x3F != PAGE_INFORMATION || referred >> 5 != 0 {
        return None;
    }
    // The page's number has one byte or four, and then comes the segment's length.
    let at = if kind & 0x40 == 0 { 11 } else { 14 };
    let number = |from: usize| Some(u32::from_be_bytes(bytes.get(from..from + 4)?.try_into().ok()?));
    let (width, height) = (number(at)?, number(at + 4)?);
    Some((width, height.min(LARGEST)))
}

/// Whether its colours are made by a function: `Separation` and `DeviceN`. A name may stand for one, and is taken for one.
fn is_tinted(dict: &Dict<'_>) -> bool {
    const PLAIN: [&[u8]; 12] = [
        b"DeviceGray",
        b"DeviceRGB",
        b"DeviceCMYK",
        b"G",
        b"RGB",
        b"CMYK",
        b"I",
        b"CalGray",
        b"CalRGB",
        b"Lab",
        b"ICCBased",
        b"Indexed",
    ];
    [CS, COLORSPACE].into_iter().any(|key| {
        let name = dict.get::<Name<'_>>(key).or_else(|| dict.get::<Array<'_>>(key)?.iter::<Name<'_>>().next());
        name.is_some_and(|name| !PLAIN.contains(&name.as_ref()))
    })
}
