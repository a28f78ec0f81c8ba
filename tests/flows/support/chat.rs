//! A room of one test's own, with its customer and the operator in it.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use vestibule::checkout::Checkout;
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::key::InboxKey;
use vestibule_store::objects::InboxVersion;

use super::cloud::Cloud;
use super::wait::until;

/// A room, seen by its customer.
pub(crate) struct Chat {
    cloud: Arc<Cloud>,
    /// The room's id.
    pub(crate) room: RoomId,
    /// The customer's access token.
    pub(crate) customer: String,
}

/// A file to send.
pub(crate) struct File {
    /// Its name.
    pub(crate) name: String,
    /// The type that its sender claims.
    pub(crate) declared: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// A fixture, under its own name.
    pub(crate) fn fixture(name: &str, declared: &str) -> anyhow::Result<Self> {
        let path = Checkout::find()?.fixtures().join("files").join(name);
        let bytes = std::fs::read(path).with_context(|| format!("fixture {name}"))?;
        Ok(Self { name: name.to_owned(), declared: declared.to_owned(), bytes })
    }

    /// A text.
    pub(crate) fn text(text: &str) -> Self {
        Self { name: "note.txt".to_owned(), declared: "text/plain".to_owned(), bytes: text.as_bytes().to_vec() }
    }
}

/// An announced attachment and how to upload it.
pub(crate) struct Slot {
    /// Where it goes.
    pub(crate) key: InboxKey,
    /// The API's ticket: method, url, headers, expires.
    pub(crate) ticket: Value,
}

impl Chat {
    /// Opens a room between the operator and a new customer, who is named after the test.
    pub(crate) async fn open(cloud: &Arc<Cloud>, customer: &str) -> anyhow::Result<Self> {
        let (person, token) = cloud.customer(customer).await?;
        let (status, room) =
            cloud.call(&cloud.operator, "POST", "/v1/rooms", Some(&json!({ "customer": person.id }))).await?;
        ensure!(status == 201, "opening a room: {status} {room}");
        let room = room["room"].as_str().context("a room has an id")?.parse()?;
        Ok(Self { cloud: Arc::clone(cloud), room, customer: token })
    }

    /// The path of a message.
    pub(crate) fn path(&self, seq: MessageSeq) -> String {
        format!("/v1/rooms/{}/messages/{seq}", self.room)
    }

    /// The path of an attachment.
    pub(crate) fn attachment_path(&self, slot: &Slot) -> String {
        format!("{}/attachments/{}", self.path(slot.key.message), slot.key.attachment)
    }

    /// Calls the API as the customer, and wants it to succeed.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let (status, answer) = self.cloud.call(&self.customer, method, path, body).await?;
        ensure!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        Ok(answer)
    }

    /// Announces files in one message, without uploading them.
    pub(crate) async fn announce(&self, id: &str, files: &[&File]) -> anyhow::Result<Vec<Slot>> {
        let announced =
            files.iter().map(|file| json!({ "name": file.name, "size": file.bytes.len(), "type": file.declared }));
        let announced: Vec<Value> = announced.collect();
        self.announce_as(id, &json!(announced)).await
    }

    /// Announces attachments in one message, word for word.
    pub(crate) async fn announce_as(&self, id: &str, attachments: &Value) -> anyhow::Result<Vec<Slot>> {
        let body = json!({ "clientMessageId": id, "attachments": attachments });
        let sent = self.call("POST", &format!("/v1/rooms/{}/messages", self.room), Some(&body)).await?;
        self.slots(&sent)
    }

    /// The attachments that the answer to a send announces.
    pub(crate) fn slots(&self, sent: &Value) -> anyhow::Result<Vec<Slot>> {
        let message: MessageSeq = serde_json::from_value(sent["message"]["seq"].clone())?;
        let attachments = sent["message"]["attachments"].as_array().context("a message lists its attachments")?;
        let slots = attachments.iter().map(|attachment| {
            let id = attachment["id"].as_str().context("an attachment has an id")?;
            let key = InboxKey { room: self.room.clone(), message, attachment: id.parse()? };
            Ok(Slot { key, ticket: sent["uploads"][id].clone() })
        });
        slots.collect()
    }

    /// Uploads with the ticket, as a browser would.
    pub(crate) async fn upload(&self, slot: &Slot, file: &File) -> anyhow::Result<InboxVersion> {
        let response = put(&self.cloud, &slot.ticket, file.bytes.clone()).await?;
        let status = response.status();
        ensure!(status.is_success(), "uploading: {status}");
        let version =
            response.headers().get("x-amz-version-id").context("the inbox is versioned")?.to_str()?.parse()?;
        Ok(InboxVersion { key: slot.key.clone(), version, size: file.bytes.len() as u64 })
    }

    /// Announces one file and uploads it.
    pub(crate) async fn send(&self, id: &str, file: &File) -> anyhow::Result<(Slot, InboxVersion)> {
        let slot = self.announce(id, &[file]).await?.pop().context("one attachment was announced")?;
        let upload = self.upload(&slot, file).await?;
        Ok((slot, upload))
    }

    /// The attachment as the API shows it.
    pub(crate) async fn attachment(&self, slot: &Slot) -> anyhow::Result<Value> {
        let message = self.call("GET", &self.path(slot.key.message), None).await?;
        let attachments = message["attachments"].as_array().context("a message lists its attachments")?;
        let found = attachments.iter().find(|attachment| attachment["id"] == slot.key.attachment.as_str());
        Ok(found.cloned().unwrap_or(Value::Null))
    }

    /// Waits until the attachment is decided, and answers how the API shows it.
    pub(crate) async fn decided(&self, slot: &Slot) -> anyhow::Result<Value> {
        until("a decision", async || {
            let attachment = self.attachment(slot).await?;
            Ok((attachment["state"] != "pending").then_some(attachment))
        })
        .await
    }
}

/// Sends a ticket's request with `bytes`.
pub(crate) async fn put(cloud: &Cloud, ticket: &Value, bytes: Vec<u8>) -> anyhow::Result<reqwest::Response> {
    let url = ticket["url"].as_str().context("a ticket has a URL")?;
    let mut request = cloud.http.put(url);
    for (name, value) in ticket["headers"].as_object().context("a ticket has headers")? {
        // The client sets it from the body, as a browser does.
        if name != "content-length" {
            request = request.header(name, value.as_str().context("a header's value is text")?);
        }
    }
    // As the Fetch standard has browsers do, and this client does not by itself.
    if bytes.is_empty() {
        request = request.header("content-length", 0);
    }
    Ok(request.body(bytes).send().await?)
}
