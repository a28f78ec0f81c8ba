//! The line between the SDK and AWS, tapped: every call rings, and whoever listens says what becomes of it.
//!
//! It sits below everything that is ours and all of the SDK but the socket, so that retries, signing and parsing are the real ones. A call
//! that is let through is made by a task of its own: it comes to its end although its caller is dropped in the middle, as
//! a request does whose sender dies.

use std::fmt;
use std::future::Future;

use anyhow::{Context as _, ensure};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::sync::{mpsc, oneshot};
use vestibule_runtime::sdk::SdkConfig;

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is made and answered.
    Through,
    /// It is not made, and fails for good: the SDK does not try it again.
    FailBefore,
    /// It is made, and its answer lost for good.
    FailAfter,
    /// It is made, and answered by an empty 500: the SDK tries again, and meets its own success.
    Ambiguous,
    /// It is not made: the connection is reset, and the SDK tries again.
    ResetBefore,
    /// It is made, and the connection reset before the answer: the SDK tries again.
    ResetAfter,
    /// It is made, and its answer ends in the middle.
    CutBody,
    /// It is not made: the service says that it is too much just now.
    Throttle,
    /// It is not made: the service refuses it as it stands.
    Refuse,
    /// It is made when the other end is told so, whatever has become of its caller.
    Late(Late),
}

/// A call that is made later.
#[derive(Debug)]
pub(crate) struct Late {
    told: oneshot::Receiver<()>,
    handed_over: oneshot::Sender<()>,
    landed: oneshot::Sender<()>,
}

/// The other end of a call that is made later.
#[derive(Debug)]
pub(crate) struct Landing {
    tell: oneshot::Sender<()>,
    landed: oneshot::Receiver<()>,
}

impl Landing {
    /// Has the call made now, and waits until it was.
    pub(crate) async fn land(self) -> anyhow::Result<()> {
        ensure!(self.tell.send(()).is_ok(), "the call waits to be made");
        self.landed.await.context("the call was made")
    }
}

/// A call that is made later, what tells that its caller may go, and what has it made.
pub(crate) fn late() -> (Late, oneshot::Receiver<()>, Landing) {
    let (tell, told) = oneshot::channel();
    let (hand_over, handed_over) = oneshot::channel();
    let (land, landed) = oneshot::channel();
    (Late { told, handed_over: hand_over, landed: land }, handed_over, Landing { tell, landed })
}

/// A call that waits for its fate.
pub(crate) struct Ring {
    /// The service, the operation and what it is about.
    pub(crate) name: String,
    fate: oneshot::Sender<Fate>,
    done: oneshot::Receiver<()>,
}

impl Ring {
    /// Lets the call meet its fate; answers what tells that it was made.
    pub(crate) fn answer(self, fate: Fate) -> oneshot::Receiver<()> {
        // A caller that is gone does not care.
        drop(self.fate.send(fate));
        self.done
    }
}

/// The calls in the order in which they ring.
pub(crate) type Rings = mpsc::UnboundedReceiver<Ring>;

/// The same configuration, with a tapped line. Without a listener every call goes through.
pub(crate) fn tap(sdk: &SdkConfig) -> (SdkConfig, Rings) {
    let (rings, heard) = mpsc::unbounded_channel();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let tapped = sdk.clone().into_builder().http_client(Line { http, rings }).build();
    (tapped, heard)
}

/// What a worker that was listened to came to.
#[derive(Debug)]
pub(crate) enum Ended<T> {
    /// Its end.
    Done(T),
    /// It was dropped in the middle, as by SIGKILL.
    Crashed,
}

/// What the listener decides about a call.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It meets this fate.
    Fate(Fate),
    /// Its caller dies before it is made.
    CrashBefore,
    /// Its caller dies when it has been made, before the answer.
    CrashAfter,
    /// Its caller dies once it has handed the call over, and the call is made when the other end is told so.
    CrashAndLand(Late, oneshot::Receiver<()>),
}

/// Lets `work` go on, asking `decide` about each call by its place, from 0, and its name.
pub(crate) async fn listen<T>(
    work: impl Future<Output = T>,
    rings: &mut Rings,
    mut decide: impl AsyncFnMut(&str) -> anyhow::Result<Verdict>,
) -> anyhow::Result<Ended<T>> {
    let mut work = Box::pin(work);
    loop {
        let ring = tokio::select! {
            biased;
            ended = &mut work => return Ok(Ended::Done(ended)),
            Some(ring) = rings.recv() => ring,
        };
        let fate = match decide(&ring.name).await? {
            Verdict::Fate(fate) => fate,
            Verdict::CrashBefore => return Ok(Ended::Crashed),
            Verdict::CrashAndLand(late, mut handed_over) => {
                ring.answer(Fate::Late(late));
                tokio::select! {
                    biased;
                    _ = &mut handed_over => {}
                    _ = &mut work => {}
                }
                return Ok(Ended::Crashed);
            }
            Verdict::CrashAfter => {
                let mut done = ring.answer(Fate::Through);
                tokio::select! {
                    biased;
                    _ = &mut done => {}
                    _ = &mut work => {}
                }
                return Ok(Ended::Crashed);
            }
        };
        ring.answer(fate);
    }
}

