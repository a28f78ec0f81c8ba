//! The upload routes that Uppy's clients speak (Companion's `/s3`), below `/u/<ticket>`. The ticket is the only proof that they need, and
//! says for which attachment they act; what the attachment is now is read again on every call.
//!
//! They are not in the API's description: their form is Uppy's. docs/UPLOADS.md says what each does.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vestibule_domain::attachment::{Attachment, Promise};
use vestibule_domain::content_type::ContentType;
use vestibule_domain::correlation::CorrelationId;
use vestibule_domain::key::InboxKey;
use vestibule_domain::parts::{self, NotAFile, PART_NUMBERS, Part, PartChecksum, Parts};
use vestibule_domain::upload_ticket::{BadTicket, Slot};
use vestibule_store::multipart::{Checksums, Completed};

use crate::code::Code;
use crate::input::{Body, Place};
use crate::problem::{Document, Problem};
use crate::world::World;

/// Longest body, in bytes: the list of 10,000 parts takes about a million.
const MAX_COMPLETE_BYTES: usize = 2 * 1024 * 1024;
/// How long S3 is waited for: the gateway gives up after 30 s.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most bytes of metadata, names and values.
const MAX_METADATA_BYTES: usize = 2 * 1024;
/// Most parts that are signed at once.
const MAX_BATCH: usize = 100;
/// Most parts of a file.
const MAX_PARTS: usize = 10_000;
/// What the parts of a file that has arrived are called.
const ARRIVED: &str = "\"arrived\"";
/// Longest upload id that is passed on. S3's have some 130 letters.
const MAX_UPLOAD_ID: usize = 1024;

/// Codes that no other route answers.
pub const CODES: &[Code] = &[
    Code::TicketInvalid,
    Code::TicketExpired,
    Code::KeyMismatch,
    Code::BadUploadRequest,
    Code::BadPart,
    Code::PartsIncomplete,
    Code::PartsDiffer,
    Code::TooManyParts,
    Code::PartsOfOtherSize,
    Code::UploadNotFound,
    Code::UploadOvertaken,
    Code::CompletionInProgress,
    Code::NoCredentials,
];

/// The routes of this file.
pub fn routes() -> Router<World> {
    Router::new()
        .route("/u/{ticket}/s3/params", get(form))
        .route("/u/{ticket}/s3/sts", get(no_credentials))
        .route("/u/{ticket}/s3/multipart", post(begin))
        .route("/u/{ticket}/s3/multipart/{upload}", get(list).delete(abort))
        .route("/u/{ticket}/s3/multipart/{upload}/batch", get(sign_many))
        .route("/u/{ticket}/s3/multipart/{upload}/complete", post(complete))
        .route("/u/{ticket}/s3/multipart/{upload}/{number}", get(sign))
        .layer(DefaultBodyLimit::max(MAX_COMPLETE_BYTES))
}

/// A problem in the form that Uppy's clients read: `error` and `message` besides.
struct Refused(Problem);

impl<T: Into<Problem>> From<T> for Refused {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

/// See [`Refused`].
#[derive(Serialize)]
struct RefusedView {
    error: &'static str,
    message: String,
    #[serde(flatten)]
    document: Document,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let document = self.0.document();
        let view = RefusedView { error: self.0.code().as_str(), message: document.detail.clone(), document };
        let (mut parts, _problem) = self.0.into_response().into_parts();
        for name in [CONTENT_LENGTH, CONTENT_TYPE] {
            parts.headers.remove(name);
        }
        (parts, Json(view)).into_response()
    }
}

type Answer = Result<Json<Value>, Refused>;
type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// What an attachment is now, for who holds its ticket.
enum Now {
    /// It waits for its bytes.
    Pending(Promise),
    /// Its bytes came and were judged.
    Decided,
    /// It was given up, or its message was.
    Gone,
}

async fn slot(world: &World, ticket: &str) -> Result<Slot, Refused> {
    match world.upload_keys.open(ticket, world.clock.now()).await? {
        Ok(slot) => Ok(slot),
        Err(BadTicket::Expired) => Err(Code::TicketExpired.into()),
        Err(BadTicket::Forged | BadTicket::UnknownKey) => Err(Code::TicketInvalid.into()),
    }
}

