//! Two files in one: a picture with something else behind its end, or with a beginning that an interpreter takes for its own.

use memchr::memmem;
use vestibule_domain::content_type::ContentType;

use crate::decode::Format;
use crate::{sniff, structure};

/// Says what else a file is, by its first bytes.
pub(crate) fn head(found: &ContentType, head: &[u8]) -> Option<&'static str> {
    let comments = |at: usize| head.get(at..).is_some_and(|rest| rest.starts_with(b"/*"));
    let is_script = match found.as_str() {
        // The width is then 10,799 pixels, or `=` and four more visible characters: a screen of at least 8,000 by 8,000.
        "image/gif" => comments(6) || is_assigned(head.get(6..11)),
        // The file's length.
        "image/bmp" => comments(2) || is_assigned(head.get(2..7)),
        // The length of a JFIF segment, which is 16 but for a thumbnail that nobody writes.
        "image/jpeg" => head.get(2..4) == Some(b"\xFF\xE0") && comments(4),
        // It may begin up to a kilobyte further on.
        "application/pdf" => return sniff::acting(head).map(|_| "a script or a page before its first byte"),
        _ => false,
    };
    is_script.then_some("its first bytes are JavaScript")
}

fn is_assigned(bytes: Option<&[u8]>) -> bool {
    matches!(bytes, Some([b'=', rest @ ..]) if rest.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' '))
}

/// Says what is behind the end of a picture that does not belong there.
///
/// Padding does no harm. Behind a JPEG phones write more: further pictures (CIPA DC-007, "Multi-Picture Format"; Ultra HDR's gain
/// map), a film (<https://developer.android.com/media/platform/motion-photo-format>), and Samsung's own trailer, which ends in `SEFT`.
/// Whatever else there is, nobody who looks at the picture sees it.
pub(crate) fn tail(format: Format, tail: &[u8]) -> Option<String> {
    let mut at = padding(tail, 0);
    while is_of_phones(format) && at < tail.len() {
        let rest = tail.get(at..).unwrap_or_default();
        let picture = picture(rest).map(|length| at + length);
        let Some(end) = picture.or_else(|| film(tail, at)).or_else(|| samsung(tail, at)) else { break };
        at = padding(tail, end);
    }
    (at < tail.len()).then(|| format!("{} bytes behind its end", tail.len() - at))
}

/// Whether phones write such files.
fn is_of_phones(format: Format) -> bool {
    match format {
        Format::Jpeg => true,
        #[cfg(feature = "heic")]
        Format::Heic => true,
        #[cfg(feature = "avif")]
        Format::Avif => false,
        #[cfg(feature = "jxl")]
        Format::Jxl => false,
        Format::Png | Format::Gif | Format::Webp | Format::Bmp | Format::Tiff => false,
    }
}

/// Where the padding from `at` on ends.
fn padding(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_padding(**byte)).count()
}

/// Where a whole JPEG at the beginning of `bytes` ends.
fn picture(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(b"\xFF\xD8\xFF") {
        return None;
    }
    structure::jpeg_end(bytes)
}

/// Where the boxes of a film end that begins at `at` or, since the bytes of its length may pass for padding, up to four bytes
/// before. ISO 14496-12, 4.2.
fn film(bytes: &[u8], at: usize) -> Option<usize> {
    let name = at + memmem::find(bytes.get(at..bytes.len().min(at + 8))?, b"ftyp")?;
    let mut end = name.checked_sub(4)?;
    while let Some(next) = bytes.get(end..).filter(|next| next.len() >= 8) {
        let is_box = next.get(4..8)?.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
        let length = match u32::from_be_bytes(*next.first_chunk()?) {
            0 => next.len(),
            1 => usize::try_from(u64::from_be_bytes(*next.get(8..)?.first_chunk()?)).ok()?,
            length => usize::try_from(length).ok()?,
        };
        if !is_box || length < 8 || length > next.len() {
            break;
        }
        end += length;
    }
    (end > at).then_some(end)
}

