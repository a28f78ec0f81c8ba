//! What is cut off or broken is damaged, never half a picture.

use std::ops::Range;

use jpeg_scaled::{Decoder, Error, Options, Scale};

use crate::{all_options, corpus, decode, file};

const END: [u8; 2] = [0xFF, 0xD9];

/// Where the entropy-coded data of each scan is, with the restart markers in it.
fn scans(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut at, mut found) = (2, Vec::new());
    loop {
        let [0xFF, marker, high, low] = bytes[at..at + 4] else { panic!("no marker at {at}") };
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == 0xDA {
            let is_end = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7);
            let length = bytes[at..].windows(2).position(is_end).unwrap();
            found.push(at..at + length);
            at += length;
        }
        if bytes[at..].starts_with(&END) {
            return found;
        }
    }
}

fn is_damaged(bytes: &[u8], options: Options) -> bool {
    let decoded = Decoder::new(bytes).and_then(|decoder| decoder.decode(&options));
    matches!(decoded, Err(Error::Damaged(_)))
}

#[test]
fn a_cut_anywhere_is_damaged_at_every_scale() {
    let names = ["1x1", "17x16-progressive", "restart-7-gray", "own-without-tables"];
    for name in names {
        let bytes = file(&format!("{name}.jpg"));
        for cut in 0..bytes.len() {
            for scale in Scale::ALL {
                assert!(is_damaged(&bytes[..cut], Options { scale, full_chroma: false }), "{name} cut at {cut}");
            }
        }
    }
}

#[test]
fn a_cut_with_a_forged_end_is_damaged_at_every_scale_of_a_baseline_file() {
    for name in ["7x9", "restart-7-gray", "own-apart-restart", "own-without-tables"] {
        let bytes = file(&format!("{name}.jpg"));
        for cut in scans(&bytes).into_iter().flatten() {
            let forged = [&bytes[..cut], &END].concat();
            for scale in Scale::ALL {
                assert!(is_damaged(&forged, Options { scale, full_chroma: false }), "{name} cut at {cut}, {scale:?}");
            }
        }
    }
}

/// Between two scans a progressive picture may end: it is whole, of less precision, and nothing says that more was to come.
#[test]
fn a_cut_with_a_forged_end_is_damaged_within_a_scan_of_a_progressive_file() {
    for name in ["420-progressive", "gray-progressive", "restart-1-progressive", "own-mixed-progressive"] {
        let bytes = file(&format!("{name}.jpg"));
        let scans = scans(&bytes);
        let noticed = |cut: usize| {
            let forged = [&bytes[..cut], &END].concat();
            is_damaged(&forged, Options::default())
        };
        for (number, scan) in scans.iter().enumerate() {
            for cut in scan.clone() {
                assert!(noticed(cut), "{name} cut at {cut}, in scan {number}");
            }
        }
        let unnoticed = (0..scans[scans.len() - 1].start).filter(|cut| !noticed(*cut)).count();
        // Behind a scan, behind a whole segment that follows it, and behind the 0xFF that begins the next.
        assert!(unnoticed <= scans.len() * 2 * 2, "{name}: {unnoticed}");
    }
}

/// The places of restart markers.
fn restarts(bytes: &[u8]) -> Vec<usize> {
    scans(bytes)
        .into_iter()
        .flat_map(|scan| scan.clone().filter(|at| bytes[*at] == 0xFF && matches!(bytes[at + 1], 0xD0..=0xD7)))
        .collect()
}

#[test]
fn restart_markers_that_are_missing_or_too_many_are_damage() {
    for name in
        ["restart-1-baseline", "restart-5-baseline", "restart-7-gray", "own-apart-restart", "restart-1-progressive"]
    {
        let bytes = file(&format!("{name}.jpg"));
        let places = restarts(&bytes);
        let (first, second) = (places[0], places[1]);
        let missing = [&bytes[..second], &bytes[second + 2..]].concat();
        let twice = [&bytes[..second], &bytes[second..second + 2], &bytes[second..]].concat();
        let without_interval = [&bytes[..first], &bytes[second..]].concat();
        for (what, broken) in [("missing", missing), ("twice", twice), ("without an interval", without_interval)] {
            for options in
                all_options().filter(|options| !name.ends_with("progressive") || options.scale == Scale::Full)
            {
                assert!(is_damaged(&broken, options), "{name}: {what}, {options:?}");
            }
        }
    }
}

