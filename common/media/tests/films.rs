//! Films as large as people send, of which only a little exists: how many bytes and ranges an examination costs.

#![cfg(feature = "video")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test, helper functions and all")]

use std::io::Cursor;
use std::ops::Range;
use std::path::PathBuf;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;
use vestibule_domain::inspection::Inspection;
use vestibule_domain::policy::InspectPolicy;
use vestibule_media::probe::{MAX_RANGES, Probe, Step, Subject, Verdict, longest_range};

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// A file of `size` bytes, of which all are zero but these.
struct Virtual {
    size: u64,
    parts: Vec<(u64, Vec<u8>)>,
}

impl Virtual {
    fn read(&self, range: Range<u64>) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap()];
        for (at, part) in &self.parts {
            let (start, end) = (range.start.max(*at), range.end.min(at + part.len() as u64));
            if start < end {
                let of = |at: u64, from: u64| usize::try_from(at - from).unwrap();
                bytes[of(start, range.start)..of(end, range.start)]
                    .copy_from_slice(&part[of(start, *at)..of(end, *at)]);
            }
        }
        bytes
    }

    /// What is found, the bytes that were asked for, and in how many ranges.
    fn examine(&self, declared: &str) -> (Verdict, u64, usize) {
        let subject = Subject { size: self.size, declared_type: declared.parse().unwrap(), declared_sha256: None };
        let policy = InspectPolicy::default();
        let longest = longest_range(&policy.limits);
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let mut step = Probe::start(subject, policy);
        loop {
            match step {
                Step::Done(examination) => {
                    let asked = ranges.iter().map(|range| range.end - range.start).sum();
                    assert!(ranges.len() <= MAX_RANGES as usize, "{ranges:?}");
                    return (examination.verdict, asked, ranges.len());
                }
                Step::Need(probe) => {
                    let range = probe.range();
                    assert!(range.start < range.end && range.end <= self.size && range.end - range.start <= longest);
                    ranges.push(range.clone());
                    step = probe.supply(self.read(range)).unwrap();
                }
            }
        }
    }

    /// The same for a film that comes in and costs less than 2 % of its bytes.
    fn cheap(&self, declared: &str) -> (Inspection, usize) {
        let (verdict, asked, ranges) = self.examine(declared);
        let Verdict::Accepted(found) = verdict else { panic!("refused: {verdict:?}") };
        eprintln!("{declared} of {} MiB: {asked} bytes in {ranges} ranges", self.size / MIB);
        assert!(asked * 50 < self.size, "{asked} of {} bytes", self.size);
        (*found, ranges)
    }
}

fn boxed(name: &[u8], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], name, body].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// The fixture whose pictures are used here.
const BARS: &str = "film-bars-709.mp4";
/// Another, which begins in black.
const BLACK_FIRST: &str = "film-black-first.mp4";

fn fixture(file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/files");
    std::fs::read(folder.join(file)).unwrap()
}

/// The content of the first box of that name in a fixture, wherever it is.
fn found(file: &str, name: &[u8]) -> Vec<u8> {
    let bytes = fixture(file);
    let at = bytes.windows(4).position(|four| four == name).unwrap();
    let length = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap());
    bytes[at + 4..at - 4 + length as usize].to_vec()
}

/// A fixture's sample, counted from 0, with as many bytes of filler behind it.
fn sample(file: &str, number: usize, filler: u32) -> Vec<u8> {
    let sizes: Vec<u32> =
        found(file, b"stsz")[12..].as_chunks().0.iter().map(|size| u32::from_be_bytes(*size)).collect();
    let start = sizes[..number].iter().sum::<u32>() as usize;
    let mut bytes = found(file, b"mdat")[start..start + sizes[number] as usize].to_vec();
    bytes.extend(words(&[filler]));
    bytes.push(12);
    bytes.resize(bytes.len() + filler as usize - 1, 0xFF);
    bytes
}

/// A keyframe as long as one of a phone.
fn keyframe() -> Vec<u8> {
    sample(BARS, 0, 400_000)
}

const PICTURES_A_SECOND: u32 = 25;

/// A `moov` of one track of pictures, with these sample tables, or whatever belongs there.
fn moov(seconds: u32, table: &[Vec<u8>], more: &[Vec<u8>]) -> Vec<u8> {
    moov_like(BARS, seconds, table, more)
}

