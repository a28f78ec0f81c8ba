//! A film's `moov`: how long it is, and its tracks.

use image::metadata::Orientation;

use super::super::fields::{Fields, millis};
use super::super::{believed, codec};
use super::boxes::{child, children, descendant, versioned};

/// Most tracks that are looked at. Cameras write up to five or six.
const MAX_TRACKS: usize = 16;

/// What a `moov` says.
#[derive(Debug)]
pub(super) struct Movie<'a> {
    /// Its tracks of pictures and of sound, in the file's order.
    pub(super) tracks: Vec<Track<'a>>,
    /// Its length in milliseconds, where it says one. That of a film in fragments is only what is before the first of them.
    pub(super) duration_millis: Option<u64>,
    /// What it says of its fragments, where it has any.
    pub(super) fragments: Option<Fragments>,
}

/// What a film in fragments says of all of them.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// The whole length in milliseconds.
    pub(super) duration_millis: Option<u64>,
    /// What holds for a track's samples unless a fragment says otherwise.
    pub(super) defaults: Vec<Defaults>,
}

/// A `trex` (ISO 14496-12, 8.8.3).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Defaults {
    /// Of which track.
    pub(super) track: u32,
    /// How long a sample takes.
    pub(super) duration: u32,
    /// Bytes of a sample.
    pub(super) size: u32,
    /// Its flags.
    pub(super) flags: u32,
}

/// What a track is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// Pictures.
    Pictures,
    /// Sound.
    Sound,
}

/// One track.
#[derive(Debug)]
pub(super) struct Track<'a> {
    /// Its number.
    pub(super) id: u32,
    /// What it is made of.
    pub(super) media: Media,
    /// Whether it is played at all.
    pub(super) enabled: bool,
    /// Ticks of its clock in a second.
    pub(super) timescale: u32,
    /// Its length in milliseconds.
    pub(super) duration_millis: Option<u64>,
    /// Pixels across and down, before it is turned, as square ones.
    pub(super) size: Option<(u32, u32)>,
    /// How it is turned.
    pub(super) orientation: Orientation,
    /// Its samples' form.
    pub(super) entry: Entry<'a>,
    /// Its sample tables.
    pub(super) table: &'a [u8],
}

/// The first sample description of a track.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    /// Its four characters.
    pub(super) name: [u8; 4],
    /// The codec's name.
    pub(super) codec: Option<String>,
    /// Pixels across and down, as coded.
    pub(super) size: Option<(u32, u32)>,
    /// The boxes behind its fields.
    pub(super) boxes: &'a [u8],
}

/// Reads a `moov`'s content.
pub(super) fn read(moov: &[u8]) -> Movie<'_> {
    let movie_header = child(moov, *b"mvhd");
    let header = movie_header.and_then(clock);
    let turned = movie_header.and_then(movie_matrix).unwrap_or(AS_IT_IS);
    let timescale = header.map_or(0, |(timescale, _)| timescale);
    let fragments = child(moov, *b"mvex").map(|mvex| fragments(mvex, timescale));
    let tracks = children(moov).filter(|(name, _)| name == b"trak");
    Movie {
        tracks: tracks.take(MAX_TRACKS).filter_map(|(_, trak)| track(trak, turned)).collect(),
        duration_millis: header.and_then(|(timescale, ticks)| millis(ticks?, timescale)),
        fragments,
    }
}

/// The clock of an `mvhd` or `mdhd`: its ticks in a second, and how many of them all takes, if that is known.
fn clock(body: &[u8]) -> Option<(u32, Option<u64>)> {
    let (version, _, mut fields) = versioned(body)?;
    let wide = version == 1;
    fields.skip(if wide { 16 } else { 8 })?;
    let timescale = fields.u32()?;
    let ticks = fields.either(wide)?;
    // All ones say that nobody knows.
    let unknown = if wide { u64::MAX } else { u32::MAX.into() };
    Some((timescale, Some(ticks).filter(|ticks| *ticks != 0 && *ticks != unknown)))
}

