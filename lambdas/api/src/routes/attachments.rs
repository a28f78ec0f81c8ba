//! Downloading an attachment or one of its thumbnails, and taking one out of its message.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, LOCATION};
use http::{HeaderMap, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::attachment::{Attachment, Ready};
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId};
use vestibule_domain::message::Message;
use vestibule_store::messages::Change;

use super::messages::{changed, message_of, writer};
use super::{room_of, uploads};
use crate::caller::Caller;
use crate::code::Code;
use crate::input::Place;
use crate::openapi::problems;
use crate::problem::Problem;
use crate::view::message::MessageView;
use crate::view::transfer::DownloadView;
use crate::world::World;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::default().routes(routes!(original, remove)).routes(routes!(variant))
}

problems!(DownloadProblems: NotFound, AttachmentNotReady, AttachmentGone, MessageDeleted);

/// Download an attachment
///
/// Redirects to a URL that works for a while and without a token. For an hour or so everybody is answered the same. With `Accept: application/json` it is answered in a
/// document instead, for pages: a browser's `<img>` sends no token, and `fetch` cannot look into a redirect.
#[utoipa::path(
    get, path = "/v1/rooms/{room}/messages/{seq}/attachments/{attachment}", operation_id = "downloadAttachment",
    tag = "attachments",
    params(
        ("room" = String, Path, description = "The room."),
        ("seq" = u64, Path, description = "The message."),
        ("attachment" = String, Path, description = "The attachment."),
    ),
    responses(
        (status = 200, description = "Where to download it.", body = DownloadView),
        (status = 302, description = "Where to download it.", headers(("location" = String, description = "The URL."))),
        DownloadProblems,
    ),
)]
async fn original(
    State(world): State<World>,
    caller: Caller,
    Place((room, seq, attachment)): Place<(RoomId, MessageSeq, AttachmentId)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let message = message_of(&world, &caller, &room, seq).await?;
    let ready = ready(&message, &attachment)?;
    download(&world, &ready.original.key, &headers).await
}

/// Download a thumbnail
///
/// As for the attachment itself. The lists of messages carry these URLs already.
#[utoipa::path(
    get, path = "/v1/rooms/{room}/messages/{seq}/attachments/{attachment}/variants/{name}",
    operation_id = "downloadVariant", tag = "attachments",
    params(
        ("room" = String, Path, description = "The room."),
        ("seq" = u64, Path, description = "The message."),
        ("attachment" = String, Path, description = "The attachment."),
        ("name" = String, Path, description = "The thumbnail: `320` or `1280`."),
    ),
    responses(
        (status = 200, description = "Where to download it.", body = DownloadView),
        (status = 302, description = "Where to download it.", headers(("location" = String, description = "The URL."))),
        DownloadProblems,
    ),
)]
async fn variant(
    State(world): State<World>,
    caller: Caller,
    Place((room, seq, attachment, name)): Place<(RoomId, MessageSeq, AttachmentId, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let message = message_of(&world, &caller, &room, seq).await?;
    let variant = ready(&message, &attachment)?.variants.get(&name).ok_or(Code::NotFound)?;
    download(&world, &variant.key, &headers).await
}

problems!(RemoveProblems: NotFound, NotTheAuthor, MessageDeleted);

/// Remove an attachment
///
/// Whatever its state: nothing stays of it but its id. Removing it again changes nothing.
#[utoipa::path(
    delete, path = "/v1/rooms/{room}/messages/{seq}/attachments/{attachment}", operation_id = "removeAttachment",
    tag = "attachments",
    params(
        ("room" = String, Path, description = "The room."),
        ("seq" = u64, Path, description = "The message."),
        ("attachment" = String, Path, description = "The attachment."),
    ),
    responses((status = 200, description = "The message.", body = MessageView), RemoveProblems),
)]
async fn remove(
    State(world): State<World>,
    caller: Caller,
    Place((room, seq, attachment)): Place<(RoomId, MessageSeq, AttachmentId)>,
) -> Result<Json<MessageView>, Problem> {
    room_of(&world, &caller, &room).await?;
    let change = world.messages.remove(&writer(&world, &caller, room.clone(), seq), &attachment).await?;
    if let Change::Made(_) = &change {
        uploads::abort(&world, &room, seq, Some(&attachment)).await;
    }
    changed(&world, change).await
}

/// The attachment, if there is something to download.
fn ready<'a>(message: &'a Message, attachment: &AttachmentId) -> Result<&'a Ready, Problem> {
    if message.deleted {
        return Err(Code::MessageDeleted.into());
    }
    match message.attachment(attachment) {
        None => Err(Code::NotFound.into()),
        Some(Attachment::Ready(ready)) => Ok(ready),
        Some(Attachment::Pending(_)) => Err(Code::AttachmentNotReady.into()),
        Some(Attachment::Rejected(_) | Attachment::Cancelled(_) | Attachment::Removed) => {
            Err(Code::AttachmentGone.into())
        }
    }
}

async fn download(world: &World, key: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let mut urls = world.downloads.urls(&[key], world.clock.now()).await?;
    let download = urls.remove(key).ok_or(Code::InternalError)?;
    if prefers_json(headers) {
        return Ok(Json(DownloadView::from(download)).into_response());
    }
    Ok((StatusCode::FOUND, [(LOCATION, download.url)]).into_response())
}

/// Whether the caller asked for JSON by name. Wildcards do not count: a browser that follows a link sends `*/*`.
fn prefers_json(headers: &HeaderMap) -> bool {
    let ranges = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    ranges.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.and_then(|weight| weight.trim().parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
        });
        is_json && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_answered_to_those_who_ask_for_it_by_name() {
        let prefers = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            prefers_json(&headers)
        };
        assert!(prefers("application/json"));
        assert!(prefers("text/html, Application/JSON;q=0.5"));
        assert!(!prefers("*/*"));
        assert!(!prefers("application/*"));
        assert!(!prefers("image/avif,image/webp,*/*;q=0.8"));
        assert!(!prefers("application/json;q=0"));
        assert!(!prefers("application/jsonp"));
        assert!(!prefers_json(&HeaderMap::new()));
    }
}
