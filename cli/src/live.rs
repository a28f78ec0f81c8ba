//! The WebSocket, as the command line uses it: pushes of what changed in one's rooms.

use std::time::Duration;

use anyhow::Context;
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as Refused, Message as Frame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use vestibule_domain::live::{ClientFrame, Push, ServerFrame};

use crate::api::Api;

/// How long connecting, and then the answer to `hello`, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// API Gateway's frames are at most 32 KB.
const MAX_FRAME_BYTES: usize = 32 * 1024;
/// Before this much silence `hello` is said again: API Gateway closes a connection after ten minutes of it.
const SILENCE: Duration = Duration::from_mins(5);
/// Tries to connect again after a connection was lost, before it is lost for good.
const TRIES: u32 = 5;
/// The longest wait before the first of them; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(500);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An open WebSocket that connects itself again.
pub struct Live {
    api: Api,
    socket: Option<Socket>,
    /// Tries to connect again, in a row, that failed.
    failed: u32,
}

/// What became of one wait.
enum Heard {
    Push(Push),
    /// The connection is as it should be, and says nothing of a change.
    Nothing,
    Lost,
}

impl Live {
    /// Connects, and waits until the server knows the connection: whatever changes from then on is pushed.
    ///
    /// # Errors
    /// When the API gives no ticket, or the WebSocket does not answer.
    pub async fn open(api: &Api) -> anyhow::Result<Self> {
        Ok(Self { api: api.clone(), socket: Some(connect(api).await?), failed: 0 })
    }

    /// Whether pushes can come, now or when it is connected again.
    pub fn is_open(&self) -> bool {
        self.socket.is_some() || self.failed < TRIES
    }

    /// The next push; `None` when none came before the deadline, or after the connection was lost: what changed meanwhile was not
    /// pushed, so ask.
    pub async fn next(&mut self, deadline: Instant) -> Option<Push> {
        loop {
            let Some(socket) = self.socket.as_mut() else {
                self.reconnect(deadline).await;
                return None;
            };
            let wait = deadline.min(Instant::now() + SILENCE);
            match timeout_at(wait, hear(socket)).await {
                Ok(Heard::Push(push)) => return Some(push),
                Ok(Heard::Nothing) => {}
                Err(_) if wait == deadline => return None,
                // What keeps it open; the answer is heard in the next round.
                Err(_) if hello(socket).await.is_ok() => {}
                Ok(Heard::Lost) | Err(_) => self.socket = None,
            }
        }
    }

    /// Tries once to connect again, after a wait that grows with each failure and is spread, so that all who lost a server together
    /// do not come back together. The deadline ends it, and counts as a failure.
    async fn reconnect(&mut self, deadline: Instant) {
        let longest = FIRST_WAIT * 2_u32.saturating_pow(self.failed);
        let again = async {
            sleep(longest.mul_f64(rand::random_range(0.5..1.0))).await;
            connect(&self.api).await
        };
        if let Ok(Ok(socket)) = timeout_at(deadline, again).await {
            (self.socket, self.failed) = (Some(socket), 0);
        } else {
            self.failed += 1;
        }
    }
}

async fn connect(api: &Api) -> anyhow::Result<Socket> {
    let ticket = api.connect_ticket().await?;
    let url = format!("{}?ticket={}", ticket.url, ticket.ticket);
    let limits =
        WebSocketConfig::default().max_message_size(Some(MAX_FRAME_BYTES)).max_frame_size(Some(MAX_FRAME_BYTES));
    let connected = timeout(PATIENCE, connect_async_with_config(url, Some(limits), true)).await;
    // The error may hold the URL, and so the ticket.
    let connected = connected.context("the WebSocket does not answer")?;
    let (mut socket, _) = connected.map_err(|error| anyhow::anyhow!("the WebSocket refused: {}", kind(&error)))?;
    timeout(PATIENCE, synced(&mut socket)).await.context("the WebSocket says nothing")??;
    Ok(socket)
}

/// What of an error may be shown.
fn kind(error: &Refused) -> String {
    if let Refused::Http(response) = error {
        return response.status().to_string();
    }
    if let Refused::Io(error) = error {
        return error.to_string();
    }
    "it could not be opened".to_owned()
}

async fn synced(socket: &mut Socket) -> anyhow::Result<()> {
    hello(socket).await?;
    loop {
        let frame = socket.next().await.context("the WebSocket was closed")?.context("the WebSocket was lost")?;
        if let Some(ServerFrame::Sync { .. }) = read(&frame) {
            return Ok(());
        }
    }
}

async fn hello(socket: &mut Socket) -> anyhow::Result<()> {
    let hello = serde_json::to_string(&ClientFrame::Hello)?;
    socket.send(Frame::text(hello)).await.context("the WebSocket was lost")
}

async fn hear(socket: &mut Socket) -> Heard {
    match socket.next().await {
        None | Some(Err(_)) => Heard::Lost,
        Some(Ok(frame)) => match read(&frame) {
            Some(ServerFrame::Message(push)) => Heard::Push(push),
            // Frames of another kind may be added.
            Some(ServerFrame::Sync { .. } | ServerFrame::Error { .. }) | None => Heard::Nothing,
        },
    }
}

fn read(frame: &Frame) -> Option<ServerFrame> {
    serde_json::from_str(frame.to_text().ok()?).ok()
}
