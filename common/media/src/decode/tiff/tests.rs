//! Files that the library writes, and those that it cannot, built here tag by tag.

#![expect(clippy::cast_possible_truncation, reason = "files of a few kilobytes")]

use tiff::encoder::colortype::{CMYK8, CMYK16, ColorType as Kind, Gray8, Gray16, RGB8, RGB16, RGBA8, RGBA16};
use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder, TiffValue};

use super::super::shrink::tests::{expected, samples};
use super::*;

const FULL: (u32, u32) = (101, 67);

fn decoded(bytes: &[u8], longest: u32) -> Result<Decoded, Trouble> {
    let (header, tiff) = open(bytes, &InspectLimits::default())?.expect("a kind that is decoded here");
    tiff.decode(&header, longest)
}

fn encoded<K: Kind>(pixels: &[K::Inner], compression: Compression, predictor: Predictor, rows: u32) -> Vec<u8>
where
    [K::Inner]: TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    let encoder = TiffEncoder::new(&mut file).unwrap();
    let mut encoder = encoder.with_compression(compression).with_predictor(predictor);
    let mut image = encoder.new_image::<K>(FULL.0, FULL.1).unwrap();
    image.rows_per_strip(rows).unwrap();
    image.write_data(pixels).unwrap();
    file.into_inner()
}

/// A little-endian file of one picture: its tags in their order, each with values of 16 or 32 bits, and its chunks.
fn built(tags: &[(u16, &[u16])], (offsets, lengths): (u16, u16), chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"II*\0\0\0\0\0".to_vec();
    let mut places = Vec::new();
    for chunk in chunks {
        places.push((bytes.len() as u32, chunk.len() as u32));
        bytes.extend(chunk);
    }
    let mut entries: Vec<(u16, u16, Vec<u8>, u32)> = tags
        .iter()
        .map(|(tag, values)| (*tag, 3, values.iter().flat_map(|v| v.to_le_bytes()).collect(), values.len() as u32))
        .collect();
    let longs = |pick: fn(&(u32, u32)) -> u32| places.iter().flat_map(|p| pick(p).to_le_bytes()).collect::<Vec<u8>>();
    entries.push((offsets, 4, longs(|place| place.0), places.len() as u32));
    entries.push((lengths, 4, longs(|place| place.1), places.len() as u32));
    entries.sort();
    let mut directory = (entries.len() as u16).to_le_bytes().to_vec();
    for (tag, kind, mut data, count) in entries {
        directory.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        directory.extend(count.to_le_bytes());
        if data.len() > 4 {
            directory.extend((bytes.len() as u32).to_le_bytes());
            bytes.extend(data);
        } else {
            data.resize(4, 0);
            directory.extend(data);
        }
    }
    directory.extend([0; 4]);
    let place = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&place.to_le_bytes());
    bytes.extend(directory);
    bytes
}

/// `pixels` cut into tiles of 32 × 16, those at the edges filled up.
fn tiles(pixels: &[u8], channels: usize) -> Vec<Vec<u8>> {
    let at = |x: usize, y: usize| {
        let inside = x < FULL.0 as usize && y < FULL.1 as usize;
        (0..channels).map(move |c| if inside { pixels[(y * FULL.0 as usize + x) * channels + c] } else { 99 })
    };
    let corners =
        (0..FULL.1 as usize).step_by(16).flat_map(|top| (0..FULL.0 as usize).step_by(32).map(move |left| (left, top)));
    corners
        .map(|(left, top)| {
            (top..top + 16).flat_map(|y| (left..left + 32).map(move |x| (x, y))).flat_map(|(x, y)| at(x, y)).collect()
        })
        .collect()
}

const TILED: (u16, u16) = (324, 325);
const STRIPS: (u16, u16) = (273, 279);

#[test]
fn every_kind_of_pixel_and_compression_comes_out_as_the_boxes_of_what_it_says() {
    let compressions = [
        (Compression::Uncompressed, Predictor::None),
        (Compression::Packbits, Predictor::None),
        (Compression::Lzw, Predictor::None),
        (Compression::Lzw, Predictor::Horizontal),
        (Compression::Deflate(DeflateLevel::Fast), Predictor::None),
        (Compression::Deflate(DeflateLevel::Fast), Predictor::Horizontal),
    ];
    let wide = |eight: &[u8]| eight.iter().map(|sample| u16::from(*sample) * 257).collect::<Vec<_>>();
    for (at, (compression, predictor)) in compressions.into_iter().enumerate() {
        for (rows, longest) in [(1, 20), (7, 25), (67, 25), (7, 320)] {
            for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba, Layout::Cmyk] {
                let eight = samples(FULL, layout.channels() as u32);
                let sixteen = wide(&eight);
                let (narrow, wide) = match layout {
                    Layout::Gray => (
                        encoded::<Gray8>(&eight, compression, predictor, rows),
                        encoded::<Gray16>(&sixteen, compression, predictor, rows),
                    ),
                    Layout::Rgb | Layout::Ycc => (
                        encoded::<RGB8>(&eight, compression, predictor, rows),
                        encoded::<RGB16>(&sixteen, compression, predictor, rows),
                    ),
                    Layout::Cmyk => (
                        encoded::<CMYK8>(&eight, compression, predictor, rows),
                        encoded::<CMYK16>(&sixteen, compression, predictor, rows),
                    ),
                    Layout::Rgba | Layout::GrayAlpha => (
                        encoded::<RGBA8>(&eight, compression, predictor, rows),
                        encoded::<RGBA16>(&sixteen, compression, predictor, rows),
                    ),
                };
                let expected = expected(FULL, layout, &eight, longest);
                for bytes in [narrow, wide] {
                    let found = decoded(&bytes, longest).unwrap();
                    assert_eq!(found, expected, "{layout:?} {at} {rows} {longest}");
                }
            }
        }
    }
}

