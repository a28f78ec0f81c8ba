//! Cookies with which a browser reads all files of a room from CloudFront, without a signature in each URL.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::id::RoomId;

use super::room_of;
use crate::caller::Caller;
use crate::code::Code;
use crate::input::Place;
use crate::openapi::problems;
use crate::problem::Problem;
use crate::world::World;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::default().routes(routes!(cookies))
}

problems!(CookieProblems: NotFound);

/// Get cookies for a room's files
///
/// Where files go out through CloudFront under the domain that the API is under too. They are the same for both people of the room within
/// a window of time, and open this room alone. Elsewhere there are none: not found.
#[utoipa::path(
    post, path = "/v1/rooms/{room}/view-cookies", operation_id = "setViewCookies", tag = "attachments",
    params(("room" = String, Path, description = "The room.")),
    responses(
        (status = 204, description = "They are set.", headers(("set-cookie" = String, description = "Three cookies."))),
        CookieProblems,
    ),
)]
async fn cookies(State(world): State<World>, caller: Caller, Place(room): Place<RoomId>) -> Result<Response, Problem> {
    let domain = world.settings.cloudfront.as_ref().and_then(|cloudfront| cloudfront.cookie_domain.clone());
    let domain = domain.ok_or(Code::NotFound)?;
    room_of(&world, &caller, &room).await?;
    let now = world.clock.now();
    let (cookies, expires) = world.downloads.cookies(&room, now).ok_or(Code::NotFound)?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let seconds = expires.seconds() - now.seconds();
    for cookie in cookies {
        let cookie = format!(
            "{}={}; Domain={domain}; Path=/{room}; Max-Age={seconds}; Secure; HttpOnly; SameSite=None",
            cookie.name, cookie.value
        );
        let cookie = HeaderValue::from_str(&cookie).map_err(|_unprintable| Problem::from(Code::InternalError))?;
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
