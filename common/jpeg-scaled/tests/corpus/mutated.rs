//! Whatever stands in a file, an answer comes, and a picture has the planes that its header promises.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use jpeg_scaled::{Decoder, Options, Picture, Scale};
use proptest::prelude::*;

use crate::{all_options, corpus, decode};

/// More is not asked for here, though a changed header may claim it.
const MAX_BYTES: usize = 16 << 20;

/// Decodes at all scales and looks at the planes' sizes. Answers how many pictures there were.
fn decode_all(bytes: &[u8]) -> usize {
    let decode = |options: Options| -> Option<Picture> {
        let decoder = Decoder::new(bytes).ok()?;
        let (memory, header) = (decoder.memory(&options), decoder.header().clone());
        if memory > MAX_BYTES {
            return None;
        }
        let picture = decoder.decode(&options).ok()?;
        assert_eq!(picture.planes.len(), header.components.len());
        assert!(picture.end <= bytes.len());
        for plane in &picture.planes {
            assert_eq!(plane.samples.len(), plane.width * plane.height);
        }
        assert!(picture.planes.iter().map(|plane| plane.samples.capacity()).sum::<usize>() <= memory);
        Some(picture)
    };
    all_options().filter_map(decode).count()
}

/// A change of a file.
#[derive(Debug, Clone)]
enum Change {
    Set(u8),
    Flip(u8),
    Insert(u8),
    Remove,
    Cut,
}

fn changes() -> impl Strategy<Value = Vec<(f64, Change)>> {
    let change = prop_oneof![
        4 => any::<u8>().prop_map(Change::Set),
        4 => (0..8_u8).prop_map(Change::Flip),
        1 => any::<u8>().prop_map(Change::Insert),
        1 => Just(Change::Remove),
        1 => Just(Change::Cut),
    ];
    prop::collection::vec((0.0..1.0, change), 1..5)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small files")]
fn change(bytes: &mut Vec<u8>, (place, change): (f64, Change)) {
    let at = (bytes.len() as f64 * place) as usize;
    match change {
        Change::Insert(value) => bytes.insert(at, value),
        Change::Cut => bytes.truncate(at),
        Change::Set(_) | Change::Flip(_) | Change::Remove if bytes.is_empty() => {}
        Change::Set(value) => bytes[at] = value,
        Change::Flip(bit) => bytes[at] ^= 1 << bit,
        Change::Remove => drop(bytes.remove(at)),
    }
}

const FACTORS: [SamplingFactor; 8] = [
    SamplingFactor::F_1_1,
    SamplingFactor::F_2_1,
    SamplingFactor::F_1_2,
    SamplingFactor::F_2_2,
    SamplingFactor::F_4_1,
    SamplingFactor::F_4_2,
    SamplingFactor::F_1_4,
    SamplingFactor::F_2_4,
];

/// A picture of waves, written by an encoder that is not libjpeg-turbo's.
fn encoded(size: (u16, u16), factor: SamplingFactor, restart: u16, progressive: bool) -> Vec<u8> {
    let (mut bytes, mut pixels) = (Vec::new(), Vec::new());
    for y in 0..u32::from(size.1) {
        for x in 0..u32::from(size.0) {
            pixels.extend([(x * 9 + y * 5).to_le_bytes()[0], (x * y).to_le_bytes()[0], (y * 13).to_le_bytes()[0]]);
        }
    }
    let mut encoder = Encoder::new(&mut bytes, 80);
    encoder.set_sampling_factor(factor);
    encoder.set_restart_interval(restart);
    encoder.set_progressive(progressive);
    encoder.encode(&pixels, size.0, size.1, ColorType::Rgb).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_file_is_answered(file in any::<prop::sample::Index>(), changes in changes()) {
        let files = corpus();
        let (_, mut bytes) = files[file.index(files.len())].clone();
        for one in changes {
            change(&mut bytes, one);
        }
        decode_all(&bytes);
    }

    #[test]
    fn every_size_and_sampling_is_decoded(
        size in (1..80_u16, 1..80_u16),
        factor in prop::sample::select(FACTORS.to_vec()),
        restart in 0..9_u16,
    ) {
        let baseline = encoded(size, factor, restart, false);
        let progressive = encoded(size, factor, restart, true);
        prop_assert_eq!(decode_all(&baseline), Scale::ALL.len() * 2);
        for scale in Scale::ALL {
            let picture = decode(&baseline, scale, false).unwrap();
            let small = |pixels: u16| (usize::from(pixels) * scale.eighths()).div_ceil(8);
            prop_assert_eq!((picture.planes[0].width, picture.planes[0].height), (small(size.0), small(size.1)));
            prop_assert_eq!(picture.planes, decode(&progressive, scale, false).unwrap().planes);
        }
    }
}
