//! client ─ parts or a form, with a ticket ─▶ InboxBucket: Uppy's contract, and what abuses it. Each refusal stores nothing and
//! publishes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vestibule::people;

use crate::support::chat::{Chat, File, Slot};
use crate::support::cloud::Cloud;
use crate::support::state::State;

const MEBIBYTE: usize = 1024 * 1024;
/// The usual length of a part.
const PART: usize = 5 * MEBIBYTE;

/// The upload routes for one attachment.
struct Uploader<'a> {
    cloud: &'a Cloud,
    base: String,
    key: String,
}

impl<'a> Uploader<'a> {
    fn of(cloud: &'a Cloud, slot: &Slot) -> anyhow::Result<Self> {
        let url = slot.ticket["companion"]["url"].as_str().context("a ticket says where the routes are")?;
        Ok(Self { cloud, base: format!("{}{url}/s3", cloud.stack().api_url()?), key: slot.key.to_string() })
    }

    /// Calls a route as Uppy does, without any proof but the path; the key is in the query.
    async fn call(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let request = self.cloud.http.request(method.parse()?, format!("{}{path}", self.base)).query(query);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, response.json().await.unwrap_or(Value::Null)))
    }

    /// The same with the ticket's own key.
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<(u16, Value)> {
        self.call(method, path, &[("key", &self.key)], body).await
    }

    async fn begin(&self, body: Value) -> anyhow::Result<String> {
        let (status, answer) = self.call("POST", "/multipart", &[], Some(body)).await?;
        ensure!(status == 200 && answer["key"] == self.key.as_str() && answer["error"].is_null(), "{status} {answer}");
        Ok(answer["uploadId"].as_str().context("an upload has an id")?.to_owned())
    }

    /// Signs a part and sends it; answers the status and its tag.
    async fn send(&self, upload: &str, number: usize, bytes: &[u8]) -> anyhow::Result<(u16, String)> {
        let (status, signed) = self.ask("GET", &format!("/multipart/{upload}/{number}"), None).await?;
        ensure!(status == 200 && signed["expires"].is_u64(), "{status} {signed}");
        let sent = self.cloud.http.put(signed["url"].as_str().context("a URL")?).body(bytes.to_vec()).send().await?;
        let etag = sent.headers().get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default().to_owned();
        Ok((sent.status().as_u16(), etag))
    }

    /// Sends all parts of a file, and answers what Uppy would say of them.
    async fn send_all(&self, upload: &str, bytes: &[u8]) -> anyhow::Result<Value> {
        let mut parts = Vec::new();
        for (number, part) in (1..).zip(bytes.chunks(PART)) {
            let (status, etag) = self.send(upload, number, part).await?;
            ensure!(status == 200, "part {number}: {status}");
            parts.push(json!({ "PartNumber": number, "ETag": etag }));
        }
        Ok(json!({ "parts": parts }))
    }

    async fn complete(&self, upload: &str, parts: Value) -> anyhow::Result<(u16, Value)> {
        self.ask("POST", &format!("/multipart/{upload}/complete"), Some(parts)).await
    }
}

/// Wants a refusal with this status and code, in the form that Uppy reads.
fn refused(what: &str, asked: anyhow::Result<(u16, Value)>, status: u16, code: &str) -> anyhow::Result<()> {
    let (got, answer) = asked?;
    let says = answer["error"] == code && answer["code"] == code && answer["message"].is_string();
    ensure!(got == status && says, "{what}: {got} {answer}");
    Ok(())
}

fn video(length: usize) -> File {
    let bytes = (0..length).map(|at| u8::try_from((at * 31 + at / 4099) % 251).unwrap_or(0)).collect();
    File {
        name: "Ünïcode – 日本 \u{202e}.bin".to_owned(), declared: "application/octet-stream".to_owned(), bytes
    }
}

