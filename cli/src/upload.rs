//! Uploads one file with the ticket that the API gave for it.

use std::io::SeekFrom;
use std::path::Path;

use anyhow::Context;
use futures::stream;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, Client, Method, StatusCode};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use vestibule_domain::digest::Sha256Digest;

use crate::api::Ticket;
use crate::http_client;

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

/// Sends the `size` bytes of a file where the ticket says, and tells `sent` of each chunk's length as it goes.
///
/// # Errors
/// When the file cannot be read, the connection breaks, or S3 refuses.
pub async fn upload(
    http: &Client,
    ticket: &Ticket,
    path: &Path,
    size: u64,
    sent: impl Fn(u64) + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let body = read(Piece { path, from: 0, length: size }, sent).await?;
    let method: Method = ticket.method.parse().context("the ticket's method is not one of HTTP's")?;
    let mut request = http.request(method, &ticket.url).body(body);
    for (name, value) in &ticket.headers {
        request = request.header(name, value);
    }
    if !ticket.headers.keys().any(|name| name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str())) {
        request = request.header(CONTENT_LENGTH, size);
    }
    // The URL is a credential.
    let response = request.send().await.map_err(reqwest::Error::without_url)?;
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(());
    }
    let said = http_client::body(response, MAX_ERROR_BYTES).await?;
    anyhow::bail!("S3 refused the upload: {} ({status})", error_code(&String::from_utf8_lossy(&said)))
}

/// The `<Code>` of S3's error document.
pub(crate) fn error_code(document: &str) -> &str {
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