async fn now(world: &World, key: &InboxKey) -> Result<Now, Refused> {
    let message = world.messages.get(&key.room, key.message).await?;
    Ok(match message.as_ref().and_then(|message| message.attachment(&key.attachment)) {
        Some(Attachment::Pending(pending)) => Now::Pending(pending.promise.clone()),
        Some(Attachment::Ready(_) | Attachment::Rejected(_)) => Now::Decided,
        Some(Attachment::Cancelled(_) | Attachment::Removed) | None => Now::Gone,
    })
}

async fn pending(world: &World, slot: &Slot) -> Result<Promise, Refused> {
    match now(world, &slot.key).await? {
        Now::Pending(promise) if promise.size == slot.size && promise.declared_type == slot.content_type => Ok(promise),
        Now::Pending(_) => Err(Code::TicketInvalid.into()),
        Now::Decided => Err(because(Code::AttachmentDecided, "This file has already arrived.")),
        Now::Gone => Err(Code::AttachmentGone.into()),
    }
}

/// What a route of an upload in parts is about, and the query's parameters, of which one names the ticket's own key.
async fn named(
    world: &World,
    ticket: &str,
    upload: &str,
    pairs: Pairs,
) -> Result<(Slot, BTreeMap<String, String>), Refused> {
    let slot = slot(world, ticket).await?;
    let query = any_query(pairs)?;
    if query.get("key").is_none_or(|key| *key != slot.key.to_string()) {
        return Err(bad(Code::KeyMismatch));
    }
    check_upload(upload)?;
    Ok((slot, query))
}

fn any_query(pairs: Pairs) -> Result<BTreeMap<String, String>, Refused> {
    match pairs {
        Ok(Query(pairs)) => Ok(pairs.into_iter().collect()),
        Err(rejection) => Err(because(Code::BadUploadRequest, rejection.body_text())),
    }
}

fn bad(code: Code) -> Refused {
    Refused(code.into())
}

fn because(code: Code, detail: impl Into<String>) -> Refused {
    Refused(Problem::because(code, detail.into()))
}

/// The type that a client names must be the promised one. Uppy says nothing as `null`.
fn check_type(named: Option<&str>, promise: &Promise) -> Result<(), Refused> {
    let Some(named) = named.filter(|named| !matches!(*named, "" | "null" | "undefined")) else { return Ok(()) };
    match named.parse::<ContentType>() {
        Ok(named) if named.canonical() == promise.declared_type.canonical() => Ok(()),
        _ => {
            Err(because(Code::BadUploadRequest, format!("type must be {}, which was promised", promise.declared_type)))
        }
    }
}

fn check_upload(upload: &str) -> Result<(), Refused> {
    if (1..=MAX_UPLOAD_ID).contains(&upload.len()) && upload.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(bad(Code::UploadNotFound))
    }
}

/// Leave for one form upload.
async fn form(State(world): State<World>, Place(ticket): Place<String>, pairs: Pairs) -> Answer {
    let slot = slot(&world, &ticket).await?;
    let pairs = any_query(pairs)?;
    let promise = pending(&world, &slot).await?;
    check_type(pairs.get("type").map(String::as_str), &promise)?;
    let metadata = metadata(pairs)?;
    let form = world.urls.form(&slot.key, &promise, &metadata, world.clock.now()).await?;
    Ok(Json(json!({
        "method": "POST", "url": form.url, "fields": form.fields, "expires": world.settings.upload_url_seconds,
    })))
}

