//! How far a replay got, in a file: the same command, given again, goes on behind that place.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use vestibule_store::hall::Place;

use crate::inbox::selection::Selection;

/// The file's format.
const FORMAT: u32 = 1;
/// Longest file that is read: a key has at most 1,024 bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Where a replay is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cursor {
    format: u32,
    /// What is replayed: another stack, bucket or selection is another replay.
    #[serde(flatten)]
    of: Replay,
    /// Behind which version to go on.
    pub(crate) after: Option<Place>,
    /// How many were sent so far, in all runs.
    pub(crate) sent: u64,
}

/// What is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Replay {
    /// The stack's name.
    pub(crate) stack: String,
    /// The inbox.
    pub(crate) bucket: String,
    /// The filters.
    pub(crate) filters: Selection,
}

/// A cursor and the file that it is kept in, if it is.
#[derive(Debug)]
pub(crate) struct CursorFile {
    path: Option<PathBuf>,
    /// Where the replay is.
    pub(crate) cursor: Cursor,
}

impl CursorFile {
    /// The cursor of this replay: as the file has it or, where there is none, at the beginning.
    ///
    /// # Errors
    /// When the file cannot be read, or is of another replay.
    pub(crate) fn open(path: Option<&Path>, of: Replay) -> anyhow::Result<Self> {
        let begin = Cursor { format: FORMAT, of, after: None, sent: 0 };
        let Some(path) = path else { return Ok(Self { path: None, cursor: begin }) };
        let path = path.to_owned();
        let shown = path.display();
        let bytes = match fs::metadata(&path) {
            Ok(about) if about.len() > MAX_BYTES => anyhow::bail!("{shown} is no cursor of a replay: it is too long"),
            Ok(_) => fs::read(&path).with_context(|| format!("cannot read {shown}"))?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self { path: Some(path), cursor: begin }),
            Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
        };
        let cursor: Cursor =
            serde_json::from_slice(&bytes).with_context(|| format!("{shown} is no cursor of a replay"))?;
        ensure!(cursor.format == FORMAT, "{shown} was written by another release");
        let (was, is) = (&cursor.of, &begin.of);
        ensure!(was.stack == is.stack, "{shown} is of the stack {}, not of {}", was.stack, is.stack);
        ensure!(was.bucket == is.bucket, "{shown} is of the bucket {}, not of {}", was.bucket, is.bucket);
        let filters = serde_json::to_string(&was.filters)?;
        ensure!(was.filters == is.filters, "{shown} is of a replay with other filters: {filters}");
        Ok(Self { path: Some(path), cursor })
    }

    /// Notes that all up to `place`, where it is another than before, is done with, and that `sent` more were sent. The file is the old
    /// one or the new one, never half.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn advance(&mut self, place: Option<Place>, sent: u64) -> anyhow::Result<()> {
        self.cursor.after = place.or(self.cursor.after.take());
        self.cursor.sent += sent;
        let Some(path) = &self.path else { return Ok(()) };
        write(path, &serde_json::to_vec(&self.cursor)?).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The file, where there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Removes the file: the replay is done.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let Some(path) = self.path else { return Ok(()) };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    // So that the name never stands for a file whose bytes were lost with the power.
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use vestibule_domain::hall::Class;

    use super::*;

    fn replay(classes: &[Class]) -> Replay {
        let filters = Selection {
            classes: classes.iter().copied().collect(),
            next: [].into(),
            codes: ["SlowDown".to_owned()].into(),
            older_than_seconds: Some(90),
            room: None,
            limit: Some(7),
        };
        Replay { stack: "s".to_owned(), bucket: "b".to_owned(), filters }
    }

    fn place(key: &str) -> Place {
        Place { key: key.to_owned(), version: Some("v".to_owned()) }
    }

    #[test]
    fn a_replay_goes_on_where_its_file_says_and_leaves_none_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor");
        let mut first = CursorFile::open(Some(&path), replay(&[Class::Failed])).unwrap();
        assert!(first.cursor.after.is_none() && !path.exists());
        first.advance(Some(place("k1")), 10).unwrap();
        first.advance(Some(place("k2")), 2).unwrap();
        first.advance(None, 1).unwrap();
        let second = CursorFile::open(Some(&path), replay(&[Class::Failed])).unwrap();
        assert_eq!((second.cursor.after.clone(), second.cursor.sent), (Some(place("k2")), 13));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file is left behind");
        second.finish().unwrap();
        assert!(!path.exists());
        CursorFile::open(Some(&path), replay(&[Class::Failed])).unwrap().finish().unwrap();
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor");
        let refused = |of: Replay| format!("{:#}", CursorFile::open(Some(&path), of).unwrap_err());
        CursorFile::open(Some(&path), replay(&[Class::Failed])).unwrap().advance(Some(place("k")), 1).unwrap();
        assert!(refused(replay(&[Class::Fresh])).contains("with other filters: {\"classes\":[\"failed\"]"));
        let other = Replay { stack: "t".to_owned(), ..replay(&[Class::Failed]) };
        assert!(refused(other).ends_with("is of the stack s, not of t"));
        let other = Replay { bucket: "c".to_owned(), ..replay(&[Class::Failed]) };
        assert!(refused(other).ends_with("is of the bucket b, not of c"));
        for garbage in ["", "{}", "{\"format\":1}"] {
            fs::write(&path, garbage).unwrap();
            assert!(refused(replay(&[])).contains("is no cursor of a replay"), "{garbage}");
        }
        fs::write(&path, " ".repeat(100_000)).unwrap();
        assert!(refused(replay(&[])).ends_with("it is too long"));
    }

    #[test]
    fn the_file_is_readable() {
        let cursor = Cursor { format: FORMAT, of: replay(&[Class::Failed]), after: Some(place("k")), sent: 1 };
        insta::assert_snapshot!(serde_json::to_string(&cursor).unwrap());
    }

    #[test]
    fn without_a_file_nothing_is_written() {
        let mut cursor = CursorFile::open(None, replay(&[])).unwrap();
        cursor.advance(Some(place("k")), 1).unwrap();
        assert_eq!((cursor.path(), cursor.cursor.sent), (None, 1));
    }
}