/// The same of pictures that are coded as those of a fixture.
fn moov_like(file: &str, seconds: u32, table: &[Vec<u8>], more: &[Vec<u8>]) -> Vec<u8> {
    let matrix = words(&[1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30]);
    let mvhd =
        [words(&[0, 0, 0, 1000, seconds * 1000, 1 << 16, 1 << 24, 0, 0]), matrix.clone(), words(&[0; 7])].concat();
    let tkhd = [words(&[1, 0, 0, 1, 0, seconds * 1000, 0, 0, 0, 0]), matrix, words(&[320 << 16, 180 << 16])].concat();
    let media = [
        boxed(b"mdhd", &words(&[0, 0, 0, PICTURES_A_SECOND, seconds * PICTURES_A_SECOND, 0])),
        boxed(b"hdlr", &[&words(&[0, 0])[..], b"vide", &[0; 13]].concat()),
        boxed(b"minf", &boxed(b"stbl", &[boxed(b"stsd", &found(file, b"stsd")), table.concat()].concat())),
    ];
    let track = boxed(b"trak", &[boxed(b"tkhd", &tkhd), boxed(b"mdia", &media.concat())].concat());
    boxed(b"moov", &[boxed(b"mvhd", &mvhd), track, more.concat()].concat())
}

fn ftyp() -> Vec<u8> {
    boxed(b"ftyp", b"isom\0\0\x02\0isomiso2avc1mp41")
}

/// A film whose `moov` is last, behind an `mdat` with a length of 64 bits. Each picture is a chunk of its own, and all are keyframes, the
/// same one, in the middle of the film.
fn moov_last(size: u64, seconds: u32) -> Virtual {
    let keyframe = keyframe();
    let place = size / 2;
    let pictures = seconds * PICTURES_A_SECOND;
    let length = u32::try_from(keyframe.len()).unwrap();
    let offsets = words(&[0, u32::try_from(place).unwrap()]).repeat(pictures as usize);
    let table = [
        boxed(b"stts", &words(&[0, 1, pictures, 1])),
        boxed(b"stsc", &words(&[0, 1, 1, 1, 1])),
        boxed(b"stsz", &[words(&[0, 0, pictures]), words(&[length]).repeat(pictures as usize)].concat()),
        boxed(b"co64", &[words(&[0, pictures]), offsets].concat()),
    ];
    let moov = moov(seconds, &table, &[]);
    let moov_at = size - moov.len() as u64;
    let head = ftyp();
    let mdat = [&b"\0\0\0\x01mdat"[..], &(moov_at - head.len() as u64).to_be_bytes()].concat();
    Virtual { size, parts: vec![(0, [head, mdat].concat()), (place, keyframe), (moov_at, moov)] }
}

/// A track of sound of 48 kHz in packets of 1024, all in one chunk.
fn sound_track(seconds: u32) -> Vec<u8> {
    const RATE: u32 = 48_000;
    let packets = seconds * RATE / 1024;
    let entry = boxed(b"mp4a", &[&[0; 16][..], b"\0\x02\0\x10", &[0; 8]].concat());
    let table = [
        boxed(b"stsd", &[words(&[0, 1]), entry].concat()),
        boxed(b"stts", &words(&[0, 1, packets, 1024])),
        boxed(b"stsc", &words(&[0, 1, 1, packets, 1])),
        boxed(b"stsz", &[words(&[0, 0, packets]), words(&[300]).repeat(packets as usize)].concat()),
        boxed(b"stco", &words(&[0, 1, 5000])),
    ];
    let tkhd = [words(&[1, 0, 0, 2, 0, seconds * 1000]), words(&[0; 15])].concat();
    let media = [
        boxed(b"mdhd", &words(&[0, 0, 0, RATE, packets * 1024, 0])),
        boxed(b"hdlr", &[&words(&[0, 0])[..], b"soun", &[0; 13]].concat()),
        boxed(b"minf", &boxed(b"stbl", &table.concat())),
    ];
    boxed(b"trak", &[boxed(b"tkhd", &tkhd), boxed(b"mdia", &media.concat())].concat())
}

