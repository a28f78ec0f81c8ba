//! Who has a room: taking one that waits, handing one on, giving one back.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::id::{RoomId, UserId};
use vestibule_store::rooms::{Claim, Transfer};

use super::{parameter, room_of};
use crate::caller::Caller;
use crate::code::Code;
use crate::input::{OptionalBody, Place};
use crate::openapi::problems;
use crate::problem::Problem;
use crate::view::room::RoomView;
use crate::world::World;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::default().routes(routes!(claim, release))
}

/// Who is to have a room.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct NewOperator {
    /// Another operator, to whom the caller hands the room on. Without it the caller takes a waiting room.
    operator: Option<String>,
}

problems!(
    ClaimProblems:
    OperatorsOnly, NotFound, RoomTaken, RoomClosed, TwoPeopleNeeded, NotAnOperator, InvalidRequest, MalformedJson,
    UnsupportedMediaType, RequestTooLarge
);

/// Take a waiting room, or hand one on
///
/// Without a body the operator who calls becomes the room's operator. Taking one's own room again changes nothing. With one, the
/// room's operator hands it on to another, who must have taken a room or connected within the last 30 days.
#[utoipa::path(
    put, path = "/v1/rooms/{room}/operator", operation_id = "claimRoom", tag = "rooms",
    request_body = Option<NewOperator>,
    params(("room" = String, Path, description = "The room.")),
    responses((status = 200, description = "The room with its operator.", body = RoomView), ClaimProblems),
)]
async fn claim(
    State(world): State<World>,
    caller: Caller,
    Place(room): Place<RoomId>,
    OptionalBody(new): OptionalBody<NewOperator>,
) -> Result<Json<RoomView>, Problem> {
    if !caller.is_operator {
        return Err(Code::OperatorsOnly.into());
    }
    if let Some(operator) = new.operator {
        let operator = operator.parse().map_err(|_not_an_id| parameter("/operator", "must be a person's id"))?;
        return handed_on(&world, &caller, &room, Some(&operator)).await;
    }
    world.rooms.note_operator(&caller.user, world.clock.now()).await?;
    match world.rooms.claim(&room, &caller.user).await? {
        Claim::Held(room) => Ok(Json(room.into())),
        Claim::Missing => Err(Code::NotFound.into()),
        Claim::Taken => Err(Code::RoomTaken.into()),
        Claim::Own => Err(Code::TwoPeopleNeeded.into()),
        Claim::Closed => Err(Code::RoomClosed.into()),
    }
}

/// Hands a room of the caller's on.
async fn handed_on(
    world: &World,
    caller: &Caller,
    room: &RoomId,
    to: Option<&UserId>,
) -> Result<Json<RoomView>, Problem> {
    room_of(world, caller, room).await?;
    match world.rooms.transfer(room, &caller.user, to, world.clock.now()).await? {
        Transfer::Done(room) => Ok(Json(room.into())),
        Transfer::Missing => Err(Code::NotFound.into()),
        Transfer::NotTheirs => Err(Code::RoomTaken.into()),
        Transfer::Closed => Err(Code::RoomClosed.into()),
        Transfer::NoOperator => Err(Code::NotAnOperator.into()),
    }
}

problems!(ReleaseProblems: OperatorsOnly, NotFound, RoomTaken, RoomClosed, NotAnOperator);

/// Give a room back
///
/// The room's operator leaves it, and it waits for another.
#[utoipa::path(
    delete, path = "/v1/rooms/{room}/operator", operation_id = "releaseRoom", tag = "rooms",
    params(("room" = String, Path, description = "The room.")),
    responses((status = 200, description = "It waits for an operator.", body = RoomView), ReleaseProblems),
)]
async fn release(
    State(world): State<World>,
    caller: Caller,
    Place(room): Place<RoomId>,
) -> Result<Json<RoomView>, Problem> {
    if !caller.is_operator {
        return Err(Code::OperatorsOnly.into());
    }
    handed_on(&world, &caller, &room, None).await
}
