//! Uploads one file in parts: several at a time, each signed just before it goes, and tried again when the line breaks. What S3 has already
//! is not sent again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vestibule_domain::parts::Parts;

use crate::http_client;
use crate::patience::{Failed, patiently};
use crate::resume::Begun;
use crate::upload::{self, Piece};

/// Parts of one file that are sent at a time.
const AT_ONCE: usize = 4;
/// Least length of a part: larger ones than S3's least make fewer calls.
const PART_BYTES: u64 = 16 * 1024 * 1024;
/// No answer of the routes is longer: a list of ten thousand parts.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// How many parts there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Counts {
    /// Sent now.
    pub(crate) sent: u64,
    /// Found in S3, from an earlier try.
    pub(crate) found: u64,
}

/// The upload routes of one attachment.
struct Routes<'a> {
    http: &'a Client,
    base: &'a str,
}

/// A part that S3 has.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    part_number: u32,
    #[serde(rename = "ETag")]
    etag: String,
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    key: String,
    upload_id: String,
}

#[derive(Deserialize)]
struct Signed {
    url: String,
}

/// A refusal of the routes.
#[derive(Debug, Deserialize)]
struct Refusal {
    error: String,
    message: String,
}

/// Uploads the `size` bytes of the file at `path` through the routes at `base`. It goes on with `begun`, if that is given; when another
/// upload begins, `note` is told first. `sent` is told of bytes that have gone, and of those that need not go.
///
/// # Errors
/// When the file cannot be read, the routes refuse, or the line stays broken.
pub(crate) async fn upload(
    http: &Client,
    base: &str,
    (path, size): (&Path, u64),
    begun: Option<Begun>,
    note: impl Fn(&Begun) -> anyhow::Result<()>,
    sent: impl Fn(i64) + Clone + Send + Sync + 'static,
) -> anyhow::Result<Counts> {
    let routes = Routes { http, base };
    let resumed = match begun {
        Some(begun) => match routes.list(&begun).await? {
            Some(listed) => Some((begun, listed)),
            // Perhaps it is done, and only the answer was lost.
            None if routes.complete(&begun, &BTreeMap::new()).await? => {
                sent(i64::try_from(size).unwrap_or(i64::MAX));
                return Ok(Counts { sent: 0, found: Parts::of(size, begun.part_size).map_or(1, Parts::count) });
            }
            None => None,
        },
        None => None,
    };
    let (begun, listed) = match resumed {
        Some(resumed) => resumed,
        None => (routes.begin(size, note).await?, Vec::new()),
    };
    // All is there: perhaps it is done already, and then S3 does not say how it was cut.
    if !listed.is_empty() && listed.iter().map(|part| part.size).sum::<u64>() == size {
        let etags = listed.into_iter().map(|part| (part.part_number, part.etag)).collect();
        anyhow::ensure!(routes.complete(&begun, &etags).await?, "the upload was aborted meanwhile: send it again");
        sent(i64::try_from(size).unwrap_or(i64::MAX));
        return Ok(Counts { sent: 0, found: Parts::of(size, begun.part_size).map_or(1, Parts::count) });
    }
    let parts = Parts::of(size, begun.part_size).context("an upload of parts that S3 does not take")?;
    let there = listed.into_iter().filter(|part| parts.length(part.part_number) == Some(part.size));
    let mut etags: BTreeMap<u32, String> = there.map(|part| (part.part_number, part.etag)).collect();
    let length = |number: u32| parts.length(number).unwrap_or(0);
    sent(etags.keys().map(|number| i64::try_from(length(*number)).unwrap_or(0)).sum());
    let found = etags.len() as u64;
    let missing = (1..=u32::try_from(parts.count())?).filter(|number| !etags.contains_key(number));
    let sending = stream::iter(missing.collect::<Vec<_>>()).map(|number| {
        let piece = Piece { path, from: u64::from(number - 1) * begun.part_size, length: length(number) };
        routes.send(&begun, number, piece, sent.clone())
    });
    let new: Vec<(u32, String)> = sending.buffer_unordered(AT_ONCE).try_collect().await?;
    let counts = Counts { sent: new.len() as u64, found };
    etags.extend(new);
    anyhow::ensure!(routes.complete(&begun, &etags).await?, "the upload was aborted meanwhile: send it again");
    Ok(counts)
}

impl Routes<'_> {
    async fn begin(&self, size: u64, note: impl Fn(&Begun) -> anyhow::Result<()>) -> anyhow::Result<Begun> {
        let part_size = PART_BYTES.max(Parts::usual(size).part_size());
        let created = patiently(async |_| {
            let request = self.http.request(Method::POST, format!("{}/s3/multipart", self.base)).json(&json!({}));
            answer::<Created>(request.send().await).await
        });
        let created = created.await.map_err(Failed::error).context("cannot begin the upload")?;
        let begun = Begun { upload_id: created.upload_id, key: created.key, part_size };
        note(&begun)?;
        Ok(begun)
    }

    /// The parts that S3 has; `None` when it does not know the upload.
    async fn list(&self, begun: &Begun) -> anyhow::Result<Option<Vec<Listed>>> {
        let listed = patiently(async |_| answer(self.request(Method::GET, begun, "").send().await).await);
        match listed.await {
            Ok(listed) => Ok(Some(listed)),
            Err(Failed::NoUpload(_)) => Ok(None),
            Err(failed) => Err(failed.error()).context("cannot list the parts"),
        }
    }

    async fn send(
        &self,
        begun: &Begun,
        number: u32,
        piece: Piece<'_>,
        sent: impl Fn(i64) + Clone + Send + Sync + 'static,
    ) -> anyhow::Result<(u32, String)> {
        let etag = patiently(async |_| {
            let request = self.request(Method::GET, begun, &format!("/{number}"));
            let request = request.query(&[("partSize", begun.part_size)]);
            let signed: Signed = answer(request.send().await).await?;
            upload::put(self.http, &signed.url, &BTreeMap::new(), piece, sent.clone()).await
        });
        let etag = etag.await.map_err(Failed::error).with_context(|| format!("cannot send part {number}"))?;
        Ok((number, etag))
    }

    /// Puts the parts together; answers whether there is such an upload.
    async fn complete(&self, begun: &Begun, etags: &BTreeMap<u32, String>) -> anyhow::Result<bool> {
        let parts = etags.iter().map(|(number, etag)| json!({ "PartNumber": number, "ETag": etag }));
        let body = json!({ "parts": parts.collect::<Vec<_>>() });
        let completed = patiently(async |_| {
            let request = self.request(Method::POST, begun, "/complete").json(&body);
            answer::<Value>(request.send().await).await
        });
        match completed.await {
            Ok(_) => Ok(true),
            Err(Failed::NoUpload(_)) => Ok(false),
            Err(failed) => Err(failed.error()).context("cannot put the parts together"),
        }
    }

    fn request(&self, method: Method, begun: &Begun, tail: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/s3/multipart/{}{tail}", self.base, escaped(&begun.upload_id));
        self.http.request(method, url).query(&[("key", &begun.key)])
    }
}

