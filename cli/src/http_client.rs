//! HTTP as the command line speaks it: bodies are read up to a limit.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Response};

/// A client for the API and for presigned URLs. It follows no redirect: an answer of the API may be one.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn client() -> anyhow::Result<Client> {
    let client = Client::builder().connect_timeout(Duration::from_secs(5)).redirect(reqwest::redirect::Policy::none());
    client.build().context("cannot set up HTTP")
}

/// Reads a body of at most `max` bytes.
///
/// # Errors
/// When it is longer, or the connection breaks.
pub(crate) async fn body(mut response: Response, max: usize) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        anyhow::ensure!(body.len() + chunk.len() <= max, "an answer of more than {max} bytes");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
