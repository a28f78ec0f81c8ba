//! Every file of `fixtures/` through the probe, and files made worse from them.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test, helper functions and all")]

use std::io::Cursor;
use std::ops::Range;
use std::path::PathBuf;

use image::ImageDecoder;
use image::codecs::{jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use proptest::prelude::*;
use serde::Deserialize;
use vestibule_domain::admission::Admission;
use vestibule_domain::disposition::disposition;
use vestibule_domain::inspection::{Facts, Inspection, Thumbnail};
use vestibule_domain::policy::{EncryptedFiles, InspectPolicy};
use vestibule_domain::rejection::RejectionCode;
use vestibule_media::probe::{Probe, Step, Subject, Verdict};
use vestibule_media::{RECIPE, VARIANTS};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    file: String,
    declared_type: String,
    expect: Expectation,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expectation {
    state: String,
    code: Option<RejectionCode>,
    #[serde(rename = "type")]
    content_type: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    frames: Option<u32>,
    duration_millis: Option<u64>,
    alpha: Option<bool>,
    pages: Option<u32>,
    macros: Option<bool>,
    encoding: Option<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The rows of the manifest, which is of a build with all features: without one, files of its type come in without a picture, and what is wrong
/// with them is not seen.
fn rows() -> Vec<Row> {
    let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(folder().join("manifest.json")).unwrap()).unwrap();
    rows.into_iter().filter(|row| !is_left_out(&row.declared_type)).collect()
}

fn is_left_out(declared: &str) -> bool {
    match declared {
        "image/heic" => !cfg!(feature = "heic"),
        "image/avif" => !cfg!(feature = "avif"),
        "image/jxl" => !cfg!(feature = "jxl"),
        "audio/mp4" | "audio/webm" | "video/3gpp" | "video/mp4" | "video/quicktime" | "video/webm"
        | "video/matroska" => !cfg!(feature = "video"),
        _ => false,
    }
}

/// A file of each feature, of a type that is in the table with and without it: it comes in either way, and what the feature finds out is said
/// exactly when it is in the build.
#[test]
fn what_is_left_out_of_the_build_comes_in_without_its_picture_and_facts() {
    let all = [
        ("heic", cfg!(feature = "heic"), "phone-grid.heic", "image/heic"),
        ("avif", cfg!(feature = "avif"), "lossy.avif", "image/avif"),
        ("jxl", cfg!(feature = "jxl"), "lossy.jxl", "image/jxl"),
        ("pdf", cfg!(feature = "pdf"), "report.pdf", "application/pdf"),
        ("h264", cfg!(feature = "h264"), "film-faststart.mp4", "video/mp4"),
        ("video", cfg!(feature = "video"), "film-vp9.webm", "video/webm"),
        ("audio", cfg!(feature = "audio"), "swell-vbr.mp3", "audio/mpeg"),
        ("text", cfg!(feature = "text"), "utf-16.txt", "text/plain"),
    ];
    for (feature, is_built, file, declared) in all {
        let found = accepted(file, declared);
        assert_eq!(found.facts.content_type.as_str(), declared, "{feature}");
        let facts = &found.facts;
        let is_said = match feature {
            "video" => facts.duration_millis.is_some() && !facts.codecs.is_empty(),
            "audio" => facts.duration_millis.is_some() && facts.waveform.is_some(),
            "text" => facts.encoding.is_some() && facts.excerpt.is_some(),
            "pdf" => facts.pages.is_some() && !found.thumbnails.is_empty(),
            _ => facts.thumbhash.is_some() && !found.thumbnails.is_empty(),
        };
        assert_eq!(is_said, is_built, "{feature}: {facts:?}");
    }
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(folder().join("files").join(file)).unwrap()
}

/// Examines `bytes`, and counts the ranges that it took.
fn probe(bytes: &[u8], declared: &str) -> (Verdict, usize) {
    probe_under(InspectPolicy::default(), bytes, declared)
}

fn probe_under(policy: InspectPolicy, bytes: &[u8], declared: &str) -> (Verdict, usize) {
    let slice =
        |range: Range<u64>| bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()].to_vec();
    let subject = Subject { size: bytes.len() as u64, declared_type: declared.parse().unwrap(), declared_sha256: None };
    let mut ranges = 0;
    let mut step = Probe::start(subject, policy);
    loop {
        match step {
            Step::Done(examination) => return (examination.verdict, ranges),
            Step::Need(probe) => {
                ranges += 1;
                let bytes = slice(probe.range());
                step = probe.supply(bytes).unwrap();
            }
        }
    }
}