fn fragments(mvex: &[u8], timescale: u32) -> Fragments {
    let whole = child(mvex, *b"mehd").and_then(|body| {
        let (version, _, mut fields) = versioned(body)?;
        fields.either(version == 1).filter(|ticks| *ticks != 0)
    });
    let trex = |body| {
        let (_, _, mut fields) = versioned(body)?;
        let track = fields.u32()?;
        fields.skip(4)?;
        Some(Defaults { track, duration: fields.u32()?, size: fields.u32()?, flags: fields.u32()? })
    };
    let defaults = children(mvex).filter(|(name, _)| name == b"trex").take(MAX_TRACKS);
    Fragments {
        duration_millis: whole.and_then(|ticks| millis(ticks, timescale)),
        defaults: defaults.filter_map(|(_, body)| trex(body)).collect(),
    }
}

/// A track of pictures or sound; `None` for any other, or where its boxes are not there.
fn track(trak: &[u8], turned: Matrix) -> Option<Track<'_>> {
    let media = child(trak, *b"mdia")?;
    let handler = child(media, *b"hdlr").and_then(|body| body.get(8..12))?;
    let kind = match handler {
        b"vide" => Media::Pictures,
        b"soun" => Media::Sound,
        _ => return None,
    };
    let header = child(trak, *b"tkhd").and_then(track_header)?;
    let (timescale, ticks) = child(media, *b"mdhd").and_then(clock)?;
    let table = descendant(media, &[b"minf", b"stbl"])?;
    let entry = child(table, *b"stsd").and_then(|body| description(body, kind)).unwrap_or_default();
    Some(Track {
        id: header.id,
        media: kind,
        enabled: header.enabled,
        timescale,
        duration_millis: ticks.and_then(|ticks| millis(ticks, timescale)),
        size: own_size(header.size, entry.size).or_else(|| shown_size(&entry)).filter(|_| kind == Media::Pictures),
        orientation: orientation(then(header.matrix, turned)),
        entry,
        table,
    })
}

struct TrackHeader {
    id: u32,
    enabled: bool,
    size: Option<(u32, u32)>,
    matrix: Matrix,
}

/// What a matrix does to directions: `a`, `b`, `c` and `d`, with 16 bits behind their points. Where it puts the picture is passed over.
type Matrix = [i32; 4];

/// The matrix that changes nothing.
const AS_IT_IS: Matrix = [1 << 16, 0, 0, 1 << 16];

fn matrix(fields: &mut Fields<'_>) -> Option<Matrix> {
    let mut all = [0; 9];
    for value in &mut all {
        *value = fields.i32()?;
    }
    let [a, b, _, c, d, ..] = all;
    Some([a, b, c, d])
}

/// The matrix of an `mvhd`, which turns all that its tracks show (ISO 14496-12, 8.2.2).
fn movie_matrix(body: &[u8]) -> Option<Matrix> {
    let (version, _, mut fields) = versioned(body)?;
    // Times and lengths, then how fast and how loud it is played.
    fields.skip(if version == 1 { 28 } else { 16 } + 16)?;
    matrix(&mut fields)
}

/// First one matrix, then the other (ISO 14496-12, 6.2.2): which way each of its numbers points.
fn then(first: Matrix, second: Matrix) -> [i64; 4] {
    let [first, second] = [first, second].map(|matrix| matrix.map(i64::from));
    let (rows, columns) =
        ([[first[0], first[1]], [first[2], first[3]]], [[second[0], second[2]], [second[1], second[3]]]);
    let sign = |row: [i64; 2], column: [i64; 2]| (row[0] * column[0]).saturating_add(row[1] * column[1]).signum();
    [sign(rows[0], columns[0]), sign(rows[0], columns[1]), sign(rows[1], columns[0]), sign(rows[1], columns[1])]
}

/// A `tkhd` (ISO 14496-12, 8.3.2).
fn track_header(body: &[u8]) -> Option<TrackHeader> {
    let (version, flags, mut fields) = versioned(body)?;
    let wide = version == 1;
    fields.skip(if wide { 16 } else { 8 })?;
    let id = fields.u32()?;
    fields.skip(if wide { 28 } else { 24 })?;
    let matrix = matrix(&mut fields)?;
    let size = (rounded(fields.u32()?), rounded(fields.u32()?));
    Some(TrackHeader {
        id,
        enabled: flags & 1 != 0,
        size: Some(size).filter(|(width, height)| *width > 0 && *height > 0),
        matrix,
    })
}

/// A number with 16 bits behind its point, rounded.
fn rounded(fixed: u32) -> u32 {
    (fixed >> 16) + (fixed >> 15 & 1)
}