/// Every program shows these: what a camera leaves before the end, markers that all have one number, a height that was made less.
#[test]
fn what_programs_only_warn_of_is_no_damage() {
    let bytes = file("restart-5-baseline.jpg");
    let mut numbered = bytes.clone();
    for at in restarts(&bytes) {
        numbered[at + 1] = 0xD0;
    }
    let plain = file("161x119-baseline.jpg");
    let end = plain.len() - 2;
    for strays in [5, 64, 4000] {
        let left = [&plain[..end], &vec![0x55; strays], &plain[end..]].concat();
        for options in all_options() {
            let whole = Decoder::new(&plain).unwrap().decode(&options).unwrap();
            assert_eq!(Decoder::new(&left).unwrap().decode(&options).unwrap().planes, whole.planes, "{strays}");
            let whole = Decoder::new(&bytes).unwrap().decode(&options).unwrap();
            assert_eq!(Decoder::new(&numbered).unwrap().decode(&options).unwrap(), whole);
        }
    }
    let mut lower = plain.clone();
    let frame = plain.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    lower[frame + 5..frame + 7].copy_from_slice(&40_u16.to_be_bytes());
    for options in all_options() {
        let (whole, lower) =
            (Decoder::new(&plain).unwrap().decode(&options), Decoder::new(&lower).unwrap().decode(&options));
        let (whole, lower) = (&whole.unwrap().planes[0], &lower.unwrap().planes[0]);
        let least = lower.width * (lower.height - 1);
        assert_eq!(whole.samples[..least], lower.samples[..least]);
    }
}

#[test]
fn another_restart_interval_than_the_files_is_damage() {
    for name in
        ["restart-1-baseline", "restart-5-baseline", "restart-7-gray", "own-apart-restart", "restart-1-progressive"]
    {
        let bytes = file(&format!("{name}.jpg"));
        let at = bytes.windows(4).position(|four| four == [0xFF, 0xDD, 0, 4]).unwrap() + 5;
        for other in (0..10).filter(|other| *other != bytes[at]) {
            let mut broken = bytes.clone();
            broken[at] = other;
            for options in all_options() {
                assert!(is_damaged(&broken, options), "{name}: {other}, {options:?}");
            }
        }
    }
}

#[test]
fn planes_fit_into_the_memory_that_was_announced() {
    for (name, bytes) in corpus() {
        for options in all_options() {
            let decoder = Decoder::new(&bytes).unwrap();
            let announced = decoder.memory(&options);
            let planes = decoder.decode(&options).unwrap().planes;
            let taken: usize = planes.iter().map(|plane| plane.samples.capacity()).sum();
            assert!(taken <= announced, "{name}, {options:?}: {taken} of {announced}");
        }
    }
}

#[test]
fn a_header_may_claim_the_largest_picture_and_only_memory_is_told() {
    for name in ["444-baseline", "444-progressive"] {
        let mut bytes = file(&format!("{name}.jpg"));
        let at = bytes.windows(3).position(|three| matches!(three, [0xFF, 0xC0 | 0xC2, 0])).unwrap();
        bytes[at + 5..at + 9].fill(0xFF);
        let decoder = Decoder::new(&bytes).unwrap();
        assert_eq!((decoder.header().width, decoder.header().height), (65_535, 65_535));
        let full = decoder.memory(&Options::default());
        assert!(full >= 3 * 65_536 * 65_536, "{full}");
        let eighth = decoder.memory(&Options { scale: Scale::Eighth, full_chroma: false });
        assert!((3 * 8_192 * 8_192..10 * 8_192 * 8_192).contains(&eighth), "{eighth}");
    }
}

#[test]
fn hundreds_of_scans_are_damage() {
    let bytes = file("own-mixed-progressive.jpg");
    // A scan with its tables, which only says the same again: it is no refinement.
    let scans = scans(&bytes);
    let (from, to) = (scans[3].end, scans[4].end);
    let of = |times: usize| [&bytes[..to], &bytes[from..to].repeat(times), &bytes[to..]].concat();
    assert!(decode(&of(80), Scale::Full, false).is_ok());
    for scale in Scale::ALL {
        assert!(decode(&of(100), scale, false).is_err(), "{scale:?}");
    }
}

#[test]
fn what_is_not_decoded_is_not_called_damage() {
    let bytes = file("444-baseline.jpg");
    let at = bytes.windows(3).position(|three| three == [0xFF, 0xC0, 0]).unwrap();
    for (place, value) in [(1, 0xC3), (1, 0xC9), (4, 12), (9, 2)] {
        let mut other = bytes.clone();
        other[at + place] = value;
        assert!(matches!(Decoder::new(&other), Err(Error::Unsupported(_))), "{place} {value}");
    }
    // A height that comes later.
    let mut other = bytes.clone();
    other[at + 5..at + 7].fill(0);
    assert!(matches!(Decoder::new(&other), Err(Error::Unsupported(_))));
}
