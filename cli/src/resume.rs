//! What `send` keeps while it uploads, so that the same command, given again after it was killed or cut off, goes on where it was: under
//! which name the message was sent, and which uploads in parts have begun. One file for a message, gone once all is uploaded.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vestibule_domain::id::{AttachmentId, ClientMessageId, RoomId};
use vestibule_runtime::ids::Ids;

use crate::api::Announcement;

/// An upload in parts that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Begun {
    /// S3's name for it.
    pub(crate) upload_id: String,
    /// Where it goes.
    pub(crate) key: String,
    /// Bytes of each part but the last.
    pub(crate) part_size: u64,
}

/// What is kept of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    message: ClientMessageId,
    #[serde(default)]
    uploads: BTreeMap<AttachmentId, Begun>,
}

/// Where it is kept.
#[derive(Clone)]
pub(crate) struct Memory {
    folder: Option<PathBuf>,
    person: String,
    ids: Ids,
}

/// The memory of one message.
#[derive(Debug, Clone)]
pub(crate) struct MessageMemory {
    file: Option<PathBuf>,
    kept: Arc<Mutex<Kept>>,
}

impl Memory {
    /// Keeps in `folder`, which is made when it is needed, what `person` sends.
    pub(crate) fn at(folder: PathBuf, person: String, ids: Ids) -> Self {
        Self { folder: Some(folder), person, ids }
    }

    /// Keeps nothing: every message is another.
    pub(crate) fn none(ids: Ids) -> Self {
        Self { folder: None, person: String::new(), ids }
    }

    /// Whose messages these are.
    pub(crate) fn person(&self) -> &str {
        &self.person
    }

    /// What is known of this very message: the same words and files, by their digests or by when they were changed, to the same room of the
    /// same API by the same person (`from`).
    ///
    /// # Errors
    /// When the folder cannot be written. A file in it that cannot be read is as none.
    pub(crate) fn of(
        &self,
        from: &str,
        room: &RoomId,
        text: &str,
        files: &[(Announcement, Option<SystemTime>)],
    ) -> anyhow::Result<MessageMemory> {
        let fresh = || anyhow::Ok(Kept { message: self.ids.attachment()?.as_str().parse()?, uploads: BTreeMap::new() });
        let (Some(folder), false) = (&self.folder, files.is_empty()) else {
            return Ok(MessageMemory { file: None, kept: Arc::new(Mutex::new(fresh()?)) });
        };
        let digest = hex::encode(Sha256::digest(serde_json::to_vec(&(from, room, text, files))?));
        let file = folder.join(format!("{}.json", digest.get(..32).unwrap_or(&digest)));
        let found = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).ok(),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
        };
        let kept = found.map_or_else(fresh, Ok)?;
        let memory = MessageMemory { file: Some(file), kept: Arc::new(Mutex::new(kept)) };
        memory.write()?;
        Ok(memory)
    }
}

impl MessageMemory {
    /// The message's name.
    pub(crate) fn message(&self) -> ClientMessageId {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).message.clone()
    }

    /// The upload of an attachment that has begun, if one has.
    pub(crate) fn begun(&self, attachment: &AttachmentId) -> Option<Begun> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).uploads.get(attachment).cloned()
    }

    /// Notes that one has.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn note(&self, attachment: &AttachmentId, begun: &Begun) -> anyhow::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uploads.insert(attachment.clone(), begun.clone());
        drop(kept);
        self.write()
    }

    /// Forgets the message: all of it is uploaded.
    ///
    /// # Errors
    /// When the file cannot be deleted.
    pub(crate) fn forget(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", file.display()))
            }
            _ => Ok(()),
        }
    }

    fn write(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let kept = serde_json::to_vec(&*self.kept.lock().unwrap_or_else(PoisonError::into_inner))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let written = || {
            fs::create_dir_all(folder)?;
            // Whole or not at all, whenever the process ends.
            let mut new = tempfile::NamedTempFile::new_in(folder)?;
            new.write_all(&kept)?;
            new.persist(file).map_err(|failed| failed.error)?;
            Ok::<_, std::io::Error>(())
        };
        written().with_context(|| format!("cannot write {}", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
    const ID: &str = "01jd3v8q0zk5w6x7y8z9abcdeg";

    fn file(digest: u8) -> (Announcement, Option<SystemTime>) {
        let sha256 = Some(vestibule_domain::digest::Sha256Digest::new([digest; 32]));
        (Announcement { name: "a".to_owned(), size: 1, content_type: "text/plain".parse().unwrap(), sha256 }, None)
    }

    #[test]
    fn the_same_message_is_remembered_until_it_is_sent_and_another_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::at(folder.path().join("uploads"), "me".to_owned(), Ids::random());
        let of = |text: &str, digest| memory.of("https://api", &ROOM.parse().unwrap(), text, &[file(digest)]).unwrap();
        let first = of("x", 1);
        let begun = Begun { upload_id: "u".to_owned(), key: "k".to_owned(), part_size: 7 };
        first.note(&ID.parse().unwrap(), &begun).unwrap();
        let again = of("x", 1);
        assert_eq!((again.message(), again.begun(&ID.parse().unwrap())), (first.message(), Some(begun)));
        assert_ne!(of("y", 1).message(), first.message());
        assert_ne!(of("x", 2).message(), first.message());
        again.forget().unwrap();
        again.forget().unwrap();
        assert_ne!(of("x", 1).message(), first.message());
    }

    #[test]
    fn what_cannot_be_read_is_as_nothing_and_a_text_alone_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::at(folder.path().to_owned(), "me".to_owned(), Ids::random());
        let room = ROOM.parse().unwrap();
        let first = memory.of("api", &room, "", &[file(1)]).unwrap();
        fs::write(first.file.as_ref().unwrap(), "half a fi").unwrap();
        assert_ne!(memory.of("api", &room, "", &[file(1)]).unwrap().message(), first.message());
        let words = memory.of("api", &room, "words", &[]).unwrap();
        assert_ne!(memory.of("api", &room, "words", &[]).unwrap().message(), words.message());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
