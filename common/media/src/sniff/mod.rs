//! The type of a file from its content. Most types show in the first bytes; containers (zip, MP4, …) say what they are further
//! on, so a look may end at a hole in what has been supplied.

mod text;

use file_format::FileFormat;
use vestibule_domain::content_type::ContentType;

use crate::sparse::Sparse;

/// What a file's bytes say about their type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sniffed {
    /// The type in its usual name; `application/octet-stream` when nothing is known.
    pub(crate) found: ContentType,
    /// Whether the beginning is text that a person may read, of whatever type.
    pub(crate) text: Text,
    /// Whether the beginning is that of a zip archive, whatever its entries make of it: a document, a map, a program.
    pub(crate) zip: bool,
}

/// How sure it is that bytes are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// They are not.
    No,
    /// They have nothing that text has not, in one of the encodings before Unicode; so may small files of other kinds.
    Possible,
    /// They are, and begin with an element that browsers take for HTML and writers of Markdown use as well.
    Fragment,
    /// They are.
    Certain,
}

/// A look at the file could not go on, for want of the bytes from here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hole(pub(crate) u64);

/// What containers are when nothing more exact can be said of their content.
const CONTAINERS: &[(usize, &[u8], &str)] = &[
    (0, ZIP_ENTRY, "application/zip"),
    (0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "application/x-cfb"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1A\x45\xDF\xA3", "video/matroska"),
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "video/x-ms-asf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"MZ", "application/x-dosexec"),
    // Programs for several processors at once, with offsets of 64 bits.
    (0, b"\xCA\xFE\xBA\xBF", "application/x-mach-binary"),
];

/// What begins an entry of a zip archive, and so the archive.
pub(crate) const ZIP_ENTRY: &[u8] = b"PK\x03\x04";

/// Readers of PDF look for its signature this far in.
const PDF_WITHIN: usize = 1024;

/// Looks at the file, as deeply as need be.
pub(crate) fn sniff(file: &Sparse) -> Result<Sniffed, Hole> {
    let mut reader = file.reader();
    let format = FileFormat::from_reader(&mut reader).unwrap_or_default();
    match reader.hole() {
        Some(hole) => Err(Hole(hole)),
        None => Ok(judge(file, format)),
    }
}

/// Looks at the first bytes alone.
pub(crate) fn glance(file: &Sparse) -> Sniffed {
    judge(file, FileFormat::ArbitraryBinaryData)
}

fn judge(file: &Sparse, format: FileFormat) -> Sniffed {
    let head = file.head();
    let text = text::is_text(head);
    let is_text = matches!(text, Text::Fragment | Text::Certain);
    let nothing = matches!(format, FileFormat::ArbitraryBinaryData | FileFormat::Empty | FileFormat::PlainText)
        // It is a film for all we know: `file_format` finds no tracks behind lengths of 64 bits, which all films over 4 GB have.
        || format == FileFormat::Mpeg4Part14;
    // What `file_format` knows of XML is less than its root element says.
    let xml = format == FileFormat::ExtensibleMarkupLanguage;
    let name = (!nothing && !xml).then(|| format.media_type().to_owned());
    let name = name.map(|name| if name == "image/heif" { heif(head).unwrap_or(&name).to_owned() } else { name });
    // What the kernel looks at first, whatever follows.
    let name = text::interpreted(head).map(str::to_owned).or(name);
    let name = name
        .or_else(|| container(head).map(str::to_owned))
        .or_else(|| is_old_bitmap(head).then(|| "image/bmp".to_owned()))
        .or_else(|| acting(head).filter(|_| text != Text::No).or_else(|| text::surely(head)).map(str::to_owned))
        .or_else(|| has_pdf_signature(head).then(|| "application/pdf".to_owned()))
        .or_else(|| is_text.then(|| "text/plain".to_owned()));
    let found = name.and_then(|name| name.parse().ok()).unwrap_or_else(ContentType::octet_stream).canonical();
    Sniffed { found, text, zip: head.starts_with(ZIP_ENTRY) }
}

/// The type of what begins as a program in words or as markup does, whatever follows.
pub(crate) fn acting(head: &[u8]) -> Option<&'static str> {
    text::program(head).or_else(|| text::markup(head))
}

