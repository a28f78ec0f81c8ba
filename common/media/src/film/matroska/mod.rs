//! Matroska and `WebM`: elements of EBML, each an identifier, a length and what is in it.
//! <https://www.rfc-editor.org/rfc/rfc9559> and <https://www.rfc-editor.org/rfc/rfc8794>

mod elements;
mod ending;

use std::ops::Range;

use self::elements::{Element, MAX_HEADER_BYTES, child, children, element, id, number};
use super::reach::{self, Hops};
use super::{Film, believed, codec};
use crate::sparse::Sparse;
use crate::stop::Stop;
use crate::trouble::Trouble;

/// Longest element that is read, in bytes.
const MAX_ELEMENT_BYTES: u64 = 1024 * 1024;
/// Most tracks that are looked at.
const MAX_TRACKS: usize = 16;
/// Nanoseconds of a tick where the file does not say it.
const USUAL_SCALE: u64 = 1_000_000;

/// Looks into a film.
///
/// # Errors
/// What has to be read first; or that a film with pictures was cut off, or that it has no tracks.
pub(super) fn look(file: &Sparse) -> Result<Film, Stop> {
    let mut parts =
        Parts { file, hops: Hops::new(file.size()), segment: 0, is_cut_off: false, info: None, tracks: None };
    if let Some(why) = parts.find()? {
        return Ok(Film::unseen(why));
    }
    let Some(tracks) = parts.tracks else { return Err(Trouble::damaged("Matroska: no tracks").into()) };
    let info = parts.info.unwrap_or_default();
    let mut found = Film { duration_millis: duration(&info).filter(|_| !parts.is_cut_off), ..Film::default() };
    let mut pictures = None;
    for (_, track) in children(&tracks).filter(|(found, _)| *found == id::TRACK_ENTRY).take(MAX_TRACKS) {
        let kind = child(track, id::TRACK_TYPE).and_then(number);
        let name = codec_name(track);
        match kind {
            Some(1) if pictures.is_none() => {
                found.size = child(track, id::VIDEO).and_then(size);
                pictures = Some(name.clone());
            }
            Some(1 | 2) => {}
            _ => continue,
        }
        codec::add(&mut found.codecs, name);
    }
    // Of a sound, players play what there is.
    if parts.is_cut_off && pictures.is_some() {
        return Err(Trouble::damaged("Matroska: it ends inside its segment").into());
    }
    if found.duration_millis.is_none() {
        found.ends_millis = ending::by_last_cluster(file, scale(&info), &tracks)?;
    }
    found.shown = pictures.map(|name| {
        let name = name.as_deref().unwrap_or("unknown");
        Err(Trouble::Unsupported(format!("pictures of {name} in Matroska")))
    });
    Ok(found)
}

const TOO_FAR: &str = "Matroska: its tracks are behind too many elements";

/// What is looked for in a film.
struct Parts<'a> {
    file: &'a Sparse,
    hops: Hops,
    /// Where the segment's content begins.
    segment: u64,
    /// Whether the segment says that it is longer than the file.
    is_cut_off: bool,
    info: Option<Vec<u8>>,
    tracks: Option<Vec<u8>>,
}

