//! Where a file's bytes come from, by ranges.

use std::io::SeekFrom;
use std::ops::Range;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::error::InspectError;
use crate::fetch::{Asked, Object};

/// A file that is read by ranges.
pub enum Source {
    /// An object behind a presigned URL.
    Object(Object),
    /// A file on this machine.
    File(File),
}

impl Source {
    /// An object behind a presigned GET.
    pub fn object(client: reqwest::Client, url: String) -> Self {
        Self::Object(Object::new(client, url))
    }

    /// The file's length, in bytes; `None` when it is no longer there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn size(&mut self) -> Result<Option<u64>, InspectError> {
        match self {
            Self::Object(object) => object.size().await,
            Self::File(file) => Ok(Some(file.metadata().await.map_err(InspectError::Read)?.len())),
        }
    }

    /// How much of an object was asked for so far; of a file nobody counts.
    pub(crate) fn asked(&self) -> Asked {
        match self {
            Self::Object(object) => object.asked(),
            Self::File(_) => Asked::default(),
        }
    }

    /// The bytes of `range`, which must lie inside the file; `None` when it is no longer there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn read(&mut self, range: Range<u64>) -> Result<Option<Vec<u8>>, InspectError> {
        match self {
            Self::Object(object) => object.read(range).await,
            Self::File(file) => read_file(file, range).await.map(Some).map_err(InspectError::Read),
        }
    }
}

async fn read_file(file: &mut File, range: Range<u64>) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(range.start)).await?;
    let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(std::io::Error::other)?];
    file.read_exact(&mut bytes).await?;
    Ok(bytes)
}