fn accepted(file: &str, declared: &str) -> Inspection {
    match probe(&bytes(file), declared).0 {
        Verdict::Accepted(found) => *found,
        Verdict::Rejected(why) => panic!("{file}: {why:?}"),
    }
}

/// A thumbnail's pixels, red, green and blue (and alpha), and the metadata that it must not have.
fn opened(thumbnail: &Thumbnail) -> image::DynamicImage {
    let bytes = Cursor::new(&thumbnail.bytes.0);
    let mut decoder: Box<dyn ImageDecoder> = match thumbnail.content_type.as_str() {
        "image/jpeg" => Box::new(JpegDecoder::new(bytes).unwrap()),
        "image/png" => Box::new(PngDecoder::new(bytes).unwrap()),
        "image/webp" => Box::new(WebPDecoder::new(bytes).unwrap()),
        other => panic!("{other}"),
    };
    assert_eq!(decoder.exif_metadata().unwrap(), None);
    assert_eq!(decoder.icc_profile().unwrap(), None);
    image::DynamicImage::from_decoder(decoder).unwrap()
}

/// Whether a row is of a film, or of sound in a film's container.
fn is_film(row: &Row) -> bool {
    row.declared_type.starts_with("video/") || row.declared_type == "audio/mp4"
}

fn check_thumbnails(row: &Row, found: &Inspection) {
    let names: Vec<&str> = found.thumbnails.iter().map(|made| made.name.as_str()).collect();
    assert_eq!(names, VARIANTS.map(|(name, _)| name), "{row:?}");
    let (width, height) = (row.expect.width.unwrap(), row.expect.height.unwrap());
    for (made, (_, side)) in found.thumbnails.iter().zip(VARIANTS) {
        let picture = opened(made);
        assert_eq!((picture.width(), picture.height()), (made.width, made.height), "{row:?}");
        assert_eq!(made.width.max(made.height), width.max(height).min(side), "{row:?}");
        let (wide, high) = (f64::from(made.width) / f64::from(width), f64::from(made.height) / f64::from(height));
        let (exact_w, exact_h) =
            (wide * f64::from(width), high * f64::from(width) * f64::from(height) / f64::from(width));
        assert!((exact_w - f64::from(made.width)).abs() <= 1.0 && (exact_h - f64::from(made.height)).abs() <= 1.0);
        let transparent = made.content_type.as_str() != "image/jpeg";
        assert_eq!(transparent, row.expect.alpha.unwrap(), "{row:?} {}", made.content_type);
    }
    assert_eq!(found.facts.recipe.as_deref(), Some(RECIPE));
    assert!(found.facts.thumbhash.is_some());
    assert!(found.facts.sha256.is_some() || !row.declared_type.starts_with("image/"), "{row:?}");
}

/// To the hundredth for what is counted in samples: encoders add some before and behind, and do not always say so.
fn check_duration(row: &Row, facts: &Facts) {
    match (row.expect.duration_millis, facts.duration_millis) {
        (Some(expected), Some(found)) => assert!(found.abs_diff(expected) <= 10, "{row:?} {found}"),
        (expected, found) => assert_eq!(found, expected, "{row:?}"),
    }
}

