//! Planes beside those that libjpeg-turbo makes at the same scale.

use jpeg_scaled::{Picture, Plane, Scale};

use crate::{corpus, decode, file};

/// The scales that libjpeg-turbo was asked for, in the order of a file's planes, with how far our samples may be from its own: the mean
/// over a plane, and the most.
///
/// At 1/8 both round the same mean of a block. At full size both round the same sum of cosines, libjpeg-turbo with integers: a sample that
/// is near the middle between two goes either way. At 1/4 and 1/2 they differ on purpose: libjpeg-turbo's samples are means of 4 × 4 and of
/// 2 × 2 pixels, which folds fine patterns into coarse ones; ours are the block without its higher frequencies. The bounds are those of
/// files full of noise, rounded up; without noise both are near each other.
const SCALES: [(Scale, f64, u8); 4] =
    [(Scale::Eighth, 0.0, 0), (Scale::Quarter, 2.3, 8), (Scale::Half, 4.5, 22), (Scale::Full, 0.04, 1)];

struct Reference {
    width: usize,
    height: usize,
    samples: Vec<u8>,
}

/// The pictures of a PGM that has many.
fn references(bytes: &[u8]) -> Vec<Reference> {
    let (mut rest, mut found) = (bytes, Vec::new());
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let header = str::from_utf8(&rest[..end]).unwrap();
        let [_, width, height, _] = header.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (width, height): (usize, usize) = (width.parse().unwrap(), height.parse().unwrap());
        let (samples, after) = rest[end + 1..].split_at(width * height);
        found.push(Reference { width, height, samples: samples.to_vec() });
        rest = after;
    }
    found
}

/// The mean and the largest difference.
fn distance(plane: &Plane, reference: &Reference) -> (f64, u8) {
    let differences = || plane.samples.iter().zip(&reference.samples).map(|(ours, theirs)| ours.abs_diff(*theirs));
    let sum: u32 = differences().map(u32::from).sum();
    (f64::from(sum) / f64::from(u32::try_from(plane.samples.len()).unwrap()), differences().max().unwrap())
}

/// Our plane of the reference's size, and whether it was decoded at twice the scale. Chroma is of that size with or without; or in neither
/// way, where libjpeg-turbo interpolates.
fn same_size<'p>(pictures: &'p [Picture; 2], number: usize, reference: &Reference) -> Option<(&'p Plane, bool)> {
    let is_same = |plane: &&Plane| (plane.width, plane.height) == (reference.width, reference.height);
    let [doubled, plain] = pictures.each_ref().map(|picture| picture.planes.get(number).filter(is_same));
    plain.map(|plane| (plane, false)).or(doubled.map(|plane| (plane, true)))
}

#[test]
fn planes_are_libjpeg_turbos() {
    let (mut compared, mut failures) = (0, Vec::new());
    let mut largest = SCALES.map(|(scale, ..)| (scale, 0.0_f64, 0));
    for (name, bytes) in corpus() {
        let references = references(&file(&format!("{name}.pgm")));
        let components = references.len() / SCALES.len();
        for (step, references) in references.chunks(components).enumerate() {
            let (scale, ..) = SCALES[step];
            let pictures = [true, false].map(|full| decode(&bytes, scale, full).unwrap());
            assert_eq!(pictures[0].planes.len(), components, "{name}");
            for (number, reference) in references.iter().enumerate() {
                let Some((plane, is_doubled)) = same_size(&pictures, number, reference) else {
                    assert!(number > 0, "{name} at {scale:?}: luma is of another size");
                    continue;
                };
                assert_eq!(plane.samples.len(), reference.samples.len());
                let step = step + usize::from(is_doubled);
                let ((_, mean, most), found) = (SCALES[step], distance(plane, reference));
                largest[step] = (SCALES[step].0, largest[step].1.max(found.0), largest[step].2.max(found.1));
                compared += 1;
                if found.0 > mean || found.1 > most {
                    failures.push(format!("{name} at {scale:?}, plane {number}: {found:?}"));
                }
            }
        }
    }
    println!("{compared} planes; the largest distances are {largest:?}");
    assert!(failures.is_empty(), "{failures:#?}, {largest:?}");
    assert!(compared > 400, "only {compared} planes were compared");
}

#[test]
fn a_progressive_picture_is_the_baseline_one_that_has_the_same_coefficients() {
    let mut compared = 0;
    for (name, bytes) in corpus() {
        let Some(base) = name.strip_suffix("-progressive") else { continue };
        let twin = if base.starts_with("own-") { base.to_owned() } else { format!("{base}-baseline") };
        let twin = file(&format!("{twin}.jpg"));
        for scale in Scale::ALL {
            let [one, other] = [&bytes, &twin].map(|bytes| decode(bytes, scale, true).unwrap().planes);
            assert!(one == other, "{name} at {scale:?}");
        }
        compared += 1;
    }
    assert!(compared > 10);
}

#[test]
fn how_a_picture_is_put_together_does_not_change_it() {
    let plain = file("own-420.jpg");
    for name in ["apart", "apart-restart", "other-tables", "fill", "padding", "notes", "identifiers"] {
        let other = file(&format!("own-{name}.jpg"));
        for scale in Scale::ALL {
            let [one, other] = [&plain, &other].map(|bytes| decode(bytes, scale, false).unwrap().planes);
            assert!(one == other, "{name} at {scale:?}");
        }
    }
}
