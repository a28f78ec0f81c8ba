//! A text's encoding and its first lines, by what of it is there already.

use std::fmt::Write;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use vestibule_domain::content_type::ContentType;
use vestibule_domain::inspection::{Facts, MAX_EXCERPT_BYTES};
use vestibule_domain::types::{Handling, handling};

/// Most lines of an excerpt.
const MAX_LINES: usize = 3;
/// How much of the beginning is decoded for it, in bytes: more than an excerpt needs in any encoding.
const DECODED: usize = 16 * MAX_EXCERPT_BYTES;

/// The character that begins a change of letters in ISO-2022-JP.
const ESCAPE: u8 = 0x1B;
/// How many characters must be right in UTF-8 for each that is broken.
const RIGHT_FOR_BROKEN: usize = 8;

/// Whether files of a type are texts of which the first lines may be shown: never what acts when it is opened, even where a tenant lets that
/// in.
pub(crate) fn is_kept_as_text(kept: &ContentType) -> bool {
    let is_text = kept.as_str().starts_with("text/")
        || matches!(kept.as_str(), "application/json" | "application/yaml" | "application/xml");
    is_text && handling(kept) == Handling::Saved
}

/// Adds what the first bytes of a text of `size` bytes say.
pub(crate) fn look(head: &[u8], size: u64, facts: Facts) -> Facts {
    let encoding = encoding(head, head.len() as u64 == size);
    let start = head.get(..DECODED).unwrap_or(head);
    let (text, _) = encoding.decode_with_bom_removal(start);
    // What was cut inside a character is not broken.
    let text = if start.len() as u64 == size { &text } else { text.trim_end_matches(char::REPLACEMENT_CHARACTER) };
    let excerpt = Some(excerpt(text)).filter(|excerpt| !excerpt.is_empty());
    Facts { encoding: Some(encoding.name().to_owned()), excerpt, ..facts }
}

/// The encoding by the text's mark, or UTF-8 if it is that, or else the likeliest of the encodings that came before it.
fn encoding(head: &[u8], is_whole: bool) -> &'static Encoding {
    if let Some((marked, _)) = Encoding::for_bom(head) {
        return marked;
    }
    // Of ISO-2022-JP every byte is ASCII; what tells it is its escapes.
    let is_escaped = head.is_ascii() && head.contains(&ESCAPE);
    match std::str::from_utf8(head) {
        Ok(_) if !is_escaped => return UTF_8,
        // The head may end inside a character.
        Err(error) if error.error_len().is_none() && !is_whole => return UTF_8,
        Err(_) if is_nearly_utf8(head) => return UTF_8,
        Ok(_) | Err(_) => {}
    }
    let japanese = if is_escaped { Iso2022JpDetection::Allow } else { Iso2022JpDetection::Deny };
    let mut detector = EncodingDetector::new(japanese);
    detector.feed(head, is_whole);
    detector.guess(None, if is_escaped { Utf8Detection::Allow } else { Utf8Detection::Deny })
}

/// Whether it is UTF-8 of which a little is broken: in other encodings hardly two letters in a row are a character of UTF-8.
fn is_nearly_utf8(head: &[u8]) -> bool {
    let (mut right, mut broken) = (0_usize, 0_usize);
    for chunk in head.utf8_chunks() {
        right += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    right > broken.saturating_mul(RIGHT_FOR_BROKEN)
}

/// The first lines, written so that nothing in them is hidden.
fn excerpt(text: &str) -> String {
    let mut written = String::new();
    let mut piece = String::new();
    let mut lines = 1;
    let mut characters = text.trim_start_matches(['\r', '\n']).chars().peekable();
    while let Some(character) = characters.next() {
        piece.clear();
        match character {
            '\r' | '\n' => {
                if character == '\r' && characters.peek() == Some(&'\n') {
                    continue;
                }
                lines += 1;
                if lines > MAX_LINES {
                    break;
                }
                piece.push('\n');
            }
            seen if is_seen(seen) => piece.push(seen),
            hidden => {
                // Writing into a string does not fail.
                if write!(piece, "\\u{{{:x}}}", u32::from(hidden)).is_err() {
                    break;
                }
            }
        }
        if written.len() + piece.len() > MAX_EXCERPT_BYTES {
            break;
        }
        written.push_str(&piece);
    }
    written.truncate(written.trim_end().len());
    written
}

/// Whether a reader sees a character, or a space of it, where it stands and no other one differently.
fn is_seen(character: char) -> bool {
    match character {
        '\t' => true,
        // Breaks of lines and paragraphs, and letters and marks that leave no trace: joiners, fillers, variation selectors (but the one that
        // every other emoji has), tags.
        '\u{2028}'
        | '\u{2029}'
        | '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0e}'
        | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}' => false,
        space if space.is_whitespace() => !space.is_control(),
        // What the standard library would not print for a programmer has general category C. A mark after another character it does print.
        other => other == '\\' || other == '\'' || other == '"' || !is_escaped(other),
    }
}