/// A page has no pixels of its own, so its longer side is always that of the variant.
fn check_first_page(row: &Row, found: &Inspection) {
    assert_eq!(found.facts.pages, row.expect.pages, "{row:?}");
    assert_eq!(found.thumbnails.len(), VARIANTS.len(), "{row:?}");
    for (made, (name, side)) in found.thumbnails.iter().zip(VARIANTS) {
        let picture = opened(made);
        assert_eq!((made.name.as_str(), made.content_type.as_str()), (name, "image/jpeg"), "{row:?}");
        assert_eq!((picture.width(), picture.height()), (made.width, made.height), "{row:?}");
        assert_eq!(made.width.max(made.height), side, "{row:?}");
        let luma = picture.to_luma8();
        assert!(luma.pixels().any(|pixel| pixel.0[0] > 250) && luma.pixels().any(|pixel| pixel.0[0] < 160), "{row:?}");
    }
    assert_eq!(found.facts.recipe.as_deref(), Some(RECIPE));
    assert!(found.facts.thumbhash.is_some() && found.facts.sha256.is_some());
}

#[test]
fn every_fixture_gets_the_verdict_that_its_row_promises() {
    let mut wrong = Vec::new();
    for row in rows() {
        let (verdict, _) = probe(&bytes(&row.file), &row.declared_type);
        let said = match &verdict {
            Verdict::Accepted(_) => "ready".to_owned(),
            Verdict::Rejected(why) => why.code.as_str().to_owned(),
        };
        let expected = row.expect.code.map_or_else(|| row.expect.state.clone(), |code| code.as_str().to_owned());
        if said != expected {
            wrong.push(format!("{}: {said} where {expected} belongs", row.file));
            continue;
        }
        let Verdict::Accepted(found) = verdict else { continue };
        let facts = &found.facts;
        if let Some(content_type) = &row.expect.content_type {
            assert_eq!(facts.content_type.as_str(), content_type, "{row:?}");
        }
        assert_eq!((facts.width, facts.height), (row.expect.width, row.expect.height), "{row:?}");
        assert_eq!(facts.frames, row.expect.frames, "{row:?}");
        if cfg!(feature = "audio") || !row.declared_type.starts_with("audio/") {
            check_duration(&row, facts);
        }
        if row.expect.macros.is_some() {
            assert_eq!(facts.macros, row.expect.macros, "{row:?}");
        }
        if row.expect.encoding.is_some() && cfg!(feature = "text") {
            assert_eq!(facts.encoding, row.expect.encoding, "{row:?}");
        }
        if row.expect.alpha.is_some() && (cfg!(feature = "h264") || !is_film(&row)) {
            check_thumbnails(&row, &found);
        } else if row.expect.pages.is_some() && cfg!(feature = "pdf") {
            check_first_page(&row, &found);
        } else {
            assert!(found.thumbnails.is_empty(), "{row:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the table refuses comes in under a tenant's own list, and encrypted files where the tenant says so; and whatever its type,
/// nothing of it is shown in place.
#[test]
fn what_a_tenant_allows_comes_in_to_be_saved() {
    let allowing = |name: &str| InspectPolicy {
        admission: Admission { allowed: vec![name.parse().unwrap()], denied: Vec::new() },
        ..InspectPolicy::default()
    };
    let encrypted = InspectPolicy { encrypted: EncryptedFiles::Accept, ..InspectPolicy::default() };
    let svg = "image/svg+xml";
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    for (file, declared, policy, kept) in [
        ("script.svg", svg, allowing(svg), svg),
        ("page.html", "text/html", allowing("text/html"), "text/html"),
        ("library.jar", "application/java-archive", allowing("application/java-archive"), "application/java-archive"),
        ("encrypted.zip", "application/zip", encrypted.clone(), "application/zip"),
        ("encrypted.pdf", "application/pdf", encrypted.clone(), "application/pdf"),
        ("encrypted.docx", docx, encrypted, "application/x-cfb"),
    ] {
        let Verdict::Accepted(found) = probe_under(policy, &bytes(file), declared).0 else { panic!("{file}") };
        assert_eq!(found.facts.content_type.as_str(), kept, "{file}");
        assert!(found.thumbnails.is_empty() && found.facts.excerpt.is_none(), "{file}");
        assert_eq!(found.facts.encrypted, file.starts_with("encrypted").then_some(true), "{file}");
        assert!(disposition(&found.facts.content_type, file).starts_with("attachment;"), "{file}");
    }
    // One name on the list is not the other.
    let Verdict::Rejected(why) = probe_under(allowing("text/html"), &bytes("script.svg"), svg).0 else { panic!() };
    assert_eq!(why.code, RejectionCode::TypeNotAllowed);
}

/// Nothing that is hidden in a text, or turns it, comes with its first lines.
#[cfg(feature = "text")]
#[test]
fn the_first_lines_of_a_text_hide_nothing() {
    for (file, lines) in [
        ("hidden.txt", "Please open invoice-\\u{202e}txt.exe\nun\\u{200b}sub\\u{2060}scribe\\u{e0041} here"),
        ("utf-16.txt", "Grüße aus Zürich 🙂\nzweite Zeile"),
        ("western.txt", "Grüße aus Zürich,\n\ndie Lampe „Schönbühl“ kostet 39 €."),
        ("privet.txt", "Здравствуйте! Посылка пришла во вторник, одна из двух ламп разбита."),
        ("koi8.txt", "Здравствуйте! Посылка пришла во вторник, одна из двух ламп разбита."),
        ("shift-jis.txt", "お世話になっております。\n荷物は火曜日に届きました。ランプが一つ壊れています。"),
    ] {
        assert_eq!(accepted(file, "text/plain").facts.excerpt.as_deref(), Some(lines), "{file}");
    }
}

/// The verdict of each fixture in a line: what changes in one of them shows in a review.
#[test]
#[cfg(all(
    feature = "audio",
    feature = "avif",
    feature = "h264",
    feature = "heic",
    feature = "jxl",
    feature = "pdf",
    feature = "text"
))]
fn the_verdicts_of_all_fixtures_are_as_they_were() {
    let verdicts = rows().into_iter().map(|row| {
        let said = match probe(&bytes(&row.file), &row.declared_type).0 {
            Verdict::Rejected(why) => format!("rejected {}", why.code.as_str()),
            Verdict::Accepted(found) => {
                // Digests and previews say nothing to a reader, and the previews' last bits are not the same on every machine.
                let facts = Facts { sha256: None, thumbhash: None, ..found.facts };
                let made = found.thumbnails.iter().map(|made| format!(" {}:{}", made.name, made.content_type));
                format!("ready {}{}", serde_json::to_string(&facts).unwrap(), made.collect::<String>())
            }
        };
        format!("{} as {}: {said}", row.file, row.declared_type)
    });
    insta::assert_snapshot!(verdicts.collect::<Vec<_>>().join("\n"));
}

#[test]
fn all_eight_orientations_of_one_picture_look_the_same() {
    let upright = opened(&accepted("orientation-1.jpg", "image/jpeg").thumbnails[0]).to_rgb8();
    for exif in 2..=8 {
        let turned = opened(&accepted(&format!("orientation-{exif}.jpg"), "image/jpeg").thumbnails[0]).to_rgb8();
        assert_eq!(turned.dimensions(), upright.dimensions(), "{exif}");
        assert!(mean_difference(&turned, &upright) < 4.0, "{exif}: {}", mean_difference(&turned, &upright));
    }
}

fn mean_difference(a: &image::RgbImage, b: &image::RgbImage) -> f64 {
    let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    #[expect(clippy::cast_precision_loss, reason = "a mean of bytes")]
    let mean = sum as f64 / a.as_raw().len() as f64;
    mean
}

/// The poster of a film, at the larger size.
#[cfg(feature = "h264")]
fn poster(file: &str, declared: &str) -> image::RgbImage {
    opened(&accepted(file, declared).thumbnails[1]).to_rgb8()
}

#[test]
#[cfg(feature = "h264")]
fn colour_bars_have_their_colours_whatever_matrix_and_range_a_film_has() {
    const BARS: [[u8; 3]; 7] =
        [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]];
    for file in ["film-bars-601.mp4", "film-bars-709.mp4"] {
        let shown = poster(file, "video/mp4");
        for (bar, expected) in (0_u32..).zip(BARS) {
            let found = shown.get_pixel(320 * (2 * bar + 1) / 14, 60).0;
            assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 6), "{file}: {found:?}, not {expected:?}");
        }
    }
}