/// An upload's id as a part of a path.
fn escaped(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Reads an answer of the routes.
async fn answer<T: DeserializeOwned>(response: reqwest::Result<Response>) -> Result<T, Failed> {
    // The URL is a credential.
    let response = response.map_err(|error| Failed::ForNow(anyhow::Error::new(error.without_url()), None))?;
    let status = response.status();
    let wait = response.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
    let body = http_client::body(response, MAX_ANSWER_BYTES).await.map_err(|error| Failed::ForNow(error, None))?;
    if status.is_success() {
        let read = serde_json::from_slice(&body).context("the API's answer is not what it should be");
        return read.map_err(Failed::ForGood);
    }
    let refusal = serde_json::from_slice::<Refusal>(&body).ok();
    let is_unknown = refusal.as_ref().is_some_and(|refusal| refusal.error == "upload-not-found");
    let error = match refusal {
        Some(refusal) => anyhow::anyhow!("{}: {} ({status})", refusal.error, refusal.message),
        None => anyhow::anyhow!("the API answered {status}"),
    };
    if is_unknown {
        Err(Failed::NoUpload(error))
    } else if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        Err(Failed::ForNow(error, wait.map(Duration::from_secs)))
    } else {
        Err(Failed::ForGood(error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

    use axum::Router;
    use axum::http::StatusCode as Status;
    use axum::routing::{get, post};
    use tokio::net::TcpListener;

    use super::*;

    const SIZE: u64 = 40 * 1024 * 1024;

    /// Goes on with an upload whose routes are these, and answers its counts and the bytes that were told.
    async fn resumed(routes: Router) -> (anyhow::Result<Counts>, i64) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/u/ticket", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        let told = Arc::new(AtomicI64::new(0));
        let sent = {
            let told = Arc::clone(&told);
            move |bytes| {
                told.fetch_add(bytes, Ordering::Relaxed);
            }
        };
        let begun = Begun { upload_id: "id".to_owned(), key: "key".to_owned(), part_size: PART_BYTES };
        let http = http_client::client().unwrap();
        let path = Path::new("/nothing is read of it");
        let ended = upload(&http, &base, (path, SIZE), Some(begun), |_| Ok(()), sent).await;
        server.abort();
        (ended, told.load(Ordering::Relaxed))
    }

    /// Killed between S3's last word and ours. The parts of what has arrived are listed as nobody sent them.
    #[tokio::test]
    async fn what_has_arrived_is_not_sent_again_while_s3_takes_its_time() {
        let asked = Arc::new(AtomicU32::new(0));
        let all = axum::Json(json!(
            (1..=8).map(|n| json!({ "PartNumber": n, "ETag": "\"arrived\"", "Size": SIZE / 8 })).collect::<Vec<_>>()
        ));
        let complete = {
            let asked = Arc::clone(&asked);
            async move || match asked.fetch_add(1, Ordering::Relaxed) {
                0 => (
                    Status::SERVICE_UNAVAILABLE,
                    [("retry-after", "0")],
                    r#"{"error":"completion-in-progress","message":"x"}"#,
                ),
                _ => (Status::OK, [("x", "x")], r#"{"location":"x","key":"key","bucket":"x"}"#),
            }
        };
        let routes = Router::new()
            .route("/u/ticket/s3/multipart/id", get(async move || all))
            .route("/u/ticket/s3/multipart/id/complete", post(complete));
        let (counts, told) = resumed(routes).await;
        assert_eq!(counts.unwrap(), Counts { sent: 0, found: 3 });
        assert_eq!((told, asked.load(Ordering::Relaxed)), (i64::try_from(SIZE).unwrap(), 2));
    }

    #[tokio::test]
    async fn a_refusal_is_told_and_not_asked_for_again() {
        let gone = async || (Status::GONE, r#"{"error":"attachment-gone","message":"It was cancelled."}"#);
        let routes = Router::new().route("/u/ticket/s3/multipart/id", get(gone));
        let (ended, _) = resumed(routes).await;
        let error = format!("{:#}", ended.unwrap_err());
        assert_eq!(error, "cannot list the parts: attachment-gone: It was cancelled. (410 Gone)");
    }

    #[test]
    fn an_id_of_s3s_is_one_part_of_a_path() {
        assert_eq!(escaped("a.b_c-d/e"), "a%2Eb%5Fc%2Dd%2Fe");
    }
}