pub(crate) async fn a_file_in_parts_arrives_whole_and_completing_it_again_changes_nothing(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "in-parts").await?;
    let file = video(2 * PART + 7);
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    ensure!(slot.ticket["companion"]["partSize"] == PART);
    let uppy = Uploader::of(&cloud, &slot)?;
    let body = json!({ "filename": file.name, "type": file.declared, "metadata": { "name": file.name, "relativePath": "null" } });
    let upload = uppy.begin(body).await?;
    // Resumed after the second part: what S3 has is listed, with its lengths.
    for (number, part) in (1..=2).zip(file.bytes.chunks(PART)) {
        uppy.send(&upload, number, part).await?;
    }
    let (status, listed) = uppy.ask("GET", &format!("/multipart/{upload}"), None).await?;
    let sizes: Vec<_> = listed.as_array().context("a bare list")?.iter().map(|part| part["Size"].as_u64()).collect();
    ensure!(status == 200 && sizes == [Some(PART as u64); 2], "{status} {listed}");
    let (status, batch) = uppy
        .call("GET", &format!("/multipart/{upload}/batch"), &[("key", &uppy.key), ("partNumbers", "2,3")], None)
        .await?;
    ensure!(status == 200 && batch["presignedUrls"]["3"].is_string(), "{status} {batch}");
    let (status, etag) = uppy.send(&upload, 3, &file.bytes[2 * PART..]).await?;
    ensure!(status == 200);
    let mut parts: Vec<Value> = listed
        .as_array()
        .into_iter()
        .flatten()
        .map(|part| json!({ "PartNumber": part["PartNumber"], "ETag": part["ETag"] }))
        .collect();
    parts.push(json!({ "PartNumber": 3, "ETag": etag }));
    let parts = json!({ "parts": parts });
    let (status, done) = uppy.complete(&upload, parts.clone()).await?;
    ensure!(status == 200 && done["key"] == uppy.key.as_str() && done["bucket"].is_string(), "{status} {done}");
    ensure!(done["location"].as_str().is_some_and(|at| at.ends_with(&uppy.key)), "{done}");
    // While it is being examined, and afterwards.
    ensure!(uppy.complete(&upload, parts.clone()).await? == (200, done.clone()));
    let ready = chat.decided(&slot).await?;
    ensure!(ready["state"] == "ready" && ready["name"] == file.name, "{ready}");
    ensure!(uppy.complete(&upload, parts).await? == (200, done));
    // Who lists before they ask for completion again is told that all is there.
    let (status, all) = uppy.ask("GET", &format!("/multipart/{upload}"), None).await?;
    let sizes: Vec<_> = all.as_array().context("a list")?.iter().map(|part| part["Size"].as_u64()).collect();
    ensure!(status == 200 && sizes == [Some(PART as u64), Some(PART as u64), Some(7)], "{status} {all}");
    refused(
        "a part of what is decided",
        uppy.ask("GET", &format!("/multipart/{upload}/1"), None).await,
        409,
        "attachment-decided",
    )?;
    refused("another upload", uppy.call("POST", "/multipart", &[], Some(json!({}))).await, 409, "attachment-decided")?;
    Ok(())
}

pub(crate) async fn a_part_is_signed_for_this_file_alone(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "parts-signed").await?;
    let file = video(2 * PART);
    let slots = chat.announce("one", &[&file, &file]).await?;
    let (uppy, other) = (Uploader::of(&cloud, &slots[0])?, Uploader::of(&cloud, &slots[1])?);
    let upload = uppy.begin(json!({})).await?;
    let theirs = other.begin(json!({})).await?;

    for number in ["0", "10001", "3", "x", "-1", "1.5"] {
        let asked = uppy.ask("GET", &format!("/multipart/{upload}/{number}"), None).await;
        refused(number, asked, 400, "bad-part")?;
    }
    for part_size in ["1", "5242879", "5368709121", "x"] {
        let query = [("key", uppy.key.as_str()), ("partSize", part_size)];
        let asked = uppy.call("GET", &format!("/multipart/{upload}/1"), &query, None).await;
        refused(part_size, asked, 400, "bad-part")?;
    }
    let (status, _) = uppy.send(&upload, 1, &file.bytes[..PART - 1]).await?;
    ensure!(status == 403, "a part that is too short: {status}");
    let (status, _) = uppy.send(&upload, 1, &file.bytes[..=PART]).await?;
    ensure!(status == 403, "a part that is too long: {status}");

    refused("another's upload", uppy.ask("GET", &format!("/multipart/{theirs}"), None).await, 404, "upload-not-found")?;
    refused("another's upload", uppy.complete(&theirs, json!({ "parts": [] })).await, 404, "upload-not-found")?;
    let (method, path) = ("GET", format!("/multipart/{upload}/1"));
    refused("another's key", uppy.call(method, &path, &[("key", &other.key)], None).await, 400, "key-mismatch")?;
    refused("no key", uppy.call(method, &path, &[], None).await, 400, "key-mismatch")?;
    // A ticket that is good, but for another slot.
    let asked = other.call(method, &path, &[("key", &uppy.key)], None).await;
    refused("another's ticket", asked, 400, "key-mismatch")?;
    let asked = other.ask("POST", &format!("/multipart/{upload}/complete"), Some(json!({ "parts": [] }))).await;
    refused("another's ticket for this upload", asked, 404, "upload-not-found")?;
    let sums = [("key", uppy.key.as_str()), ("checksumSha256", "a b")];
    refused("a checksum unescaped", uppy.call(method, &path, &sums, None).await, 400, "bad-part")?;
    let body = json!({ "type": "image/png" });
    refused("another type", uppy.call("POST", "/multipart", &[], Some(body)).await, 400, "bad-upload-request")?;
    let body = json!({ "checksumAlgorithm": "MD5" });
    refused("a checksum", uppy.call("POST", "/multipart", &[], Some(body)).await, 400, "bad-upload-request")?;
    refused("credentials", uppy.call("GET", "/sts", &[], None).await, 403, "no-credentials")?;
    let forged = Uploader { base: uppy.base.replacen("/u/k1.", "/u/k1.A", 1), ..Uploader::of(&cloud, &slots[0])? };
    refused("a forged ticket", forged.ask("GET", &format!("/multipart/{upload}"), None).await, 403, "ticket-invalid")?;
    let newer = Uploader { base: uppy.base.replacen("/u/k1.", "/u/k9.", 1), ..Uploader::of(&cloud, &slots[0])? };
    refused("a key of later", newer.ask("GET", &format!("/multipart/{upload}"), None).await, 403, "ticket-invalid")?;

    ensure!(State::of(&cloud, &chat.room).await?.has_no_objects(), "something was stored");
    Ok(())
}

