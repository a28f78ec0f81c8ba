//! HEIC and AVIF: the coded pictures are decoded a row of tiles at a time, and their planes become rows of pixels, which are made smaller at
//! once. Luma and chromas become red, green and blue only afterwards, on the small picture: both are sums, so the order does not matter.

#[cfg(feature = "avif")]
mod av1;
mod colours;
mod frame;
#[cfg(feature = "heic")]
mod hevc;
mod rows;

use vestibule_domain::policy::InspectLimits;

use self::colours::Colours;
use self::frame::{Frame, Sampling};
use self::rows::Rows;
use super::shrink::Shrink;
use super::{Decoded, Header, Pixels};
use crate::heif::fields::find;
use crate::heif::{self, Codec, Still, Tile, Window};
use crate::raster::{Layout, Raster};
use crate::resize;
use crate::trouble::Trouble;

/// By how many pixels a coded picture may be wider or higher than what is announced of it: encoders fill up whole blocks.
const MAX_FILLING: u32 = 64;

/// A HEIF file whose boxes have been read.
pub(crate) struct Heif<'a>(Still<'a>);

/// Reads the boxes.
pub(super) fn open<'a>(bytes: &'a [u8], limits: &InspectLimits) -> Result<(Header, Heif<'a>), Trouble> {
    let meta = find(bytes, *b"meta").unwrap_or_default();
    let meta = meta.ok_or_else(|| Trouble::Unsupported("a HEIF file that is only a film".to_owned()))?;
    let still = heif::read(bytes, meta, limits)?;
    let (width, height) = still.window.size;
    let header = Header {
        width,
        height,
        orientation: still.orientation,
        icc: still.icc.map(<[u8]>::to_vec).or_else(|| colours::profile(still.nclx?.primaries)),
        decoded_bytes: u64::from(width) * u64::from(height) * if still.alpha.is_some() { 4 } else { 3 },
    };
    Ok((header, Heif(still)))
}

impl Heif<'_> {
    /// Decodes it.
    pub(crate) fn decode(&self, header: &Header, longest: u32) -> Result<Decoded, Trouble> {
        let still = &self.0;
        let Window { left, top, size } = still.window;
        let is_whole = resize::fit(size.0, size.1, longest) == size;
        let mut picture = Rows::new(&still.picture, is_whole)?;
        let mut alpha = still.alpha.as_ref().map(|alpha| Rows::new(alpha, false)).transpose()?;
        let colours = Colours::of(still.nclx.or(picture.nclx()), picture.sampling())?;
        let is_grey = picture.sampling() == Sampling::Grey;
        let layout = match (is_grey, alpha.is_some()) {
            (true, false) => Layout::Gray,
            (true, true) => Layout::GrayAlpha,
            (false, false) => Layout::Ycc,
            (false, true) => Layout::Rgba,
        };
        let mut shrink = Shrink::new((header.width, header.height), layout, longest);
        let mut row = vec![0; length(size.0).saturating_mul(layout.channels())];
        let columns = length(left)..length(left).saturating_add(length(size.0));
        for y in top..top.saturating_add(size.1) {
            let planes = picture.row(y, columns.clone())?;
            match &mut alpha {
                None => interleave(planes, &mut row, is_grey),
                Some(alpha) => {
                    let [alpha, ..] = alpha.row(y, columns.clone())?;
                    interleave_with_alpha(planes, alpha, &mut row, &colours, still.is_premultiplied);
                }
            }
            shrink.row(&row)?;
        }
        coloured(shrink.finish()?, &colours)
    }
}

/// Rows of samples as a row of pixels, whose numbers stay as they are.
fn interleave([luma, blue, red]: [&[u8]; 3], row: &mut [u8], is_grey: bool) {
    if is_grey {
        row.copy_from_slice(luma);
        return;
    }
    let chromas = blue.iter().zip(red);
    for ((pixel, luma), (blue, red)) in row.as_chunks_mut::<3>().0.iter_mut().zip(luma).zip(chromas) {
        *pixel = [*luma, *blue, *red];
    }
}

