//! Which files the demo sends: the ones named, or all fixtures; and what must become of a fixture.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use vestibule_domain::content_type::ContentType;

/// A file to send.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The last part of its path.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// What it will be declared as.
    pub(crate) declared: ContentType,
    /// What must become of it; only known of fixtures.
    pub(crate) expected: Option<Expected>,
}

/// What must become of a fixture. What is absent is not promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Expected {
    /// `ready` or `rejected`.
    pub(crate) state: String,
    /// The rejection's code.
    pub(crate) code: Option<String>,
    /// The content type found.
    #[serde(rename = "type")]
    pub(crate) content_type: Option<String>,
    /// Pixels across, as shown.
    pub(crate) width: Option<u32>,
    /// Pixels down, as shown.
    pub(crate) height: Option<u32>,
    /// Pictures in an animation.
    pub(crate) frames: Option<u32>,
}

/// An entry of `fixtures/manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fixture {
    file: String,
    declared_type: ContentType,
    expect: Expected,
}

/// The files to send, in the order given; without any, all fixtures. No file may be larger than `max` bytes.
///
/// # Errors
/// For the first file that cannot be sent, and why.
pub(crate) fn inputs(fixtures: &Path, named: &[PathBuf], max: u64) -> anyhow::Result<Vec<Input>> {
    let files = fixtures.join("files");
    let manifest = manifest(&fixtures.join("manifest.json"))?;
    let all: Vec<PathBuf>;
    let paths = if named.is_empty() {
        all = manifest.iter().map(|fixture| files.join(&fixture.file)).collect();
        &all
    } else {
        named
    };
    paths.iter().map(|path| input(path, max, fixture_of(&files, &manifest, path))).collect()
}

fn manifest(path: &Path) -> anyhow::Result<Vec<Fixture>> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not a manifest", path.display()))
}

fn fixture_of<'a>(files: &Path, manifest: &'a [Fixture], path: &Path) -> Option<&'a Fixture> {
    let path = path.canonicalize().ok()?;
    let inside = path.strip_prefix(files.canonicalize().ok()?).ok()?;
    manifest.iter().find(|fixture| Path::new(&fixture.file) == inside)
}

fn input(path: &Path, max: u64, fixture: Option<&Fixture>) -> anyhow::Result<Input> {
    let shown = path.display();
    // Opening it is the only way to know that it can be read.
    let file = fs::File::open(path).with_context(|| format!("cannot read {shown}"))?;
    let about = file.metadata().with_context(|| format!("cannot read {shown}"))?;
    anyhow::ensure!(about.is_file(), "{shown} is not a file");
    let size = about.len();
    anyhow::ensure!(size <= max, "{shown} has {size} bytes, and the stack takes at most {max}");
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("the name of {shown} is not UTF-8"))?.to_owned();
    let declared = match fixture {
        Some(fixture) => fixture.declared_type.clone(),
        None => declared_by_extension(path)?,
    };
    Ok(Input { path: path.to_owned(), name, size, declared, expected: fixture.map(|fixture| fixture.expect.clone()) })
}

/// What a browser would say of a file: it goes by the name's extension too.
fn declared_by_extension(path: &Path) -> anyhow::Result<ContentType> {
    Ok(mime_guess::from_path(path).first_or_octet_stream().essence_str().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixtures() -> tempfile::TempDir {
        let fixtures = tempfile::tempdir().unwrap();
        fs::create_dir(fixtures.path().join("files")).unwrap();
        fs::write(fixtures.path().join("files/a.jpg"), "abc").unwrap();
        let manifest = r#"[{"file":"a.jpg","declaredType":"image/png","what":"a lie","expect":{"state":"rejected","code":"type-mismatch"}}]"#;
        fs::write(fixtures.path().join("manifest.json"), manifest).unwrap();
        fixtures
    }

    #[test]
    fn without_names_all_fixtures_are_sent_as_the_manifest_declares_them() {
        let fixtures = fixtures();
        let inputs = inputs(fixtures.path(), &[], 3).unwrap();
        let [a] = inputs.as_slice() else { panic!("{inputs:?}") };
        assert_eq!((a.name.as_str(), a.size, a.declared.as_str()), ("a.jpg", 3, "image/png"));
        assert_eq!(a.expected.as_ref().unwrap().code.as_deref(), Some("type-mismatch"));
    }

    #[test]
    fn a_named_file_is_declared_by_its_extension_and_promises_nothing() {
        let fixtures = fixtures();
        let named: Vec<PathBuf> = ["b.JPG", "c.unheard-of"].map(|name| fixtures.path().join(name)).to_vec();
        for path in &named {
            fs::write(path, "").unwrap();
        }
        let inputs = inputs(fixtures.path(), &named, 0).unwrap();
        let declared: Vec<_> = inputs.iter().map(|input| input.declared.as_str()).collect();
        assert_eq!(declared, ["image/jpeg", "application/octet-stream"]);
        assert!(inputs.iter().all(|input| input.expected.is_none()));
    }

    #[test]
    fn a_file_that_cannot_be_sent_is_named_with_the_reason() {
        let fixtures = fixtures();
        let why = |name: &str, max| {
            let error = inputs(fixtures.path(), &[fixtures.path().join(name)], max).unwrap_err();
            format!("{error:#}").replace(&fixtures.path().display().to_string(), "")
        };
        assert_eq!(why("files/a.jpg", 2), "/files/a.jpg has 3 bytes, and the stack takes at most 2");
        assert_eq!(why("nothing", 2), "cannot read /nothing: No such file or directory (os error 2)");
        assert_eq!(why("files", 2), "/files is not a file");
    }
}
