//! A film's fragments: `moof` boxes, the samples of each, and the indexes that say how long all of them are (ISO 14496-12, 8.8 and 8.16).

use std::ops::Range;

use super::boxes::{child, children, versioned};
use super::movie::Defaults;

/// What a fragment says of one track.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// The track's number.
    pub(super) track: u32,
    /// When it begins, in the track's ticks, where it says so.
    pub(super) begins: Option<u64>,
    /// How many ticks its samples take.
    pub(super) ticks: u64,
    /// Where its first sample is, if that is a keyframe.
    pub(super) keyframe: Option<Range<u64>>,
}

/// What a `tfhd` says (ISO 14496-12, 8.8.7).
struct Header {
    track: u32,
    base: Option<u64>,
    defaults: Defaults,
}

/// The parts of a `moof` that begins at `at`, whose content is `moof`.
pub(super) fn parts(moof: &[u8], at: u64, defaults: &[Defaults]) -> Vec<Part> {
    let mut parts = Vec::new();
    // Where the samples of a track begin that does not say it: behind those of the one before, or where the fragment does.
    let mut next = at;
    for (_, traf) in children(moof).filter(|(name, _)| name == b"traf").take(16) {
        let Some(header) = child(traf, *b"tfhd").and_then(|body| header(body, at, defaults)) else { continue };
        let mut part = Part {
            track: header.track,
            begins: child(traf, *b"tfdt").and_then(|body| {
                let (version, _, mut fields) = versioned(body)?;
                fields.either(version == 1)
            }),
            ..Part::default()
        };
        let base = header.base.unwrap_or(next);
        let mut place = base;
        let mut is_first = true;
        for (_, trun) in children(traf).filter(|(name, _)| name == b"trun") {
            let Some(end) = run(trun, base, place, &header.defaults, is_first, &mut part) else { break };
            place = end;
            is_first = false;
        }
        next = place;
        parts.push(part);
    }
    parts
}

fn header(body: &[u8], at: u64, defaults: &[Defaults]) -> Option<Header> {
    let (_, flags, mut fields) = versioned(body)?;
    let track = fields.u32()?;
    let base = if flags & 0x1 != 0 { Some(fields.u64()?) } else { Some(at).filter(|_| flags & 0x02_0000 != 0) };
    if flags & 0x2 != 0 {
        fields.skip(4)?;
    }
    let mut of = defaults.iter().find(|of| of.track == track).copied().unwrap_or_default();
    for (flag, value) in [(0x8, &mut of.duration), (0x10, &mut of.size), (0x20, &mut of.flags)] {
        if flags & flag != 0 {
            *value = fields.u32()?;
        }
    }
    Some(Header { track, base, defaults: of })
}

/// Adds a `trun`'s samples to the part (ISO 14496-12, 8.8.8), and says where the last of them ends. `place` is where they begin if they do
/// not say it.
fn run(body: &[u8], base: u64, place: u64, defaults: &Defaults, is_first: bool, part: &mut Part) -> Option<u64> {
    let (_, flags, mut fields) = versioned(body)?;
    let count = fields.u32()?;
    let start = if flags & 0x1 != 0 { base.checked_add_signed(fields.i32()?.into())? } else { place };
    let mut first_flags = if flags & 0x4 != 0 { Some(fields.u32()?) } else { None };
    let mut end = start;
    let has_fields = flags & 0xF00 != 0;
    if !has_fields {
        // All are the same, however many they say they are.
        part.ticks = part.ticks.saturating_add(u64::from(count) * u64::from(defaults.duration));
    }
    // Where each has fields, the box ends them, however many it says there are.
    for number in 0..(if has_fields { count } else { count.min(1) }) {
        let mut of = *defaults;
        for (flag, value) in [(0x100, &mut of.duration), (0x200, &mut of.size), (0x400, &mut of.flags)] {
            if flags & flag != 0 {
                *value = fields.u32()?;
            }
        }
        if flags & 0x800 != 0 {
            fields.skip(4)?;
        }
        if has_fields {
            part.ticks = part.ticks.saturating_add(of.duration.into());
        }
        let sample = end..end.checked_add(of.size.into())?;
        let is_keyframe = is_sync(first_flags.take().unwrap_or(of.flags));
        if is_first && number == 0 && is_keyframe {
            part.keyframe = Some(sample.clone());
        }
        end = sample.end;
    }
    if has_fields { Some(end) } else { start.checked_add(u64::from(count) * u64::from(defaults.size)) }
}