/// What a matrix does to a picture, by the signs of its numbers: quarters of a turn and mirrors, of which phones and cameras write the first.
/// Whatever else it may say is passed over.
fn orientation(signs: [i64; 4]) -> Orientation {
    match signs {
        [0, 1, -1, 0] => Orientation::Rotate90,
        [-1, 0, 0, -1] => Orientation::Rotate180,
        [0, -1, 1, 0] => Orientation::Rotate270,
        [-1, 0, 0, 1] => Orientation::FlipHorizontal,
        [1, 0, 0, -1] => Orientation::FlipVertical,
        [0, 1, 1, 0] => Orientation::Rotate90FlipH,
        [0, -1, -1, 0] => Orientation::Rotate270FlipH,
        _ => Orientation::NoTransforms,
    }
}

/// The first entry of an `stsd` (ISO 14496-12, 8.5.2).
fn description(body: &[u8], media: Media) -> Option<Entry<'_>> {
    let (_, _, mut fields) = versioned(body)?;
    fields.skip(4)?;
    let (name, entry) = children(fields.0).next()?;
    match media {
        Media::Pictures => pictures(name, entry),
        Media::Sound => sound(name, entry),
    }
}

/// A visual sample entry (ISO 14496-12, 12.1.3).
fn pictures(name: [u8; 4], entry: &[u8]) -> Option<Entry<'_>> {
    let mut fields = Fields(entry);
    fields.skip(24)?;
    let size = (u32::from(fields.u16()?), u32::from(fields.u16()?));
    fields.skip(50)?;
    let boxes = fields.0;
    let called = codec::plain(&name);
    let called = called.as_deref().unwrap_or("unknown");
    let configured = match &name {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => child(boxes, *b"avcC").and_then(|body| codec::avc(called, body)),
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => child(boxes, *b"hvcC").and_then(|body| codec::hevc(called, body)),
        b"vp08" | b"vp09" => child(boxes, *b"vpcC").and_then(|body| codec::vp(called, body)),
        b"av01" => child(boxes, *b"av1C").and_then(codec::av1),
        b"mp4v" => child(boxes, *b"esds").and_then(|body| codec::elementary(called, body)),
        _ => None,
    };
    let codec = configured.or_else(|| codec::plain(&name));
    Some(Entry { name, codec, size: Some(size).filter(|(width, height)| *width > 0 && *height > 0), boxes })
}

/// An audio sample entry (ISO 14496-12, 12.2.3), or the longer ones of `QuickTime`.
/// <https://developer.apple.com/documentation/quicktime-file-format/sound_sample_description_version_1>
fn sound(name: [u8; 4], entry: &[u8]) -> Option<Entry<'_>> {
    let mut fields = Fields(entry);
    fields.skip(8)?;
    let version = fields.u16()?;
    fields.skip(18)?;
    fields.skip(match version {
        1 => 16,
        2 => 36,
        _ => 0,
    })?;
    let boxes = fields.0;
    let configured = match &name {
        // QuickTime puts it into a box of its own.
        b"mp4a" => child(boxes, *b"esds")
            .or_else(|| descendant(boxes, &[b"wave", b"esds"]))
            .and_then(|body| codec::elementary("mp4a", body)),
        b"Opus" => Some("opus".to_owned()),
        b"fLaC" => Some("flac".to_owned()),
        b".mp3" => Some("mp3".to_owned()),
        _ => None,
    };
    Some(Entry { name, codec: configured.or_else(|| codec::plain(&name)), size: None, boxes })
}

/// The size that a track says it is shown in, if that can be. Encoders that round its pixels' shape may miss that of the pixels by one.
fn own_size(shown: Option<(u32, u32)>, coded: Option<(u32, u32)>) -> Option<(u32, u32)> {
    let (Some(shown), Some(coded)) = (shown, coded) else { return shown };
    let is_near = shown.0.abs_diff(coded.0) <= 1 && shown.1.abs_diff(coded.1) <= 1;
    if is_near { Some(coded) } else { believed(shown, coded) }
}