impl Parts<'_> {
    /// Reads the information and the tracks, from the beginning or where the first element says they are. What it gives is why that is not
    /// possible, where it is not, though the film may be whole.
    fn find(&mut self) -> Result<Option<&'static str>, Stop> {
        let size = self.file.size();
        let mut seeks: Vec<u64> = Vec::new();
        let mut at = 0;
        while at < size && (self.info.is_none() || self.tracks.is_none()) {
            if !self.hops.go(at) {
                return Ok(Some(TOO_FAR));
            }
            let Some((element, body)) = self.at(at)? else { break };
            let ends = element.length.and_then(|length| body.start.checked_add(length));
            at = match element.id {
                id::SEGMENT => {
                    self.segment = body.start;
                    self.is_cut_off |= element.length.is_some() && ends.is_none_or(|end| end > size);
                    body.start
                }
                id::SEEK_HEAD => {
                    let head = self.read(&body)?.unwrap_or_default();
                    seeks.extend(positions(&head).filter_map(|position| self.segment.checked_add(position)));
                    body.end
                }
                id::CLUSTER if !seeks.is_empty() => {
                    let wanted = std::mem::take(&mut seeks);
                    return self.seek(&wanted);
                }
                _ => {
                    self.keep(&element, &body)?;
                    match ends {
                        Some(end) => end,
                        // Where it ends, only what is in it says.
                        None if self.tracks.is_none() => {
                            return Ok(Some("Matroska: its tracks are behind an element of unknown length"));
                        }
                        None => break,
                    }
                }
            };
        }
        Ok(None)
    }

    /// Reads what is at the places that the file says.
    fn seek(&mut self, places: &[u64]) -> Result<Option<&'static str>, Stop> {
        for place in places.iter().filter(|place| **place < self.file.size()) {
            if !self.hops.go(*place) {
                return Ok(Some(TOO_FAR));
            }
            if let Some((element, body)) = self.at(*place)? {
                self.keep(&element, &body)?;
            }
        }
        Ok(None)
    }

    /// The element at `at`, and where its content is, as far as the file goes.
    fn at(&self, at: u64) -> Result<Option<(Element, Range<u64>)>, Stop> {
        let first = reach::read(self.file, at..at.saturating_add(MAX_HEADER_BYTES))?;
        Ok(element(&first).map(|element| {
            let start = at.saturating_add(element.header_bytes as u64);
            let end = element.length.map_or(self.file.size(), |length| start.saturating_add(length));
            (element, start..end.min(self.file.size()))
        }))
    }

    /// Keeps an element's content, if it is one that is looked for.
    fn keep(&mut self, element: &Element, body: &Range<u64>) -> Result<(), Stop> {
        match element.id {
            id::INFO if self.info.is_none() => self.info = self.read(body)?,
            id::TRACKS if self.tracks.is_none() => self.tracks = self.read(body)?,
            _ => {}
        }
        Ok(())
    }

    fn read(&self, body: &Range<u64>) -> Result<Option<Vec<u8>>, Stop> {
        if body.end - body.start > MAX_ELEMENT_BYTES {
            return Ok(None);
        }
        Ok(Some(reach::read(self.file, body.clone())?))
    }
}

/// Where a `SeekHead` says that information and tracks are, from the segment's beginning.
fn positions(head: &[u8]) -> impl Iterator<Item = u64> {
    children(head).filter(|(found, _)| *found == id::SEEK).filter_map(|(_, seek)| {
        let of = child(seek, id::SEEK_ID).and_then(number)?;
        [id::INFO, id::TRACKS].map(u64::from).contains(&of).then_some(())?;
        child(seek, id::SEEK_POSITION).and_then(number)
    })
}

/// Nanoseconds of a tick, by an `Info`.
fn scale(info: &[u8]) -> u64 {
    child(info, id::TIMESTAMP_SCALE).and_then(number).unwrap_or(USUAL_SCALE)
}

/// Milliseconds of an `Info`.
fn duration(info: &[u8]) -> Option<u64> {
    const MOST_MILLIS: f64 = 1e15;
    let scale = scale(info);
    let body = child(info, id::DURATION)?;
    let ticks = match (body.as_array::<4>(), body.as_array::<8>()) {
        (Some(short), _) => f64::from(f32::from_be_bytes(*short)),
        (None, Some(long)) => f64::from_be_bytes(*long),
        (None, None) => return None,
    };
    let millis = ticks * f64::from(u32::try_from(scale).ok()?) / 1e6;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10^15")]
    let rounded = millis.round().clamp(0.0, MOST_MILLIS) as u64;
    (millis > 0.0 && millis < MOST_MILLIS).then_some(rounded)
}

