//! Tells text from other bytes, and markup that a browser would act on from plain text.

/// What a browser takes for HTML at the beginning of a file, after white space.
/// <https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type>
const HTML: &[&str] = &[
    "<!doctype html",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<a",
    "<style",
    "<title",
    "<b",
    "<body",
    "<br",
    "<p",
    "<!--",
];

/// The namespace of SVG, which its elements have whatever their prefix.
const SVG: &str = "http://www.w3.org/2000/svg";

/// Whether `head`, the beginning of a file, is text: UTF-8, UTF-16 with its mark, or an older 8-bit encoding.
/// Binary formats give themselves away by control characters.
pub(super) fn is_text(head: &[u8]) -> bool {
    if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
        return is_utf16(head);
    }
    if head.is_empty() || head.iter().any(|byte| is_control(*byte)) {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may end inside a character.
        Err(error) if error.error_len().is_none() => true,
        // Western text in an 8-bit encoding is mostly ASCII; packed data without a single control character is not.
        Err(_) => head.iter().filter(|byte| !byte.is_ascii()).count() * 3 <= head.len(),
    }
}

/// The content type of what begins as a script does that names its interpreter.
pub(super) fn interpreted(head: &[u8]) -> Option<&'static str> {
    let line = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).strip_prefix(b"#!")?;
    line.trim_ascii_start().starts_with(b"/").then_some("text/x-shellscript")
}

/// The content type of a program in words that says so in its first line; `None` for other text.
pub(super) fn program(head: &[u8]) -> Option<&'static str> {
    let start = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let lower: Vec<u8> = start.iter().take(64).map(u8::to_ascii_lowercase).collect();
    let line = lower.trim_ascii_start();
    match line {
        _ if start.starts_with(b"#!") => Some("text/x-shellscript"),
        _ if line.starts_with(b"<?php") || line.starts_with(b"<?=") => Some("application/x-httpd-php"),
        _ if line.starts_with(b"@echo off") => Some("application/x-bat"),
        _ => None,
    }
}

/// The content type of markup that browsers act on; `None` for other text.
pub(super) fn markup(head: &[u8]) -> Option<&'static str> {
    let lower = words(head).to_ascii_lowercase();
    let lower = lower.trim_start();
    if lower.starts_with('<') && (has_element(lower, "<svg") || has_element(lower, ":svg") || lower.contains(SVG)) {
        return Some("image/svg+xml");
    }
    if lower.starts_with("<?xml") {
        return Some(if has_element(lower, "<html") { "application/xhtml+xml" } else { "application/xml" });
    }
    HTML.iter()
        .any(|tag| lower.strip_prefix(tag).is_some_and(|rest| *tag == "<!--" || ends_name(rest)))
        .then_some("text/html")
}

fn has_element(text: &str, tag: &str) -> bool {
    text.match_indices(tag).any(|(at, _)| text.get(at + tag.len()..).is_some_and(ends_name))
}

/// The beginning of a text, in whichever encoding.
fn words(head: &[u8]) -> String {
    let little = head.starts_with(&[0xFF, 0xFE]);
    if little || head.starts_with(&[0xFE, 0xFF]) {
        let units = head.as_chunks::<2>().0.iter().skip(1);
        let units = units.map(|unit| if little { u16::from_le_bytes(*unit) } else { u16::from_be_bytes(*unit) });
        return char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    }
    String::from_utf8_lossy(head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head)).into_owned()
}

/// Whether an element's name ends here.
fn ends_name(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')
}

fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F)
}

/// No unit is a control character other than white space, and surrogates come in pairs.
fn is_utf16(head: &[u8]) -> bool {
    let little = head.first() == Some(&0xFF);
    let units = head.as_chunks::<2>().0.iter().skip(1);
    let units = units.map(|unit| if little { u16::from_le_bytes(*unit) } else { u16::from_be_bytes(*unit) });
    let mut units: Vec<u16> = units.collect();
    units.pop_if(|last| (0xD800..0xDC00).contains(last));
    !units.is_empty()
        && char::decode_utf16(units).all(|unit| unit.is_ok_and(|c| !c.is_control() || c.is_ascii_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_the_usual_encodings_is_text() {
        for text in [
            &b"plain\r\n\ttext\x0C"[..],
            "Grüße, 你好 👋".as_bytes(),
            &"cut inside ü".as_bytes()[..12],
            b"\xEF\xBB\xBFwith a mark",
            b"Gr\xFC\xDFe aus Wien, in Latin-1",
            b"\xFF\xFEh\0i\0",
            b"\xFE\xFF\0h\0i\xD8\x3D",
        ] {
            assert!(is_text(text), "{text:?}");
        }
        for other in
            [&b""[..], b"\0", b"ab\x01c", b"\x89PNG\r\n\x1a\n", b"\xFF\xFE", b"\xFF\xFE\0\0", b"\xE0\xE1\xE2\xFF\xFE"]
        {
            assert!(!is_text(other), "{other:?}");
        }
    }

    #[test]
    fn a_program_is_known_by_its_first_line() {
        for (text, name) in [
            (&b"#!/usr/bin/env node\n"[..], Some("text/x-shellscript")),
            (b"\xEF\xBB\xBF#! python", Some("text/x-shellscript")),
            (b" <?PHP echo 1;", Some("application/x-httpd-php")),
            (b"@ECHO OFF\r\n", Some("application/x-bat")),
            (b"# a heading", None),
            (b"echo off", None),
        ] {
            assert_eq!(program(text), name);
        }
    }

    #[test]
    fn markup_is_found_as_browsers_find_it() {
        assert_eq!(markup(b"  <HTML>"), Some("text/html"));
        assert_eq!(markup(b"<p>"), Some("text/html"));
        assert_eq!(markup(b"<!-- x --> and then"), Some("text/html"));
        assert_eq!(markup(b"<price>3</price>"), None);
        assert_eq!(markup(b"a < b"), None);
        assert_eq!(markup(b"<?xml version='1.0'?>\n<!DOCTYPE svg>\n<SVG>"), Some("image/svg+xml"));
        assert_eq!(markup(b"<svgfoo>"), None);
        assert_eq!(markup(b"<s:svg xmlns:s=''>"), Some("image/svg+xml"));
        assert_eq!(markup(format!("<?xml?><!--{}--><svg>", "x".repeat(9000)).as_bytes()), Some("image/svg+xml"));
        let utf16: Vec<u8> = "\u{feff}<html>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(markup(&utf16), Some("text/html"));
        assert_eq!(markup(b"<?xml version='1.0'?><html xmlns=''>"), Some("application/xhtml+xml"));
        assert_eq!(markup(b"\xEF\xBB\xBF<?xml?><a/>"), Some("application/xml"));
    }
}
