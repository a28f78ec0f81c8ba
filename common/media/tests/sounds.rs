//! Sounds through the probe: their lengths and waveforms, of those that are read whole and of those that are not.

#![cfg(feature = "audio")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test, helper functions and all")]

use std::ops::Range;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use vestibule_domain::inspection::{Facts, WAVEFORM_POINTS};
use vestibule_domain::policy::InspectPolicy;
use vestibule_media::probe::{Probe, RANGE_BYTES, Step, Subject, Verdict};

/// Each codec's file of one signal, with its type and the codec's name.
const SWELLS: [(&str, &str, &str); 8] = [
    ("swell.wav", "audio/wav", "pcm"),
    ("swell-vbr.mp3", "audio/mpeg", "mp3"),
    ("swell-cbr.mp3", "audio/mpeg", "mp3"),
    ("swell.m4a", "audio/mp4", "mp4a.40.2"),
    ("swell.aac", "audio/aac", "mp4a.40.2"),
    ("swell.flac", "audio/flac", "flac"),
    ("swell.ogg", "audio/ogg", "vorbis"),
    ("voice.ogg", "audio/ogg", "opus"),
];

/// The same of rarer kinds.
const RARER: [(&str, &str, &str); 3] = [
    ("swell.aiff", "audio/aiff", "pcm"),
    ("swell-alac.m4a", "audio/mp4", "alac"),
    ("recorded.webm", "audio/webm", "opus"),
];

/// All of them that are looked into in this build: of sound in `WebM` the headers are read as those of films are.
fn all() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    SWELLS.into_iter().chain(RARER).filter(|(_, declared, _)| *declared != "audio/webm" || cfg!(feature = "video"))
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/files").join(file)).unwrap()
}

/// Examines a file of `size` bytes that `read` knows: what is found, and which ranges that took.
fn drive(size: u64, declared: &str, read: impl Fn(Range<u64>) -> Vec<u8>) -> (Verdict, Vec<Range<u64>>) {
    let subject = Subject { size, declared_type: declared.parse().unwrap(), declared_sha256: None };
    let mut ranges = Vec::new();
    let mut step = Probe::start(subject, InspectPolicy::default());
    loop {
        match step {
            Step::Done(examination) => return (examination.verdict, ranges),
            Step::Need(probe) => {
                ranges.push(probe.range());
                let bytes = read(probe.range());
                step = probe.supply(bytes).unwrap();
            }
        }
    }
}

fn probe(bytes: &[u8], declared: &str) -> Verdict {
    let slice =
        |range: Range<u64>| bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()].to_vec();
    drive(bytes.len() as u64, declared, slice).0
}

fn accepted(verdict: Verdict) -> Facts {
    match verdict {
        Verdict::Accepted(found) => found.facts,
        Verdict::Rejected(why) => panic!("{why:?}"),
    }
}

fn waveform(facts: &Facts) -> Vec<u8> {
    STANDARD.decode(facts.waveform.as_ref().unwrap()).unwrap()
}

#[test]
fn every_codec_shows_the_silence_the_swell_and_the_steady_end() {
    for (file, declared, codec) in all() {
        let facts = accepted(probe(&bytes(file), declared));
        assert_eq!(facts.codecs, [codec], "{file}");
        let points = waveform(&facts);
        assert_eq!(points.len(), WAVEFORM_POINTS, "{file}");
        for (point, level) in (0_u8..).zip(&points) {
            // Encoders begin up to 50 ms late, smear what begins at once, and those for speech care little for a sine.
            let part = f64::from(point) + 0.5;
            let expected = match point {
                0..=30 => 0.0,
                36..=63 => 0.9 * (part / 100.0 * 3.0 - 1.0) * 255.0,
                70..=96 => 0.4 * 255.0,
                _ => continue,
            };
            let off = (f64::from(*level) - expected).abs();
            assert!(off <= 14.0, "{file}, point {point}: {level} where {expected} belongs\n{points:?}");
        }
    }
}

#[test]
fn nothing_of_a_tag_is_said() {
    for (file, declared, _) in all() {
        let facts = serde_json::to_string(&accepted(probe(&bytes(file), declared))).unwrap();
        assert!(!facts.contains("Unheard-of") && !facts.contains("Nobody") && !facts.contains("thumb"), "{facts}");
    }
}