/// Pixels across and down, as shown.
fn size(video: &[u8]) -> Option<(u32, u32)> {
    const PIXELS: u64 = 0;
    const ASPECT_RATIO: u64 = 3;
    let of = |id| {
        child(video, id).and_then(number).and_then(|length| u32::try_from(length).ok()).filter(|length| *length > 0)
    };
    let (width, height) = (of(id::PIXEL_WIDTH)?, of(id::PIXEL_HEIGHT)?);
    let unit = child(video, id::DISPLAY_UNIT).and_then(number).unwrap_or(PIXELS);
    let shown = match (of(id::DISPLAY_WIDTH), of(id::DISPLAY_HEIGHT)) {
        (Some(across), Some(down)) if unit == PIXELS => (across, down),
        (Some(across), Some(down)) if unit == ASPECT_RATIO => {
            let stretched = u64::from(height) * u64::from(across) / u64::from(down);
            (u32::try_from(stretched).unwrap_or(width), height)
        }
        _ => (width, height),
    };
    Some(believed(shown, (width, height)).unwrap_or((width, height)))
}

/// The codec of a track: <https://www.matroska.org/technical/codec_specs.html>
fn codec_name(track: &[u8]) -> Option<String> {
    const LONGEST: usize = 32;
    let name = child(track, id::CODEC_ID)?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let private = child(track, id::CODEC_PRIVATE).unwrap_or_default();
    let known = match name {
        b"V_VP8" => Some("vp8".to_owned()),
        b"V_VP9" => Some("vp9".to_owned()),
        b"V_AV1" => codec::av1(private).or_else(|| Some("av01".to_owned())),
        b"V_MPEG4/ISO/AVC" => codec::avc("avc1", private).or_else(|| Some("avc1".to_owned())),
        b"V_MPEGH/ISO/HEVC" => codec::hevc("hvc1", private).or_else(|| Some("hvc1".to_owned())),
        b"A_OPUS" => Some("opus".to_owned()),
        b"A_VORBIS" => Some("vorbis".to_owned()),
        b"A_FLAC" => Some("flac".to_owned()),
        b"A_MPEG/L3" => Some("mp3".to_owned()),
        b"A_AC3" => Some("ac-3".to_owned()),
        b"A_EAC3" => Some("ec-3".to_owned()),
        name if name.starts_with(b"A_AAC") => codec::aac(private).or_else(|| Some("mp4a.40.2".to_owned())),
        _ => None,
    };
    let own = || {
        let name: Vec<u8> = name.iter().take(LONGEST).map(|byte| if *byte == b'/' { b'.' } else { *byte }).collect();
        codec::plain(&name)
    };
    known.or_else(own)
}

#[cfg(test)]
mod tests {
    use super::ending::end_of;
    use super::*;

    /// An element with a length of eight bytes.
    fn made(id: u32, body: &[u8]) -> Vec<u8> {
        let id = id.to_be_bytes();
        let id = &id[id.iter().position(|byte| *byte != 0).unwrap()..];
        [id, &(1 << 56 | body.len() as u64).to_be_bytes(), body].concat()
    }

    fn head() -> Vec<u8> {
        made(0x1A45_DFA3, &[0; 5])
    }

    fn info() -> Vec<u8> {
        made(id::INFO, &made(id::DURATION, &2500.4_f32.to_be_bytes()))
    }

    fn tracks() -> Vec<u8> {
        let video = [made(id::PIXEL_WIDTH, &[2, 0x80]), made(id::PIXEL_HEIGHT, &[1, 0x68])].concat();
        let pictures = [made(id::TRACK_TYPE, &[1]), made(id::CODEC_ID, b"V_VP9\0"), made(id::VIDEO, &video)].concat();
        let sound = [made(id::TRACK_TYPE, &[2]), made(id::CODEC_ID, b"A_OPUS")].concat();
        let subtitles = [made(id::TRACK_TYPE, &[17]), made(id::CODEC_ID, b"S_TEXT/UTF8")].concat();
        made(id::TRACKS, &[pictures, sound, subtitles].map(|track| made(id::TRACK_ENTRY, &track)).concat())
    }

    /// The head of a segment of unknown length.
    const SEGMENT: &[u8] = b"\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF";