/// Rows of samples as a row of pixels in red, green and blue, or in grey, with their alpha.
fn interleave_with_alpha(
    [luma, blue, red]: [&[u8]; 3],
    alpha: &[u8],
    row: &mut [u8],
    colours: &Colours,
    is_premultiplied: bool,
) {
    let light = |light: u8, alpha: u8| if is_premultiplied { divided(light, alpha) } else { light };
    let samples = luma.iter().zip(alpha);
    if blue.is_empty() {
        for (pixel, (luma, alpha)) in row.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
            *pixel = [light(colours.grey(*luma), *alpha), *alpha];
        }
        return;
    }
    let chromas = blue.iter().zip(red);
    for ((pixel, (luma, alpha)), (blue, red)) in row.as_chunks_mut::<4>().0.iter_mut().zip(samples).zip(chromas) {
        let [red, green, blue] = colours.rgb([*luma, *blue, *red]).map(|colour| light(colour, *alpha));
        *pixel = [red, green, blue, *alpha];
    }
}

/// A colour into which an alpha was multiplied, without it.
fn divided(light: u8, alpha: u8) -> u8 {
    let whole = (u32::from(light) * 255 + u32::from(alpha) / 2).checked_div(alpha.into()).unwrap_or_default();
    u8::try_from(whole).unwrap_or(u8::MAX)
}

/// The picture in red, green and blue, or in grey; where its numbers are those of JFIF it stays as it is.
fn coloured(decoded: Decoded, colours: &Colours) -> Result<Decoded, Trouble> {
    let Pixels::Rows { raster, covered } = decoded.pixels else { return Ok(decoded) };
    let Raster { width, height, mut layout, mut pixels } = raster;
    match layout {
        Layout::Ycc if !colours.are_jfif() => {
            pixels.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = colours.rgb(*pixel));
            layout = Layout::Rgb;
        }
        Layout::Gray => pixels.iter_mut().for_each(|pixel| *pixel = colours.grey(*pixel)),
        Layout::Ycc | Layout::GrayAlpha | Layout::Rgb | Layout::Rgba | Layout::Cmyk => {}
    }
    let raster = Raster::new(width, height, layout, pixels)?;
    Ok(Decoded { pixels: Pixels::Rows { raster, covered }, ..decoded })
}

/// Decodes a coded picture that should be of `size`.
fn decoded(codec: Codec, tile: &Tile<'_>, size: (u32, u32)) -> Result<Frame, Trouble> {
    let frame = match codec {
        #[cfg(feature = "heic")]
        Codec::Hevc => hevc::decode(tile, size),
        #[cfg(not(feature = "heic"))]
        Codec::Hevc => Err(Trouble::Unsupported("HEVC, by how this was built".to_owned())),
        #[cfg(feature = "avif")]
        Codec::Av1 => av1::decode(tile, size),
        #[cfg(not(feature = "avif"))]
        Codec::Av1 => Err(Trouble::Unsupported("AV1, by how this was built".to_owned())),
    }?;
    if frame.size.0 < size.0 || frame.size.1 < size.1 {
        return Err(Trouble::Unsupported(format!("{:?} pixels where {size:?} are announced", frame.size)));
    }
    Ok(frame)
}

/// Most pixels across and down that may be coded where `announced` are: more would need memory and time that nobody checked.
fn most_coded(announced: (u32, u32)) -> (u32, u32) {
    (announced.0.saturating_add(MAX_FILLING), announced.1.saturating_add(MAX_FILLING))
}

/// Whether no more pixels are coded than there may be.
fn check_coded(kind: &str, coded: (u32, u32), announced: (u32, u32)) -> Result<(), Trouble> {
    let most = most_coded(announced);
    if coded.0 > most.0 || coded.1 > most.1 {
        let why = format!("{kind}: {coded:?} pixels are coded where {announced:?} are announced");
        return Err(Trouble::Unsupported(why));
    }
    Ok(())
}

fn length(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}