pub(crate) async fn what_was_not_promised_is_not_put_together(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "parts-abused").await?;
    let file = video(2 * PART);
    let slots = chat.announce("one", &[&file, &file]).await?;
    let (uppy, other) = (Uploader::of(&cloud, &slots[0])?, Uploader::of(&cloud, &slots[1])?);
    let upload = uppy.begin(json!({})).await?;
    let theirs = other.begin(json!({})).await?;

    refused("no part", uppy.complete(&upload, json!({ "parts": [] })).await, 400, "parts-incomplete")?;
    let quota = quota_of(&cloud, &chat.customer).await?;
    ensure!(quota.len() == 2, "{quota:?}");
    let (status, second) = uppy.send(&upload, 2, &file.bytes[PART..]).await?;
    ensure!(status == 200);
    let gap = json!({ "parts": [{ "PartNumber": 2, "ETag": second }] });
    refused("a gap", uppy.complete(&upload, gap).await, 400, "parts-incomplete")?;
    let (status, first) = uppy.send(&upload, 1, &file.bytes[..PART]).await?;
    ensure!(status == 200);
    let half = json!({ "parts": [{ "PartNumber": 1, "ETag": first }] });
    refused("a part that the sender does not know of", uppy.complete(&upload, half).await, 400, "parts-differ")?;
    let another = json!({ "parts": [{ "PartNumber": 1, "ETag": first }, { "PartNumber": 2, "ETag": "\"0\"" }] });
    refused("another part", uppy.complete(&upload, another).await, 400, "parts-differ")?;
    let many: Vec<_> = (1..=10_001)
        .map(|number| json!({ "PartNumber": number, "ETag": "\"d41d8cd98f00b204e9800998ecf8427e\"" }))
        .collect();
    refused("10,001 parts", uppy.complete(&upload, json!({ "parts": many })).await, 400, "too-many-parts")?;
    refused("no list", uppy.complete(&upload, json!({ "parts": 7 })).await, 400, "bad-upload-request")?;

    // More than was promised: parts signed under another length of parts do not add up.
    let query = [("key", uppy.key.as_str()), ("partSize", "10485760")];
    let (status, signed) = uppy.call("GET", &format!("/multipart/{upload}/1"), &query, None).await?;
    ensure!(status == 200);
    let sent = cloud.http.put(signed["url"].as_str().context("a URL")?).body(file.bytes.clone()).send().await?;
    ensure!(sent.status() == 200);
    let etag = sent.headers()["etag"].to_str()?.to_owned();
    let more = json!({ "parts": [{ "PartNumber": 1, "ETag": etag }, { "PartNumber": 2, "ETag": second }] });
    refused("more bytes", uppy.complete(&upload, more).await, 400, "parts-of-other-size")?;

    ensure!(uppy.ask("DELETE", &format!("/multipart/{upload}"), None).await? == (200, json!({})));
    ensure!(uppy.ask("DELETE", &format!("/multipart/{upload}"), None).await? == (200, json!({})), "aborting again");
    let after = json!({ "parts": [{ "PartNumber": 1, "ETag": first }, { "PartNumber": 2, "ETag": second }] });
    refused("after it was aborted", uppy.complete(&upload, after).await, 404, "upload-not-found")?;
    for slot in &slots {
        ensure!(chat.attachment(slot).await?["state"] == "pending");
    }
    ensure!(State::of(&cloud, &chat.room).await?.has_no_objects(), "something was stored");

    ensure!(quota_of(&cloud, &chat.customer).await? == quota, "abuse neither costs nor gives back");

    // It can be uploaded all the same.
    let upload = uppy.begin(json!({})).await?;
    let parts = uppy.send_all(&upload, &file.bytes).await?;
    ensure!(uppy.complete(&upload, parts).await?.0 == 200);
    ensure!(chat.decided(&slots[0]).await?["state"] == "ready");
    // And what was given up cannot, and nothing of it stays in S3.
    chat.call("DELETE", &format!("{}/upload", chat.attachment_path(&slots[1])), None).await?;
    refused(
        "a cancelled one",
        other.ask("GET", &format!("/multipart/{theirs}/1"), None).await,
        410,
        "attachment-gone",
    )?;
    let left = cloud.s3.list_multipart_uploads().bucket(cloud.output("InboxBucket")?).prefix(&other.key).send().await?;
    ensure!(left.uploads().is_empty(), "{left:?}");
    refused("a cancelled one", other.complete(&theirs, json!({ "parts": [] })).await, 410, "attachment-gone")
}