/// Whether a sample's flags do not say that it depends on others: `sample_is_non_sync_sample` (ISO 14496-12, 8.8.3.1).
fn is_sync(flags: u32) -> bool {
    flags & 0x0001_0000 == 0
}

/// An index of the whole film.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    /// How long what it points to is, in ticks of its clock.
    pub(super) ticks: u64,
    /// Its clock's ticks in a second.
    pub(super) timescale: u32,
    /// Where what it points to ends.
    pub(super) end: u64,
}

/// A `sidx` whose box ends at `box_end` (ISO 14496-12, 8.16.3).
pub(super) fn index(body: &[u8], box_end: u64) -> Option<Index> {
    let (version, _, mut fields) = versioned(body)?;
    fields.skip(4)?;
    let timescale = fields.u32()?;
    let wide = version != 0;
    // When it begins: a stream may have been on for hours before it was cut from it.
    fields.either(wide)?;
    let mut end = box_end.checked_add(fields.either(wide)?)?;
    fields.skip(2)?;
    let mut ticks = 0_u64;
    for _ in 0..fields.u16()? {
        end = end.checked_add(u64::from(fields.u32()? & 0x7FFF_FFFF))?;
        ticks = ticks.checked_add(fields.u32()?.into())?;
        fields.skip(4)?;
    }
    Some(Index { ticks, timescale, end })
}

/// Length of an `mfro`, which is a file's last box where there is an `mfra`, and says how long that is (ISO 14496-12, 8.8.11).
pub(super) const MFRO_BYTES: u64 = 16;

/// How long an `mfra` is, from the file's last bytes; `None` when these are no `mfro`.
pub(super) fn random_access_bytes(last: &[u8]) -> Option<u64> {
    let body = child(last, *b"mfro")?;
    let (_, _, mut fields) = versioned(body)?;
    fields.u32().map(u64::from)
}

