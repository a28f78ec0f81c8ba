//! Ranged GETs of one object version. The first is also the look: it says how long the object is, and whether it is there.
//!
//! The URL is a credential: it is in no error, no log line and no `Debug`.

use std::ops::Range;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};
use vestibule_media::probe::RANGE_BYTES;

use crate::error::InspectError;

/// Tries in all for one range.
const TRIES: u32 = 3;
/// Pause before the second try; it doubles for the third.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How much of an error's body is read: S3's are a short XML document.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// An object that is fetched by ranges.
pub struct Object {
    client: Client,
    url: String,
    /// The first bytes, as the look brought them.
    head: Option<Vec<u8>>,
    asked: Asked,
}

/// How much of an object was asked for, and how much came.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Ranges.
    pub(crate) ranges: u64,
    /// Bytes of them all. A try that failed is not asked for twice.
    pub(crate) bytes: u64,
    /// Bytes of bodies that came: of the look too, of tries that failed, and of what was let go because the range was ignored.
    pub(crate) received: u64,
}

/// What a GET was answered with.
enum Answer {
    /// The bytes of the range, of an object of so many bytes.
    Bytes { bytes: Vec<u8>, total: u64 },
    /// The object has no bytes, so no range of it has any.
    Empty,
    /// It is not there.
    Gone,
}

impl Object {
    pub(crate) fn new(client: Client, url: String) -> Self {
        Self { client, url, head: None, asked: Asked::default() }
    }

    /// The object's length; `None` when it is not there.
    pub(crate) async fn size(&mut self) -> Result<Option<u64>, InspectError> {
        match self.get(0..RANGE_BYTES).await? {
            Answer::Bytes { bytes, total } => {
                self.head = Some(bytes);
                Ok(Some(total))
            }
            Answer::Empty => Ok(Some(0)),
            Answer::Gone => Ok(None),
        }
    }

    /// How much of it was asked for so far.
    pub(crate) fn asked(&self) -> Asked {
        self.asked
    }

    /// The bytes of `range`; `None` when the object is not there any more.
    pub(crate) async fn read(&mut self, range: Range<u64>) -> Result<Option<Vec<u8>>, InspectError> {
        self.asked.ranges += 1;
        self.asked.bytes += range.end - range.start;
        if range.start == 0 && self.head.as_ref().is_some_and(|head| head.len() as u64 == range.end) {
            return Ok(self.head.take());
        }
        match self.get(range.clone()).await? {
            Answer::Bytes { bytes, .. } if bytes.len() as u64 == range.end - range.start => Ok(Some(bytes)),
            Answer::Bytes { bytes, .. } => Err(wrong(&range, format!("{} bytes", bytes.len()))),
            Answer::Empty => Err(wrong(&range, "no bytes".to_owned())),
            Answer::Gone => Ok(None),
        }
    }

    /// One range, tried again when the network or the store fails for the moment.
    async fn get(&mut self, range: Range<u64>) -> Result<Answer, InspectError> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            match self.try_get(&range).await {
                Err(error) if tries < TRIES && may_pass(&error) => {
                    tracing::warn!(fetch.tries = tries, error = %error, "a range could not be fetched");
                    tokio::time::sleep(pause).await;
                    tries += 1;
                    pause *= 2;
                }
                answer => return answer,
            }
        }
    }

    async fn try_get(&mut self, range: &Range<u64>) -> Result<Answer, InspectError> {
        let wanted = format!("bytes={}-{}", range.start, range.end - 1);
        let response = self.client.get(&self.url).header(RANGE, wanted).send().await.map_err(fetch_error)?;
        let received = &mut self.asked.received;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let (start, total) = content_range(&response)
                    .ok_or_else(|| wrong(range, "an answer that does not say which range it is".to_owned()))?;
                if start != range.start {
                    return Err(wrong(range, format!("a range from {start}")));
                }
                let end = range.end.min(total);
                Ok(Answer::Bytes { bytes: body(response, range, end - start.min(end), received).await?, total })
            }
            // Whoever ignores a range sends everything (RFC 9110 §14.2 allows it). S3 does not; the local cloud does for a
            // version. What was asked for is then cut out of the stream, and the rest is never read.
            StatusCode::OK => {
                let total = length(&response).ok_or_else(|| wrong(range, "a body of unknown length".to_owned()))?;
                if total == 0 {
                    return Ok(Answer::Empty);
                }
                Ok(Answer::Bytes { bytes: cut(response, &(range.start..range.end.min(total)), received).await?, total })
            }
            // <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>: no range of an empty object is satisfiable.
            StatusCode::RANGE_NOT_SATISFIABLE if range.start == 0 => Ok(Answer::Empty),
            StatusCode::NOT_FOUND => Ok(Answer::Gone),
            StatusCode::BAD_REQUEST => Err(bad_request(response).await?),
            status => Err(InspectError::Refused(status.as_u16())),
        }
    }
}