    fn look_at(bytes: &[u8]) -> Result<Film, Stop> {
        let mut file = Sparse::new(bytes.len() as u64);
        file.supply(0, bytes.to_vec());
        look(&file)
    }

    fn check(bytes: &[u8]) {
        let film = look_at(bytes).unwrap();
        assert_eq!((film.size, film.duration_millis), (Some((640, 360)), Some(2500)));
        assert_eq!(film.codecs, ["vp9", "opus"]);
    }

    #[test]
    fn lengths_take_one_to_eight_bytes_and_may_be_unknown() {
        let of = |bytes: &[u8]| element(bytes).map(|found| (found.id, found.header_bytes, found.length));
        assert_eq!(of(b"\xAE\x85"), Some((0xAE, 2, Some(5))));
        assert_eq!(of(b"\x1F\x43\xB6\x75\x40\x05"), Some((id::CLUSTER, 6, Some(5))));
        assert_eq!(of(b"\xAE\xFF"), Some((0xAE, 2, None)));
        assert_eq!(of(b"\xAE\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), Some((0xAE, 9, None)));
        assert_eq!(of(b"\xAE\x01\0\0\0\0\0\0\x07"), Some((0xAE, 9, Some(7))));
        for none in [&b"\x08\0\0\0\0\x81"[..], b"\xAE\0\0\0\0\0\0\0\0\0", b"\xAE", b""] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }

    #[test]
    fn information_and_tracks_are_found_in_front_of_the_pictures_or_behind_them() {
        check(&[head(), made(id::SEGMENT, &[info(), tracks(), made(id::CLUSTER, &[0; 50])].concat())].concat());
        check(&[head(), made(id::SEGMENT, &[made(id::CLUSTER, &[0; 50]), info(), tracks()].concat())].concat());
        let cluster = made(id::CLUSTER, &[0; 50]);
        let seek = |id: u32, at: usize| {
            made(
                id::SEEK,
                &[made(id::SEEK_ID, &id.to_be_bytes()), made(id::SEEK_POSITION, &[u8::try_from(at).unwrap()])].concat(),
            )
        };
        let seeks = |first, second| made(id::SEEK_HEAD, &[seek(id::INFO, first), seek(id::TRACKS, second)].concat());
        let first = seeks(0, 0).len() + cluster.len();
        let seeks = seeks(first, first + info().len());
        check(&[head(), made(id::SEGMENT, &[seeks, cluster, info(), tracks()].concat())].concat());
    }

    #[test]
    fn a_film_of_unknown_length_is_looked_into_as_well() {
        check(&[&head()[..], SEGMENT, &info(), &tracks(), b"\x1F\x43\xB6\x75\xFF"].concat());
    }

    #[test]
    fn what_is_behind_a_cluster_of_unknown_length_stays_unseen() {
        let film = look_at(&[&head()[..], SEGMENT, b"\x1F\x43\xB6\x75\xFF", &info(), &tracks()].concat()).unwrap();
        assert!(film.codecs.is_empty() && matches!(film.shown, Some(Err(Trouble::Unsupported(_)))));
    }

    #[test]
    fn a_film_without_a_length_ends_with_its_last_block() {
        let group = |after: i16, ticks: u8| {
            let block = made(id::BLOCK, &[&[0x81][..], &after.to_be_bytes(), &[0, 7]].concat());
            made(id::BLOCK_GROUP, &[block, made(id::BLOCK_DURATION, &[ticks])].concat())
        };
        let simple = |after: i16| made(id::SIMPLE_BLOCK, &[&[0x40, 2][..], &after.to_be_bytes(), &[0, 7]].concat());
        let cluster = |at: u16, blocks: &[Vec<u8>]| {
            let time = made(id::TIMESTAMP, &at.to_be_bytes());
            [&b"\x1F\x43\xB6\x75\xFF"[..], &time, &blocks.concat()].concat()
        };
        let film = |clusters: &[u8]| {
            let film = look_at(&[&head()[..], SEGMENT, &tracks(), clusters].concat()).unwrap();
            film.ends_millis
        };
        assert_eq!(film(&cluster(5000, &[simple(40), simple(-20)])), Some(5040));
        let first = cluster(5000, &[simple(900)]);
        assert_eq!(film(&[first.clone(), cluster(6000, &[group(20, 60), simple(70)])].concat()), Some(6080));
        // What merely looks like a cluster is none, and what was cut off ends with what is there.
        let cut = [&first[..], b"\xA3\x89\x81\0\x05\0\x1F\x43\xB6\x75\xFF", b"\xA3\x85\x81"].concat();
        assert_eq!(film(&cut), Some(5900));
        assert_eq!(film(b"\x1F\x43\xB6\x75\xFF"), None);
        let usual = [(2, 33_300_000)];
        assert_eq!(end_of(&[made(id::TIMESTAMP, &[1]), simple(1)].concat(), 1_000_000, &usual), Some(35_300_000));
        let worst = [made(id::TIMESTAMP, &[0xFF; 8]), simple(i16::MAX)].concat();
        assert_eq!(end_of(&worst, u64::MAX, &[(2, u64::MAX)]), Some(u64::MAX));
    }

    #[test]
    fn a_film_that_was_cut_off_or_has_no_tracks_is_damaged_and_a_sound_only_shorter() {
        let whole = [head(), made(id::SEGMENT, &[info(), tracks(), made(id::CLUSTER, &[0; 50])].concat())].concat();
        assert!(matches!(look_at(&whole[..whole.len() - 1]), Err(Stop::Refused(..))));
        let sound = [made(id::TRACK_TYPE, &[2]), made(id::CODEC_ID, b"A_OPUS")].concat();
        let sound = made(id::TRACKS, &made(id::TRACK_ENTRY, &sound));
        let whole = [head(), made(id::SEGMENT, &[info(), sound, made(id::CLUSTER, &[0; 50])].concat())].concat();
        let cut = look_at(&whole[..whole.len() - 1]).unwrap();
        assert_eq!((cut.codecs, cut.duration_millis), (vec!["opus".to_owned()], None));
        assert_eq!(look_at(&whole).unwrap().duration_millis, Some(2500));
        assert!(matches!(look_at(&[head(), made(id::SEGMENT, &info())].concat()), Err(Stop::Refused(..))));
    }

    #[test]
    fn times_that_are_none_are_no_times() {
        let of = |ticks: f64| duration(&made(id::DURATION, &ticks.to_be_bytes()));
        assert_eq!((of(f64::NAN), of(f64::INFINITY), of(-5.0), of(0.0), of(1e300)), (None, None, None, None, None));
        assert_eq!(of(0.6), Some(1));
        let scaled =
            [made(id::TIMESTAMP_SCALE, &[0x0F, 0x42, 0x40, 0]), made(id::DURATION, &3.0_f32.to_be_bytes())].concat();
        assert_eq!(duration(&scaled), Some(768));
    }

    #[test]
    fn a_size_to_be_shown_in_counts_more_than_the_pixels() {
        let pixels = [made(id::PIXEL_WIDTH, &[2, 0xD0]), made(id::PIXEL_HEIGHT, &[2, 0x40])].concat();
        let with = |unit: u8, across: &[u8], down: &[u8]| {
            let shown =
                [made(id::DISPLAY_WIDTH, across), made(id::DISPLAY_HEIGHT, down), made(id::DISPLAY_UNIT, &[unit])];
            size(&[pixels.clone(), shown.concat()].concat())
        };
        assert_eq!(size(&pixels), Some((720, 576)));
        assert_eq!(with(0, &[4, 0], &[2, 0x40]), Some((1024, 576)));
        assert_eq!(with(3, &[16], &[9]), Some((1024, 576)));
        assert_eq!(with(4, &[16], &[9]), Some((720, 576)));
        assert_eq!(with(0, &[0], &[0]), Some((720, 576)));
        assert_eq!(with(0, &[0xFF, 0xFF], &[2, 0x40]), Some((720, 576)));
        assert_eq!(with(3, &[0xFF, 0xFF], &[1]), Some((720, 576)));
    }
}