struct Line {
    http: SharedHttpClient,
    rings: mpsc::UnboundedSender<Ring>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl HttpClient for Line {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let through = self.http.http_connector(settings, components);
        SharedHttpConnector::new(Tap { through, rings: self.rings.clone() })
    }
}

struct Tap {
    through: SharedHttpConnector,
    rings: mpsc::UnboundedSender<Ring>,
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

impl HttpConnector for Tap {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (fate, met) = oneshot::channel();
        let (made, done) = oneshot::channel();
        let ring = Ring { name: name(&request), fate, done };
        let is_heard = self.rings.send(ring).is_ok();
        let through = self.through.clone();
        HttpConnectorFuture::new(async move {
            let fate = if is_heard { met.await.unwrap_or(Fate::Through) } else { Fate::Through };
            call(through, request, fate, made).await
        })
    }
}

async fn call(
    through: SharedHttpConnector,
    request: HttpRequest,
    fate: Fate,
    made: oneshot::Sender<()>,
) -> Result<HttpResponse, ConnectorError> {
    let reset = || ConnectorError::io(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
    let lost = || ConnectorError::user("the test cut the line".into());
    let fate = match fate {
        Fate::FailBefore => return Err(lost()),
        Fate::ResetBefore => return Err(reset()),
        Fate::Throttle => return throttled(&request),
        Fate::Refuse => {
            return answer_with(400, SdkBody::from("<Error><Code>InvalidArgument</Code><Message>x</Message></Error>"));
        }
        Fate::Late(Late { told, handed_over, landed }) => {
            tokio::spawn(async move {
                if told.await.is_ok() {
                    drop(through.call(request).await);
                    landed.send(()).unwrap_or(());
                }
            });
            handed_over.send(()).unwrap_or(());
            return std::future::pending().await;
        }
        met @ (Fate::Through | Fate::FailAfter | Fate::Ambiguous | Fate::ResetAfter | Fate::CutBody) => met,
    };
    let answer = tokio::spawn(async move {
        let answer = through.call(request).await;
        made.send(()).unwrap_or(());
        answer
    });
    let answer = answer.await.map_err(|error| ConnectorError::user(error.into()))??;
    match fate {
        Fate::FailAfter => Err(lost()),
        Fate::ResetAfter => Err(reset()),
        Fate::Ambiguous => answer_with(500, SdkBody::empty()),
        Fate::CutBody => cut(answer).await,
        Fate::Through | Fate::FailBefore | Fate::ResetBefore | Fate::Throttle | Fate::Refuse | Fate::Late(_) => {
            Ok(answer)
        }
    }
}

/// The answer with half of its body.
async fn cut(answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = ByteStream::new(answer.into_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let mut broken = HttpResponse::new(status, SdkBody::from(body.slice(..body.len() / 2)));
    *broken.headers_mut() = headers;
    Ok(broken)
}

/// Each service's own words for "not so fast".
fn throttled(request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let (status, body) = match request.headers().get("x-amz-target") {
        Some(_) => (
            400,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"x"}"#,
        ),
        None if request.uri().contains("/functions/") => (429, r#"{"Type":"User","message":"Rate Exceeded."}"#),
        None => (503, "<Error><Code>SlowDown</Code><Message>x</Message></Error>"),
    };
    let mut response = answer_with(status, SdkBody::from(body))?;
    if status == 429 {
        response.headers_mut().insert("x-amzn-errortype", "TooManyRequestsException");
    }
    Ok(response)
}

fn answer_with(status: u16, body: SdkBody) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::user(error.into()))?;
    Ok(HttpResponse::new(status, body))
}

/// What a call is, without anything that differs between two runs: `s3 PutObject processed/…/320`.
fn name(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        let (service, operation) = target.split_once('.').unwrap_or(("", target));
        let service = if service.starts_with("DynamoDB") { "dynamodb" } else { "sqs" };
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let about = [("\"WORK#", " of a hint"), ("\"MSG#", " of a message"), ("\"PROGRESS\"", " of the progress")];
        let about = about.iter().find(|(mark, _)| body.contains(mark)).map_or("", |(_, about)| about);
        return format!("{service} {operation}{about}");
    }
    let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
    if path.contains("/functions/") {
        return "lambda Invoke".to_owned();
    }
    let path = path.splitn(4, '/').nth(3).unwrap_or_default();
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let bucket = bucket.rsplit('-').next().unwrap_or_default();
    let last = key.rsplit('/').next().unwrap_or_default();
    let last = if last.len() > 12 { "" } else { last };
    let named = query.split('&').find_map(|pair| pair.strip_prefix("x-id="));
    let marked = |mark: &str| query.split('&').any(|pair| pair == mark || pair.starts_with(&format!("{mark}=")));
    let operation = match (named, request.method()) {
        (Some(named), _) => named,
        (None, "GET") if marked("versions") => "ListObjectVersions",
        (None, "GET") if marked("uploads") => "ListMultipartUploads",
        (None, "GET") => "ListObjectsV2",
        (None, "POST") if marked("uploads") => "CreateMultipartUpload",
        (None, "POST") => "CompleteMultipartUpload",
        (None, method) => method,
    };
    let slash = if last.is_empty() { "" } else { "/" };
    format!("s3 {operation} {bucket}{slash}{last}")
}
