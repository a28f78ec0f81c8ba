//! A WebSocket of one person, as a client that knows nothing of ours would use it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::cloud::Cloud;

/// Longest wait for a frame.
const PATIENCE: Duration = Duration::from_mins(1);

/// An open WebSocket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// A ticket of the bearer of `token`, and the address to use it at.
    pub(crate) async fn ticket(cloud: &Cloud, token: &str) -> anyhow::Result<(String, String)> {
        let (status, answer) = cloud.call(token, "POST", "/v1/connect-tickets", None).await?;
        ensure!(status == 201, "{status} {answer}");
        let text = |name: &str| answer[name].as_str().map(ToOwned::to_owned).context("a ticket and a URL");
        Ok((text("ticket")?, text("url")?))
    }

    /// Connects with a query string, such as `ticket=…`.
    pub(crate) async fn connect(url: &str, query: &str) -> anyhow::Result<Self> {
        Ok(Self(connect_async(format!("{url}?{query}")).await?.0))
    }

    /// Connects as the bearer of `token`, says hello and waits for the answer, which must be the first frame.
    pub(crate) async fn open(cloud: &Cloud, token: &str) -> anyhow::Result<Self> {
        let (ticket, url) = Self::ticket(cloud, token).await?;
        let mut socket = Self::connect(&url, &format!("ticket={ticket}")).await?;
        let sync = socket.ask(&json!({ "action": "hello" }).to_string()).await?;
        ensure!(sync["type"] == "sync", "{sync}");
        Ok(socket)
    }

    /// Sends a frame and answers the next that comes.
    pub(crate) async fn ask(&mut self, frame: &str) -> anyhow::Result<Value> {
        self.0.send(Message::text(frame)).await?;
        self.next().await
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Value> {
        let frame = timeout_at(Instant::now() + PATIENCE, self.0.next()).await.context("a minute without a frame")?;
        let frame = frame.context("the WebSocket was closed")??;
        Ok(serde_json::from_str(frame.to_text()?)?)
    }

    /// Collects pushes until one is as wanted.
    pub(crate) async fn pushes_until(&mut self, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Vec<Value>> {
        let mut pushes = Vec::new();
        loop {
            let push = self.next().await?;
            ensure!(push["type"] == "message", "{push}");
            let last = wanted(&push);
            pushes.push(push);
            if last {
                return Ok(pushes);
            }
        }
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) -> anyhow::Result<()> {
        Ok(self.0.close(None).await?)
    }
}
