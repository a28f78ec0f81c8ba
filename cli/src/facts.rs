//! What the bytes of a file say, in words for a terminal.

use base64::Engine as _;
use indicatif::HumanBytes;
use vestibule_domain::inspection::Facts;

use crate::terminal;

/// Columns that a waveform takes.
const COLUMNS: usize = 50;

/// The facts on one line: `video/mp4, 1280 × 720 pixels, 0:12, avc1.64001f`.
pub(crate) fn in_words(facts: &Facts) -> String {
    let counted = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let said = [
        Some(facts.content_type.to_string()),
        facts.width.zip(facts.height).map(|(width, height)| format!("{width} × {height} pixels")),
        facts.rotation.map(|degrees| format!("turned by {degrees}°")),
        facts.frames.map(|frames| counted(frames.into(), "frame", "frames")),
        facts.duration_millis.map(length),
        facts.pages.map(|pages| counted(pages.into(), "page", "pages")),
        facts.entries.map(|entries| counted(entries, "entry", "entries")),
        facts.unpacked_size.map(|bytes| format!("{} unpacked", HumanBytes(bytes))),
        facts.macros.filter(|macros| *macros).map(|_| "with macros".to_owned()),
        facts.encrypted.filter(|encrypted| *encrypted).map(|_| "encrypted".to_owned()),
        facts.encoding.as_deref().map(terminal::shown),
        (!facts.codecs.is_empty()).then(|| terminal::shown(&facts.codecs.join(" + "))),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What there is to see besides, a line each: a sound's waveform, a text's first lines.
pub(crate) fn pictured(facts: &Facts) -> Vec<String> {
    let waveform = facts.waveform.as_deref().and_then(waveform);
    let excerpt = facts.excerpt.as_deref().unwrap_or_default().lines();
    let quoted = excerpt.map(|line| format!("| {}", terminal::shown(line)).trim_end().to_owned());
    waveform.into_iter().chain(quoted).collect()
}

/// A length of time as players write it: `0:07`, `12:34`, `1:02:03`. What is shorter than ten seconds has its tenths.
fn length(millis: u64) -> String {
    if millis < 10_000 {
        return format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    }
    let seconds = millis / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A waveform as a row of bars; `None` when it is none.
fn waveform(base64: &str) -> Option<String> {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let points = base64::engine::general_purpose::STANDARD.decode(base64).ok()?;
    let columns = points.chunks(points.len().div_ceil(COLUMNS).max(1));
    let bar = |column: &[u8]| {
        let peak = usize::from(column.iter().copied().max()?);
        BARS.get(peak.div_ceil(32)).copied()
    };
    Some(columns.filter_map(bar).collect::<String>()).filter(|bars| !bars.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(json: serde_json::Value) -> Facts {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn each_kind_of_file_says_what_it_has() {
        for (json, expected) in [
            (serde_json::json!({ "type": "text/csv", "encoding": "UTF-8" }), "text/csv, UTF-8"),
            (serde_json::json!({ "type": "application/pdf", "pages": 1 }), "application/pdf, 1 page"),
            (
                serde_json::json!({ "type": "video/mp4", "width": 720, "height": 1280, "rotation": 90, "durationMillis": 3_723_400,
                    "codecs": ["avc1.64001f", "mp4a.40.2"] }),
                "video/mp4, 720 × 1280 pixels, turned by 90°, 1:02:03, avc1.64001f + mp4a.40.2",
            ),
            (
                serde_json::json!({ "type": "application/zip", "entries": 12, "unpackedSize": 2048, "macros": true, "encrypted": true }),
                "application/zip, 12 entries, 2.00 KiB unpacked, with macros, encrypted",
            ),
            (
                serde_json::json!({ "type": "image/gif", "frames": 12, "durationMillis": 1260 }),
                "image/gif, 12 frames, 1.2 s",
            ),
            (
                serde_json::json!({ "type": "audio/mpeg", "durationMillis": 61_999, "macros": false }),
                "audio/mpeg, 1:01",
            ),
        ] {
            assert_eq!(in_words(&facts(json)), expected);
        }
    }

    #[test]
    fn a_waveform_is_a_row_of_bars_and_an_excerpt_cannot_write_on_the_terminal() {
        let points: Vec<u8> = [[0; 25], [1; 25], [128; 25], [255; 25]].concat();
        let waveform = base64::engine::general_purpose::STANDARD.encode(points);
        let pictured = pictured(&facts(
            serde_json::json!({ "type": "audio/ogg", "waveform": waveform, "excerpt": "a\u{1b}[2J\n\nb" }),
        ));
        let bars = format!("{}{}{}{}", " ".repeat(12), "▁".repeat(13), "▄".repeat(12), "█".repeat(13));
        assert_eq!(pictured, [bars.as_str(), "| a[2J", "|", "| b"]);
        assert_eq!(super::waveform("no base 64"), None);
        assert_eq!(super::waveform(""), None);
    }
}
