//! Tells both people of a room, on every connection that they have open.

use futures::stream::{self, StreamExt as _};
use tokio::time::{Duration, timeout};
use vestibule_domain::id::{ConnectionId, RoomId, UserId};
use vestibule_domain::live::{Push, ServerFrame};
use vestibule_runtime::logs::chain;
use vestibule_store::connections::Posted;
use vestibule_store::error::StoreError;

use crate::world::World;

/// Connections of one person that are posted to: their newest. A person has some devices and some windows, and whoever has more open
/// than this has left the others behind. As many of those are closed with each batch.
const MOST: usize = 50;
/// How long a connection is posted to before it is given up. A batch has at most a hundred pushes, one after the other.
const LONGEST: Duration = Duration::from_secs(12);
/// How long hanging up may take.
const HANG_UP: Duration = Duration::from_secs(2);
/// The longest that a room takes, but for what the table takes: all its connections are posted to at a time.
pub const ROOM: Duration = LONGEST.saturating_add(HANG_UP);
/// A connection that seems gone is forgotten when it is older than this, in seconds: one that is younger may not be let in yet.
const SETTLED_SECONDS: i64 = 30;

/// How a room's pushes went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Frames that are on their way.
    pub sent: usize,
    /// Connections that were gone, and are forgotten.
    pub gone: usize,
    /// Connections that could not be posted to for another reason, or were too many. They are closed.
    pub failed: usize,
}

/// Pushes what changed in `room`, in the order of the changes on each connection. A connection that fails, or is busy for too long,
/// keeps no other from its pushes. It is closed: whoever had it would wait for a push that never comes, and asks what has changed
/// when they connect again.
///
/// # Errors
/// [`StoreError`], when the table does not say who is in the room and connected.
pub async fn relay(world: &World, room: &RoomId, pushes: &[Push]) -> Result<Told, StoreError> {
    let Some(found) = world.rooms.get(room).await? else { return Ok(Told::default()) };
    let mut connections = Vec::new();
    for user in found.operator.into_iter().chain([found.customer]) {
        let open = world.connections.of(&user, world.clock.now()).await?;
        let open = open.into_iter().take(2 * MOST).enumerate();
        connections.extend(open.map(|(place, connection)| (user.clone(), connection, place < MOST)));
    }
    let told = stream::iter(connections)
        .map(async |(user, connection, is_wanted)| {
            if is_wanted {
                tell_in_time(world, &user, &connection, pushes).await
            } else {
                tracing::warn!(connection.id = %connection, user.id = %user, "one connection too many");
                hang_up(world, &user, &connection).await;
                Told { failed: 1, ..Told::default() }
            }
        })
        .buffer_unordered(4 * MOST);
    Ok(told
        .fold(Told::default(), async |sum, told| Told {
            sent: sum.sent + told.sent,
            gone: sum.gone + told.gone,
            failed: sum.failed + told.failed,
        })
        .await)
}

/// Posts to one connection, and closes it when that fails or takes too long.
async fn tell_in_time(world: &World, user: &UserId, connection: &ConnectionId, pushes: &[Push]) -> Told {
    let told = timeout(LONGEST, tell(world, user, connection, pushes)).await.unwrap_or_else(|_elapsed| {
        tracing::warn!(connection.id = %connection, "the connection was busy for too long");
        Told { failed: 1, ..Told::default() }
    });
    if told.failed > 0 {
        hang_up(world, user, connection).await;
    }
    told
}

async fn hang_up(world: &World, user: &UserId, connection: &ConnectionId) {
    match timeout(HANG_UP, world.connections.hang_up(connection, user)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log(connection, &error, "the connection could not be closed"),
        Err(_elapsed) => tracing::warn!(connection.id = %connection, "the connection did not close in time"),
    }
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
