//! Whether the sender told the truth about a file's type, and under which type the file is kept.
//!
//! The answer is never a type that a browser acts on (HTML, SVG, script) unless that is what the bytes are.

use vestibule_domain::content_type::ContentType;

use crate::sniff::{Sniffed, Text};

/// Text that no program runs: a claim of one of these cannot be proved by content and need not be.
const HARMLESS_TEXT: &[&str] = &[
    "text/plain",
    "text/csv",
    "text/markdown",
    "text/tab-separated-values",
    "text/calendar",
    "text/vcard",
    "application/json",
    "application/yaml",
];

/// Types that show in the content whenever they are true.
const RECOGNISED: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/bmp",
    "image/tiff",
    "image/heic",
    "image/heif",
    "image/avif",
    "image/jxl",
    "image/svg+xml",
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/vnd.rar",
    "application/x-7z-compressed",
    "application/epub+zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/matroska",
    "audio/mp4",
    "audio/flac",
    "audio/ogg",
    "audio/wav",
];

/// Types that clients and content detection tell apart in different ways: one member of a line is as true as another.
const FAMILIES: &[&[&str]] = &[
    &[
        "video/mp4",
        "audio/mp4",
        "video/quicktime",
        "video/3gpp",
        "video/3gpp2",
        "audio/3gpp",
        "audio/3gpp2",
        "video/mj2",
    ],
    &["video/matroska", "video/x-matroska", "audio/matroska", "audio/x-matroska", "video/webm", "audio/webm"],
    &["audio/ogg", "video/ogg", "application/ogg", "audio/opus", "audio/vorbis", "audio/speex"],
    &["video/x-ms-asf", "video/x-ms-wmv", "audio/x-ms-wma"],
    &["video/x-msvideo", "video/avi", "video/msvideo"],
    &["audio/aac", "audio/x-aac", "audio/aacp"],
    &["audio/x-aiff", "audio/aiff"],
    &["audio/midi", "audio/x-midi", "audio/mid"],
    &["image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"],
    &["image/avif", "image/avif-sequence"],
    &["image/vnd.microsoft.icon", "image/x-icon"],
    &["image/vnd.adobe.photoshop", "image/x-photoshop", "application/x-photoshop"],
    &["application/vnd.rar", "application/x-rar", "application/x-rar-compressed"],
    &["application/gzip", "application/x-compressed-tar", "application/x-tgz", "application/x-gtar"],
    &["application/x-bzip2", "application/x-bzip"],
    &[
        "application/vnd.microsoft.portable-executable",
        "application/x-dosexec",
        "application/x-msdownload",
        "application/x-msdos-program",
    ],
];