/// The size that a track without one of its own has: as coded, with square pixels.
fn shown_size(entry: &Entry<'_>) -> Option<(u32, u32)> {
    let (width, height) = entry.size?;
    let aspect = child(entry.boxes, *b"pasp").and_then(|body| {
        let mut fields = Fields(body);
        Some((u64::from(fields.u32()?), u64::from(fields.u32()?)))
    });
    let stretched = aspect.and_then(|(across, down)| (u64::from(width) * across).checked_div(down));
    let stretched = stretched.and_then(|width| u32::try_from(width).ok());
    Some(stretched.and_then(|stretched| believed((stretched, height), (width, height))).unwrap_or((width, height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_turns_by_quarters_or_not_at_all() {
        const ONE: i32 = 1 << 16;
        for (matrix, expected) in [
            ([ONE, 0, 0, ONE], Orientation::NoTransforms),
            ([0, ONE, -ONE, 0], Orientation::Rotate90),
            ([-ONE, 0, 0, -ONE], Orientation::Rotate180),
            ([0, -ONE, ONE, 0], Orientation::Rotate270),
            ([-ONE, 0, 0, ONE], Orientation::FlipHorizontal),
            ([2 * ONE, 0, 0, 2 * ONE], Orientation::NoTransforms),
            ([i32::MIN, 7, 7, i32::MAX], Orientation::NoTransforms),
        ] {
            assert_eq!(orientation(then(matrix, AS_IT_IS)), expected, "{matrix:?}");
            assert_eq!(orientation(then(AS_IT_IS, matrix)), expected, "{matrix:?}");
        }
        let (quarter, mirror) = ([0, ONE, -ONE, 0], [-ONE, 0, 0, ONE]);
        assert_eq!(orientation(then(quarter, quarter)), Orientation::Rotate180);
        assert_eq!(orientation(then(quarter, [0, -ONE, ONE, 0])), Orientation::NoTransforms);
        assert_eq!(orientation(then(quarter, mirror)), Orientation::Rotate90FlipH);
        assert_eq!(orientation(then(mirror, quarter)), Orientation::Rotate270FlipH);
        assert_eq!(orientation(then([i32::MIN; 4], [i32::MIN; 4])), Orientation::NoTransforms);
    }

    #[test]
    fn the_matrix_of_the_movie_is_behind_its_times_and_its_loudness() {
        let numbers: Vec<u8> = [1, 2, 3, 4, 5, 6, 7, 8, 9_u32].iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(movie_matrix(&[&[0; 36][..], &numbers].concat()), Some([1, 2, 4, 5]));
        assert_eq!(movie_matrix(&[&[1][..], &[0; 47], &numbers].concat()), Some([1, 2, 4, 5]));
        assert_eq!(movie_matrix(&[0; 71]), None);
    }

    #[test]
    fn a_size_of_its_own_counts_more_than_the_pixels_shape_and_that_more_than_the_pixels() {
        let boxes = b"\0\0\0\x10pasp\0\0\0\x40\0\0\0\x2D";
        let entry = |boxes| Entry { size: Some((720, 576)), boxes, ..Entry::default() };
        assert_eq!(shown_size(&entry(boxes)), Some((1024, 576)));
        assert_eq!(shown_size(&entry(&[])), Some((720, 576)));
        assert_eq!(shown_size(&entry(b"\0\0\0\x10pasp\0\0\0\x01\0\0\0\0")), Some((720, 576)));
        assert_eq!(own_size(Some((3841, 2160)), Some((3840, 2160))), Some((3840, 2160)));
        assert_eq!(own_size(Some((1024, 576)), Some((720, 576))), Some((1024, 576)));
        for lie in [(65_535, 65_535), (1, 1), (720, 65_535), (1, 576), (720, 191), (2161, 576)] {
            assert_eq!(own_size(Some(lie), Some((720, 576))), None, "{lie:?}");
        }
        assert_eq!(own_size(Some((2160, 192)), Some((720, 576))), Some((2160, 192)));
        assert_eq!(shown_size(&entry(b"\0\0\0\x10pasp\0\0\xFF\xFF\0\0\0\x01")), Some((720, 576)));
        assert_eq!((own_size(Some((16, 9)), None), own_size(None, Some((16, 9)))), (Some((16, 9)), None));
        assert_eq!((rounded(0x0140_8000), rounded(0x0140_7FFF)), (321, 320));
    }

    #[test]
    fn a_clock_that_says_all_ones_knows_nothing() {
        let mvhd = |ticks: u32| [&[0; 12][..], &1000_u32.to_be_bytes(), &ticks.to_be_bytes()].concat();
        assert_eq!(clock(&mvhd(1500)), Some((1000, Some(1500))));
        assert_eq!(clock(&mvhd(u32::MAX)), Some((1000, None)));
        assert_eq!(clock(&mvhd(0)), Some((1000, None)));
        assert_eq!(clock(&mvhd(1)[..19]), None);
    }
}