/// Where Samsung's trailer ends, if what is at `at` is one: its directory, whose length comes before the last word, says where its
/// first block begins, and before that there may be nothing but padding.
fn samsung(bytes: &[u8], at: usize) -> Option<usize> {
    let number = |bytes: &[u8], at: usize| {
        let bytes: &[u8; 4] = bytes.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let length = bytes.len() - bytes.iter().rev().take_while(|byte| is_padding(**byte)).count();
    let before = bytes.get(..length)?.strip_suffix(b"SEFT")?;
    let end = before.len().checked_sub(4)?;
    let directory_at = end.checked_sub(number(before, end)?)?;
    let directory = before.get(directory_at..end).filter(|bytes| bytes.starts_with(b"SEFH"))?;
    let entries = directory.get(12..)?.chunks_exact(12);
    let first = directory_at.checked_sub(entries.filter_map(|entry| number(entry, 4)).max()?)?;
    (first <= at && at < length).then_some(length)
}

fn is_padding(byte: u8) -> bool {
    byte == 0 || byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_script(found: &str, bytes: &[u8]) -> bool {
        head(&found.parse().unwrap(), bytes).is_some()
    }

    #[test]
    fn a_beginning_that_is_javascript_is_seen() {
        assert!(is_script("image/gif", b"GIF89a/*\0\0\0\0"));
        assert!(is_script("image/gif", b"GIF89a=1;alert(1)"));
        assert!(is_script("image/bmp", b"BM/*\0\0"));
        assert!(is_script("image/jpeg", b"\xFF\xD8\xFF\xE0/*JFIF"));
        assert!(!is_script("image/gif", b"GIF89a=\x01\x20\0\xF7\0\0"));
        assert!(!is_script("image/gif", b"GIF89a\x20\x03\x58\x02\xF7\0\0"));
        assert!(!is_script("image/jpeg", b"\xFF\xD8\xFF\xE1/*Exif"));
        assert!(!is_script("image/gif", b"GIF89a"));
    }

    /// A JPEG's markers around one byte of data.
    const PREVIEW: &[u8] = b"\xFF\xD8\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\x07\xFF\xD9";
    const FILM: &[u8] = b"\0\0\0\x10ftypmp42\0\0\0\0\0\0\0\x0Cmdat\x01PK\x05\0\0\0\x08free";

    /// A block, and the directory that says where it is.
    fn sef(block: &[u8]) -> Vec<u8> {
        let mut bytes = block.to_vec();
        bytes.extend(b"SEFH\x6A\0\0\0\x01\0\0\0\0\0\x30\x0A");
        bytes.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
        bytes.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
        bytes.extend(24_u32.to_le_bytes());
        bytes.extend(b"SEFT");
        bytes
    }

    #[test]
    fn what_phones_write_behind_a_jpeg_belongs_there() {
        let samsung = sef(b"\0\0\x30\x0A\x10\0\0\0MotionPhoto_Data and so on");
        for belongs in [
            b"".to_vec(),
            b"\0\0\0\0\r\n".to_vec(),
            PREVIEW.to_vec(),
            [b"\0\0", PREVIEW, b"\0", PREVIEW, b"\0\0"].concat(),
            FILM.to_vec(),
            [PREVIEW, FILM].concat(),
            samsung.clone(),
            [PREVIEW, &samsung].concat(),
        ] {
            assert_eq!(tail(Format::Jpeg, &belongs), None, "{:?}", String::from_utf8_lossy(&belongs));
        }
    }

    #[test]
    fn whatever_else_is_behind_a_picture_does_not() {
        for other in [
            b"<script>alert(1)</script>".to_vec(),
            b"MZ\x90\0".to_vec(),
            b"%PDF-1.4".to_vec(),
            b"some text".to_vec(),
            [PREVIEW, b"<html>"].concat(),
            b"\xFF\xD8\xFF<html><script>".to_vec(),
            [FILM, b"%PDF-1.4"].concat(),
            b"\0\0\0\x18ftyp%PDF-1.4 and so on".to_vec(),
            b"<html>SEFT".to_vec(),
            [b"\x7FELF", &sef(b"\0\0\x30\x0A")[..]].concat(),
            [PREVIEW, &sef(b"\0\0\x30\x0A"), b"PK\x05\x06"].concat(),
        ] {
            assert!(tail(Format::Jpeg, &other).is_some(), "{:?}", String::from_utf8_lossy(&other));
        }
        for format in [Format::Png, Format::Gif, Format::Webp] {
            assert!(tail(format, PREVIEW).is_some());
            assert_eq!(tail(format, b"\0\n"), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_tail_makes_it_panic(
            start in proptest::sample::select(vec![&b"\xFF\xD8\xFF"[..], FILM, b"\0\0\0\x08ftyp", PREVIEW, b"SEFH", b""]),
            rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            end in proptest::sample::select(vec![&b"SEFT"[..], b"\x18\0\0\0SEFT", b""]),
        ) {
            tail(Format::Jpeg, &[start, &rest, end].concat());
        }
    }
}