#[test]
#[cfg(feature = "h264")]
fn a_poster_is_turned_as_its_film_is_and_is_not_the_black_at_its_beginning() {
    let upright = poster("film-faststart.mp4", "video/mp4");
    let turned = image::imageops::rotate90(&upright);
    let found = poster("film-turned.mov", "video/quicktime");
    assert_eq!(found.dimensions(), (180, 320));
    // Encoded anew, lying on its side: not the same to the last bit.
    assert!(mean_difference(&found, &turned) < 6.0, "{}", mean_difference(&found, &turned));
    assert!(mean_difference(&found, &image::imageops::rotate270(&upright)) > 12.0);
    let black = image::RgbImage::new(320, 180);
    assert!(mean_difference(&poster("film-black-first.mp4", "video/mp4"), &black) > 40.0);
    // Wherever its boxes are, it is the same film.
    for file in ["film-moov-last.mp4", "film-fragmented.mp4", "film-long-sizes.mp4"] {
        assert_eq!(poster(file, "video/mp4"), upright, "{file}");
    }
}

#[test]
#[cfg(feature = "video")]
fn what_a_film_is_called_and_where_it_was_made_is_not_told() {
    let found = accepted("film-turned.mov", "video/quicktime");
    let told = serde_json::to_string(&found.facts).unwrap();
    assert!(bytes("film-turned.mov").windows(6).any(|six| six == b"Secret"));
    assert!(!told.contains("Secret") && !told.contains("52.5"), "{told}");
}