/// Who begins again and again stores no more than two uploads under one promise.
pub(crate) async fn of_many_uploads_of_one_file_two_stay(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "many-uploads").await?;
    let file = video(PART + 1);
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    let uppy = Uploader::of(&cloud, &slot)?;
    let mut last = String::new();
    for _ in 0..5 {
        last = uppy.begin(json!({})).await?;
    }
    let open = cloud.s3.list_multipart_uploads().bucket(cloud.output("InboxBucket")?).prefix(&uppy.key).send().await?;
    let open: Vec<_> = open.uploads().iter().filter_map(|upload| upload.upload_id()).collect();
    ensure!(open.len() == 2 && open.contains(&last.as_str()), "{open:?}");
    let parts = uppy.send_all(&last, &file.bytes).await?;
    ensure!(uppy.complete(&last, parts).await?.0 == 200);
    ensure!(chat.decided(&slot).await?["state"] == "ready");
    // Deleting the message gives the other up.
    chat.call("DELETE", &chat.path(slot.key.message), None).await?;
    let open = cloud.s3.list_multipart_uploads().bucket(cloud.output("InboxBucket")?).prefix(&uppy.key).send().await?;
    ensure!(open.uploads().is_empty(), "{open:?}");
    Ok(())
}

/// What the sender of the room's messages has used of their quota, as it stands in the table.
async fn quota_of(cloud: &Cloud, token: &str) -> anyhow::Result<Vec<String>> {
    let user = people::identity(token)?.id;
    let query = cloud.dynamodb.query().table_name(cloud.output("TableName")?).consistent_read(true);
    let query = query.key_condition_expression("PK = :user AND begins_with(SK, :quota)");
    let query = query.expression_attribute_values(":user", AttributeValue::S(format!("USER#{user}")));
    let found = query.expression_attribute_values(":quota", AttributeValue::S("QUOTA#".to_owned())).send().await?;
    let mut items: Vec<_> = found.items().iter().map(|item| format!("{:?}", BTreeMap::from_iter(item))).collect();
    items.sort();
    Ok(items)
}

/// The check of every part and of the whole of CRCs, after the Rocksoft parameters of CRC-64/NVME (NVM Express, 64b CRC).
fn crc64_nvme(bytes: &[u8]) -> [u8; 8] {
    let table: Vec<u64> = (0..256_u64)
        .map(|byte| (0..8).fold(byte, |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0x9A6C_9329_AC4B_C9B5 } else { crc >> 1 }))
        .collect();
    let step = |crc: u64, byte: &u8| table[usize::try_from((crc ^ u64::from(*byte)) & 0xFF).unwrap_or(0)] ^ crc >> 8;
    (!bytes.iter().fold(u64::MAX, step)).to_be_bytes()
}

