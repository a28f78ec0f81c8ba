//! Uploads a file, or a piece of one, to an address that the API has signed.

use std::collections::BTreeMap;
use std::io::SeekFrom;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::stream;
use reqwest::header::{CONTENT_LENGTH, ETAG};
use reqwest::{Body, Client, Response, StatusCode};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use vestibule_domain::digest::Sha256Digest;

use crate::http_client;
use crate::patience::Failed;

/// How much of a file is in memory at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// An error of S3's is a short XML document.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The digest of a file, read in chunks.
///
/// # Errors
/// When the file cannot be read.
pub async fn digest(path: &Path) -> anyhow::Result<Sha256Digest> {
    let mut file = File::open(path).await?;
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        let read = file.read(&mut chunk).await?;
        match chunk.get(..read) {
            None | Some([]) => return Ok(Sha256Digest::new(hash.finalize().into())),
            Some(bytes) => hash.update(bytes),
        }
    }
}

/// A part of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    /// The file.
    pub(crate) path: &'a Path,
    /// Its first byte.
    pub(crate) from: u64,
    /// Its bytes.
    pub(crate) length: u64,
}

/// A body that reads a part of a file as it goes, and tells `sent` of each chunk's length.
///
/// # Errors
/// When the file cannot be read.
pub(crate) async fn read(piece: Piece<'_>, sent: impl Fn(u64) + Send + Sync + 'static) -> anyhow::Result<Body> {
    let mut file = File::open(piece.path).await?;
    file.seek(SeekFrom::Start(piece.from)).await?;
    let file = file.take(piece.length);
    let chunks = stream::try_unfold((file, sent), |(mut file, sent)| async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        sent(read as u64);
        Ok::<_, std::io::Error>((read > 0).then_some((chunk, (file, sent))))
    });
    Ok(Body::wrap_stream(chunks))
}

/// PUTs a piece of a file and answers S3's name for it. `sent` is told of bytes as they go, and takes them back when they must go again.
///
/// # Errors
/// When the file cannot be read, the connection breaks, or S3 refuses.
pub(crate) async fn put(
    http: &Client,
    url: &str,
    headers: &BTreeMap<String, String>,
    piece: Piece<'_>,
    sent: impl Fn(i64) + Clone + Send + Sync + 'static,
) -> Result<String, Failed> {
    let gone = Arc::new(AtomicI64::new(0));
    let body = read(piece, {
        let (gone, sent) = (Arc::clone(&gone), sent.clone());
        move |bytes| {
            let bytes = i64::try_from(bytes).unwrap_or(0);
            gone.fetch_add(bytes, Ordering::Relaxed);
            sent(bytes);
        }
    });
    let mut request = http.put(url).body(body.await.map_err(Failed::ForGood)?).header(CONTENT_LENGTH, piece.length);
    for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str())) {
        request = request.header(name, value);
    }
    let failed = match request.send().await {
        Ok(response) if response.status() == StatusCode::OK => {
            let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(ToOwned::to_owned);
            return tag.ok_or_else(|| Failed::ForGood(anyhow::anyhow!("S3 answered without a tag")));
        }
        Ok(response) => refused(response).await,
        // The URL is a credential.
        Err(error) => Failed::ForNow(anyhow::Error::new(error.without_url()), None),
    };
    sent(-gone.load(Ordering::Relaxed));
    Err(failed)
}

/// What S3's refusal means.
async fn refused(response: Response) -> Failed {
    let status = response.status();
    let error = match http_client::body(response, MAX_ERROR_BYTES).await {
        Ok(said) => {
            anyhow::anyhow!("S3 refused the upload: {} ({status})", error_code(&String::from_utf8_lossy(&said)))
        }
        Err(error) => error,
    };
    match status {
        StatusCode::NOT_FOUND => Failed::NoUpload(error),
        StatusCode::PRECONDITION_FAILED => Failed::Taken(error),
        // A signature that has expired on the way: the next try has another.
        StatusCode::FORBIDDEN | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Failed::ForNow(error, None)
        }
        _ if status.is_server_error() => Failed::ForNow(error, None),
        _ => Failed::ForGood(error),
    }
}

/// The `<Code>` of S3's error document.
fn error_code(document: &str) -> &str {
    let code = document.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or("no reason given", |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_digested_in_chunks() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = vec![7; 3 * CHUNK_BYTES + 1];
        std::fs::write(file.path(), &bytes).unwrap();
        let whole: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(digest(file.path()).await.unwrap(), Sha256Digest::new(whole));
    }

    #[test]
    fn an_error_of_s3_is_told_by_its_code() {
        let document = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        assert_eq!(error_code(document), "AccessDenied");
        assert_eq!(error_code(""), "no reason given");
    }
}