/// The quadrants through every coding look as they do through JPEG.
#[test]
#[cfg(all(feature = "heic", feature = "avif", feature = "jxl"))]
fn one_picture_in_the_newer_formats_looks_as_it_does_in_jpeg() {
    let upright = opened(&accepted("orientation-1.jpg", "image/jpeg").thumbnails[0]).to_rgb8();
    for (file, declared) in [
        ("heic-orientation-5.heic", "image/heic"),
        ("avif-orientation-6.avif", "image/avif"),
        ("jxl-orientation-6.jxl", "image/jxl"),
    ] {
        let turned = opened(&accepted(file, declared).thumbnails[0]).to_rgb8();
        assert_eq!(turned.dimensions(), upright.dimensions(), "{file}");
        let difference = mean_difference(&turned, &upright);
        assert!(difference < 4.0, "{file}: {difference}");
    }
}

/// The photo as Display P3, in tiles and turned, looks as the JPEG with the same profile does.
#[test]
#[cfg(feature = "heic")]
fn a_phones_photo_in_tiles_looks_as_its_jpeg_does() {
    let jpeg = opened(&accepted("icc-display-p3.jpg", "image/jpeg").thumbnails[0]).rotate90().to_rgb8();
    let heic = opened(&accepted("phone-grid.heic", "image/heic").thumbnails[0]).to_rgb8();
    assert_eq!(heic.dimensions(), jpeg.dimensions());
    let difference = mean_difference(&heic, &jpeg);
    assert!(difference < 4.0, "{difference}");
}

#[test]
fn a_photo_of_twelve_megapixels_takes_two_ranges() {
    assert_eq!(probe(&bytes("phone-12mp.jpg"), "image/jpeg").1, 2);
}

/// The formats whose every byte up to their end is needed. TIFF may end in anything; a GIF may lack its last byte.
const CUT: &[(&str, &str)] = &[
    ("orientation-1.jpg", "image/jpeg"),
    ("cmyk.jpg", "image/jpeg"),
    ("progressive.jpg", "image/jpeg"),
    ("png-alpha.png", "image/png"),
    ("png-animated.png", "image/png"),
    ("animated.gif", "image/gif"),
    ("lossy-alpha.webp", "image/webp"),
    ("animated.webp", "image/webp"),
    ("photo.bmp", "image/bmp"),
    ("tiff-lzw.tif", "image/tiff"),
    #[cfg(feature = "heic")]
    ("phone-grid.heic", "image/heic"),
    #[cfg(feature = "heic")]
    ("heic-alpha.heic", "image/heic"),
    #[cfg(feature = "avif")]
    ("avif-alpha.avif", "image/avif"),
    #[cfg(feature = "avif")]
    ("animated.avif", "image/avif"),
    #[cfg(feature = "jxl")]
    ("lossless-alpha.jxl", "image/jxl"),
    #[cfg(feature = "jxl")]
    ("jxl-orientation-6.jxl", "image/jxl"),
];