fn container(head: &[u8]) -> Option<&'static str> {
    let holds =
        |(at, signature, _): &&(usize, &[u8], &str)| head.get(*at..).is_some_and(|rest| rest.starts_with(signature));
    CONTAINERS.iter().find(holds).map(|(_, _, name)| *name)
}

/// The coding of a HEIF file whose first brand names none, by its other brands: some encoders write `mif1` first. ISO/IEC 14496-12, 4.3.
fn heif(head: &[u8]) -> Option<&'static str> {
    let length = u32::from_be_bytes(*head.first_chunk()?);
    let brands = head.get(16..usize::try_from(length).ok()?.min(head.len()))?.as_chunks::<4>().0;
    let coding = |brand: &[u8; 4]| match brand {
        b"avif" => Some("image/avif"),
        b"heic" | b"heix" => Some("image/heic"),
        _ => None,
    };
    brands.iter().find_map(coding)
}

/// A bitmap of OS/2 or Windows 2, whose second header is 12 bytes long.
/// <https://learn.microsoft.com/en-us/windows/win32/api/wingdi/ns-wingdi-bitmapcoreheader>
fn is_old_bitmap(head: &[u8]) -> bool {
    head.starts_with(b"BM") && head.get(14..18) == Some(&[12, 0, 0, 0])
}

fn has_pdf_signature(head: &[u8]) -> bool {
    head.get(..PDF_WITHIN.min(head.len())).is_some_and(|start| start.windows(5).any(|five| five == b"%PDF-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> String {
        let mut file = Sparse::new(bytes.len() as u64);
        file.supply(0, bytes.to_vec());
        sniff(&file).unwrap().found.to_string()
    }

    #[test]
    fn types_are_named_as_content_type_names_them() {
        for (bytes, name) in [
            (&b"\xFF\xD8\xFF\xE0"[..], "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"II*\0", "image/tiff"),
            (b"BM\xFF\0\0\0\0\0\0\0\x1A\0\0\0\x0C\0\0\0", "image/bmp"),
            (b"BMW,price\n318i,1\n", "text/plain"),
            (b"\0\0\0\x18ftypheic", "image/heic"),
            (b"\0\0\0\x18ftypavif", "image/avif"),
            (b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov", "video/mp4"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "image/avif"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heixavif", "image/heic"),
            (b"\0\0\0\x10ftypmif1\0\0\0\0avif", "image/heif"),
            (b"\0\0\0\x0Cftypmif1\0\0\0\0avif", "image/heif"),
            (b"%PDF-1.7", "application/pdf"),
            (b"\xEF\xBB\xBFjunk\n%PDF-1.7", "application/pdf"),
            (b"<script>alert(1)</script>\n%PDF-1.7", "text/html"),
            (b"<?php echo 1; ?>\n%PDF-1.7", "application/x-httpd-php"),
            (b"<!-- %PDF- is how they begin -->\n", "text/html"),
            (b"\n<script>alert(1)</script>\0", "text/html"),
            (b"<?php echo 1; ?>\x01", "application/x-httpd-php"),
            (b"<p>\0\x01\x02", "application/octet-stream"),
            (b"PK\x03\x04 but no directory", "application/zip"),
            (b"\x1F\x8B\x08", "application/gzip"),
            (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
            (b"<?xml version=\"1.0\"?><a/>", "application/xml"),
            (b"<?xml version=\"1.0\"?><svg/>", "image/svg+xml"),
            (b"<!-- a picture --><svg xmlns=\"\"/>", "image/svg+xml"),
            (b"<!DOCTYPE html><p>", "text/html"),
            (b"\n <ScRipT>alert(1)</script>", "text/html"),
            (b"Dear all,\n", "text/plain"),
            (b"#! /bin/sh\n\0\x01 and a program behind it", "text/x-shellscript"),
            (b"\xCA\xFE\xBA\xBF\0\0\0\x02", "application/x-mach-binary"),
            (b"\0\x01\x02\x03", "application/octet-stream"),
        ] {
            assert_eq!(found(bytes), name, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_zip_is_looked_into_from_its_end() {
        let mut file = Sparse::new(10_000_000_000);
        let mut head = b"PK\x03\x04 and so on".to_vec();
        head.resize(65_536, 0);
        file.supply(0, head);
        let Err(Hole(at)) = sniff(&file) else { panic!("it cannot know") };
        assert!(10_000_000_000 - at < 70_000, "{at}");
        assert_eq!(glance(&file).found.as_str(), "application/zip");
    }
}
