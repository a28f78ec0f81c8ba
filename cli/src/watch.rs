//! Waits for what changes in a room: for pushes over the WebSocket or, where there is none, for time to pass.

use std::collections::BTreeSet;

use tokio::time::{Instant, sleep_until};
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::live::Push;

use crate::api::Api;
use crate::live::Live;
use crate::terminal;

/// What is pushed, and every distinct change that was.
pub(crate) struct Watch {
    live: Option<Live>,
    pushed: BTreeSet<(RoomId, MessageSeq, u64)>,
}

impl Watch {
    /// Opens the WebSocket. When that fails, says so and goes on without.
    pub(crate) async fn open(api: &Api) -> Self {
        let live = match Live::open(api).await {
            Ok(live) => Some(live),
            Err(error) => {
                tracing::warn!("no live updates, so asking now and then: {}", terminal::one_line(&error));
                None
            }
        };
        Self { live, pushed: BTreeSet::new() }
    }

    /// Without a WebSocket: for when there is nothing to wait for.
    pub(crate) fn nothing() -> Self {
        Self { live: None, pushed: BTreeSet::new() }
    }

    /// Whether pushes can come.
    pub(crate) fn is_live(&self) -> bool {
        self.live.as_ref().is_some_and(Live::is_open)
    }

    /// Waits until a message of `room` changes, and answers which. `None` when the deadline came first.
    pub(crate) async fn changed(&mut self, room: &RoomId, deadline: Instant) -> Option<MessageSeq> {
        while let Some(live) = self.live.as_mut().filter(|live| live.is_open()) {
            let Some(Push { room: of, seq, ver }) = live.next(deadline).await else { break };
            let is_news = self.pushed.insert((of.clone(), seq, ver));
            if is_news && of == *room {
                return Some(seq);
            }
        }
        sleep_until(deadline).await;
        None
    }

    /// The distinct changes of messages of `room` that were pushed: place and version.
    pub(crate) fn pushes(&self, room: &RoomId) -> BTreeSet<(MessageSeq, u64)> {
        self.pushed.iter().filter(|(of, ..)| of == room).map(|(_, seq, ver)| (*seq, *ver)).collect()
    }
}