/// Films, each with its declared type.
const FILMS: &[(&str, &str)] = &[
    ("film-faststart.mp4", "video/mp4"),
    ("film-fragmented.mp4", "video/mp4"),
    ("film-bars-601.mp4", "video/mp4"),
    ("film-bars-709.mp4", "video/mp4"),
    ("film-turned.mov", "video/quicktime"),
    ("film-hevc.mp4", "video/mp4"),
    ("film-vp9.webm", "video/webm"),
    ("film.3gp", "video/3gpp"),
    ("film.mkv", "video/matroska"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Never half a picture: a file that is cut off anywhere is refused.
    #[test]
    fn a_picture_that_is_cut_off_is_refused(which in 0..CUT.len(), share in 0.0..1.0_f64) {
        let (file, declared) = CUT[which];
        let whole = bytes(file);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let end = ((whole.len() - 2) as f64 * share) as usize;
        let Verdict::Accepted(found) = probe(&whole[..end], declared).0 else { return Ok(()) };
        // A GIF that ends right behind one of its frames is a shorter one that lacks its last byte.
        let frames = |found: &Inspection| found.facts.frames;
        let with_its_end = probe(&[&whole[..end], b";"].concat(), declared).0;
        let Verdict::Accepted(shorter) = with_its_end else {
            return Err(TestCaseError::fail(format!("{file} was accepted with {end} of {} bytes", whole.len())));
        };
        prop_assert!(declared == "image/gif", "{file} was accepted with {end} of {} bytes", whole.len());
        prop_assert_eq!(frames(&found), frames(&shorter));
        prop_assert!(frames(&found) < frames(&accepted(file, declared)));
    }

    /// Whatever was changed, there is a verdict.
    #[test]
    fn a_picture_with_changed_bytes_gets_a_verdict(
        which in 0..CUT.len(),
        changes in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 1..20),
    ) {
        let (file, declared) = CUT[which];
        let mut changed = bytes(file);
        for (share, value) in changes {
            // Most of the structure is at the beginning: go there more often.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
            let at = ((changed.len() - 1) as f64 * share.powi(4)) as usize;
            changed[at] = value;
        }
        probe(&changed, declared);
    }

    /// Whatever was changed in a film, there is a verdict.
    #[test]
    fn a_film_with_changed_bytes_gets_a_verdict(
        which in 0..FILMS.len(),
        changes in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 1..20),
    ) {
        let (file, declared) = FILMS[which];
        let mut changed = bytes(file);
        for (share, value) in changes {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
            let at = ((changed.len() - 1) as f64 * share.powi(3)) as usize;
            changed[at] = value;
        }
        probe(&changed, declared);
    }

    #[test]
    fn arbitrary_bytes_behind_any_signature_get_a_verdict(
        signature in prop::sample::select(vec![
            &b"\xFF\xD8\xFF\xE0"[..], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"GIF89a", b"RIFF\x40\0\0\0WEBPVP8X", b"RIFF\x40\0\0\0WEBPVP8L",
            b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"PK\x03\x04", b"PK\x05\x06",
            b"\0\0\0\x18ftypmp42", b"\0\0\0\x10ftypheic\0\0\0\0", b"\0\0\0\x10ftypavif\0\0\0\0\0\0\x10\0meta\0\0\0\0",
            b"\xFF\x0A", b"\0\0\0\x0CJXL \r\n\x87\n", b"\x1A\x45\xDF\xA3", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", b"%PDF-1.4", b"<?xml ", b"",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..4000),
    ) {
        probe(&[signature, &rest].concat(), "application/octet-stream");
    }
}