#[test]
fn a_sound_that_is_cut_off_is_as_long_as_what_is_left() {
    for (file, declared, codec) in all() {
        let whole = bytes(file);
        let facts = accepted(probe(&whole[..whole.len() / 2], declared));
        if declared == "audio/mp4" {
            // Its table of contents is at its end: nothing is known.
            assert_eq!((facts.duration_millis, facts.waveform), (None, None));
            continue;
        }
        assert_eq!(facts.codecs, [codec], "{file}");
        assert_eq!(waveform(&facts)[0], 0, "{file}");
        assert!((500..2900).contains(&facts.duration_millis.unwrap()), "{file}: {:?}", facts.duration_millis);
    }
}

#[test]
fn a_chain_is_as_long_as_its_links_and_looks_like_one_behind_the_other() {
    for (file, declared) in [("swell.ogg", "audio/ogg"), ("voice.ogg", "audio/ogg")] {
        let link = bytes(file);
        let (alone, chain) = (accepted(probe(&link, declared)), accepted(probe(&link.repeat(2), declared)));
        assert_eq!(chain.duration_millis, alone.duration_millis.map(|millis| 2 * millis), "{file}");
        let (alone, chain) = (waveform(&alone), waveform(&chain));
        for point in [5, 10, 28, 35, 40, 45] {
            let expected = alone[2 * point].max(alone[2 * point + 1]);
            for found in [chain[point], chain[50 + point]] {
                assert!(found.abs_diff(expected) <= 16, "{file}, point {point}: {found} where {expected} belongs");
            }
        }
    }
}

#[test]
fn an_ogg_that_begins_late_is_as_long_as_what_is_there() {
    for file in ["swell.ogg", "voice.ogg"] {
        let whole = bytes(file);
        let pages: Vec<usize> = memmem(&whole, b"OggS");
        // The headers, and the second half of the sound.
        let position = |at: usize| i64::from_le_bytes(whole[at + 6..at + 14].try_into().unwrap());
        let sounds: Vec<usize> = pages.iter().copied().filter(|at| position(*at) > 0).collect();
        let (first, last) = (sounds[0], *sounds.last().unwrap());
        let behind = sounds[sounds.len() / 2];
        assert!(first < behind && behind <= last, "{file}: {sounds:?}");
        let late = [&whole[..first], &whole[behind..]].concat();
        let before = sounds[sounds.len() / 2 - 1];
        let rate = if file == "voice.ogg" { 48 } else { 44 };
        let expected = (position(last) - position(before)) / rate;
        let found = accepted(probe(&late, "audio/ogg")).duration_millis.unwrap();
        assert!(found.abs_diff(u64::try_from(expected).unwrap()) < 60, "{file}: {found} where {expected} belongs");
    }
}

fn memmem(bytes: &[u8], what: &[u8]) -> Vec<usize> {
    bytes.windows(what.len()).enumerate().filter(|(_, found)| *found == what).map(|(at, _)| at).collect()
}

#[test]
fn damage_in_the_middle_is_passed_over_and_a_sound_that_is_nothing_but_damage_has_no_waveform() {
    for (file, declared, codec) in SWELLS {
        let mut damaged = bytes(file);
        let middle = damaged.len() / 2;
        damaged[middle..middle + 200].fill(0x55);
        let facts = accepted(probe(&damaged, declared));
        assert!(facts.duration_millis.unwrap().abs_diff(3000) < 300, "{file}: {:?}", facts.duration_millis);
        assert!(waveform(&facts)[75] > 60, "{file}");
        if codec == "pcm" {
            continue;
        }
        // All but its headers, and what is said at the end.
        let behind = damaged.len() - 2000;
        damaged[4500..behind].fill(0);
        accepted(probe(&damaged, declared));
    }
}

