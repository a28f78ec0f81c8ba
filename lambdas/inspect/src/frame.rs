//! What parent and child say to each other: frames of a four-byte length, most significant byte first, and so many bytes.
//!
//! ```text
//! parent ─ job (JSON) ─▶ child        child ─ need (JSON) ─▶ parent ─ the range's bytes ─▶ child  …  child ─ done (JSON) ─▶ parent
//! parent ─ job without a file ─▶ child                                                              child ─ layers (JSON) ─▶ parent
//! ```
//!
//! The parent takes nothing on trust: a frame has a cap that is checked before a byte of it is read.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use vestibule_domain::policy::InspectPolicy;
use vestibule_media::probe::{Examination, Subject};

use crate::layers::Layers;

/// Longest frame from a child, in bytes: two thumbnails in base 64 and the facts, below what a Lambda response may be.
pub(crate) const MAX_ANSWER_BYTES: u32 = 6_000_000;

/// The parent's first frame.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// What it is for.
    pub(crate) errand: Errand,
    /// Address space, in bytes.
    pub(crate) memory_bytes: u64,
    /// Processor time.
    pub(crate) cpu_seconds: u64,
}

/// What a child is for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Errand {
    /// Examine a file.
    Examine {
        /// What is known of the file.
        subject: Subject,
        /// What may come in, and what is looked at to tell.
        policy: InspectPolicy,
    },
    /// Say which layers are on.
    Report,
}

/// A child's frame.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "lowercase")]
pub(crate) enum Answer {
    /// It needs these bytes.
    Need {
        /// The first byte.
        start: u64,
        /// The byte after the last.
        end: u64,
    },
    /// It is done.
    Done {
        /// What it found.
        examination: Box<Examination>,
        /// Whether it ran behind a system call filter.
        filtered: bool,
    },
    /// The layers that are on.
    Layers(Layers),
}

/// Reads a frame of at most `max` bytes; `None` at the end of the stream.
pub(crate) fn read(from: &mut impl Read, max: u32) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if from.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..])?;
    let mut bytes = vec![0; checked(u32::from_be_bytes(length), max)?];
    from.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

/// Writes a frame.
pub(crate) fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&length(bytes)?)?;
    to.write_all(bytes)?;
    to.flush()
}

/// [`read`] on the parent's side.
pub(crate) async fn receive(from: &mut (impl AsyncRead + Unpin), max: u32) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if from.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..]).await?;
    let mut bytes = vec![0; checked(u32::from_be_bytes(length), max)?];
    from.read_exact(&mut bytes).await?;
    Ok(Some(bytes))
}

/// [`write()`] on the parent's side.
pub(crate) async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(&length(bytes)?).await?;
    to.write_all(bytes).await?;
    to.flush().await
}

fn checked(length: u32, max: u32) -> io::Result<usize> {
    if length > max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {length} bytes, over {max}")));
    }
    usize::try_from(length).map_err(io::Error::other)
}

fn length(bytes: &[u8]) -> io::Result<[u8; 4]> {
    u32::try_from(bytes.len()).map(u32::to_be_bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_out_as_it_went_in_and_its_cap_is_inclusive() {
        let mut wire = Vec::new();
        write(&mut wire, b"four").unwrap();
        write(&mut wire, b"").unwrap();
        let mut rest = &wire[..];
        assert_eq!(read(&mut rest, 4).unwrap().unwrap(), b"four");
        assert_eq!(read(&mut rest, 4).unwrap().unwrap(), b"");
        assert_eq!(read(&mut rest, 4).unwrap(), None);
        assert!(read(&mut &wire[..], 3).is_err());
        assert!(read(&mut &wire[..6], 4).is_err());
    }

    #[tokio::test]
    async fn both_sides_speak_alike() {
        let mut wire = Vec::new();
        send(&mut wire, b"four").await.unwrap();
        assert_eq!(read(&mut &wire[..], 9).unwrap().unwrap(), b"four");
        assert_eq!(receive(&mut &wire[..], 4).await.unwrap().unwrap(), b"four");
        assert!(receive(&mut &wire[..], 3).await.is_err());
        assert_eq!(receive(&mut &b""[..], 3).await.unwrap(), None);
    }
}