/// Where the last fragment begins to which an `mfra` leads (ISO 14496-12, 8.8.10).
pub(super) fn last_fragment(mfra: &[u8]) -> Option<u64> {
    let last = |body| {
        let (version, _, mut fields) = versioned(body)?;
        fields.skip(4)?;
        let lengths = fields.u32()?;
        let numbers = (0..3).map(|of| usize::try_from(lengths >> (2 * of) & 3).map_or(1, |bytes| bytes + 1));
        let numbers: usize = numbers.sum();
        let entries = usize::try_from(fields.u32()?).ok()?;
        let before = (if version == 1 { 16 } else { 8 } + numbers).checked_mul(entries.checked_sub(1)?)?;
        fields.skip(before)?;
        fields.either(version == 1)?;
        fields.either(version == 1)
    };
    children(mfra).filter(|(name, _)| name == b"tfra").filter_map(|(_, body)| last(body)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(name: [u8; 4], flags: u32, words: &[u32]) -> Vec<u8> {
        let body: Vec<u8> = [flags].iter().chain(words).flat_map(|word| word.to_be_bytes()).collect();
        [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], &name, &body].concat()
    }

    fn traf(boxes: &[Vec<u8>]) -> Vec<u8> {
        let body = boxes.concat();
        [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], b"traf", &body].concat()
    }

    const NOT_SYNC: u32 = 0x0001_0000;

    #[test]
    fn a_fragment_says_where_its_keyframe_is_and_how_long_it_takes() {
        let moof = traf(&[
            full(*b"tfhd", 0x02_0020, &[1, NOT_SYNC]),
            full(*b"tfdt", 0, &[500]),
            full(*b"trun", 0x705, &[2, 200, 0, 10, 1000, 0, 20, 900, 0]),
        ]);
        let moof = [moof, traf(&[full(*b"tfhd", 0x02_0018, &[2, 7, 3]), full(*b"trun", 0x1, &[5, 5000])])].concat();
        assert_eq!(
            parts(&moof, 10_000, &[]),
            [
                Part { track: 1, begins: Some(500), ticks: 30, keyframe: Some(10_200..11_200) },
                Part { track: 2, begins: None, ticks: 35, keyframe: Some(15_000..15_003) },
            ]
        );
    }

    #[test]
    fn what_a_fragment_does_not_say_the_film_says_and_samples_follow_on_each_other() {
        let defaults = [Defaults { track: 1, duration: 40, size: 100, flags: NOT_SYNC }];
        let moof = [
            traf(&[full(*b"tfhd", 0x1, &[1, 0, 700]), full(*b"trun", 0x4, &[3, 0])]),
            traf(&[full(*b"tfhd", 0, &[1]), full(*b"trun", 0x4, &[1, 0]), full(*b"trun", 0, &[1])]),
            traf(&[full(*b"tfhd", 0, &[1]), full(*b"trun", 0, &[1])]),
        ]
        .concat();
        let found: Vec<_> =
            parts(&moof, 10_000, &defaults).into_iter().map(|part| (part.ticks, part.keyframe)).collect();
        assert_eq!(found, [(120, Some(700..800)), (80, Some(1000..1100)), (40, None)]);
    }

    #[test]
    fn runs_that_lie_cost_nothing() {
        let moof = traf(&[full(*b"tfhd", 0x18, &[1, u32::MAX, u32::MAX]), full(*b"trun", 0, &[u32::MAX])]);
        assert_eq!(parts(&moof, 0, &[]).len(), 1);
        let moof = traf(&[full(*b"tfhd", 0, &[1]), full(*b"trun", 0x100, &[u32::MAX, 5])]);
        assert_eq!(parts(&moof, 0, &[])[0].ticks, 5);
    }

    #[test]
    fn all_samples_of_a_long_fragment_count() {
        let moof = traf(&[full(*b"tfhd", 0, &[1]), full(*b"trun", 0x100, &[&[21_600][..], &vec![3; 21_600]].concat())]);
        assert_eq!(parts(&moof, 0, &[])[0].ticks, 3 * 21_600);
    }

    #[test]
    fn an_index_says_how_long_all_is_and_where_it_ends() {
        let sidx = full(*b"sidx", 0, &[1, 1000, 20, 50, 2, 0x8000_0064, 3000, 0, 200, 500, 0]);
        let body = child(&sidx, *b"sidx").unwrap();
        assert_eq!(index(body, 1000), Some(Index { ticks: 3500, timescale: 1000, end: 1350 }));
        assert_eq!(index(&body[..body.len() - 1], 1000), None);
    }

    #[test]
    fn the_last_fragment_is_found_from_the_end() {
        let tfra = |flags: u32, rest: &[u8]| {
            let mut made = full(*b"tfra", flags, &[1, 0, 2]);
            made.extend(rest);
            let length = u32::try_from(made.len()).unwrap();
            made[..4].copy_from_slice(&length.to_be_bytes());
            made
        };
        let short = tfra(0, b"\0\0\0\x01\0\0\0\x64\x01\x01\x01\0\0\0\x02\0\0\0\xC8\x01\x01\x01");
        assert_eq!(last_fragment(&short), Some(200));
        assert_eq!(last_fragment(&short[..short.len() - 1]), None);
        assert_eq!(random_access_bytes(b"\0\0\0\x10mfro\0\0\0\0\0\0\0\x30"), Some(48));
        assert_eq!(random_access_bytes(b"\0\0\0\x10mdat\0\0\0\0\0\0\0\x30"), None);
    }
}
