//! Opening, listing, reading and closing rooms.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::id::{RoomId, UserId};
use vestibule_domain::room::{Room, RoomStatus};
use vestibule_store::cursor::{Page, RoomCursor};
use vestibule_store::rooms::{OpenRooms, Opening};

use super::{limit, parameter, room_of};
use crate::caller::Caller;
use crate::code::Code;
use crate::input::{OptionalBody, Place, Wanted};
use crate::openapi::problems;
use crate::problem::{Problem, Violation};
use crate::view::room::RoomView;
use crate::world::World;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::default().routes(routes!(open, list)).routes(routes!(read)).routes(routes!(close))
}

/// What a room is opened with.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct NewRoom {
    /// The customer (`sub` of their token). An operator names one; a customer names nobody.
    #[schema(nullable = false)]
    customer: Option<String>,
}

problems!(
    OpenProblems:
    OperatorsOnly, CustomerHasRoom, TwoPeopleNeeded, InvalidRequest, MalformedJson, UnsupportedMediaType,
    RequestTooLarge
);

/// Open a room
///
/// A customer opens a room that waits for an operator. An operator opens one with a customer and is its operator. A customer
/// has one open room at a time: opening it again between the same two people answers it with 200.
#[utoipa::path(
    post, path = "/v1/rooms", operation_id = "openRoom", tag = "rooms", request_body = Option<NewRoom>,
    responses(
        (status = 201, description = "It is open.", body = RoomView),
        (status = 200, description = "It was open already.", body = RoomView),
        OpenProblems,
    ),
)]
async fn open(
    State(world): State<World>,
    caller: Caller,
    OptionalBody(wanted): OptionalBody<NewRoom>,
) -> Result<(StatusCode, Json<RoomView>), Problem> {
    let (customer, operator) = two_people(&caller, wanted)?;
    let now = world.clock.now();
    let room = Room {
        room: world.ids.room()?,
        customer,
        operator,
        status: RoomStatus::Open,
        last_seq: 0,
        opened_at: now,
        last_activity: now,
        closed_at: None,
    };
    match world.rooms.open(&room).await? {
        Opening::Opened => Ok((StatusCode::CREATED, Json(room.into()))),
        Opening::Standing(standing) if standing.has(&caller.user) => Ok((StatusCode::OK, Json(standing.into()))),
        Opening::Standing(_) => Err(Code::CustomerHasRoom.into()),
    }
}

/// Customer and operator of the room that `caller` wants.
fn two_people(caller: &Caller, wanted: NewRoom) -> Result<(UserId, Option<UserId>), Problem> {
    match (caller.is_operator, wanted.customer) {
        (false, None) => Ok((caller.user.clone(), None)),
        (false, Some(_)) => {
            Err(Problem::because(Code::OperatorsOnly, "Only an operator may open a room for a customer."))
        }
        (true, None) => Err(customer("an operator names the customer")),
        (true, Some(named)) => match named.parse() {
            Ok(customer) if customer == caller.user => Err(Code::TwoPeopleNeeded.into()),
            Ok(customer) => Ok((customer, Some(caller.user.clone()))),
            Err(_not_an_id) => Err(customer("must be a user's id")),
        },
    }
}

fn customer(rule: &str) -> Problem {
    Problem::violations(Code::InvalidRequest, vec![Violation::new("/customer", rule)])
}

/// Which rooms are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RoomsWanted {
    /// `true`: the rooms that wait for an operator, the longest untouched first. Operators only.
    #[param(value_type = Option<bool>, nullable = false)]
    waiting: Option<String>,
    /// Most rooms of the answer, 1 to 100; 50 by default.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, nullable = false)]
    limit: Option<String>,
    /// Where to go on: `next` of the answer before.
    #[param(nullable = false)]
    after: Option<String>,
}