/// ADPCM of Microsoft's, mono, in blocks of 256 bytes, of which each says again and again that its steps grow. Where sums are checked, as in
/// development, the decoder panics.
#[test]
fn a_sound_on_which_a_decoder_gives_up_comes_in_with_what_its_headers_say() {
    let coefficients = [256_i16, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232];
    let format = [
        &b"\x02\0\x01\0\x40\x1F\0\0\0\x10\0\0\0\x01\x04\0\x20\0\xF4\x01\x07\0"[..],
        &coefficients.map(i16::to_le_bytes).concat(),
    ]
    .concat();
    let block = [&[0; 7][..], &[0x88; 249]].concat();
    let chunk = |name: &[u8], body: &[u8]| [name, &u32::try_from(body.len()).unwrap().to_le_bytes(), body].concat();
    let chunks = [b"WAVE".to_vec(), chunk(b"fmt ", &format), chunk(b"data", &block.repeat(32))].concat();
    let facts = accepted(probe(&chunk(b"RIFF", &chunks), "audio/wav"));
    assert_eq!(facts.duration_millis, Some(2000));
    assert_eq!(facts.codecs, ["adpcm"]);
}

#[test]
fn an_hour_of_wav_costs_its_head_and_its_tail() {
    const SIZE: u64 = 44 + 3600 * 176_400;
    let head = [
        &b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xAC\0\0\x10\xB1\x02\0\x04\0\x10\0data"[..],
        &u32::try_from(SIZE - 44).unwrap().to_le_bytes(),
    ]
    .concat();
    let read = |range: Range<u64>| {
        let mut part = vec![0; usize::try_from(range.end - range.start).unwrap()];
        if range.start == 0 {
            part[..head.len()].copy_from_slice(&head);
        }
        part
    };
    let (verdict, ranges) = drive(SIZE, "audio/wav", read);
    let facts = accepted(verdict);
    assert_eq!((facts.duration_millis, facts.waveform), (Some(3_600_000), None));
    assert_eq!(facts.codecs, ["pcm"]);
    assert!(ranges.len() <= 3, "{ranges:?}");
    assert!(ranges.iter().map(|range| range.end - range.start).sum::<u64>() <= 3 * RANGE_BYTES, "{ranges:?}");
}

#[test]
fn two_hours_of_mp3_behind_a_picture_cost_the_place_where_the_sound_begins() {
    // A tag of 10 MiB, and then frames without end of MPEG 1, layer III, 128 kbit/s, 44.1 kHz, mono.
    const TAG: u64 = 10 + (5 << 21);
    const FRAMES: u64 = 275_625;
    const SIZE: u64 = TAG + FRAMES * 417;
    let at = |at: u64| match at.checked_sub(TAG) {
        None => *b"ID3\x04\0\0\x05\0\0\0".get(usize::try_from(at).unwrap()).unwrap_or(&0),
        Some(at) => *b"\xFF\xFB\x90\xC0".get(usize::try_from(at % 417).unwrap()).unwrap_or(&0),
    };
    let (verdict, ranges) = drive(SIZE, "audio/mpeg", |range| range.map(at).collect());
    let facts = accepted(verdict);
    assert_eq!((facts.duration_millis, facts.waveform), (Some(7_200_000), None));
    assert!(ranges.len() <= 4, "{ranges:?}");
    assert!(ranges.iter().map(|range| range.end - range.start).sum::<u64>() <= 4 * RANGE_BYTES, "{ranges:?}");
}

#[test]
fn boxes_that_lead_from_place_to_place_cost_a_few_ranges_and_the_sound_comes_in() {
    // An MP4 of sound in which every box is 1 MiB long and followed by another.
    let boxes = |at: u64| {
        let name = if at < 1 << 20 { b"\0\x10\0\0ftypM4A " } else { b"\0\x10\0\0freefree" };
        usize::try_from(at % (1 << 20)).ok().and_then(|offset| name.get(offset)).copied().unwrap_or(0)
    };
    let (verdict, ranges) = drive(1 << 33, "audio/mp4", |range| range.map(boxes).collect());
    assert_eq!(accepted(verdict).duration_millis, None);
    assert!(ranges.len() <= vestibule_media::probe::MAX_RANGES as usize, "{ranges:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever was changed, there is a verdict.
    #[test]
    fn a_sound_with_changed_bytes_gets_a_verdict(
        which in 0..all().count(),
        changes in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 1..20),
    ) {
        let (file, declared, _) = all().nth(which).unwrap();
        let mut changed = bytes(file);
        for (share, value) in changes {
            // Most of the structure is at the beginning: go there more often.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
            let at = ((changed.len() - 1) as f64 * share.powi(4)) as usize;
            changed[at] = value;
        }
        probe(&changed, declared);
    }
}
