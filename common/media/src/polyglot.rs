//! Two files in one: a picture with something else behind its end, or with a beginning that an interpreter takes for its own.

use memchr::memmem;
use vestibule_domain::content_type::ContentType;

use crate::decode::Format;

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
    let rest = tail.trim_ascii_end();
    let rest = rest.get(rest.iter().take_while(|byte| is_padding(**byte)).count()..).unwrap_or_default();
    if rest.is_empty() {
        return None;
    }
    if memmem::find(rest, b"PK\x05\x06").is_some() {
        return Some("a zip archive behind its end".to_owned());
    }
    let unpadded = tail.get(..tail.len() - tail.iter().rev().take_while(|byte| is_padding(**byte)).count());
    let belongs = format == Format::Jpeg
        && (rest.starts_with(b"\xFF\xD8\xFF")
            // The zeros of its length are taken for padding here.
            || rest.get(..rest.len().min(8)).is_some_and(|start| memmem::find(start, b"ftyp").is_some())
            || unpadded.is_some_and(|tail| tail.ends_with(b"SEFT")));
    (!belongs).then(|| format!("{} bytes behind its end", rest.len()))
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

    #[test]
    fn what_phones_write_behind_a_jpeg_belongs_there() {
        for belongs in [
            &b""[..],
            b"\0\0\0\0",
            b"\r\n",
            b"\xFF\xD8\xFF\xE1 another picture \xFF\xD9",
            b"\0\0\xFF\xD8\xFF\xE1 another picture \xFF\xD9\0\0",
            b"\0\0\0\x18ftypmp42 a film",
            b"\0\0\x30\x0AMotionPhoto_Data and so on SEFT",
        ] {
            assert_eq!(tail(Format::Jpeg, belongs), None, "{:?}", String::from_utf8_lossy(belongs));
        }
    }

    #[test]
    fn whatever_else_is_behind_a_picture_does_not() {
        for other in [
            &b"<script>alert(1)</script>"[..],
            b"MZ\x90\0",
            b"\x7FELF",
            b"%PDF-1.4",
            b"<?php system($_GET[0]);",
            b"\xFF\xD8\xFF a picture and PK\x05\x06 an archive",
            b"\0\0\0\x18ftypmp42 a film PK\x05\x06",
            b"some text",
        ] {
            assert!(tail(Format::Jpeg, other).is_some(), "{:?}", String::from_utf8_lossy(other));
        }
        for format in [Format::Png, Format::Gif, Format::Webp] {
            assert!(tail(format, b"\xFF\xD8\xFF\xE1 a picture").is_some());
            assert_eq!(tail(format, b"\0\n"), None);
        }
    }
}