/// `metadata[name]=value`, in what a header can carry: other letters in UTF-8 and percent signs. Names that no header can have are left
/// out; S3 keeps metadata only until the file is examined.
fn metadata(pairs: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refused> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut metadata = BTreeMap::new();
    for (name, value) in pairs {
        let Some(name) = name.strip_prefix("metadata[").and_then(|name| name.strip_suffix(']')) else { continue };
        if value == "null" || name.is_empty() || !name.bytes().all(is_part) {
            continue;
        }
        let value = if value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && value.trim() == value {
            value
        } else {
            percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        metadata.insert(name.to_ascii_lowercase(), value);
    }
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_METADATA_BYTES {
        return Err(because(Code::BadUploadRequest, format!("metadata must have at most {MAX_METADATA_BYTES} bytes")));
    }
    Ok(metadata)
}

/// We never hand out credentials.
async fn no_credentials(State(world): State<World>, Place(ticket): Place<String>) -> Answer {
    slot(&world, &ticket).await?;
    Err(bad(Code::NoCredentials))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Beginning {
    #[serde(rename = "type")]
    content_type: Option<String>,
    checksum_algorithm: Option<String>,
}

/// Begins a multipart upload.
async fn begin(
    State(world): State<World>,
    Place(ticket): Place<String>,
    body: Result<Body<Beginning>, Problem>,
) -> Answer {
    let slot = slot(&world, &ticket).await?;
    let Body(beginning) = body.map_err(as_bad)?;
    let checksums = match beginning.checksum_algorithm.as_deref() {
        None | Some("") => None,
        Some("SHA256") => Some(Checksums::Sha256),
        Some("CRC64NVME") => Some(Checksums::Crc64Nvme),
        Some(_) => return Err(because(Code::BadUploadRequest, "checksumAlgorithm must be SHA256 or CRC64NVME")),
    };
    let promise = pending(&world, &slot).await?;
    check_type(beginning.content_type.as_deref(), &promise)?;
    let upload = world.urls.begin(&slot.key, promise.declared_type.as_str(), checksums).await?;
    note(&slot, "multipart upload begun");
    Ok(Json(json!({ "key": slot.key.to_string(), "uploadId": upload, "bucket": world.urls.inbox() })))
}

/// A body that breaks a rule is a bad request to Uppy.
fn as_bad(problem: Problem) -> Refused {
    if problem.code() == Code::InvalidRequest {
        because(Code::BadUploadRequest, "The body of the request breaks a rule.")
    } else {
        Refused(problem)
    }
}

fn note(slot: &Slot, what: &'static str) {
    tracing::info!(
        correlation.id = %CorrelationId::from(&slot.key.attachment),
        room.id = %slot.key.room,
        attachment.id = %slot.key.attachment,
        attachment.size = slot.size,
        "{what}"
    );
}

/// What each part must be like, as the query has it.
struct Wanted {
    parts: Parts,
    checksum: Option<PartChecksum>,
}

impl Wanted {
    fn read(query: &BTreeMap<String, String>, size: u64) -> Result<Self, Refused> {
        let parts = match query.get("partSize") {
            None => Some(Parts::usual(size)),
            Some(text) => text.parse().ok().and_then(|part_size| Parts::of(size, part_size)),
        };
        let parts = parts
            .ok_or_else(|| because(Code::BadPart, "partSize must be one that S3 takes for a file of this length"))?;
        let sum = |name: &str| match query.get(name) {
            Some(sum) if !is_base64(sum) => Err(because(Code::BadPart, format!("{name} must be base 64, escaped"))),
            sum => Ok(sum.cloned()),
        };
        let checksum = match (sum("checksumSha256")?, sum("checksumCrc64nvme")?) {
            (Some(_), Some(_)) => return Err(because(Code::BadPart, "A part has one checksum.")),
            (Some(sum), None) => Some(PartChecksum::Sha256(sum)),
            (None, sum) => sum.map(PartChecksum::Crc64Nvme),
        };
        Ok(Self { parts, checksum })
    }
}

fn is_base64(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// Leave to send one part.
async fn sign(State(world): State<World>, Place(place): Place<(String, String, String)>, pairs: Pairs) -> Answer {
    let (ticket, upload, number) = place;
    let (slot, query) = named(&world, &ticket, &upload, pairs).await?;
    let wanted = Wanted::read(&query, slot.size)?;
    let (number, length) = part_of(&number, wanted.parts)?;
    pending(&world, &slot).await?;
    let now = world.clock.now();
    let part = world.urls.part(&slot.key, &upload, (number, length), wanted.checksum.as_ref(), now).await?;
    let headers: BTreeMap<_, _> = part.headers.into_iter().filter(|(name, _)| name != "content-length").collect();
    let mut answer = json!({ "url": part.url, "expires": world.settings.upload_url_seconds });
    if let (false, Some(answer)) = (headers.is_empty(), answer.as_object_mut()) {
        answer.insert("headers".to_owned(), json!(headers));
    }
    Ok(Json(answer))
}

/// A part's number, and how long it is.
fn part_of(text: &str, parts: Parts) -> Result<(u32, u64), Refused> {
    let number = text.parse().ok().filter(|number| PART_NUMBERS.contains(number));
    let number = number.ok_or_else(|| because(Code::BadPart, "The number of a part must be from 1 to 10000."))?;
    let length = parts.length(number);
    let length = length.ok_or_else(|| because(Code::BadPart, format!("The file has {} parts.", parts.count())))?;
    Ok((number, length))
}

/// Leave to send several parts, as older clients ask for it.
async fn sign_many(State(world): State<World>, Place(place): Place<(String, String)>, pairs: Pairs) -> Answer {
    let (ticket, upload) = place;
    let (slot, query) = named(&world, &ticket, &upload, pairs).await?;
    let wanted = Wanted::read(&query, slot.size)?;
    let numbers = query.get("partNumbers").map(String::as_str).unwrap_or_default();
    let numbers: Vec<_> = numbers.split(',').map(|number| part_of(number.trim(), wanted.parts)).collect();
    if numbers.len() > MAX_BATCH {
        return Err(because(Code::BadPart, format!("At most {MAX_BATCH} parts are signed at once.")));
    }
    pending(&world, &slot).await?;
    let mut urls = BTreeMap::new();
    for number in numbers {
        let (number, length) = number?;
        let part = world.urls.part(&slot.key, &upload, (number, length), None, world.clock.now()).await?;
        urls.insert(number.to_string(), part.url);
    }
    Ok(Json(json!({ "presignedUrls": urls })))
}

/// The parts that S3 has. Of a file that has arrived, all of them, whatever S3 knows of its upload: Uppy's version 6 lists before it asks for
/// completion again, and would otherwise never learn that it is done.
async fn list(State(world): State<World>, Place(place): Place<(String, String)>, pairs: Pairs) -> Answer {
    let (ticket, upload) = place;
    let (slot, _) = named(&world, &ticket, &upload, pairs).await?;
    let parts = match now(&world, &slot.key).await? {
        Now::Gone => return Err(Code::AttachmentGone.into()),
        Now::Decided => all_parts(slot.size),
        Now::Pending(_) => match world.urls.parts(&slot.key, &upload).await? {
            Some(parts) => parts,
            None if has_arrived(&world, &slot).await? => all_parts(slot.size),
            None => return Err(bad(Code::UploadNotFound)),
        },
    };
    let parts: Vec<_> = parts
        .into_iter()
        .map(|part| json!({ "PartNumber": part.number, "ETag": part.etag, "Size": part.size }))
        .collect();
    Ok(Json(Value::from(parts)))
}

/// The parts of a file that has arrived, as nobody knows them any more: of the usual length. Completing them is not compared.
fn all_parts(size: u64) -> Vec<Part> {
    let parts = Parts::usual(size);
    let numbers = PART_NUMBERS.take_while(|number| parts.length(*number).is_some());
    let part =
        |number| Part { number, size: parts.length(number).unwrap_or(0), etag: ARRIVED.to_owned(), checksum: None };
    numbers.map(part).collect()
}

#[derive(Deserialize)]
struct Completion {
    parts: Vec<Sent>,
}

/// A part as its sender knows it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    #[serde(rename = "ETag")]
    etag: String,
    part_number: u32,
}

/// Where a completed upload is.
#[derive(Serialize)]
struct CompletedView {
    location: String,
    key: String,
    bucket: String,
}

/// Puts the parts together, if they are the file that was promised. Asked again it answers the same.
async fn complete(
    State(world): State<World>,
    Place(place): Place<(String, String)>,
    pairs: Pairs,
    body: Result<Body<Completion>, Problem>,
) -> Result<Json<CompletedView>, Refused> {
    let (ticket, upload) = place;
    let (slot, _) = named(&world, &ticket, &upload, pairs).await?;
    let Body(completion) = body.map_err(as_bad)?;
    match now(&world, &slot.key).await? {
        Now::Decided => return Ok(Json(completed(&world, &slot).await?)),
        Now::Gone => return Err(Code::AttachmentGone.into()),
        Now::Pending(_) => {}
    }
    let Some(parts) = world.urls.parts(&slot.key, &upload).await? else { return finished(&world, &slot).await };
    if completion.parts.len() > MAX_PARTS {
        return Err(bad(Code::TooManyParts));
    }
    same_parts(&completion.parts, &parts)?;
    parts::check(&parts, slot.size).map_err(|error| {
        let code = match error {
            NotAFile::None | NotAFile::Missing(_) => Code::PartsIncomplete,
            NotAFile::OtherSize { .. } => Code::PartsOfOtherSize,
        };
        because(code, capitalised(&error.to_string()))
    })?;
    match world.urls.complete(&slot.key, &upload, &parts, slot.size, PATIENCE).await? {
        Completed::Done => {
            note(&slot, "multipart upload completed");
            Ok(Json(completed(&world, &slot).await?))
        }
        Completed::Gone => finished(&world, &slot).await,
        Completed::InProgress => Err(bad(Code::CompletionInProgress)),
        Completed::Overtaken => Err(bad(Code::UploadOvertaken)),
        Completed::Refused => Err(because(Code::PartsIncomplete, "S3 refuses the parts as they are.")),
    }
}

/// What is said of an upload that S3 does not know: that it is done, if it is.
async fn finished(world: &World, slot: &Slot) -> Result<Json<CompletedView>, Refused> {
    if has_arrived(world, slot).await? {
        return Ok(Json(completed(world, slot).await?));
    }
    Err(bad(Code::UploadNotFound))
}

/// Whether the file is in the inbox, or was.
async fn has_arrived(world: &World, slot: &Slot) -> Result<bool, Refused> {
    // First the inbox: what leaves it has been decided before.
    Ok(world.urls.has_arrived(&slot.key, slot.size).await? || matches!(now(world, &slot.key).await?, Now::Decided))
}

async fn completed(world: &World, slot: &Slot) -> Result<CompletedView, Refused> {
    let key = slot.key.to_string();
    let location = format!("{}{key}", world.urls.inbox_url(&slot.key, world.clock.now()).await?);
    Ok(CompletedView { location, key, bucket: world.urls.inbox().to_owned() })
}

/// What the sender believes to have sent must be what S3 has, or the file would be another than theirs.
fn same_parts(sent: &[Sent], found: &[Part]) -> Result<(), Refused> {
    let bare = |etag: &str| etag.trim_matches('"').to_owned();
    let mut sent: Vec<_> = sent.iter().map(|part| (part.part_number, bare(&part.etag))).collect();
    sent.sort();
    let found: Vec<_> = found.iter().map(|part| (part.number, bare(&part.etag))).collect();
    if sent == found { Ok(()) } else { Err(bad(Code::PartsDiffer)) }
}

/// A sentence of our own from an error's words.
fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Gives an upload up. The attachment stays pending: it can be uploaded anew.
async fn abort(State(world): State<World>, Place(place): Place<(String, String)>, pairs: Pairs) -> Answer {
    let (ticket, upload) = place;
    let (slot, _) = named(&world, &ticket, &upload, pairs).await?;
    world.urls.abort(&slot.key, &upload).await?;
    note(&slot, "multipart upload aborted");
    Ok(Json(json!({})))
}

#[cfg(test)]
mod tests {
    use axum::body::Body as Bytes;
    use axum::extract::Request;
    use tower::ServiceExt as _;
    use vestibule_domain::timestamp::Timestamp;

    use super::*;
    use crate::handler::router;
    use crate::testing;

    fn slot(expires: &str) -> Slot {
        Slot {
            key: format!("{}/000000000042/01jd3v8q0zk5w6x7y8z9abcdeg", testing::ROOM).parse().unwrap(),
            size: 12 * 1024 * 1024,
            content_type: "video/mp4".parse().unwrap(),
            expires: expires.parse::<Timestamp>().unwrap(),
        }
    }

    async fn ask(path: &str) -> (u16, http::HeaderMap, Value) {
        let request = Request::builder().uri(path).body(Bytes::empty()).unwrap();
        let (parts, body) = router(testing::world()).oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.unwrap();
        (parts.status.as_u16(), parts.headers, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_ticket_is_judged_before_anything_is_asked_of_the_table() {
        let keys = testing::world().upload_keys;
        let over = keys.seal(&slot("2026-11-22T22:35:14.000Z")).await.unwrap();
        let good = keys.seal(&slot("2026-11-22T22:35:15.000Z")).await.unwrap();
        for (path, status, code) in [
            (format!("/u/{over}/s3/params"), 403, "ticket-expired"),
            (format!("/u/{over}/s3/multipart/x"), 403, "ticket-expired"),
            (format!("/u/{over}/s3/multipart/x/1"), 403, "ticket-expired"),
            (format!("/u/{over}/s3/multipart/x/batch"), 403, "ticket-expired"),
            (format!("/u/{good}x/s3/params"), 403, "ticket-invalid"),
            ("/u/nonsense/s3/sts".to_owned(), 403, "ticket-invalid"),
            (format!("/u/{good}/s3/sts"), 403, "no-credentials"),
            (format!("/u/{good}/s3/multipart/x/1"), 400, "key-mismatch"),
            (format!("/u/{good}/s3/multipart/x/1?key=a"), 400, "key-mismatch"),
            (
                format!("/u/{good}/s3/multipart/%0A/1?key={}", slot("2026-11-22T22:35:15.000Z").key),
                404,
                "upload-not-found",
            ),
            (format!("/u/{good}/s3/multipart/x/4?key={}", slot("2026-11-22T22:35:15.000Z").key), 400, "bad-part"),
            // Only then the table, which is not there.
            (format!("/u/{good}/s3/multipart/x/3?key={}", slot("2026-11-22T22:35:15.000Z").key), 503, "unavailable"),
        ] {
            let (got, headers, body) = ask(&path).await;
            assert_eq!((got, body["error"].as_str().unwrap()), (status, code), "{path}");
            assert_eq!(body["code"], body["error"]);
            assert!(body["message"].as_str().unwrap().ends_with('.'));
            assert_eq!(headers[CONTENT_TYPE], "application/json");
            assert_eq!(headers.contains_key(http::header::RETRY_AFTER), status == 503);
        }
    }

    #[test]
    fn metadata_is_what_a_header_can_carry() {
        let pairs = |pairs: &[(&str, &str)]| {
            metadata(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let kept = pairs(&[
            ("metadata[Name]", "Grüße\r\nX: y"),
            ("metadata[plain]", "some text"),
            ("metadata[none]", "null"),
            ("metadata[bad name]", "x"),
            ("metadata[]", "x"),
            ("filename", "x"),
        ])
        .ok()
        .unwrap();
        let kept: Vec<_> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(kept, [("name", "Gr%C3%BC%C3%9Fe%0D%0AX%3A%20y"), ("plain", "some text")]);
        assert!(pairs(&[("metadata[a]", &"x".repeat(MAX_METADATA_BYTES - 1))]).is_ok());
        assert!(pairs(&[("metadata[a]", &"x".repeat(MAX_METADATA_BYTES))]).is_err());
    }

    #[test]
    fn every_code_is_explained_beside_the_routes() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/UPLOADS.md");
        let document = std::fs::read_to_string(path).unwrap();
        for code in CODES {
            let explains =
                |line: &str| line.contains(&format!("`{}`", code.as_str())) && line.contains(code.status().as_str());
            assert!(document.lines().any(explains), "{code:?}");
        }
    }
}
