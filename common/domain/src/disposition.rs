//! `Content-Disposition` for a file whose name is a stranger's text.
//!
//! RFC 6266 with RFC 8187: an ASCII fallback for old clients and the whole name percent-encoded. Control characters,
//! line breaks and the invisible characters that turn text around are left out; the name in the document keeps them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::content_type::ContentType;

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

/// Types that a browser may show in place: pictures that we decoded ourselves.
const INLINE: &[&str] = &["image/gif", "image/jpeg", "image/png", "image/webp"];

/// The header for a file of type `found`, called `name` by its sender.
pub fn disposition(found: &ContentType, name: &str) -> String {
    let kind = if INLINE.contains(&found.as_str()) { "inline" } else { "attachment" };
    let name = presentable(name);
    let fallback: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("{kind}; filename=\"{fallback}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, ATTR_CHAR))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')')
}

/// The name without what cannot be seen or would be taken for a path. An empty one becomes `file`.
fn presentable(name: &str) -> String {
    let kept: String = name
        .chars()
        .filter(|c| !c.is_control() && !turns_text(*c))
        .map(|c| if matches!(c, '/' | '\\') { '_' } else { c })
        .collect();
    let kept = kept.trim_matches(|c: char| c.is_whitespace() || c == '.').to_owned();
    if kept.is_empty() { "file".to_owned() } else { kept }
}

/// Unicode's bidirectional controls, and the other invisible format characters that names are disguised with.
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
            "attachment; filename=\"aSet-Cookie_ x__1_fdp.exe\"; filename*=UTF-8''aSet-Cookie%3A%20x%3D%221%22fdp.exe"
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

    proptest! {
        #[test]
        fn whatever_the_name_the_header_is_printable_ascii(name in any::<String>()) {
            let header = of("image/png", &name);
            prop_assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)), "{header:?}");
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
