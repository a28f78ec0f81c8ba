//! `Content-Disposition` for a file whose name is a stranger's text.
//!
//! RFC 6266 with RFC 8187: an ASCII fallback for old clients and the whole name percent-encoded. Control characters,
//! line breaks and the invisible characters that turn text around are left out; the name in the document keeps them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::content_type::ContentType;
use crate::policy::MAX_NAME_BYTES;
use crate::types::{Handling, handling};

/// What RFC 8187 lets stand unescaped. <https://www.rfc-editor.org/rfc/rfc8187#section-3.2.1>
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header for a file of type `found`, called `name` by its sender.
pub fn disposition(found: &ContentType, name: &str) -> String {
    let kind = match handling(found) {
        Handling::Shown => "inline",
        Handling::Pictured | Handling::Saved | Handling::Refused(_) => "attachment",
    };
    let name = presentable(name);
    let fallback: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("{kind}; filename=\"{fallback}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, ATTR_CHAR))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')')
}

/// The name without what cannot be seen, would be taken for a path, or means something else to a file system. An empty one becomes
/// `file`.
fn presentable(name: &str) -> String {
    let kept = visible(name).replace(|c| RESERVED.contains(c), "_");
    // A leading dot hides a file or makes it a setting (`.htaccess`), and Windows drops a trailing one.
    let kept = shortened(kept.trim_matches(|c: char| c.is_whitespace() || c == '.'));
    if kept.is_empty() {
        "file".to_owned()
    } else if is_device(&kept) {
        format!("_{kept}")
    } else {
        kept
    }
}

/// A stranger's text without control characters and without those that turn text around.
pub fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !turns_text(*c)).collect()
}

/// What no file name may hold on Windows, which has the longest list.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file>
const RESERVED: &str = "<>:\"/\\|?*";

/// Whether Windows takes the name for a device, with or without an extension.
fn is_device(name: &str) -> bool {
    const NUMBERED: &[&str] = &["COM", "LPT"];
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = NUMBERED.iter().filter_map(|device| stem.strip_prefix(device));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered
            .into_iter()
            .any(|number| matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
}

/// At most as many bytes as common file systems take for a name; what is cut is cut before the extension.
fn shortened(name: &str) -> String {
    const LONGEST_EXTENSION: usize = 32;
    if name.len() <= MAX_NAME_BYTES {
        return name.to_owned();
    }
    let (stem, extension) = match name.rfind('.') {
        Some(at) if name.len() - at <= LONGEST_EXTENSION => name.split_at(at),
        Some(_) | None => (name, ""),
    };
    let end = stem.floor_char_boundary(MAX_NAME_BYTES - extension.len());
    format!("{}{extension}", stem.get(..end).unwrap_or_default().trim_end())
}

/// Unicode's bidirectional controls, and the invisible format characters that names are disguised with. The joiners that emoji and
/// some scripts are written with stay. <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
fn turns_text(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(found: &str, name: &str) -> String {
        disposition(&found.parse().unwrap(), name)
    }

    #[test]
    fn a_picture_is_shown_in_place_and_anything_else_is_saved() {
        assert_eq!(of("image/jpeg", "a b.jpg"), "inline; filename=\"a b.jpg\"; filename*=UTF-8''a%20b.jpg");
        assert_eq!(of("text/html", "x.html"), "attachment; filename=\"x.html\"; filename*=UTF-8''x.html");
        assert!(of("image/svg+xml", "x.svg").starts_with("attachment;"));
    }

    #[test]
    fn a_name_cannot_break_out_of_the_header_or_turn_its_end_around() {
        assert_eq!(
            of("application/pdf", "a\r\nSet-Cookie: x=\"1\"\u{202e}fdp.exe"),
            "attachment; filename=\"aSet-Cookie_ x__1_fdp.exe\"; filename*=UTF-8''aSet-Cookie_%20x%3D_1_fdp.exe"
        );
        assert_eq!(
            of("text/plain", "../../etc/passwd"),
            "attachment; filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"
        );
        assert_eq!(of("text/plain", "\0\u{200f} . "), "attachment; filename=\"file\"; filename*=UTF-8''file");
        assert_eq!(
            of("text/plain", "Grüße.txt"),
            "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"
        );
    }

    #[test]
    fn a_name_that_means_something_to_a_file_system_is_only_a_name() {
        let name = |name: &str| presentable(name);
        for device in ["CON", "nul", "COM1", "lpt9.txt", "aux.tar.gz", "COM¹", "Con .txt"] {
            assert_eq!(name(device), format!("_{device}"));
        }
        for other in ["CONTRACT", "COM10", "console.log", "icon", "LPT"] {
            assert_eq!(name(other), other);
        }
        assert_eq!(name(".htaccess"), "htaccess");
        assert_eq!(name("a:b<c>|?*.txt"), "a_b_c____.txt");
        assert_eq!(name("\u{202e}gpj.exe"), "gpj.exe");
        assert_eq!(name("👩\u{200d}👧.png"), "👩\u{200d}👧.png");
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_keeps_its_extension() {
        let emoji = format!("{}abc", "🦀".repeat(63));
        assert_eq!(presentable(&emoji), emoji, "255 bytes");
        for length in [254, 255, 256, 300] {
            let name = presentable(&format!("{}.jpg", "é".repeat(length / 2)));
            assert!(name.len() <= MAX_NAME_BYTES && name.ends_with("é.jpg"), "{length}: {}", name.len());
        }
    }

    proptest! {
        #[test]
        fn whatever_the_name_what_is_saved_is_one_visible_name(name in "\\PC{0,300}|(?s:.{0,300})") {
            let header = of("application/pdf", &name);
            let (_, encoded) = header.split_once("filename*=UTF-8''").unwrap();
            let saved = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap().into_owned();
            prop_assert!(!saved.is_empty() && saved.len() <= MAX_NAME_BYTES + 1, "{saved:?}");
            prop_assert!(saved.chars().all(|c| !c.is_control() && !turns_text(c) && !RESERVED.contains(c)), "{saved:?}");
            prop_assert!(!saved.starts_with('.') && !is_device(&saved), "{saved:?}");
        }


        #[test]
        fn whatever_the_name_the_header_is_printable_ascii(name in any::<String>()) {
            let header = of("image/png", &name);
            prop_assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)), "{header:?}");
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