/// Declared when the upload begins, and sent with every part: S3 compares, and lists them, and is told them again at the end.
pub(crate) async fn parts_may_come_with_checksums(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    ensure!(hex::encode(crc64_nvme(b"123456789")) == "ae8b14860a799888", "the check value of CRC-64/NVME");
    let chat = Chat::open(&cloud, "checksums").await?;
    let file = video(PART + 3);
    let slots = chat.announce("one", &[&file, &file]).await?;
    let sha256 = |bytes: &[u8]| STANDARD.encode(Sha256::digest(bytes));
    let crc64 = |bytes: &[u8]| STANDARD.encode(crc64_nvme(bytes));
    with_checksums(&cloud, &chat, &slots[0], &file, ("SHA256", "checksumSha256", "x-amz-checksum-sha256"), sha256)
        .await?;
    let names = ("CRC64NVME", "checksumCrc64nvme", "x-amz-checksum-crc64nvme");
    with_checksums(&cloud, &chat, &slots[1], &file, names, crc64).await
}

async fn with_checksums(
    cloud: &Cloud,
    chat: &Chat,
    slot: &Slot,
    file: &File,
    (algorithm, parameter, header): (&str, &str, &str),
    checksum: impl Fn(&[u8]) -> String,
) -> anyhow::Result<()> {
    let uppy = Uploader::of(cloud, slot)?;
    let upload = uppy.begin(json!({ "checksumAlgorithm": algorithm })).await?;
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(file.bytes.chunks(PART)) {
        let sum = checksum(part);
        let query = [("key", uppy.key.as_str()), (parameter, &sum)];
        let (status, signed) = uppy.call("GET", &format!("/multipart/{upload}/{number}"), &query, None).await?;
        ensure!(status == 200 && signed["headers"] == json!({ header: sum }), "{signed}");
        let url = signed["url"].as_str().context("a URL")?;
        let put = |sum: &str, bytes: Vec<u8>| cloud.http.put(url).header(header, sum).body(bytes).send();
        let mut other = part.to_vec();
        other[0] ^= 1;
        ensure!(put(&sum, other).await?.status() == 400, "other bytes than the checksum's");
        ensure!(put("AAAA", part.to_vec()).await?.status() == 403, "another checksum than was signed");
        let sent = put(&sum, part.to_vec()).await?;
        ensure!(sent.status() == 200);
        parts.push(json!({ "PartNumber": number, "ETag": sent.headers()["etag"].to_str()? }));
    }
    let (status, done) = uppy.complete(&upload, json!({ "parts": parts })).await?;
    ensure!(status == 200, "{done}");
    ensure!(chat.decided(slot).await?["state"] == "ready");
    Ok(())
}

pub(crate) async fn a_form_uploads_exactly_what_was_promised(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "form").await?;
    let file = File { name: "Grüße 👋.txt".to_owned(), ..File::text("12345") };
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    let uppy = Uploader::of(&cloud, &slot)?;
    let query = [
        ("filename", file.name.as_str()),
        ("type", "text/plain"),
        ("metadata[name]", file.name.as_str()),
        ("metadata[relativePath]", "null"),
        ("metadata[a b]", "left out"),
    ];
    let (status, form) = uppy.call("GET", "/params", &query, None).await?;
    ensure!(status == 200 && form["method"] == "POST" && form["fields"]["success_action_status"] == "201", "{form}");
    ensure!(form["fields"]["x-amz-meta-name"] == "Gr%C3%BC%C3%9Fe%20%F0%9F%91%8B%2Etxt", "{form}");
    let url = form["url"].as_str().context("a URL")?;
    ensure!(url.ends_with('/'), "{url}");
    let send = async |changed: &[(&str, &str)], bytes: &'static str| {
        let mut fields = form["fields"].as_object().cloned().unwrap_or_default();
        for (name, value) in changed {
            fields.insert((*name).to_owned(), json!(value));
        }
        let body = fields
            .into_iter()
            .fold(Form::new(), |body, (name, value)| body.text(name, value.as_str().unwrap_or_default().to_owned()));
        let sent = cloud.http.post(url).multipart(body.part("file", Part::text(bytes))).send().await?;
        anyhow::Ok(sent.status().as_u16())
    };
    ensure!(send(&[], "123456").await? == 400, "too long");
    ensure!(send(&[], "1234").await? == 400, "too short");
    for changed in
        [("key", "another/key"), ("content-type", "text/html"), ("x-amz-meta-name", "x"), ("x-amz-meta-more", "x")]
    {
        ensure!(send(&[changed], "12345").await? == 403, "{changed:?}");
    }
    ensure!(State::of(&cloud, &chat.room).await?.has_no_objects(), "nothing came in");
    ensure!(send(&[], "12345").await? == 201);
    ensure!(chat.decided(&slot).await?["state"] == "ready");
    let long = "x".repeat(3000);
    let asked = uppy.call("GET", "/params", &[("metadata[name]", long.as_str())], None).await;
    refused("decided", asked, 409, "attachment-decided")
}