/// Some rooms.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rooms)]
pub struct RoomsView {
    /// The rooms. A page may be short, or even empty, and still not be the last.
    rooms: Vec<RoomView>,
    /// Where the next page begins, to be given back as `after`; absent after the last. Its form may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

problems!(ListProblems: OperatorsOnly, InvalidRequest);

/// List open rooms
///
/// An operator gets their own open rooms, the last written in first, or those that wait for an operator; a customer gets
/// their own open room. A room that is written in moves in the list: to miss none, read the first page again now and then.
#[utoipa::path(
    get, path = "/v1/rooms", operation_id = "listRooms", tag = "rooms", params(RoomsWanted),
    responses((status = 200, description = "The rooms.", body = RoomsView), ListProblems),
)]
async fn list(
    State(world): State<World>,
    caller: Caller,
    Wanted(wanted): Wanted<RoomsWanted>,
) -> Result<Json<RoomsView>, Problem> {
    let limit = limit(wanted.limit.as_deref())?;
    let after: Option<RoomCursor> = wanted
        .after
        .map(|after| after.parse())
        .transpose()
        .map_err(|_invalid| parameter("after", "must be what an answer gave as next"))?;
    let waiting = match wanted.waiting.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(parameter("waiting", "must be true or false")),
    };
    let page = match (waiting, caller.is_operator) {
        (true, false) => return Err(Code::OperatorsOnly.into()),
        (true, true) => world.rooms.list_open(OpenRooms::Waiting, limit, after.as_ref()).await?,
        (false, true) => world.rooms.list_open(OpenRooms::Of(&caller.user), limit, after.as_ref()).await?,
        (false, false) => {
            let room = world.rooms.open_of_customer(&caller.user).await?;
            Page { items: room.filter(|room| room.status == RoomStatus::Open).into_iter().collect(), next: None }
        }
    };
    Ok(Json(RoomsView {
        rooms: page.items.into_iter().map(RoomView::from).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

problems!(ReadProblems: NotFound);

/// Read a room
#[utoipa::path(
    get, path = "/v1/rooms/{room}", operation_id = "getRoom", tag = "rooms",
    params(("room" = String, Path, description = "The room.")),
    responses((status = 200, description = "The room.", body = RoomView), ReadProblems),
)]
async fn read(
    State(world): State<World>,
    caller: Caller,
    Place(room): Place<RoomId>,
) -> Result<Json<RoomView>, Problem> {
    Ok(Json(room_of(&world, &caller, &room).await?.into()))
}

problems!(CloseProblems: NotFound);

/// Close a room
///
/// Either of its two people may. The customer can open another at once. Closing a closed room changes nothing.
#[utoipa::path(
    post, path = "/v1/rooms/{room}/close", operation_id = "closeRoom", tag = "rooms",
    params(("room" = String, Path, description = "The room.")),
    responses((status = 200, description = "It is closed.", body = RoomView), CloseProblems),
)]
async fn close(
    State(world): State<World>,
    caller: Caller,
    Place(room): Place<RoomId>,
) -> Result<Json<RoomView>, Problem> {
    let room = room_of(&world, &caller, &room).await?;
    match world.rooms.close(&room, world.clock.now()).await? {
        Some(closed) => Ok(Json(closed.into())),
        None => Err(Code::NotFound.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(user: &str, is_operator: bool) -> Caller {
        Caller { user: user.parse().unwrap(), is_operator }
    }

    fn wish(customer: Option<&str>) -> NewRoom {
        NewRoom { customer: customer.map(ToOwned::to_owned) }
    }

    #[test]
    fn a_customer_opens_for_themselves_and_an_operator_for_another() {
        let code = |caller: &Caller, wanted| two_people(caller, wanted).unwrap_err().code();
        let (customer, operator) = (caller("c", false), caller("o", true));
        assert_eq!(two_people(&customer, wish(None)).unwrap(), ("c".parse().unwrap(), None));
        assert_eq!(two_people(&operator, wish(Some("c"))).unwrap(), ("c".parse().unwrap(), Some("o".parse().unwrap())));
        assert_eq!(code(&customer, wish(Some("c"))), Code::OperatorsOnly);
        assert_eq!(code(&operator, wish(None)), Code::InvalidRequest);
        assert_eq!(code(&operator, wish(Some("a#b"))), Code::InvalidRequest);
        assert_eq!(code(&operator, wish(Some("o"))), Code::TwoPeopleNeeded);
    }
}
