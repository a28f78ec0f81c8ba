use std::fmt::Write as _;

use vestibule_domain::inspection::Thumbnail;
use vestibule_domain::policy::EncryptedFiles;
use vestibule_domain::rejection::RejectionCode;

use super::*;

/// A PDF of these objects, of which the first is its catalogue.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", bytes.len()).unwrap();
        bytes.extend(format!("{} 0 obj\n", number + 1).into_bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let end = format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n", objects.len() + 1, bytes.len());
    [bytes, table.into_bytes(), end.into_bytes()].concat()
}

fn stream(dictionary: &str, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("<< {dictionary} /Length {} >>\nstream\n", bytes.len()).as_bytes(), bytes, b"\nendstream"].concat()
}

/// A document of one page: its box and whatever else it says, what is drawn on it, its resources, and objects from number 5 on.
fn page(says: &str, drawn: &str, resources: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let page = format!("<< /Type /Page /Parent 2 0 R {says} /Contents 4 0 R /Resources << {resources} >> >>");
    let first = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.into_bytes(),
        stream("", drawn),
    ];
    pdf(&[&first[..], more].concat())
}

const BOX: &str = "/MediaBox [0 0 600 800]";

fn looked(bytes: Vec<u8>) -> Content {
    look(Some(bytes), Facts::default(), &InspectPolicy::default()).unwrap()
}

fn shown(bytes: Vec<u8>) -> Vec<Thumbnail> {
    looked(bytes).shown.unwrap().unwrap().thumbnails
}

/// Why a document has no picture. Its pages are counted all the same.
fn refused(bytes: Vec<u8>) -> String {
    let content = looked(bytes);
    assert_eq!(content.facts.pages, Some(1));
    content.shown.unwrap().unwrap_err().to_string()
}

/// The page's pixels.
fn drawn(bytes: Vec<u8>) -> Raster {
    let pdf = Pdf::new(bytes).unwrap();
    render(pdf.pages().first().unwrap(), 1280, &InspectLimits::default()).unwrap()
}

fn pixel(raster: &Raster, x: u32, y: u32) -> [u8; 3] {
    let at = 3 * usize::try_from(y * raster.width + x).unwrap();
    raster.pixels[at..at + 3].try_into().unwrap()
}

const WHITE_PIXEL: [u8; 3] = [255; 3];
const RED: [u8; 3] = [255, 0, 0];

#[test]
fn the_first_page_is_drawn_on_white_in_the_size_of_the_largest_thumbnail() {
    let raster = drawn(page(BOX, "1 0 0 rg 0 400 300 400 re f", "", &[]));
    assert_eq!((raster.width, raster.height), (960, 1280));
    assert_eq!((pixel(&raster, 10, 10), pixel(&raster, 950, 10)), (RED, WHITE_PIXEL));
    assert_eq!(pixel(&raster, 10, 1270), WHITE_PIXEL);
    let made = shown(page(BOX, "1 0 0 rg 0 400 300 400 re f", "", &[]));
    let sizes: Vec<_> = made.iter().map(|made| (made.width, made.height, made.content_type.as_str())).collect();
    assert_eq!(sizes, [(240, 320, "image/jpeg"), (960, 1280, "image/jpeg")]);
}

#[test]
fn no_size_of_a_page_makes_a_larger_picture() {
    for (says, width, height) in [
        ("/MediaBox [0 0 1 1]", 1280, 1280),
        ("/MediaBox [0 0 14400 14400]", 1280, 1280),
        ("/MediaBox [0 0 14400 14400] /UserUnit 75000", 1280, 1280),
        ("/MediaBox [0 0 1 10000]", 1, 1280),
        ("/MediaBox [0 0 10000 1]", 1280, 1),
        ("/MediaBox [600 800 0 0]", 960, 1280),
        ("/MediaBox [100 100 -500 -700]", 960, 1280),
        ("/MediaBox [0 0 600 800] /Rotate 90", 1280, 960),
        ("/MediaBox [0 0 600 800] /Rotate -90", 1280, 960),
        ("/MediaBox [0 0 600 800] /CropBox [0 0 300 200]", 1280, 853),
        ("/MediaBox [0 0 600 800] /CropBox [-100 -100 300 200]", 1280, 853),
        // A page without a size is taken for A4, as other programs do.
        ("/MediaBox [0 0 0 0]", 905, 1280),
        ("/MediaBox [0 0 600 800] /CropBox [700 900 701 901]", 905, 1280),
        ("", 905, 1280),
    ] {
        let raster = drawn(page(says, "1 0 0 rg 0 0 50 50 re f", "", &[]));
        assert_eq!((raster.width, raster.height), (width, height), "{says}");
    }
    assert_eq!(size(f32::NAN, 800.0, 1280), None);
    assert_eq!(size(f32::INFINITY, 800.0, 1280), None);
    assert_eq!(size(0.0, 0.0, 1280), None);
    assert_eq!(size(1e38, 1e-38, 1280), Some((1280, 1)));
}