pub(crate) async fn a_person_has_a_quota_of_a_window_and_of_what_is_pending(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let (person, token) = cloud.customer("quota").await?;
    let (_, room) = cloud.call(&token, "POST", "/v1/rooms", Some(&json!({}))).await?;
    let messages = format!("/v1/rooms/{}/messages", room["room"].as_str().context("a room")?);
    let file = json!({ "name": "a", "size": 1, "type": "text/plain" });
    let send = async |id: String, files: usize| {
        let body = json!({ "clientMessageId": id, "text": "x", "attachments": vec![file.clone(); files] });
        cloud.call(&token, "POST", &messages, Some(&body)).await
    };
    let mut last = Value::Null;
    for number in 0..10 {
        let (status, answer) = send(format!("m{number}"), 20).await?;
        ensure!(status == 201, "{status} {answer}");
        last = answer;
    }
    let (status, refused) = send("full".to_owned(), 1).await?;
    ensure!(status == 429 && refused["code"] == "too-many-pending", "{status} {refused}");
    ensure!(send("text".to_owned(), 0).await?.0 == 201, "a text costs nothing");
    let (status, again) = send("m9".to_owned(), 20).await?;
    ensure!(status == 200 && again["message"]["seq"] == last["message"]["seq"], "what was sent is sent: {status}");
    let place = format!("{messages}/{}", last["message"]["seq"]);
    let id = last["message"]["attachments"][0]["id"].as_str().context("an attachment")?.to_owned();
    for _ in 0..2 {
        ensure!(cloud.call(&token, "DELETE", &format!("{place}/attachments/{id}/upload"), None).await?.0 == 200);
    }
    ensure!(send("one-more".to_owned(), 1).await?.0 == 201, "a cancelled one is given back, once");
    ensure!(send("full-again".to_owned(), 1).await?.0 == 429);
    // Nobody gives a deleted message's back; it is found when there is no room left.
    ensure!(cloud.call(&token, "DELETE", &place, None).await?.0 == 200);
    ensure!(send("tidied".to_owned(), 19).await?.0 == 201);

    let item = cloud.dynamodb.query().table_name(cloud.output("TableName")?);
    let item = item.key_condition_expression("PK = :user AND begins_with(SK, :quota)");
    let item = item.expression_attribute_values(":user", AttributeValue::S(format!("USER#{}", person.id)));
    let item = item.expression_attribute_values(":quota", AttributeValue::S("QUOTA#2".to_owned())).send().await?;
    ensure!(cloud.call(&token, "DELETE", &messages.replace("/messages", "/messages/1"), None).await?.0 == 200);
    let url = format!("{}{messages}", cloud.stack().api_url()?);
    // Files and bytes are counted apart.
    for (counted, most) in [("files", "2000"), ("bytes", "214748364800")] {
        for window in item.items() {
            let update = cloud.dynamodb.update_item().table_name(cloud.output("TableName")?);
            let update = update.key("PK", window["PK"].clone()).key("SK", window["SK"].clone());
            let update = update.update_expression("SET #counted = :most, #other = :none");
            let other = if counted == "files" { "bytes" } else { "files" };
            let update =
                update.expression_attribute_names("#counted", counted).expression_attribute_names("#other", other);
            let update = update.expression_attribute_values(":most", AttributeValue::N(most.to_owned()));
            update.expression_attribute_values(":none", AttributeValue::N("0".to_owned())).send().await?;
        }
        let body = json!({ "clientMessageId": format!("over-{counted}"), "attachments": [file] });
        let response = cloud.http.post(&url).bearer_auth(&token).json(&body).send().await?;
        let after: u64 = response.headers().get("retry-after").context("it says when")?.to_str()?.parse()?;
        let (status, refused) = (response.status(), response.json::<Value>().await?);
        let is_told = refused["code"] == "quota-exceeded" && (1..=3600).contains(&after);
        ensure!(status == 429 && is_told, "{counted}: {status} {after} {refused}");
    }
    Ok(())
}
