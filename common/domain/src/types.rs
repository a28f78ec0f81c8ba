//! The types that are known, each with its other names and with what becomes of files of that type. The one table for all of it.
//!
//! A type that is not in here comes in and is saved, never shown in place.

use crate::content_type::ContentType;

/// How files of a type are handled, unless a tenant says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// A picture that is decoded here: it gets thumbnails, and a browser may show the original in place.
    Shown,
    /// A picture that is decoded here and gets thumbnails, but that few browsers know: the original is saved.
    Pictured,
    /// Comes in and is saved.
    Saved,
    /// Does not come in.
    Refused(Danger),
}

/// Why a type does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Danger {
    /// A program for some machine.
    Program,
    /// A program in words, which an interpreter runs.
    Script,
    /// A document that acts by itself when a browser opens it.
    Active,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The type's usual name.
    pub name: &'static str,
    /// Other names under which clients send it. Sources: Chromium's and Firefox's upload types, and the aliases of the
    /// freedesktop.org MIME database.
    pub aliases: &'static [&'static str],
    /// What becomes of it.
    pub handling: Handling,
}

use Danger::{Active, Program, Script};
use Handling::{Pictured, Refused, Saved, Shown};

const fn row(name: &'static str, aliases: &'static [&'static str], handling: Handling) -> Row {
    Row { name, aliases, handling }
}

/// The table.
pub const TYPES: &[Row] = &[
    // Pictures.
    row("image/jpeg", &["image/jpg", "image/pjpeg"], Shown),
    row("image/png", &["image/x-png", "image/apng"], Shown),
    row("image/gif", &[], Shown),
    row("image/webp", &[], Shown),
    row("image/bmp", &["image/x-bmp", "image/x-ms-bmp"], Pictured),
    row("image/tiff", &["image/tif", "image/x-tiff"], Pictured),
    row("image/heic", &[], Pictured),
    row("image/heif", &[], Pictured),
    row("image/avif", &["image/avif-sequence"], Shown),
    row("image/jxl", &[], Pictured),
    // Documents.
    row("application/pdf", &["application/x-pdf"], Saved),
    row("application/vnd.openxmlformats-officedocument.wordprocessingml.document", &[], Saved),
    row("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &[], Saved),
    row("application/vnd.openxmlformats-officedocument.presentationml.presentation", &[], Saved),
    row("application/vnd.oasis.opendocument.text", &[], Saved),
    row("application/vnd.oasis.opendocument.spreadsheet", &[], Saved),
    row("application/vnd.oasis.opendocument.presentation", &[], Saved),
    row("application/msword", &[], Saved),
    row("application/vnd.ms-excel", &[], Saved),
    row("application/vnd.ms-powerpoint", &[], Saved),
    row("application/epub+zip", &[], Saved),
    row("application/rtf", &["text/rtf"], Saved),
    // Text.
    row("text/plain", &[], Saved),
    row("text/csv", &[], Saved),
    row("text/markdown", &["text/x-markdown"], Saved),
    row("text/tab-separated-values", &[], Saved),
    row("text/calendar", &[], Saved),
    row("text/vcard", &["text/x-vcard"], Saved),
    row("application/json", &["text/json"], Saved),
    row("application/yaml", &["application/x-yaml", "text/yaml"], Saved),
    row("application/xml", &["text/xml"], Saved),
    // Sound and film.
    row("audio/mpeg", &["audio/mp3"], Saved),
    row("audio/mp4", &["audio/x-m4a"], Saved),
    row("audio/wav", &["audio/x-wav", "audio/vnd.wave"], Saved),
    row("audio/flac", &["audio/x-flac"], Saved),
    row("audio/ogg", &[], Saved),
    row("audio/aac", &["audio/x-aac", "audio/aacp"], Saved),
    row("video/mp4", &["video/x-m4v"], Saved),
    row("video/quicktime", &[], Saved),
    row("video/webm", &[], Saved),
    row("video/matroska", &["video/x-matroska"], Saved),
    // Archives.
    row("application/zip", &["application/x-zip", "application/x-zip-compressed"], Saved),
    row("application/gzip", &["application/x-gzip"], Saved),
    row("application/x-7z-compressed", &[], Saved),
    row("application/vnd.rar", &["application/x-rar", "application/x-rar-compressed"], Saved),
    row("application/x-tar", &[], Saved),
    // Programs.
    row("application/x-executable", &["application/x-elf", "application/x-sharedlib"], Refused(Program)),
    row(
        "application/vnd.microsoft.portable-executable",
        &[
            "application/x-msdownload",
            "application/x-msdos-program",
            "application/x-ms-dos-executable",
            "application/exe",
        ],
        Refused(Program),
    ),
    row("application/x-dosexec", &[], Refused(Program)),
    row("application/x-ms-ne-executable", &[], Refused(Program)),
    row("application/x-coff", &["application/x-object"], Refused(Program)),
    row("application/x-mach-binary", &[], Refused(Program)),
    row("application/x-appimage", &["application/vnd.appimage"], Refused(Program)),
    row("application/vnd.adobe.air-application-installer-package+zip", &[], Refused(Program)),
    row("application/vsix", &[], Refused(Program)),
    row("application/x-silverlight-app", &[], Refused(Program)),
    row("application/java-archive", &["application/x-java-archive", "application/x-jar"], Refused(Program)),
    row("application/java-vm", &["application/x-java-class"], Refused(Program)),
    row("application/vnd.android.package-archive", &[], Refused(Program)),
    row("application/vnd.android.aab", &[], Refused(Program)),
    row("application/vnd.android.dex", &[], Refused(Program)),
    row("application/vnd.android.dey", &[], Refused(Program)),
    row("application/x-ios-app", &[], Refused(Program)),
    row("application/x-msi", &["application/x-ms-installer"], Refused(Program)),
    row("application/vnd.ms-appx", &[], Refused(Program)),
    row("application/vnd.ms-appx.bundle", &[], Refused(Program)),
    row("application/x-apple-diskimage", &[], Refused(Program)),
    row(
        "application/x-debian-package",
        &["application/vnd.debian.binary-package", "application/x-deb"],
        Refused(Program),
    ),
    row("application/x-rpm", &["application/x-redhat-package-manager"], Refused(Program)),
    row("application/x-xpinstall", &[], Refused(Program)),
    row("application/x-google-chrome-extension", &["application/x-chrome-extension"], Refused(Program)),
    row("application/wasm", &["text/wasm"], Refused(Program)),
    row("application/x-llvm", &[], Refused(Program)),
    row("application/x-lua-bytecode", &[], Refused(Program)),
    row("application/x-ms-shortcut", &[], Refused(Program)),
    row("application/vnd.ms-htmlhelp", &[], Refused(Program)),
    // Scripts.
    row("text/javascript", &["application/javascript", "application/x-javascript", "text/ecmascript"], Refused(Script)),
    row("text/x-shellscript", &["application/x-sh", "application/x-shellscript", "text/x-sh"], Refused(Script)),
    row("application/x-bat", &["application/bat", "application/x-msdos-batch", "text/x-msdos-batch"], Refused(Script)),
    row("application/x-powershell", &["text/x-powershell"], Refused(Script)),
    row("text/vbscript", &["text/vbs"], Refused(Script)),
    row("application/hta", &[], Refused(Script)),
    row("application/x-httpd-php", &["application/x-php", "text/x-php"], Refused(Script)),
    row("text/x-python", &["text/x-script.python", "application/x-python-code"], Refused(Script)),
    row("text/x-perl", &["application/x-perl"], Refused(Script)),
    row("text/x-ruby", &["application/x-ruby"], Refused(Script)),
    row("text/x-lua", &["application/x-lua"], Refused(Script)),
    row("text/x-tcl", &["application/x-tcl"], Refused(Script)),
    // What acts in a browser.
    row("text/html", &[], Refused(Active)),
    row("application/xhtml+xml", &[], Refused(Active)),
    row("image/svg+xml", &["image/svg"], Refused(Active)),
    row("application/x-shockwave-flash", &["application/vnd.adobe.flash.movie"], Refused(Active)),
];

/// The row of a type, under whichever of its names; `None` for a type that is not known.
pub fn row_of(content_type: &ContentType) -> Option<&'static Row> {
    let name = content_type.as_str();
    TYPES.iter().find(|row| row.name == name || row.aliases.contains(&name))
}

/// What becomes of files of a type, unless a tenant says otherwise.
pub fn handling(content_type: &ContentType) -> Handling {
    row_of(content_type).map_or(Saved, |row| row.handling)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_a_content_type_and_stands_once() {
        let mut names = BTreeSet::new();
        for row in TYPES {
            for name in row.aliases.iter().chain([&row.name]) {
                assert_eq!(name.parse::<ContentType>().unwrap().as_str(), *name);
                assert!(names.insert(*name), "{name} stands twice");
            }
        }
    }

    #[test]
    fn nothing_that_acts_is_shown_and_what_is_not_known_is_saved() {
        let of = |name: &str| handling(&name.parse().unwrap());
        assert_eq!(of("image/jpg"), Shown);
        assert_eq!(of("image/tiff"), Pictured);
        assert_eq!(of("application/x-zip-compressed"), Saved);
        assert_eq!(of("application/octet-stream"), Saved);
        assert_eq!(of("video/x-made-up"), Saved);
        for (name, danger) in [("text/html", Active), ("image/svg+xml", Active), ("application/x-sh", Script)] {
            assert_eq!(of(name), Refused(danger));
        }
        // What a browser shows in place is what it decodes as a picture, and nothing else.
        let shown: Vec<_> = TYPES.iter().filter(|row| row.handling == Shown).map(|row| row.name).collect();
        assert_eq!(shown, ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"]);
    }
}