/// Containers, and the declared types of files that may be found to be no more than one: password-protected Office
/// documents, and old ones whose class identifier is missing.
const MAY_BE_ONLY: &[(&str, &[&str])] = &[(
    "application/x-cfb",
    &[
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.ms-outlook",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ],
)];

/// The type to keep the file under; `None` when the claim is false.
pub(crate) fn settle(declared: &ContentType, sniffed: &Sniffed) -> Option<ContentType> {
    let declared = declared.canonical();
    let found = &sniffed.found;
    let is_text = match sniffed.text {
        Text::No => false,
        Text::Possible => *found == ContentType::octet_stream() || found.is_text(),
        Text::Fragment | Text::Certain => true,
    };
    if is_text && (declared.is_text() || declared.as_str() == "application/vnd.ms-excel") {
        return Some(text(&declared, found));
    }
    // What it is by its first entries is a guess, unless such files are common.
    if sniffed.zip && declared.as_str() == "application/zip" {
        return Some(if holds(RECOGNISED, found) { found.clone() } else { declared });
    }
    let true_claim = declared.admits(found)
        || FAMILIES.iter().any(|family| holds(family, &declared) && holds(family, found))
        || MAY_BE_ONLY.iter().any(|(container, of)| *container == found.as_str() && holds(of, &declared))
        || is_beyond_us(&declared, found);
    true_claim.then(|| found.clone())
}

/// Text keeps its claimed type where that is harmless, and is plain where only the claim makes it more.
fn text(declared: &ContentType, found: &ContentType) -> ContentType {
    // What Windows names a CSV file on a machine with Excel: <https://developer.mozilla.org/docs/Web/API/File/type>
    let name = if declared.as_str() == "application/vnd.ms-excel" { "text/csv" } else { declared.as_str() };
    if HARMLESS_TEXT.contains(&name) {
        return name.parse().unwrap_or_else(|_| declared.clone());
    }
    let is_xml = found.as_str() == "application/xml" || found.as_str().ends_with("+xml");
    if declared == found || (declared.as_str() == "application/xml" && is_xml) {
        return found.clone();
    }
    "text/plain".parse().unwrap_or_else(|_| ContentType::octet_stream())
}

/// Whether the claim is one that content can neither prove nor disprove.
fn is_beyond_us(declared: &ContentType, found: &ContentType) -> bool {
    if holds(RECOGNISED, declared) || declared.is_text() {
        return false;
    }
    let kind = |of: &ContentType| of.as_str().split('/').next().unwrap_or_default().to_owned();
    let unknown = *found == ContentType::octet_stream();
    unknown || !matches!(kind(declared).as_str(), "image" | "audio" | "video" | "font") || kind(declared) == kind(found)
}

/// Whether a text that is claimed to be of this type is harmless, whatever is in it.
pub(crate) fn is_harmless_text(declared: &ContentType) -> bool {
    holds(HARMLESS_TEXT, &declared.canonical())
}

fn holds(list: &[&str], content_type: &ContentType) -> bool {
    list.contains(&content_type.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    const KMZ: &str = "application/vnd.google-earth.kmz";
    const ZIPS: &[&str] = &["application/zip", "image/x-sketch", DOCX, KMZ];

    fn settled(declared: &str, found: &str, text: bool) -> Option<String> {
        let text = if text { Text::Certain } else { Text::No };
        let sniffed = Sniffed { found: found.parse().unwrap(), text, zip: ZIPS.contains(&found) };
        settle(&declared.parse().unwrap(), &sniffed).map(|kept| kept.to_string())
    }

    fn kept(declared: &str, found: &str) -> String {
        settled(declared, found, false).unwrap_or_else(|| "refused".to_owned())
    }

    #[test]
    fn a_recognised_type_must_be_what_it_claims() {
        assert_eq!(kept("image/jpg", "image/jpeg"), "image/jpeg");
        assert_eq!(kept("image/jpeg", "image/png"), "refused");
        assert_eq!(kept("image/png", "application/octet-stream"), "refused");
        assert_eq!(kept("application/pdf", "application/zip"), "refused");
        assert_eq!(settled("image/png", "text/plain", true), None);
        assert_eq!(settled("text/plain", "image/jpeg", false), None);
        assert_eq!(settled("text/html", "application/octet-stream", false), None);
        assert_eq!(kept("video/x-made-up", "image/png"), "refused");
    }

    #[test]
    fn names_of_one_family_mean_the_same() {
        assert_eq!(kept("audio/webm", "video/webm"), "video/webm");
        assert_eq!(kept("video/mp4", "video/quicktime"), "video/quicktime");
        assert_eq!(kept("video/x-matroska", "video/matroska"), "video/matroska");
        assert_eq!(kept("application/zip", DOCX), DOCX);
        assert_eq!(kept("application/zip", KMZ), "application/zip");
        assert_eq!(kept("application/zip", "image/x-sketch"), "application/zip");
        assert_eq!(kept("application/octet-stream", KMZ), KMZ);
        assert_eq!(kept("application/zip", "image/png"), "refused");
        assert_eq!(kept(DOCX, "application/zip"), "refused");
        assert_eq!(kept(DOCX, "application/x-cfb"), "application/x-cfb");
    }

    #[test]
    fn an_unknown_claim_is_kept_under_what_was_found() {
        assert_eq!(kept("application/octet-stream", "image/png"), "image/png");
        assert_eq!(kept("application/x-made-up", "application/octet-stream"), "application/octet-stream");
        assert_eq!(kept("application/x-made-up", "application/zip"), "application/zip");
        assert_eq!(kept("audio/mpeg", "application/octet-stream"), "application/octet-stream");
    }

    #[test]
    fn harmless_text_keeps_its_name_and_no_claim_makes_text_active() {
        assert_eq!(settled("text/csv", "text/plain", true).unwrap(), "text/csv");
        assert_eq!(settled("text/csv", "text/html", true).unwrap(), "text/csv");
        assert_eq!(settled("application/vnd.ms-excel", "text/plain", true).unwrap(), "text/csv");
        assert_eq!(settled("text/html", "text/plain", true).unwrap(), "text/plain");
        assert_eq!(settled("text/html", "text/html", true).unwrap(), "text/html");
        assert_eq!(settled("text/javascript", "text/plain", true).unwrap(), "text/plain");
        assert_eq!(settled("text/xml", "application/rss+xml", true).unwrap(), "application/rss+xml");
        assert_eq!(settled("application/octet-stream", "text/plain", true).unwrap(), "text/plain");
    }

    #[test]
    fn text_in_an_older_encoding_is_text_when_its_sender_says_so() {
        let settled = |declared: &str, found: &str| {
            let sniffed = Sniffed { found: found.parse().unwrap(), text: Text::Possible, zip: false };
            settle(&declared.parse().unwrap(), &sniffed).map(|kept| kept.to_string())
        };
        assert_eq!(settled("text/csv", "application/octet-stream").unwrap(), "text/csv");
        assert_eq!(settled("text/html", "application/octet-stream").unwrap(), "text/plain");
        assert_eq!(
            settled("application/octet-stream", "application/octet-stream").unwrap(),
            "application/octet-stream"
        );
        assert_eq!(settled("text/csv", "image/png"), None);
    }
}
