//! What a HEIF file (HEIC, AVIF) says of its picture: which coded pictures make it, how they are put together, cut, turned and coloured.
//! ISO/IEC 23008-12 (HEIF), 23000-22 (MIAF), and <https://aomediacodec.github.io/av1-avif/>.
//!
//! No pixel is decoded here, and every size is checked against the limits before anything is made of it.

pub(crate) mod fields;
mod meta;
mod properties;
mod turns;

use vestibule_domain::policy::InspectLimits;

use self::meta::Meta;
use self::properties::Properties;
pub(crate) use self::properties::{Nclx, Window};
use crate::limits::check_pixels;
use crate::trouble::Trouble;
use image::metadata::Orientation;

/// Most pieces that the bytes of a grid's tiles lie in.
const MAX_PIECES: usize = 20_000;

/// Which part of the most pixels a grid may decode besides, for what its last column and row have too much.
const FILLING: u64 = 8;

/// Most auxiliary pictures of a picture that are looked at for an alpha.
const MAX_AUXILIARIES: usize = 16;

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// H.265
    Hevc,
    /// AV1
    Av1,
}

/// A coded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tile<'a> {
    /// The decoder's configuration: the body of `hvcC` or `av1C`.
    pub(crate) config: &'a [u8],
    /// The bitstream, in pieces.
    pub(crate) data: Vec<&'a [u8]>,
}

/// One picture, or tiles of one size that make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coded<'a> {
    pub(crate) codec: Codec,
    /// Pixels across and down.
    pub(crate) size: (u32, u32),
    /// Pixels of a tile across and down. The last column and row may reach out of the picture.
    pub(crate) tile: (u32, u32),
    /// Tiles across.
    pub(crate) columns: u32,
    /// The tiles, row by row.
    pub(crate) tiles: Vec<Tile<'a>>,
}

/// The picture of a HEIF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Still<'a> {
    /// Its colours.
    pub(crate) picture: Coded<'a>,
    /// Its alpha, of the same size.
    pub(crate) alpha: Option<Coded<'a>>,
    /// Whether the colours are multiplied by the alpha.
    pub(crate) is_premultiplied: bool,
    /// The part of it that is shown.
    pub(crate) window: Window,
    /// How to turn it. What EXIF says besides does not count: ISO/IEC 23008-12, 6.5.10.
    pub(crate) orientation: Orientation,
    /// Its colour profile.
    pub(crate) icc: Option<&'a [u8]>,
    /// What its numbers mean.
    pub(crate) nclx: Option<Nclx>,
}

/// Reads what a file says of its picture; `meta` is the body of its `meta` box.
///
/// # Errors
/// - [`Trouble::Damaged`] when the boxes are broken, or bytes of the picture lie outside the file.
/// - [`Trouble::TooManyPixels`] by its own word.
/// - [`Trouble::Unsupported`] for what is no coded picture or grid of such.
pub(crate) fn read<'a>(file: &'a [u8], meta: &'a [u8], limits: &InspectLimits) -> Result<Still<'a>, Trouble> {
    let meta = Meta::read(file, meta)?;
    let properties = Properties::of(&meta, meta.primary)?;
    let picture = coded(&meta, meta.primary, &properties, limits)?;
    let alpha_item = alpha(&meta, meta.primary)?;
    let alpha = match alpha_item {
        Some(item) => Some(coded(&meta, item, &Properties::of(&meta, item)?, limits)?),
        None => None,
    };
    if alpha.as_ref().is_some_and(|alpha| alpha.size != picture.size) {
        return Err(Trouble::Unsupported("an alpha of another size than its picture".to_owned()));
    }
    let is_premultiplied = alpha_item.is_some_and(|alpha| meta.targets(*b"prem", meta.primary).contains(&alpha));
    let (window, orientation) = properties.shown(picture.size)?;
    // A grid has its own profile, or its tiles have it.
    let of_tile = match meta.targets(*b"dimg", meta.primary).first() {
        Some(tile) => Properties::of(&meta, *tile)?,
        None => Properties::default(),
    };
    let is_silent = properties.icc.is_none() && properties.nclx.is_none();
    let colours = if is_silent { &of_tile } else { &properties };
    let (icc, nclx) = (colours.icc, colours.nclx.or(of_tile.nclx));
    Ok(Still { picture, alpha, is_premultiplied, window, orientation, icc, nclx })
}

/// How an item is coded.
fn coded<'a>(
    meta: &Meta<'a>,
    item: u32,
    properties: &Properties<'a>,
    limits: &InspectLimits,
) -> Result<Coded<'a>, Trouble> {
    if properties.asks_for_more {
        return Err(Trouble::Unsupported("a picture with a property that is not known here".to_owned()));
    }
    if let Some((width, height)) = properties.size {
        check_pixels(width, height, limits)?;
    }
    match &meta.kind(item)? {
        b"grid" => grid(meta, item, limits),
        b"hvc1" => single(meta, item, properties, Codec::Hevc),
        b"av01" => single(meta, item, properties, Codec::Av1),
        other => Err(Trouble::Unsupported(format!("a picture of type {}", other.escape_ascii()))),
    }
}