/// Reads exactly `length` bytes, and no more however many come.
async fn body(
    mut response: Response,
    range: &Range<u64>,
    length: u64,
    received: &mut u64,
) -> Result<Vec<u8>, InspectError> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    while let Some(chunk) = response.chunk().await.map_err(fetch_error)? {
        *received += chunk.len() as u64;
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > length {
            return Err(wrong(range, format!("more than {length} bytes")));
        }
    }
    if (bytes.len() as u64) < length {
        return Err(wrong(range, format!("{} of {length} bytes", bytes.len())));
    }
    Ok(bytes)
}

/// Reads a body up to the end of `range`, and keeps what lies in it.
async fn cut(mut response: Response, range: &Range<u64>, received: &mut u64) -> Result<Vec<u8>, InspectError> {
    let mut bytes = Vec::new();
    let mut position = 0;
    while position < range.end {
        let Some(chunk) = response.chunk().await.map_err(fetch_error)? else { break };
        *received += chunk.len() as u64;
        let chunk_end = position + chunk.len() as u64;
        let within = |at: u64| usize::try_from(at.clamp(position, chunk_end) - position).unwrap_or_default();
        bytes.extend_from_slice(chunk.get(within(range.start)..within(range.end)).unwrap_or_default());
        position = chunk_end;
    }
    let wanted = range.end.saturating_sub(range.start);
    if bytes.len() as u64 != wanted {
        return Err(wrong(range, format!("{} of {wanted} bytes", bytes.len())));
    }
    Ok(bytes)
}

/// Tells S3's `InvalidArgument` ("Invalid version id specified") from another 400, such as credentials that expired.
async fn bad_request(mut response: Response) -> Result<InspectError, InspectError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(fetch_error)?
        && body.len() < MAX_ERROR_BYTES
    {
        body.extend_from_slice(&chunk);
    }
    let malformed = String::from_utf8_lossy(&body).contains("<Code>InvalidArgument</Code>");
    let status = StatusCode::BAD_REQUEST.as_u16();
    Ok(if malformed { InspectError::MalformedVersion } else { InspectError::Refused(status) })
}