/// A film with sound whose first three keyframes of those that are looked at are black, and each of which takes a megabyte.
fn black_first(size: u64, seconds: u32) -> Virtual {
    const KEYFRAMES: [u32; 4] = [0, 1, 4, 16];
    let pictures = seconds * PICTURES_A_SECOND;
    let (black, bright) = (sample(BLACK_FIRST, 0, 1_000_000), sample(BLACK_FIRST, 18, 1_000_000));
    // Behind the moov, each second takes as much as there is for it.
    let place = |second: u32| 16 * MIB + u64::from(second) * (size / 2 / u64::from(seconds)).max(2 * MIB);
    let keyframe_of = |second: u32| if second == 16 { &bright } else { &black };
    let lengths =
        (0..pictures).map(|picture| match KEYFRAMES.iter().find(|second| **second * PICTURES_A_SECOND == picture) {
            Some(second) => u32::try_from(keyframe_of(*second).len()).unwrap(),
            None => 1000,
        });
    let lengths: Vec<u32> = lengths.collect();
    let offsets: Vec<u32> =
        (0..pictures).map(|picture| u32::try_from(place(picture / PICTURES_A_SECOND)).unwrap_or(5000)).collect();
    let numbers = KEYFRAMES.map(|second| second * PICTURES_A_SECOND + 1);
    let table = [
        boxed(b"stts", &words(&[0, 1, pictures, 1])),
        boxed(b"stss", &[words(&[0, 4]), words(&numbers)].concat()),
        boxed(b"stsc", &words(&[0, 1, 1, 1, 1])),
        boxed(b"stsz", &[words(&[0, 0, pictures]), words(&lengths)].concat()),
        boxed(b"stco", &[words(&[0, pictures]), words(&offsets)].concat()),
    ];
    let moov = moov_like(BLACK_FIRST, seconds, &table, &[sound_track(seconds)]);
    let head = [ftyp(), moov].concat();
    let mdat = u32::try_from(size - head.len() as u64).unwrap();
    let mut parts = vec![(0, [head, words(&[mdat]), b"mdat".to_vec()].concat())];
    parts.extend(KEYFRAMES.map(|second| (place(second), keyframe_of(second).clone())));
    Virtual { size, parts }
}

#[derive(Clone, Copy, PartialEq)]
enum Index {
    None,
    First,
    Last,
}

/// When the clocks of films in fragments begin, in seconds: they are cut from a stream that had been on for a while.
const BEGINS: u32 = 1000;

/// A film in fragments of a second each.
fn fragmented(size: u64, seconds: u32, index: Index) -> Virtual {
    let keyframe = keyframe();
    let trex = boxed(b"mvex", &boxed(b"trex", &words(&[0, 1, 1, 0, 0, 0])));
    let empty = [boxed(b"stts", &words(&[0, 0])), boxed(b"stsc", &words(&[0, 0])), boxed(b"stco", &words(&[0, 0]))];
    let mut head = [ftyp(), moov(0, &empty, &[trex])].concat();
    let each = size / u64::from(seconds) / 2;
    if index == Index::First {
        let mut sidx = words(&[
            0,
            1,
            PICTURES_A_SECOND,
            BEGINS * PICTURES_A_SECOND,
            0,
            1,
            u32::try_from(each * u64::from(seconds)).unwrap(),
        ]);
        sidx.extend(words(&[seconds * PICTURES_A_SECOND, 0]));
        head.extend(boxed(b"sidx", &sidx));
    }
    let mut parts = Vec::new();
    let mut at = head.len() as u64;
    let mut last = at;
    let rest = size - at - 100;
    for second in 0..seconds {
        let length = rest / u64::from(seconds);
        let moof = |offset: u32| {
            let traf = [
                boxed(b"tfhd", &words(&[0x02_0000, 1])),
                boxed(b"tfdt", &words(&[0, (BEGINS + second) * PICTURES_A_SECOND])),
                boxed(
                    b"trun",
                    &words(&[0x301, 2, offset, 1, u32::try_from(keyframe.len()).unwrap(), PICTURES_A_SECOND - 1, 9]),
                ),
            ];
            boxed(b"moof", &[boxed(b"mfhd", &words(&[0, second])), boxed(b"traf", &traf.concat())].concat())
        };
        let moof = moof(u32::try_from(moof(0).len() + 8).unwrap());
        let mdat = u32::try_from(length - moof.len() as u64).unwrap();
        let mut bytes = [moof, words(&[mdat]), b"mdat".to_vec()].concat();
        if second == 0 {
            bytes.extend(&keyframe);
        }
        last = at;
        parts.push((at, bytes));
        at += length;
    }
    parts.push((0, head));
    let mut tail = Vec::new();
    if index == Index::Last {
        let tfra = boxed(b"tfra", &words(&[0, 1, 0, 1, 0, u32::try_from(last).unwrap(), 0x0101_0100]));
        let mfro = 8 + tfra.len() + 16;
        tail = boxed(b"mfra", &[tfra, boxed(b"mfro", &words(&[0, u32::try_from(mfro).unwrap()]))].concat());
    }
    let free = u32::try_from(size - at - tail.len() as u64).unwrap();
    parts.push((at, [words(&[free]), b"free".to_vec()].concat()));
    parts.push((size - tail.len() as u64, tail));
    if index == Index::First {
        // It ends where the fragments do.
        let head = &mut parts.iter_mut().find(|(start, _)| *start == 0).unwrap().1;
        let at_field = head.len() - 12;
        let covered = u32::try_from(at - head.len() as u64).unwrap();
        head[at_field..at_field + 4].copy_from_slice(&covered.to_be_bytes());
    }
    Virtual { size, parts }
}