#[test]
fn tiles_are_put_side_by_side_and_cut_at_the_edges() {
    for (channels, layout, photometric) in [(1, Layout::Gray, 1), (3, Layout::Rgb, 2)] {
        let pixels = samples(FULL, u32::from(channels));
        let chunks = tiles(&pixels, channels.into());
        let bits = vec![8; channels.into()];
        let tags = |compression: &'static [u16]| {
            [
                (256, vec![101]),
                (257, vec![67]),
                (258, bits.clone()),
                (259, compression.to_vec()),
                (262, vec![photometric]),
                (277, vec![channels]),
                (322, vec![32]),
                (323, vec![16]),
            ]
        };
        let squeezed: Vec<_> = chunks.iter().map(|chunk| lzw::tests::encoded(chunk)).collect();
        for (compression, chunks) in [(&[1][..], &chunks), (&[5][..], &squeezed)] {
            let owned = tags(compression);
            let tags: Vec<(u16, &[u16])> = owned.iter().map(|(tag, values)| (*tag, values.as_slice())).collect();
            let found = decoded(&built(&tags, TILED, chunks), 25).unwrap();
            assert_eq!(found, expected(FULL, layout, &pixels, 25), "{compression:?} {channels}");
        }
    }
}

#[test]
fn bits_are_black_and_white_whichever_of_them_is_zero() {
    let packed = samples((13, 67), 1);
    for (photometric, one) in [(1, 255), (0, 0)] {
        let tags: &[(u16, &[u16])] =
            &[(256, &[101]), (257, &[67]), (258, &[1]), (259, &[1]), (262, &[photometric]), (277, &[1]), (278, &[67])];
        let bit = |row: &[u8], x: usize| if row[x / 8] >> (7 - x % 8) & 1 == 1 { one } else { 255 - one };
        let pixels: Vec<u8> =
            packed.chunks(13).flat_map(|row| (0..101).map(|x| bit(row, x)).collect::<Vec<_>>()).collect();
        let found = decoded(&built(tags, STRIPS, std::slice::from_ref(&packed)), 25).unwrap();
        assert_eq!(found, expected(FULL, Layout::Gray, &pixels, 25), "{photometric}");
    }
}

#[test]
fn planes_of_tiles_that_reach_over_the_edge_are_not_decoded_and_do_not_panic() {
    let tile = vec![0; 32 * 16];
    let chunks = vec![tile; 4 * 5 * 3];
    for (height, is_opened) in [(67, false), (80, true)] {
        let tags: &[(u16, &[u16])] = &[
            (256, &[101]),
            (257, &[height]),
            (258, &[8, 8, 8]),
            (259, &[1]),
            (262, &[2]),
            (277, &[3]),
            (284, &[2]),
            (322, &[32]),
            (323, &[16]),
        ];
        match open(&built(tags, TILED, &chunks), &InspectLimits::default()) {
            Ok(None) => assert!(is_opened),
            Err(Trouble::Unsupported(_)) => assert!(!is_opened),
            _ => panic!("{height}"),
        }
    }
}

#[test]
fn a_file_that_ends_early_is_damage() {
    let pixels = samples(FULL, 3);
    for (compression, predictor) in [
        (Compression::Uncompressed, Predictor::None),
        (Compression::Lzw, Predictor::Horizontal),
        (Compression::Deflate(DeflateLevel::Fast), Predictor::None),
    ] {
        let mut bytes = encoded::<RGB8>(&pixels, compression, predictor, 67);
        let mut reader = Decoder::new(Cursor::new(&bytes)).unwrap();
        let offset = reader.get_tag_u64_vec(Tag::StripOffsets).unwrap()[0].to_le_bytes();
        // The strip begins where the file has too little of it.
        let behind = (bytes.len() as u32 - 100).to_le_bytes();
        let entry = bytes.windows(4).rposition(|window| window == &offset[..4]).unwrap();
        bytes[entry..entry + 4].copy_from_slice(&behind);
        assert!(matches!(decoded(&bytes, 25), Err(Trouble::Damaged(_))));
    }
}
