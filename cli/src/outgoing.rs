//! A file that somebody wants to send: looked at before anything is said about it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::policy::MAX_NAME_BYTES;

/// A file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The last part of its path.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// What it will be declared as.
    pub(crate) declared: ContentType,
}

impl Outgoing {
    /// Looks at the file at `path`, which may have `max` bytes. It will be declared as what a browser would say: they go by the
    /// name's extension too.
    ///
    /// # Errors
    /// When it cannot be sent, and why.
    pub(crate) fn at(path: &Path, max: u64) -> anyhow::Result<Self> {
        let shown = path.display();
        // Opening it is the only way to know that it can be read.
        let file = fs::File::open(path).with_context(|| format!("cannot read {shown}"))?;
        let about = file.metadata().with_context(|| format!("cannot read {shown}"))?;
        anyhow::ensure!(about.is_file(), "{shown} is not a file");
        let size = about.len();
        anyhow::ensure!(size <= max, "{shown} has {size} bytes, and the stack takes at most {max}");
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("the name of {shown} is not UTF-8"))?.to_owned();
        anyhow::ensure!(name.len() <= MAX_NAME_BYTES, "the name of {shown} is longer than {MAX_NAME_BYTES} bytes");
        Ok(Self { path: path.to_owned(), name, size, declared: suggested(path) })
    }
}

/// The type that a browser would declare for a file of this name.
pub(crate) fn suggested(file: &Path) -> ContentType {
    mime_guess::from_path(file).first_raw().and_then(|name| name.parse().ok()).unwrap_or_else(ContentType::octet_stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_declared_by_its_extension() {
        let folder = tempfile::tempdir().unwrap();
        let declared = |name: &str| {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            Outgoing::at(&path, 0).unwrap().declared.to_string()
        };
        assert_eq!(declared("b.JPG"), "image/jpeg");
        assert_eq!(declared("c.unheard-of"), "application/octet-stream");
    }

    #[test]
    fn a_file_that_cannot_be_sent_is_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.jpg"), "abc").unwrap();
        let why = |name: &str, max| {
            let error = Outgoing::at(&folder.path().join(name), max).unwrap_err();
            format!("{error:#}").replace(&folder.path().display().to_string(), "")
        };
        assert_eq!(why("a.jpg", 2), "/a.jpg has 3 bytes, and the stack takes at most 2");
        assert_eq!(why("nothing", 2), "cannot read /nothing: No such file or directory (os error 2)");
        assert_eq!(why(".", 2), "/. is not a file");
    }
}
