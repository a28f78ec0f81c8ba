//! Tells text from other bytes, and markup that a browser would act on from plain text.

use super::Text;

/// What a browser takes for HTML at the beginning of a file, after white space, and nobody begins another text with.
/// <https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type>
const PAGE: &[&str] = &["<!doctype html", "<html", "<head", "<script", "<iframe", "<style", "<title", "<body"];
/// What else it takes for HTML. Markdown and other texts begin with it as well.
const FRAGMENT: &[&str] = &["<h1", "<div", "<font", "<table", "<a", "<b", "<br", "<p"];
const COMMENT: &str = "<!--";

/// The namespace of SVG, which its elements have whatever their prefix.
const SVG: &str = "http://www.w3.org/2000/svg";

/// Whether `head`, the beginning of a file, is text: UTF-8, UTF-16 with its mark, or an older encoding.
/// Binary formats give themselves away by control characters.
pub(super) fn is_text(head: &[u8]) -> Text {
    let is_words = match utf16(head) {
        Some(units) => are_words(units),
        None => !head.is_empty() && !head.iter().any(|byte| is_control(*byte)),
    };
    let is_certain = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may end inside a character.
        Err(error) if error.error_len().is_none() => true,
        // Western text in an 8-bit encoding is mostly ASCII. Cyrillic, Greek, Chinese and Japanese are not, but then so is packed data
        // that happens to have no control character.
        Err(_) => utf16(head).is_some() || head.iter().filter(|byte| !byte.is_ascii()).count() * 3 <= head.len(),
    };
    match (is_words, is_certain) {
        (false, _) => Text::No,
        (true, _) if html(&words(head).to_ascii_lowercase()) == Some(Html::Fragment) => Text::Fragment,
        (true, false) => Text::Possible,
        (true, true) => Text::Certain,
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
    html(lower).map(|_| "text/html")
}

/// Kinds of HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Html {
    Page,
    Fragment,
}

/// What a browser would take for HTML, by the first thing in it that is no comment. It takes a comment for HTML too.
fn html(lower: &str) -> Option<Html> {
    let mut rest = lower.trim_start();
    let is_commented = rest.starts_with(COMMENT);
    while let Some(comment) = rest.strip_prefix(COMMENT) {
        // What is behind a comment that does not end here is not known.
        let Some(behind) = behind_comment(comment) else { return Some(Html::Page) };
        rest = behind.trim_start();
    }
    let begins_with = |tags: &[&str]| tags.iter().any(|tag| rest.strip_prefix(tag).is_some_and(ends_name));
    if begins_with(PAGE) || is_drawing(rest) {
        return Some(Html::Page);
    }
    (is_commented || begins_with(FRAGMENT)).then_some(Html::Fragment)
}

/// What comes after a comment, of which `comment` is what comes after `<!--`. Browsers end one in more ways than one.
/// <https://html.spec.whatwg.org/multipage/parsing.html#comment-start-state>
fn behind_comment(comment: &str) -> Option<&str> {
    let at_once = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->"));
    at_once.or_else(|| {
        let ends = ["-->", "--!>"].map(|end| comment.find(end).map(|at| at + end.len()));
        comment.get(ends.into_iter().flatten().min()?..)
    })
}

/// Whether the first element is SVG's own, with or without a prefix.
fn is_drawing(lower: &str) -> bool {
    let name = lower.strip_prefix('<').unwrap_or_default();
    let name = name.split(|c: char| !(c.is_alphanumeric() || c == ':')).next().unwrap_or_default();
    name == "svg" || name.ends_with(":svg")
}

/// The content type of a page or a program that begins as nothing else does, also where bytes follow that are no text: browsers and
/// interpreters look at the beginning alone.
pub(super) fn surely(head: &[u8]) -> Option<&'static str> {
    let written = program(head).filter(|name| *name != "text/x-shellscript");
    written.or_else(|| (html(&words(head).to_ascii_lowercase()) == Some(Html::Page)).then_some("text/html"))
}

fn has_element(text: &str, tag: &str) -> bool {
    text.match_indices(tag).any(|(at, _)| text.get(at + tag.len()..).is_some_and(ends_name))
}

/// The beginning of a text, in whichever encoding.
fn words(head: &[u8]) -> String {
    if let Some(units) = utf16(head) {
        return String::from_utf16_lossy(&units);
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

/// The units of a UTF-16 text behind its mark; `None` for what has no such mark.
fn utf16(head: &[u8]) -> Option<Vec<u16>> {
    let from: fn([u8; 2]) -> u16 = match head {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return None,
    };
    Some(head.as_chunks::<2>().0.iter().skip(1).map(|unit| from(*unit)).collect())
}

/// No unit is a control character other than white space, and surrogates come in pairs.
fn are_words(mut units: Vec<u16>) -> bool {
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
            assert_eq!(is_text(text), Text::Certain, "{text:?}");
        }
        for text in [
            &b"\xCF\xF0\xE8\xE2\xE5\xF2, \xEC\xE8\xF0"[..], // Windows-1251
            b"\x93\xFA\x96\x7B\x8C\xEA\r\n",                // Shift-JIS
            b"\xC4\xE3\xBA\xC3",                            // GBK
        ] {
            assert_eq!(is_text(text), Text::Possible, "{text:?}");
        }
        for other in
            [&b""[..], b"\0", b"ab\x01c", b"\x89PNG\r\n\x1a\n", b"\xFF\xFE", b"\xFF\xFE\0\0", b"\xE0\xE1\xE2\0\xFE"]
        {
            assert_eq!(is_text(other), Text::No, "{other:?}");
        }
    }

    #[test]
    fn what_markdown_begins_with_is_told_from_a_page() {
        for fragment in ["<p align=\"center\">", " <h1>Vestibule</h1>", "<!-- toc -->\n# Contents", "<!---->x <svg/>"] {
            assert_eq!(is_text(fragment.as_bytes()), Text::Fragment, "{fragment}");
            assert!(markup(fragment.as_bytes()).is_some(), "{fragment}");
            assert_eq!(surely(fragment.as_bytes()), None, "{fragment}");
        }
        for page in [
            "<!DOCTYPE html>",
            "<!-- saved --> <!-- twice --><HTML>",
            "<script>",
            "<!--><script>",
            "<!---><script>",
            "<!-- x --!><script>--></script>",
            "<!-- a comment that does not end",
            "<!-- x --><svg onload='alert(1)'>",
            "<!-- x --><s:svg>",
        ] {
            assert_eq!(is_text(page.as_bytes()), Text::Certain, "{page}");
            assert!(markup(page.as_bytes()).is_some(), "{page}");
            assert_eq!(surely([page.as_bytes(), b"\0\x01"].concat().as_slice()), Some("text/html"), "{page}");
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