/// A film of two seconds in fragments: in the first are the tables' samples, if there are tables, and else none.
fn two_fragments(tables: bool) -> Virtual {
    let keyframe = keyframe();
    let length = u32::try_from(keyframe.len()).unwrap();
    let table = |place: u32| {
        let count = u32::from(tables);
        [
            boxed(b"stts", &words(&[0, count, 1, PICTURES_A_SECOND])),
            boxed(b"stsc", &words(&[0, count, 1, 1, 1])),
            boxed(b"stsz", &words(&[0, 0, count, length])),
            boxed(b"stco", &words(&[0, count, place])),
        ]
    };
    let trex = boxed(b"mvex", &boxed(b"trex", &words(&[0, 1, 1, PICTURES_A_SECOND, 9, 0x0001_0000])));
    let head = |place: u32| [ftyp(), moov(1, &table(place), std::slice::from_ref(&trex))].concat();
    let traf = [
        boxed(b"tfhd", &words(&[0x02_0000, 1])),
        boxed(b"tfdt", &words(&[0, PICTURES_A_SECOND])),
        boxed(b"trun", &words(&[0x1, 1, 8])),
    ];
    let place = u32::try_from(head(0).len() + 8).unwrap();
    let moof = boxed(b"moof", &[boxed(b"mfhd", &words(&[0, 1])), boxed(b"traf", &traf.concat())].concat());
    let bytes = [head(place), boxed(b"mdat", &keyframe), moof, boxed(b"mdat", &[0; 9])].concat();
    Virtual { size: bytes.len() as u64, parts: vec![(0, bytes)] }
}

#[test]
fn a_film_in_fragments_that_begins_in_its_tables_has_their_keyframe_and_is_as_long_as_both() {
    let (Verdict::Accepted(found), ..) = two_fragments(true).examine("video/mp4") else { panic!("refused") };
    check(&found, Some(2));
    // Without them, its fragment has no keyframe, and is all of it.
    let (Verdict::Accepted(found), ..) = two_fragments(false).examine("video/mp4") else { panic!("refused") };
    assert_eq!((found.facts.duration_millis, found.thumbnails.len()), (Some(1000), 0));
}

fn check(found: &Inspection, seconds: Option<u32>) {
    let facts = &found.facts;
    assert_eq!((facts.width, facts.height, facts.rotation), (Some(320), Some(180), None));
    assert_eq!(facts.duration_millis, seconds.map(|seconds| u64::from(seconds) * 1000));
    assert_eq!(facts.codecs.len(), 1);
    assert!(facts.codecs[0].starts_with("avc1.4d"), "{:?}", facts.codecs);
    let posters = if cfg!(feature = "h264") { 2 } else { 0 };
    assert_eq!(found.thumbnails.len(), posters);
}

/// The ranges that each costs: its head; its end, where an archive's record might be; and then as the names say.
const POSTER: usize = if cfg!(feature = "h264") { 1 } else { 0 };

