//! The routes, by what they are about, and what they have in common.

use utoipa_axum::router::OpenApiRouter;
use vestibule_domain::id::RoomId;
use vestibule_domain::room::Room;

use crate::caller::Caller;
use crate::code::Code;
use crate::openapi;
use crate::problem::{Problem, Violation};
use crate::world::World;

pub mod attachments;
pub mod companion;
pub mod cookies;
pub mod history;
pub mod live;
pub mod messages;
pub mod operators;
pub mod rooms;
pub mod uploads;

/// All routes, with their description.
pub fn all() -> OpenApiRouter<World> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(rooms::routes())
        .merge(operators::routes())
        .merge(messages::routes())
        .merge(history::routes())
        .merge(attachments::routes())
        .merge(cookies::routes())
        .merge(uploads::routes())
        .merge(live::routes())
}

/// The room, for one of its two people. To anyone else it does not exist.
async fn room_of(world: &World, caller: &Caller, room: &RoomId) -> Result<Room, Problem> {
    match world.rooms.get(room).await? {
        Some(room) if room.has(&caller.user) => Ok(room),
        _ => Err(Code::NotFound.into()),
    }
}

/// Entries of a page when nothing is asked for.
const DEFAULT_LIMIT: usize = 50;
/// Most entries of a page.
const MAX_LIMIT: usize = 100;

/// How many entries a page may have.
fn limit(wanted: Option<&str>) -> Result<usize, Problem> {
    let Some(wanted) = wanted else { return Ok(DEFAULT_LIMIT) };
    match wanted.parse() {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(parameter("limit", &format!("must be from 1 to {MAX_LIMIT}"))),
    }
}

/// A query parameter that breaks a rule.
fn parameter(name: &str, rule: &str) -> Problem {
    Problem::violations(Code::InvalidRequest, vec![Violation::new(name, rule)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_100_entries_and_50_by_default() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!(limit(Some("1")).unwrap(), 1);
        assert_eq!(limit(Some("100")).unwrap(), 100);
        for bad in ["0", "101", "", "-1", "x", "1.5"] {
            assert_eq!(limit(Some(bad)).unwrap_err().code(), Code::InvalidRequest, "{bad}");
        }
    }
}