#[test]
fn a_page_is_turned_as_it_says() {
    let raster = drawn(page("/MediaBox [0 0 600 800] /Rotate 90", "1 0 0 rg 0 0 300 400 re f", "", &[]));
    assert_eq!((pixel(&raster, 10, 10), pixel(&raster, 1270, 950)), (RED, WHITE_PIXEL));
}

#[test]
fn pages_are_counted_and_a_document_without_one_has_none() {
    let kids = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >> ".repeat(7);
    let tree = format!("<< /Type /Pages /Kids [{kids}] /Count 99 >>");
    let content = looked(pdf(&[b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), tree.into_bytes()]));
    assert_eq!(content.facts.pages, Some(7));
    let none = b"<< /Type /Pages /Kids [] /Count 3 >>".to_vec();
    let content = looked(pdf(&[b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), none]));
    assert_eq!(content.facts.pages, None);
    assert!(matches!(content.shown, Some(Err(Trouble::Unsupported(_)))));
}

#[test]
fn what_cannot_be_opened_has_no_picture() {
    for bytes in
        [&b"%PDF-1.7"[..], b"%PDF-1.7\n1 0 obj <<\nstartxref\n9\n%%EOF", b"", b"startxref 99999999999999999999"]
    {
        let content = looked(bytes.to_vec());
        assert_eq!(content.facts.pages, None);
        assert!(matches!(content.shown, Some(Err(Trouble::Unsupported(_)))), "{content:?}");
    }
    let content = look(None, Facts::default(), &InspectPolicy::default()).unwrap();
    assert!(matches!(content.shown, Some(Err(Trouble::Unsupported(_)))));
}

#[test]
fn a_panic_is_a_reason_and_no_end() {
    let failed: Result<(), _> = unless_it_unwinds(|| panic!("an assertion {}", "failed"));
    assert_eq!(failed.unwrap_err().to_string(), "not decoded here: PDF: the renderer gave up: an assertion failed");
}

/// Each of these would take minutes or gigabytes.
#[test]
fn a_page_that_costs_too_much_is_not_drawn() {
    let form =
        |drawn: &str, says: &str| stream(&format!("/Type /XObject /Subtype /Form /BBox [0 0 600 800] {says}"), drawn);
    let laughs: Vec<Vec<u8>> = (6..30)
        .map(|next| form(&"/F Do\n".repeat(10), &format!("/Resources << /XObject << /F {next} 0 R >> >>")))
        .chain([form("0 0 1 1 re f", "")])
        .collect();
    let pattern = |says: &str| {
        vec![stream(&format!("/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 {says}"), "0 0 1 1 re f")]
    };
    let painted = "/Pattern cs /P scn 0 0 600 800 re f\n";
    let program = "/FunctionType 4 /Domain [0 600 0 800] /Range [0 1 0 1 0 1]";
    let sampled = "/Shading << /S << /ShadingType 1 /ColorSpace /DeviceRGB /Domain [0 600 0 800] /Function 5 0 R >> >>";
    let far = (0..2000_i64).fold("0 0 m\n".to_owned(), |path, at| {
        let (x, y) = ((at * 7919 % 2000 - 1000) * 1_000_000, (at * 104_729 % 2000 - 1000) * 1_000_000);
        path + &format!("{x} {y} {y} {x} {x} 0 c\n")
    });
    let many = |one: &dyn Fn(u32) -> String| (0..600).map(one).collect::<Vec<_>>().concat();
    let masks = many(&|mask| format!("/G{mask} gs 0 0 600 800 re f\n"));
    let states = many(&|mask| format!("/G{mask} << /SMask << /S /Luminosity /G 5 0 R /X {mask} >> >> "));
    let tiles = "/Pattern << /P 5 0 R >>";
    let font = "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>";
    let group = vec![form("0 0 600 800 re f", "/Group << /S /Transparency /CS /DeviceGray >>")];
    for (what, bytes) in [
        ("what is drawn", page(BOX, &"0 0 m 600 0 l 300 800 l f\n".repeat(30_000), "", &[])),
        ("lines", page(BOX, &"0 0 m 600 800 l S\n".repeat(60_000), "", &[])),
        ("lines", page(BOX, "[0.00001 0.00001] 0 d 0 0 m 600 800 l S", "", &[])),
        ("lines", page(BOX, &format!("{far}S"), "", &[])),
        ("clips", page(BOX, "/F Do", "/XObject << /F 5 0 R >>", &laughs)),
        ("groups", page(BOX, &"/F Do\n".repeat(200_000), "/XObject << /F 5 0 R >>", &group)),
        ("patterns", page(BOX, painted, tiles, &pattern("/BBox [0 0 10000 10000] /XStep 0.1 /YStep 0.1"))),
        ("patterns", page(BOX, &painted.repeat(1000), tiles, &pattern("/BBox [0 0 600 800] /XStep 600 /YStep 800"))),
        (
            "shadings",
            page(BOX, "/S sh /S sh", sampled, &[stream(program, format!("{{ {} dup dup }}", "dup mul ".repeat(300)))]),
        ),
        ("masks", page(BOX, &masks, &format!("/ExtGState << {states} >>"), &group)),
        ("glyphs", page(BOX, &format!("BT /F 900 Tf {} ET", "1 0 0 1 10 10 Tm (HOHO) Tj\n".repeat(20_000)), font, &[])),
    ] {
        let why = refused(bytes);
        assert!(why.starts_with("not decoded here: PDF: its first page costs too much: "), "{what}: {why}");
    }
}

