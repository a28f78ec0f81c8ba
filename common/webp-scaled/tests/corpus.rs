//! Small files, made by `files/make.py`, against libwebp, against `image-webp`, and broken in every way.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test, helper functions and all")]

use std::path::Path;

use proptest::prelude::*;
use webp_scaled::{Error, Picture, Plane, Scale, decode, parse};

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(format!("{name}.webp"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of `planes.txt`: name, size, and a checksum of each plane.
fn table() -> Vec<(&'static str, usize, usize, [u32; 3])> {
    let lines = include_str!("files/planes.txt").lines().filter(|line| !line.starts_with('#'));
    let read = |line: &'static str| {
        let [name, width, height, sums @ ..] = &line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let sums: Vec<_> = sums.iter().map(|sum| u32::from_str_radix(sum, 16).unwrap()).collect();
        (*name, width.parse().unwrap(), height.parse().unwrap(), sums.try_into().unwrap())
    };
    lines.map(read).collect()
}

fn crc32(plane: &Plane) -> u32 {
    !plane.rows().flatten().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[test]
fn at_full_size_every_plane_is_libwebps() {
    for (name, width, height, sums) in table() {
        let picture = decode(&file(name), Scale::Full).unwrap();
        assert_eq!((usize::from(picture.width), usize::from(picture.height)), (width, height), "{name}");
        assert_eq!(picture.planes.each_ref().map(crc32), sums, "{name}");
    }
}

#[test]
fn at_full_size_every_plane_is_that_of_image_webp() {
    for (name, ..) in table() {
        let bytes = file(name);
        let picture = decode(&bytes, Scale::Full).unwrap();
        let frame = image_webp::vp8::Vp8Decoder::decode_frame(parse(&bytes).unwrap().frame).unwrap();
        let across = usize::from(frame.width).div_ceil(16);
        for (plane, (theirs, stride)) in picture.planes.iter().zip([
            (&frame.ybuf, 16 * across),
            (&frame.ubuf, 8 * across),
            (&frame.vbuf, 8 * across),
        ]) {
            let theirs = theirs.chunks(stride).map(|row| &row[..plane.width()]);
            assert!(plane.rows().eq(theirs.take(plane.height())), "{name}");
        }
    }
}

/// The averages of boxes, of which those at the right and lower edge repeat the last pixels.
fn boxes(plane: &Plane, divisor: usize, size: (u16, u16)) -> Vec<u8> {
    let rows: Vec<_> = plane.rows().collect();
    let at = |x: usize, y: usize| u32::from(rows[y.min(rows.len() - 1)][x.min(plane.width() - 1)]);
    let mut averages = Vec::new();
    for y in 0..usize::from(size.1) {
        for x in 0..usize::from(size.0) {
            let cells = (0..divisor).flat_map(|down| (0..divisor).map(move |across| (across, down)));
            let sum: u32 = cells.map(|(across, down)| at(x * divisor + across, y * divisor + down)).sum();
            let count = u32::try_from(divisor * divisor).unwrap();
            averages.push(u8::try_from((sum + count / 2) / count).unwrap());
        }
    }
    averages
}

fn differences(picture: &Picture, full: &Picture) -> Vec<u8> {
    let divisor = usize::from(picture.scale.divisor());
    let planes = picture.planes.iter().zip(&full.planes).zip([divisor, divisor / 2, divisor / 2]);
    let found = planes.flat_map(|((plane, full), divisor)| {
        let expected = boxes(full, divisor, (picture.width, picture.height));
        let rows: Vec<u8> = plane.rows().flatten().copied().collect();
        assert_eq!(rows.len(), expected.len());
        rows.into_iter().zip(expected).map(|(a, b)| a.abs_diff(b)).collect::<Vec<_>>()
    });
    found.collect()
}

#[test]
fn reductions_are_averages() {
    for (name, ..) in table() {
        let bytes = file(name);
        let full = decode(&bytes, Scale::Full).unwrap();
        for scale in [Scale::Half, Scale::Quarter, Scale::Eighth] {
            let picture = decode(&bytes, scale).unwrap();
            assert_eq!((picture.width, picture.height), (scale.apply(full.width), scale.apply(full.height)));
            let found = differences(&picture, &full);
            let largest = found.iter().copied().max().unwrap();
            let mean =
                found.iter().map(|n| f64::from(*n)).sum::<f64>() / f64::from(u32::try_from(found.len()).unwrap());
            // What is unfiltered at a half has nothing to differ by. Otherwise the loop filter is missing, of which the lowest
            // qualities have much, and in blocks that no other depends on, clamping.
            let allowed = match (name, scale) {
                ("no-filter", Scale::Half) => 0.0,
                ("no-filter" | "q100", _) => 0.6,
                _ => 6.0,
            };
            assert!(mean <= allowed, "{name} {scale:?}: {mean} on average, {largest} at most");
        }
    }
}

#[test]
fn colours_are_those_of_image_webp() {
    for (name, ..) in table() {
        let bytes = file(name);
        let ours = decode(&bytes, Scale::Full).unwrap();
        let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(&bytes)).unwrap();
        decoder.set_lossy_upsampling(image_webp::UpsamplingMethod::Simple);
        let mut theirs = vec![0; decoder.output_buffer_size().unwrap()];
        decoder.read_image(&mut theirs).unwrap();
        assert!(ours.rgb() == theirs, "{name}");
    }
}

#[test]
fn colours_without_planes_are_the_same() {
    for (name, ..) in table() {
        let bytes = file(name);
        for scale in Scale::ALL {
            let picture = decode(&bytes, scale).unwrap();
            let colours = webp_scaled::decode_rgb(parse(&bytes).unwrap().frame, scale).unwrap();
            assert_eq!((colours.width, colours.height), (picture.width, picture.height), "{name} {scale:?}");
            assert!(colours.pixels == picture.rgb(), "{name} {scale:?}");
        }
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_damaged() {
    for (name, ..) in table() {
        let bytes = file(name);
        for end in 0..bytes.len() {
            for scale in Scale::ALL {
                assert!(matches!(decode(&bytes[..end], scale), Err(Error::Damaged(_))), "{name} {end}");
            }
        }
    }
}

#[test]
fn a_frame_that_is_cut_is_damaged_even_where_the_container_was_repaired() {
    for name in ["q100", "partitions-8", "four-segments"] {
        let bytes = file(name);
        let frame = parse(&bytes).unwrap().frame;
        // The last bytes are padding that no pixel depends on.
        for end in (0..frame.len() - 6).step_by(7).chain(frame.len() - 50..frame.len() - 6) {
            let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
            let repaired = [b"RIFF", &length(end + 12)[..], b"WEBPVP8 ", &length(end)[..], &frame[..end]].concat();
            assert!(matches!(decode(&repaired, Scale::Quarter), Err(Error::Damaged(_))), "{name} {end}");
        }
    }
}

#[test]
fn what_is_not_decoded_here_is_said_to_be_so() {
    for name in ["lossless", "alpha", "alpha-raw"] {
        assert!(matches!(decode(&file(name), Scale::Half), Err(Error::Unsupported(_))), "{name}");
    }
    // An animation, by the flag.
    let file = [b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0", &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0][..]].concat();
    assert!(matches!(decode(&file, Scale::Half), Err(Error::Unsupported(_))));
}

#[test]
fn the_largest_size_in_a_small_file_is_damaged() {
    let mut bytes = file("16x16");
    let at = bytes.windows(3).position(|bytes| bytes == [0x9d, 0x01, 0x2a]).unwrap();
    bytes[at + 3..at + 7].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    for scale in Scale::ALL {
        assert!(matches!(decode(&bytes, scale), Err(Error::Damaged(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn broken_bytes_never_panic(
        index in 0_usize..100,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        scale in prop::sample::select(Scale::ALL.to_vec()),
        fuzz_header: bool,
    ) {
        let table = table();
        let mut bytes = file(table[index % table.len()].0);
        let range = if fuzz_header { bytes.len().min(60) } else { bytes.len() };
        for (at, value) in changes {
            bytes[at.index(range)] = value;
        }
        let small = |width: u16, height: u16| u32::from(width) * u32::from(height) < 1_000_000;
        if parse(&bytes).is_ok_and(|found| small(found.width, found.height))
            && let Ok(picture) = decode(&bytes, scale)
        {
            prop_assert_eq!(picture.rgb().len(), 3 * usize::from(picture.width) * usize::from(picture.height));
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>) {
        prop_assert!(decode(&bytes, Scale::Half).is_err());
        prop_assert!(webp_scaled::decode_frame(&bytes, Scale::Half).is_err());
    }
}