/// The first byte and the total of `bytes 0-99/1234`.
fn content_range(response: &Response) -> Option<(u64, u64)> {
    let (range, total) = header(response, CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}

fn length(response: &Response) -> Option<u64> {
    header(response, CONTENT_LENGTH)?.parse().ok()
}

fn header(response: &Response, name: reqwest::header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// Whether the same GET may succeed in a moment.
fn may_pass(error: &InspectError) -> bool {
    match error {
        InspectError::Fetch(_) | InspectError::WrongRange { .. } => true,
        InspectError::Refused(status) => matches!(status, 429 | 500..),
        InspectError::MalformedVersion
        | InspectError::Read(_)
        | InspectError::Child(_)
        | InspectError::Confinement(_)
        | InspectError::EndedEarly { .. }
        | InspectError::Killed { .. } => false,
    }
}

fn fetch_error(error: reqwest::Error) -> InspectError {
    InspectError::Fetch(error.without_url())
}

fn wrong(range: &Range<u64>, answer: String) -> InspectError {
    InspectError::WrongRange { range: range.clone(), answer }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const SECRET: &str = "X-Amz-Security-Token=a-credential";

    /// A store that gives each request, as its text and its number from 0, the raw answer that `answer` makes.
    async fn store(answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> (Object, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/room/1/file?{SECRET}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(socket.read_u8().await.unwrap());
                }
                let number = count.fetch_add(1, Ordering::SeqCst);
                socket.write_all(&answer(&String::from_utf8(request).unwrap(), number)).await.unwrap();
            }
        });
        (Object::new(Client::new(), url), asked)
    }

    /// Reads `range: bytes=a-b` as a store does, over a file in which each byte is its place.
    fn ranged(request: &str, size: u64) -> Vec<u8> {
        let line = request.lines().find_map(|line| line.strip_prefix("range: bytes=")).unwrap();
        let (start, last) = line.split_once('-').unwrap();
        let (start, last) = (start.parse::<u64>().unwrap(), last.parse::<u64>().unwrap().min(size.saturating_sub(1)));
        if start >= size {
            return b"HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        }
        let body: Vec<u8> = (start..=last).map(|at| at.to_le_bytes()[0]).collect();
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {start}-{last}/{size}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        [head.into_bytes(), body].concat()
    }

    fn status(line: &str) -> Vec<u8> {
        format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
    }

    #[tokio::test]
    async fn the_first_range_tells_the_length_and_is_not_fetched_twice() {
        let (mut object, asked) = store(|request, _| ranged(request, 100_000)).await;
        assert_eq!(object.size().await.unwrap(), Some(100_000));
        assert_eq!(object.read(0..RANGE_BYTES).await.unwrap().unwrap().len() as u64, RANGE_BYTES);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert_eq!(object.read(99_998..100_000).await.unwrap().unwrap(), [0x9E, 0x9F]);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        let bytes = RANGE_BYTES + 2;
        assert_eq!(object.asked(), Asked { ranges: 2, bytes, received: bytes });
    }

    #[tokio::test]
    async fn what_is_empty_and_what_has_gone_are_answers() {
        let (mut object, _) = store(|request, _| ranged(request, 0)).await;
        assert_eq!(object.size().await.unwrap(), Some(0));
        let (mut object, _) = store(|_, _| status("200 OK")).await;
        assert_eq!(object.size().await.unwrap(), Some(0));
        let (mut object, asked) = store(|_, _| status("404 Not Found")).await;
        assert_eq!(object.size().await.unwrap(), None);
        assert_eq!(object.read(3..5).await.unwrap(), None);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_store_that_sends_a_short_object_whole_is_understood() {
        let whole = |_: &str, _| b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nabcd".to_vec();
        let (mut object, _) = store(whole).await;
        assert_eq!(object.size().await.unwrap(), Some(4));
        assert_eq!(object.read(0..4).await.unwrap().unwrap(), b"abcd");
        // What lies before the range came as well.
        assert_eq!(object.read(3..4).await.unwrap().unwrap(), b"d");
        assert_eq!(object.asked(), Asked { ranges: 2, bytes: 5, received: 8 });
    }

    #[tokio::test]
    async fn a_fault_that_passes_is_tried_again_and_one_that_stays_is_not_tried_for_ever() {
        let broken = |request: &str, number| match number {
            0 => status("503 Slow Down"),
            // A body that breaks off.
            1 => {
                let whole = ranged(request, 9);
                whole[..whole.len() - 5].to_vec()
            }
            _ => ranged(request, 9),
        };
        let (mut object, asked) = store(broken).await;
        assert_eq!(object.size().await.unwrap(), Some(9));
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        // Four of the body that broke off, and nine.
        assert_eq!(object.asked().received, 13);

        let (mut object, asked) = store(|_, _| status("500 Internal Server Error")).await;
        assert!(matches!(object.size().await, Err(InspectError::Refused(500))));
        assert_eq!(asked.load(Ordering::SeqCst), TRIES as usize);

        let (mut object, asked) = store(|_, _| status("403 Forbidden")).await;
        assert!(matches!(object.size().await, Err(InspectError::Refused(403))));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn another_range_or_a_longer_body_than_asked_for_is_not_taken() {
        let shifted = |_: &str, _| {
            b"HTTP/1.1 206 P\r\ncontent-range: bytes 1-4/9\r\ncontent-length: 4\r\nconnection: close\r\n\r\nabcd"
                .to_vec()
        };
        let (mut object, _) = store(shifted).await;
        assert!(matches!(object.size().await, Err(InspectError::WrongRange { .. })));
        let endless = |_: &str, _| {
            let head = b"HTTP/1.1 206 P\r\ncontent-range: bytes 0-3/4\r\nconnection: close\r\n\r\n".to_vec();
            [head, vec![b'x'; 5000]].concat()
        };
        let (mut object, _) = store(endless).await;
        assert!(matches!(object.size().await, Err(InspectError::WrongRange { .. })));
    }

    #[tokio::test]
    async fn no_error_tells_the_url() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?{SECRET}", listener.local_addr().unwrap());
        drop(listener);
        let error = Object::new(Client::new(), url).size().await.unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(matches!(error, InspectError::Fetch(_)) && !told.contains("a-credential"), "{told}");
    }
}