#[test]
fn an_image_of_too_many_pixels_is_not_decoded() {
    let image = |says: &str, bytes: &[u8]| {
        page(
            BOX,
            "600 0 0 800 0 0 cm /I Do",
            "/XObject << /I 5 0 R >>",
            &[
                stream(&format!("/Type /XObject /Subtype /Image {says}"), bytes),
                stream(
                    "/Type /XObject /Subtype /Image /Width 50000 /Height 50000 /BitsPerComponent 8 /ColorSpace /DeviceGray",
                    [0; 9],
                ),
            ],
        )
    };
    let wavelet = [&b"\xFF\x4F\xFF\x51\0\x29\0\0"[..], &50_000_u32.to_be_bytes().repeat(2), &[0; 30]].concat();
    let bilevel = [&b"\0\0\0\0\x30\0\x01\0\0\0\x13"[..], &60_000_u32.to_be_bytes().repeat(2), &[0; 11]].concat();
    for (says, bytes) in [
        ("/Width 50000 /Height 50000 /BitsPerComponent 8 /ColorSpace /DeviceGray", &[0; 9][..]),
        ("/Width 50000 /Height 50000 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /DCTDecode", b"\xFF\xD8"),
        ("/Width 10 /Height 10 /BitsPerComponent 8 /ColorSpace /DeviceGray /SMask 6 0 R", &[0; 100]),
        ("/Width 10 /Height 10 /Filter /JPXDecode", &wavelet),
        ("/Width 10 /Height 10 /Filter [/ASCIIHexDecode /JPXDecode]", &wavelet),
        ("/Width 10 /Height 10 /ImageMask true /Filter /JBIG2Decode", &bilevel),
        (
            "/Width 10 /Height 5000 /ImageMask true /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 1000000 >>",
            &[0; 9],
        ),
        (
            "/Width 10 /Height 5000 /ImageMask true /Filter [/CCITTFaxDecode] /DecodeParms [<< /Columns 1000000 >>]",
            &[0; 9],
        ),
    ] {
        let why = refused(image(says, bytes));
        assert!(why.ends_with("an image of too many pixels"), "{says}: {why}");
    }
    let small = image("/Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceRGB", &[255, 0, 0]);
    assert_eq!(pixel(&drawn(small), 480, 640), RED);
}

#[test]
fn the_limit_of_an_images_pixels_is_inclusive() {
    let of = |width: u32| {
        let says = format!(
            "/Type /XObject /Subtype /Image /Width {width} /Height 10 /BitsPerComponent 8 /ColorSpace /DeviceGray"
        );
        let bytes = page(BOX, "600 0 0 800 0 0 cm /I Do", "/XObject << /I 5 0 R >>", &[stream(&says, vec![7; 110])]);
        let limits = InspectLimits { max_pixels: 100, ..InspectLimits::default() };
        let policy = InspectPolicy { limits, ..InspectPolicy::default() };
        look(Some(bytes), Facts::default(), &policy).unwrap().shown.unwrap().is_ok()
    };
    assert!(of(9) && of(10) && !of(11));
}

#[test]
fn what_the_renderer_cannot_decrypt_is_encrypted_whatever_its_trailer_looked_like() {
    let bytes = include_bytes!("../../../../fixtures/files/encrypted.pdf").to_vec();
    let Err(Stop::Refused(code, _)) = look(Some(bytes.clone()), Facts::default(), &InspectPolicy::default()) else {
        panic!()
    };
    assert_eq!(code, RejectionCode::Encrypted);
    let policy = InspectPolicy { encrypted: EncryptedFiles::Accept, ..InspectPolicy::default() };
    let content = look(Some(bytes), Facts::default(), &policy).unwrap();
    assert_eq!((content.facts.encrypted, content.facts.pages), (Some(true), None));
    assert!(matches!(content.shown, Some(Err(Trouble::Unsupported(_)))));
}
