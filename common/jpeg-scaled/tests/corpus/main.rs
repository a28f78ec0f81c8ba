//! Every file of `files/`, whole and broken: planes are compared with those that libjpeg-turbo makes, and damage is noticed.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is tests, though Clippy sees it only of functions that are marked so"
)]

mod broken;
mod mutated;
mod planes;
mod reduced;

use std::path::{Path, PathBuf};

use jpeg_scaled::{Decoder, Error, Options, Picture, Scale};

/// The names and bytes of all files, in the order of their names.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() > 40, "the corpus is not there");
    files
}

/// One file of the corpus.
fn file(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/files")
}

fn decode(bytes: &[u8], scale: Scale, full_chroma: bool) -> Result<Picture, Error> {
    Decoder::new(bytes)?.decode(&Options { scale, full_chroma })
}

/// All that can be asked for.
fn all_options() -> impl Iterator<Item = Options> {
    Scale::ALL.into_iter().flat_map(|scale| [false, true].map(|full_chroma| Options { scale, full_chroma }))
}
