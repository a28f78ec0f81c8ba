//! Which files the demo sends: the ones named, or all fixtures; and what must become of a fixture.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use vestibule_domain::content_type::ContentType;

use crate::outgoing::Outgoing;

/// A file to send.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// The file.
    pub(crate) file: Outgoing,
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
    let mut file = Outgoing::at(path, max)?;
    if let Some(fixture) = fixture {
        file.declared = fixture.declared_type.clone();
    }
    Ok(Input { file, expected: fixture.map(|fixture| fixture.expect.clone()) })
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
        assert_eq!((a.file.name.as_str(), a.file.size, a.file.declared.as_str()), ("a.jpg", 3, "image/png"));
        assert_eq!(a.expected.as_ref().unwrap().code.as_deref(), Some("type-mismatch"));
    }

    #[test]
    fn a_named_file_promises_nothing_unless_it_is_a_fixture() {
        let fixtures = fixtures();
        let other = fixtures.path().join("b.JPG");
        fs::write(&other, "").unwrap();
        let named = inputs(fixtures.path(), &[other, fixtures.path().join("files/a.jpg")], 3).unwrap();
        let declared: Vec<_> =
            named.iter().map(|input| (input.file.declared.as_str(), input.expected.is_some())).collect();
        assert_eq!(declared, [("image/jpeg", false), ("image/png", true)]);
    }
}
