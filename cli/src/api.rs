//! The HTTP API, as far as the command line calls it.

use std::collections::BTreeMap;

use anyhow::Context;
use reqwest::{Client, Method};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vestibule_domain::content_type::ContentType;
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::id::{AttachmentId, ClientMessageId, MessageSeq, RoomId};
use vestibule_domain::inspection::Facts;
use vestibule_domain::rejection::Rejection;
use vestibule_domain::room::Room;
use vestibule_domain::timestamp::Timestamp;

use crate::stack::Stack;
use crate::{http_client, login};

/// No answer of the API is longer: a Lambda function answers at most 6 MB.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// The API as one signed-in person sees it.
#[derive(Clone)]
pub struct Api {
    http: Client,
    url: String,
    token: Token,
}

/// Where the access token comes from.
#[derive(Clone)]
enum Token {
    /// It is this one.
    Fixed(String),
    /// It is that of whoever is signed in to the stack. It is renewed before it ends: an upload may take longer than a token lasts.
    Kept(Box<Stack>),
}

/// A file that a message announces.
#[derive(Debug, Clone, Serialize)]
pub struct Announcement {
    /// The file's name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// What the sender takes it for.
    #[serde(rename = "type")]
    pub content_type: ContentType,
    /// Its digest, unless it is so large that nobody should read it once more to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
}

/// A message that was sent, and how to upload what it announced.
#[derive(Deserialize)]
pub struct Sent {
    /// The message.
    pub message: Message,
    /// For each attachment that still waits for its bytes.
    pub uploads: BTreeMap<AttachmentId, Ticket>,
}

/// How to upload one attachment. A credential: never logged, and so without `Debug`.
#[derive(Deserialize)]
pub struct Ticket {
    /// Where to.
    pub url: String,
    /// The headers that the signature covers.
    pub headers: BTreeMap<String, String>,
    /// How to upload it in parts.
    pub companion: Companion,
}

/// The upload routes of one attachment. A credential: never logged, and so without `Debug`.
#[derive(Deserialize)]
pub struct Companion {
    /// Where they are, behind the API's address.
    pub url: String,
}

/// What opens the WebSocket. A credential: never logged, and so without `Debug`.
#[derive(Deserialize)]
pub struct ConnectTicket {
    /// Good once, for some seconds.
    pub ticket: String,
    /// Where to connect.
    pub url: String,
}

/// A message as the API shows it.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Its place in the room.
    pub seq: MessageSeq,
    /// How often it was written.
    pub ver: u64,
    /// Its attachments, in order.
    pub attachments: Vec<Attachment>,
}

/// An attachment as the API shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// `pending`, `ready`, `rejected`, `cancelled` or `removed`.
    pub state: String,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// What the bytes said.
    pub facts: Option<Facts>,
    /// Its thumbnails by name.
    #[serde(default)]
    pub variants: BTreeMap<String, Variant>,
    /// Why it was refused.
    pub rejection: Option<Rejection>,
}

impl Attachment {
    /// Whether it waits for its bytes or for its decision.
    pub fn is_pending(&self) -> bool {
        self.state == "pending"
    }
}

/// A thumbnail as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Variant {
    /// Its content type.
    #[serde(rename = "type")]
    pub content_type: ContentType,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Its bytes.
    pub size: u64,
}

/// A refusal of the API's (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: Option<String>,
    code: String,
}

impl Api {
    /// The API at `url`, for the bearer of `token`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(url: String, token: String) -> anyhow::Result<Self> {
        Ok(Self { http: http_client::client()?, url, token: Token::Fixed(token) })
    }

    /// The API of `stack`, for whoever is signed in.
    ///
    /// # Errors
    /// When TLS cannot be set up, or the stack has no API.
    pub fn of(stack: &Stack) -> anyhow::Result<Self> {
        let token = Token::Kept(Box::new(stack.clone()));
        Ok(Self { http: http_client::client()?, url: stack.api_url()?, token })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens a room as a customer, or answers the one that is open.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn open_room(&self) -> anyhow::Result<Room> {
        self.call(Method::POST, "/v1/rooms", Some(&serde_json::json!({}))).await.context("cannot open a room")
    }

    /// Closes a room.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn close_room(&self, room: &RoomId) -> anyhow::Result<Room> {
        let closed = self.call(Method::POST, &format!("/v1/rooms/{room}/close"), None::<&()>).await;
        closed.context("cannot close the room")
    }

    /// Sends a message with attachments. Sent twice under one `id`, it is sent once.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn send(
        &self,
        room: &RoomId,
        id: &ClientMessageId,
        text: &str,
        files: &[Announcement],
    ) -> anyhow::Result<Sent> {
        let message = serde_json::json!({ "clientMessageId": id, "text": text, "attachments": files });
        let sent = self.call(Method::POST, &format!("/v1/rooms/{room}/messages"), Some(&message)).await;
        sent.context("cannot send a message")
    }

    /// Asks again how to upload an attachment that is pending.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn upload_again(&self, room: &RoomId, seq: MessageSeq, id: &AttachmentId) -> anyhow::Result<Ticket> {
        let path = format!("/v1/rooms/{room}/messages/{seq}/attachments/{id}/upload");
        self.call(Method::POST, &path, None::<&()>).await.context("cannot ask how to upload a file")
    }

    /// Gets a ticket for the WebSocket.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn connect_ticket(&self) -> anyhow::Result<ConnectTicket> {
        self.call(Method::POST, "/v1/connect-tickets", None::<&()>)
            .await
            .context("cannot get a ticket for the WebSocket")
    }

    /// Reads a message.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn message(&self, room: &RoomId, seq: MessageSeq) -> anyhow::Result<Message> {
        let read = self.call(Method::GET, &format!("/v1/rooms/{room}/messages/{seq}"), None::<&()>).await;
        read.context("cannot read a message")
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let token = match &self.token {
            Token::Fixed(token) => token.clone(),
            Token::Kept(stack) => login::access_token(stack).await?,
        };
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.context("the API cannot be reached")?;
        let status = response.status();
        let body = http_client::body(response, MAX_ANSWER_BYTES).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).context("the API's answer is not what it should be");
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => {
                anyhow::bail!("{}: {} ({status})", problem.code, problem.detail.unwrap_or(problem.title))
            }
            Err(_not_ours) => anyhow::bail!("the API answered {status}: {}", String::from_utf8_lossy(&body).trim()),
        }
    }
}