/// Whether the standard library writes a character as its number, when another is before it.
fn is_escaped(character: char) -> bool {
    let pair = ['a', character];
    let text: String = pair.iter().collect();
    let mut escaped = text.escape_debug();
    escaped.next();
    escaped.next() == Some('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(bytes: &[u8]) -> (String, String) {
        let facts = look(bytes, bytes.len() as u64, Facts::default());
        (facts.encoding.unwrap(), facts.excerpt.unwrap_or_default())
    }

    #[test]
    fn an_encoding_is_named_as_the_standard_does() {
        let russian = "Привет, мир! Как дела сегодня? Это простое письмо без темы.";
        for (bytes, name, start) in [
            (b"plain".to_vec(), "UTF-8", "plain"),
            ("Grüße, 你好".as_bytes().to_vec(), "UTF-8", "Grüße"),
            (b"\xEF\xBB\xBFmarked".to_vec(), "UTF-8", "marked"),
            (b"\xFF\xFEh\0i\0".to_vec(), "UTF-16LE", "hi"),
            (b"\xFE\xFF\0h\0i".to_vec(), "UTF-16BE", "hi"),
            (
                b"Gr\xFC\xDFe aus Wien, sch\xF6ne \x84Zitate\x93".to_vec(),
                "windows-1252",
                "Grüße aus Wien, schöne „Zitate“",
            ),
            (encoding_rs::WINDOWS_1251.encode(russian).0.into_owned(), "windows-1251", "Привет"),
            (encoding_rs::KOI8_R.encode(russian).0.into_owned(), "KOI8-U", "Привет"),
            (encoding_rs::SHIFT_JIS.encode("日本語のテキストです。ありがとう。").0.into_owned(), "Shift_JIS", "日本語"),
            (encoding_rs::GBK.encode("这是一个简单的中文文本。").0.into_owned(), "GBK", "这是"),
            (b"\x1B$B$3$s$K$A$O\x1B(B, hello".to_vec(), "ISO-2022-JP", "こんにちは, hello"),
            (b"\x1B[31mred\x1B[0m".to_vec(), "UTF-8", "\\u{1b}[31mred"),
            // One broken byte in a text of UTF-8 changes nothing else.
            ([russian.as_bytes(), b" \xD0"].concat(), "UTF-8", "Привет, мир!"),
        ] {
            let (found, excerpt) = looked(&bytes);
            assert_eq!(found, name);
            assert!(excerpt.starts_with(start), "{name}: {excerpt}");
        }
    }

    #[test]
    fn what_is_hidden_is_written_out() {
        for (text, written) in [
            ("invoice\u{202e}fdp.exe", "invoice\\u{202e}fdp.exe"),
            ("a\u{200b}b\u{200d}c\u{2060}d\u{feff}e\u{ad}", "a\\u{200b}b\\u{200d}c\\u{2060}d\\u{feff}e\\u{ad}"),
            ("\u{2066}x\u{2069}\u{61c}", "\\u{2066}x\\u{2069}\\u{61c}"),
            ("nul\0esc\u{1b}[31m\u{85}\u{7f}", "nul\\u{0}esc\\u{1b}[31m\\u{85}\\u{7f}"),
            ("one\u{2028}two\u{2029}", "one\\u{2028}two\\u{2029}"),
            ("private \u{e000} \u{10fffd}", "private \\u{e000} \\u{10fffd}"),
            ("none \u{378} \u{ffff}", "none \\u{378} \\u{ffff}"),
            ("tag\u{e0041}\u{e0101}\u{fe01}\u{3164}\u{34f}", "tag\\u{e0041}\\u{e0101}\\u{fe01}\\u{3164}\\u{34f}"),
        ] {
            assert_eq!(excerpt(text), written);
        }
        for seen in
            ["tab\there", "e\u{301}, हिन्दी, العربية", "全角\u{3000}と\u{a0}space", "👍🏽 ❤\u{fe0f}", "\"it's\" \\ <b>"]
        {
            assert_eq!(excerpt(seen), seen);
        }
    }

    #[test]
    fn an_excerpt_is_three_lines_and_so_many_bytes_at_most() {
        assert_eq!(excerpt("\n\none\r\ntwo\rthree\nfour"), "one\ntwo\nthree");
        assert_eq!(excerpt("one \n\n\n"), "one");
        for (length, kept) in [(239, 239), (240, 240), (241, 240)] {
            assert_eq!(excerpt(&"x".repeat(length)).len(), kept);
        }
        // A character is there or it is not, and so is what is written for one.
        assert_eq!(excerpt(&"é".repeat(200)).len(), 240);
        assert_eq!(excerpt(&format!("x{}", "é".repeat(200))).len(), 239);
        assert_eq!(excerpt(&"\u{202e}".repeat(100)).len(), 240);
        assert_eq!(excerpt(&format!("x{}", "\u{202e}".repeat(100))).len(), 233);
    }

    #[test]
    fn a_head_that_ends_inside_a_character_is_not_broken() {
        let text = "é".repeat(40_000);
        let head = &text.as_bytes()[..65_535];
        assert_eq!(encoding(head, false), UTF_8);
        // A text that ends so is broken there, which a short one may be in any encoding.
        assert_eq!(encoding(head, true), UTF_8);
        assert_ne!(encoding(&text.as_bytes()[..7], true), UTF_8);
        let facts = look(head, 80_000, Facts::default());
        assert_eq!(facts.excerpt.unwrap(), "é".repeat(120));
    }

    #[test]
    fn what_acts_has_no_first_lines() {
        for (name, is_text) in [
            ("text/plain", true),
            ("text/csv", true),
            ("text/x-made-up", true),
            ("application/json", true),
            ("application/xml", true),
            ("application/yaml", true),
            ("text/html", false),
            ("text/javascript", false),
            ("text/x-python", false),
            ("image/svg+xml", false),
            ("application/xhtml+xml", false),
            ("application/rtf", false),
        ] {
            assert_eq!(is_kept_as_text(&name.parse().unwrap()), is_text, "{name}");
        }
    }
}