#[test]
fn a_film_whose_moov_is_last_costs_less_than_two_percent_of_its_bytes() {
    for (size, seconds) in [(GIB, 7200), (64 * MIB, 60)] {
        let (found, ranges) = moov_last(size, seconds).cheap("video/mp4");
        check(&found, Some(seconds));
        // The beginning of the moov for its type, its first bytes, since lengths of 64 bits lead that look astray, and the rest of it.
        assert!(ranges <= 5 + POSTER, "{ranges}");
    }
}

#[test]
fn a_film_with_sound_that_begins_in_black_costs_its_tables_and_four_keyframes_and_shows_the_last() {
    let (found, ranges) = black_first(GIB, 7200).cheap("video/mp4");
    let facts = &found.facts;
    assert_eq!((facts.duration_millis, facts.codecs.len()), (Some(7_200_000), 2), "{:?}", facts.codecs);
    assert!(ranges <= 5 + 4 * POSTER, "{ranges}");
    if cfg!(feature = "h264") {
        let poster = JpegDecoder::new(Cursor::new(&found.thumbnails[0].bytes.0)).unwrap();
        let mut pixels = vec![0; usize::try_from(poster.total_bytes()).unwrap()];
        poster.read_image(&mut pixels).unwrap();
        assert!(pixels.iter().any(|level| *level > 100), "it is black");
    }
}

#[test]
fn a_film_in_fragments_costs_less_than_two_percent_of_its_bytes_whatever_index_it_has() {
    for (size, seconds) in [(GIB, 1000), (64 * MIB, 60)] {
        for (index, expected) in [(Index::None, None), (Index::First, Some(seconds)), (Index::Last, Some(seconds))] {
            let (found, ranges) = fragmented(size, seconds, index).cheap("video/mp4");
            check(&found, expected);
            // Whether there are pictures in it at all is looked for in eight places. Without an index, all fragments would have to be
            // walked, and some are.
            let most = match index {
                Index::None => 9 + 16,
                Index::First => 9,
                Index::Last => 10,
            };
            assert!(ranges <= most + POSTER, "{ranges}");
        }
    }
}

#[test]
fn a_webm_costs_its_head_and_its_end() {
    let element = |id: &[u8], body: &[u8]| [id, &(1_u64 << 56 | body.len() as u64).to_be_bytes(), body].concat();
    let video = [element(b"\xB0", &[7, 0x80]), element(b"\xBA", &[4, 0x38])].concat();
    let track = [element(b"\x83", &[1]), element(b"\x86", b"V_VP9"), element(b"\xE0", &video)].concat();
    let info = element(b"\x15\x49\xA9\x66", &element(b"\x44\x89", &5000.0_f64.to_be_bytes()));
    let tracks = element(b"\x16\x54\xAE\x6B", &element(b"\xAE", &track));
    let head = element(b"\x1A\x45\xDF\xA3", &element(b"\x42\x82", b"webm"));
    for size in [GIB, 64 * MIB] {
        let segment_head = [&b"\x18\x53\x80\x67"[..], &(1_u64 << 56 | (size - head.len() as u64 - 12)).to_be_bytes()];
        let start = [head.clone(), segment_head.concat(), info.clone(), tracks.clone()].concat();
        let cluster = 1_u64 << 56 | (size - start.len() as u64 - 12);
        let start = [&start[..], b"\x1F\x43\xB6\x75", &cluster.to_be_bytes()].concat();
        let (found, ranges) = Virtual { size, parts: vec![(0, start)] }.cheap("video/webm");
        assert_eq!((found.facts.width, found.facts.height), (Some(1920), Some(1080)));
        assert_eq!((found.facts.duration_millis, found.facts.codecs), (Some(5000), vec!["vp9".to_owned()]));
        assert!(found.thumbnails.is_empty() && ranges == 2, "{ranges}");
    }
}

#[test]
fn a_large_film_that_was_cut_off_is_refused() {
    let mut film = moov_last(GIB, 60);
    film.size -= 1;
    assert!(matches!(film.examine("video/mp4").0, Verdict::Rejected(_)));
    film.size = GIB / 3;
    assert!(matches!(film.examine("video/mp4").0, Verdict::Rejected(_)));
}
