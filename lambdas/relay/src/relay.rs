//! Tells both people of a room, on every connection that they have open.

use futures::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};
use vestibule_domain::id::{ConnectionId, RoomId, UserId};
use vestibule_domain::live::{Push, ServerFrame};
use vestibule_runtime::logs::chain;
use vestibule_store::connections::Posted;
use vestibule_store::error::StoreError;

use crate::world::World;

/// Connections that are posted to at a time.
const AT_ONCE: usize = 16;
/// A connection that seems gone is forgotten when it is older than this, in seconds: one that is younger may not be let in yet.
const SETTLED_SECONDS: i64 = 30;

/// How a room's pushes went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Frames that are on their way.
    pub sent: usize,
    /// Connections that were gone, and are forgotten.
    pub gone: usize,
    /// Connections that could not be posted to for another reason.
    pub failed: usize,
}

/// Pushes what changed in `room`, in the order of the changes on each connection, until the deadline. A connection that fails, or is
/// busy for too long, keeps no other from its pushes: whoever missed one asks what has changed when they connect again.
///
/// # Errors
/// [`StoreError`], when the table does not say who is in the room and connected.
pub async fn relay(world: &World, room: &RoomId, pushes: &[Push], deadline: Instant) -> Result<Told, StoreError> {
    let Some(found) = world.rooms.get(room).await? else { return Ok(Told::default()) };
    let mut connections = Vec::new();
    for user in found.operator.into_iter().chain([found.customer]) {
        let open = world.connections.of(&user, world.clock.now()).await?;
        connections.extend(open.into_iter().map(|connection| (user.clone(), connection)));
    }
    let told = stream::iter(connections)
        .map(async |(user, connection)| {
            timeout_at(deadline, tell(world, &user, &connection, pushes)).await.unwrap_or_else(|_elapsed| {
                tracing::warn!(connection.id = %connection, "the connection was busy for too long");
                Told { failed: 1, ..Told::default() }
            })
        })
        .buffer_unordered(AT_ONCE);
    Ok(told
        .fold(Told::default(), async |sum, told| Told {
            sent: sum.sent + told.sent,
            gone: sum.gone + told.gone,
            failed: sum.failed + told.failed,
        })
        .await)
}

/// Posts to one connection, until it is gone or fails.
async fn tell(world: &World, user: &UserId, connection: &ConnectionId, pushes: &[Push]) -> Told {
    let mut told = Told::default();
    for push in pushes {
        match world.connections.post(connection, &ServerFrame::Message(push.clone())).await {
            Ok(Posted::Sent) => told.sent += 1,
            Ok(Posted::Gone) => {
                told.gone = 1;
                let noted_before = world.clock.now().plus_seconds(-SETTLED_SECONDS);
                if let Err(error) = world.connections.forget_gone(connection, user, noted_before).await {
                    log(connection, &error, "the connection is gone and could not be forgotten");
                }
                break;
            }
            Err(error) => {
                told.failed = 1;
                log(connection, &error, "the connection could not be told");
                break;
            }
        }
    }
    told
}

fn log(connection: &ConnectionId, error: &StoreError, what: &'static str) {
    tracing::warn!(connection.id = %connection, error.message = %chain(error), "{what}");
}
