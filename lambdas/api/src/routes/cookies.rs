//! Cookies with which a browser reads all files of a room from CloudFront, without a signature in each URL.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::id::RoomId;
use vestibule_store::cloudfront::Cookie;

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
    for cookie in cookies {
        let cookie = written(&cookie, &domain, &room, expires.seconds() - now.seconds());
        let cookie = HeaderValue::from_str(&cookie).map_err(|_unprintable| Problem::from(Code::InternalError))?;
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// A cookie that is sent to `domain` and all below it, for what is of `room`, over TLS, and that no script of a page can read.
fn written(cookie: &Cookie, domain: &str, room: &RoomId, seconds: i64) -> String {
    let Cookie { name, value } = cookie;
    format!("{name}={value}; Domain={domain}; Path=/{room}; Max-Age={seconds}; Secure; HttpOnly; SameSite=None")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_one_room_and_no_script() {
        let cookie = Cookie { name: "CloudFront-Policy", value: "eyJ_~-".to_owned() };
        let room = crate::testing::ROOM.parse().unwrap();
        assert_eq!(
            written(&cookie, "example.com", &room, 3900),
            "CloudFront-Policy=eyJ_~-; Domain=example.com; Path=/01jd3v8q0zk5w6x7y8z9abcdef; Max-Age=3900; Secure; HttpOnly; \
             SameSite=None"
        );
    }
}