fn single<'a>(meta: &Meta<'a>, item: u32, properties: &Properties<'a>, codec: Codec) -> Result<Coded<'a>, Trouble> {
    let size = properties.size.ok_or_else(|| Trouble::Unsupported("a picture without its size".to_owned()))?;
    Ok(Coded { codec, size, tile: size, columns: 1, tiles: vec![tile(meta, item, properties, codec)?] })
}

fn tile<'a>(meta: &Meta<'a>, item: u32, properties: &Properties<'a>, codec: Codec) -> Result<Tile<'a>, Trouble> {
    let config = match codec {
        Codec::Hevc => properties.hevc,
        Codec::Av1 => properties.av1,
    };
    let config = config.ok_or_else(|| Trouble::damaged(format!("item {item} without its decoder's configuration")))?;
    Ok(Tile { config, data: meta.bytes(item)? })
}

/// A grid: all tiles are coded in the same way and are of one size, and none of them is a grid itself.
fn grid<'a>(meta: &Meta<'a>, item: u32, limits: &InspectLimits) -> Result<Coded<'a>, Trouble> {
    let (rows, columns, size) = meta::grid(&meta.bytes(item)?.concat())?;
    check_pixels(size.0, size.1, limits)?;
    let items = meta.targets(*b"dimg", item);
    if items.len() as u64 != u64::from(rows) * u64::from(columns) {
        return Err(Trouble::damaged(format!("a grid of {rows} × {columns} with {} tiles", items.len())));
    }
    let mut found: Option<(Codec, (u32, u32))> = None;
    let mut tiles = Vec::with_capacity(items.len());
    let (mut pieces, mut bytes) = (0, 0);
    for item in items {
        let codec = match &meta.kind(*item)? {
            b"hvc1" => Codec::Hevc,
            b"av01" => Codec::Av1,
            other => return Err(Trouble::Unsupported(format!("tiles of type {}", other.escape_ascii()))),
        };
        let properties = Properties::of(meta, *item)?;
        let size = properties.size.ok_or_else(|| Trouble::damaged("a tile without its size"))?;
        if properties.asks_for_more || properties.is_changed() || *found.get_or_insert((codec, size)) != (codec, size) {
            return Err(Trouble::Unsupported("tiles that are not alike, or are turned".to_owned()));
        }
        check_pixels(size.0, size.1, limits)?;
        let tile = tile(meta, *item, &properties, codec)?;
        // Tiles may be the same item, or share bytes, but not so that a small file takes long.
        pieces += tile.data.len();
        bytes += tile.data.iter().map(|piece| piece.len()).sum::<usize>();
        if pieces > MAX_PIECES || bytes > meta.file.len().saturating_mul(2) {
            return Err(Trouble::Unsupported("tiles that share their bytes".to_owned()));
        }
        tiles.push(tile);
    }
    let (codec, tile) = found.ok_or_else(|| Trouble::damaged("a grid without tiles"))?;
    // The tiles cover the picture, and none lies outside.
    let covers = |tile: u32, count: u32, size: u32| {
        let (tile, count, size) = (u64::from(tile), u64::from(count), u64::from(size));
        tile * count >= size && tile * (count - 1) < size
    };
    if !covers(tile.0, columns, size.0) || !covers(tile.1, rows, size.1) {
        return Err(Trouble::damaged("a grid whose tiles do not cover it"));
    }
    check_coded(tile, (columns, rows), limits)?;
    Ok(Coded { codec, size, tile, columns, tiles })
}

/// What is decoded, with what reaches out of the picture: tiles may be far larger than it on one side.
fn check_coded(tile: (u32, u32), count: (u32, u32), limits: &InspectLimits) -> Result<(), Trouble> {
    let [across, down] =
        [(tile.0, count.0), (tile.1, count.1)].map(|(side, count)| u64::from(side).saturating_mul(count.into()));
    if across.saturating_mul(down) > limits.max_pixels.saturating_add(limits.max_pixels / FILLING) {
        return Err(Trouble::TooManyPixels(format!("tiles of {across} × {down} in all")));
    }
    Ok(())
}

/// The item that is the alpha of `item`.
fn alpha(meta: &Meta<'_>, item: u32) -> Result<Option<u32>, Trouble> {
    for auxiliary in meta.sources(*b"auxl", item).take(MAX_AUXILIARIES) {
        if Properties::of(meta, auxiliary)?.is_alpha {
            return Ok(Some(auxiliary));
        }
    }
    Ok(None)
}

#[cfg(test)]
pub(crate) mod tests;
