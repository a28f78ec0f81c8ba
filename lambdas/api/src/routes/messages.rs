//! Sending, reading, editing and deleting a message.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::attachment::{Attachment, Promise};
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::message::Message;
use vestibule_store::messages::{Change, Draft, Sending, Writer};
use vestibule_store::quotas::Exceeded;

use super::{room_of, uploads};
use crate::caller::Caller;
use crate::code::Code;
use crate::draft::{self, Checked, NewMessage};
use crate::input::{Body, Place};
use crate::openapi::problems;
use crate::problem::Problem;
use crate::view::message::MessageView;
use crate::view::transfer::UploadView;
use crate::world::World;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::default().routes(routes!(send)).routes(routes!(read, edit, delete))
}

/// A message that was sent, and how to upload its attachments.
#[derive(Serialize, ToSchema)]
#[schema(as = Sent)]
pub struct SentView {
    /// The message.
    message: MessageView,
    /// How to upload each attachment that is pending, by its id.
    uploads: BTreeMap<String, UploadView>,
}

problems!(
    SendProblems:
    NotFound, RoomClosed, ClientMessageIdReused, InvalidRequest, TooLarge, MalformedJson, UnsupportedMediaType,
    RequestTooLarge, QuotaExceeded, TooManyPending
);

/// Send a message
///
/// The answer says how to upload each attachment: one PUT, with all the headers that are listed, or in parts. For a day, sending the same
/// request under the same `clientMessageId` again answers the same message with 200, and fresh uploads for what is pending.
#[utoipa::path(
    post, path = "/v1/rooms/{room}/messages", operation_id = "sendMessage", tag = "messages", request_body = NewMessage,
    params(("room" = String, Path, description = "The room.")),
    responses(
        (status = 201, description = "It is sent.", body = SentView),
        (status = 200, description = "It had been sent.", body = SentView),
        SendProblems,
    ),
)]
async fn send(
    State(world): State<World>,
    caller: Caller,
    Place(room): Place<RoomId>,
    Body(message): Body<NewMessage>,
) -> Result<(StatusCode, Json<SentView>), Problem> {
    let checked = Checked::new(message, world.settings.max_upload_bytes)?;
    let room = room_of(&world, &caller, &room).await?;
    let draft = draft_of(&world, &caller, checked)?;
    let mut sending = world.messages.send(&room, &draft).await?;
    if let Sending::Exceeded(Exceeded::Pending) = sending {
        let lapse = world.settings.upload_ticket_seconds;
        if world.quotas.tidy(&caller.user, lapse, world.clock.now()).await? > 0 {
            sending = world.messages.send(&room, &draft).await?;
        }
    }
    let (status, message) = match sending {
        Sending::Sent(message) => (StatusCode::CREATED, message),
        Sending::Repeated(message) => (StatusCode::OK, message),
        Sending::Reused => return Err(Code::ClientMessageIdReused.into()),
        Sending::Closed => return Err(Code::RoomClosed.into()),
        Sending::NoRoom => return Err(Code::NotFound.into()),
        Sending::Exceeded(Exceeded::Window { seconds_left }) => {
            return Err(Problem::until(Code::QuotaExceeded, seconds_left));
        }
        Sending::Exceeded(Exceeded::Pending) => return Err(Code::TooManyPending.into()),
    };
    let uploads = uploads::pending(&world, &message).await?;
    Ok((status, Json(SentView { message: view(&world, &message).await?, uploads })))
}

/// What is sent, with the time and with ids for its attachments.
fn draft_of(world: &World, caller: &Caller, checked: Checked) -> Result<Draft, Problem> {
    let at = world.clock.now();
    let digest = checked.digest()?;
    let mut attachments = Vec::with_capacity(checked.attachments.len());
    for file in checked.attachments {
        attachments.push(Promise {
            id: world.ids.attachment()?,
            name: file.name,
            size: file.size,
            declared_type: file.content_type,
            declared_sha256: file.sha256,
            created_at: at,
        });
    }
    let (author, client_message_id) = (caller.user.clone(), checked.client_message_id);
    let quota = world.settings.quota;
    Ok(Draft { author, client_message_id, digest, text: checked.text, attachments, quota, at })
}

problems!(ReadProblems: NotFound);

/// Read a message
#[utoipa::path(
    get, path = "/v1/rooms/{room}/messages/{seq}", operation_id = "getMessage", tag = "messages",
    params(("room" = String, Path, description = "The room."), ("seq" = u64, Path, description = "The message.")),
    responses((status = 200, description = "The message, or its tombstone.", body = MessageView), ReadProblems),
)]
async fn read(
    State(world): State<World>,
    caller: Caller,
    Place((room, seq)): Place<(RoomId, MessageSeq)>,
) -> Result<Json<MessageView>, Problem> {
    let message = message_of(&world, &caller, &room, seq).await?;
    view(&world, &message).await.map(Json)
}

/// A message's new text.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewText {
    /// At most 32,768 bytes of UTF-8. It may be blank only if the message has attachments.
    text: String,
}

problems!(
    EditProblems:
    NotFound, NotTheAuthor, RoomClosed, MessageDeleted, InvalidRequest, MalformedJson, UnsupportedMediaType,
    RequestTooLarge
);

/// Edit a message
///
/// Its author may, while the room is open.
#[utoipa::path(
    patch, path = "/v1/rooms/{room}/messages/{seq}", operation_id = "editMessage", tag = "messages",
    request_body = NewText,
    params(("room" = String, Path, description = "The room."), ("seq" = u64, Path, description = "The message.")),
    responses((status = 200, description = "The message.", body = MessageView), EditProblems),
)]
async fn edit(
    State(world): State<World>,
    caller: Caller,
    Place((room, seq)): Place<(RoomId, MessageSeq)>,
    Body(new): Body<NewText>,
) -> Result<Json<MessageView>, Problem> {
    draft::check_text(&new.text)?;
    room_of(&world, &caller, &room).await?;
    let change = world.messages.edit(&writer(&world, &caller, room, seq), &new.text).await?;
    changed(&world, change).await
}

problems!(DeleteProblems: NotFound, NotTheAuthor);

/// Delete a message
///
/// Its author may, also in a closed room. What stays is a tombstone: the place in the room, who sent it and when. Deleting a
/// tombstone changes nothing.
#[utoipa::path(
    delete, path = "/v1/rooms/{room}/messages/{seq}", operation_id = "deleteMessage", tag = "messages",
    params(("room" = String, Path, description = "The room."), ("seq" = u64, Path, description = "The message.")),
    responses((status = 200, description = "The tombstone.", body = MessageView), DeleteProblems),
)]
async fn delete(
    State(world): State<World>,
    caller: Caller,
    Place((room, seq)): Place<(RoomId, MessageSeq)>,
) -> Result<Json<MessageView>, Problem> {
    room_of(&world, &caller, &room).await?;
    let change = world.messages.delete(&writer(&world, &caller, room.clone(), seq)).await?;
    if let Change::Made(_) = &change {
        uploads::abort(&world, &room, seq, None).await;
    }
    changed(&world, change).await
}

/// The message, for one of the two people of its room.
pub(super) async fn message_of(
    world: &World,
    caller: &Caller,
    room: &RoomId,
    seq: MessageSeq,
) -> Result<Message, Problem> {
    room_of(world, caller, room).await?;
    world.messages.get(room, seq).await?.ok_or_else(|| Code::NotFound.into())
}

/// The caller as a writer of a message.
pub(super) fn writer(world: &World, caller: &Caller, room: RoomId, seq: MessageSeq) -> Writer {
    Writer { room, seq, user: caller.user.clone(), at: world.clock.now() }
}

/// The answer to a change.
pub(super) async fn changed(world: &World, change: Change) -> Result<Json<MessageView>, Problem> {
    match change {
        Change::Made(message) => view(world, &message).await.map(Json),
        Change::Refused(refusal) => Err(refusal.into()),
    }
}

/// The view of `message`, with URLs for its thumbnails.
pub(super) async fn view(world: &World, message: &Message) -> Result<MessageView, Problem> {
    let mut views = views(world, std::slice::from_ref(message)).await?;
    views.pop().ok_or_else(|| Code::InternalError.into())
}

/// The views of `messages`, with URLs for their thumbnails.
pub(super) async fn views(world: &World, messages: &[Message]) -> Result<Vec<MessageView>, Problem> {
    let entries = messages.iter().flat_map(Message::attachments_in_order);
    let ready = entries.filter_map(|(_, entry)| match entry {
        Attachment::Ready(ready) => Some(ready),
        Attachment::Pending(_) | Attachment::Rejected(_) | Attachment::Cancelled(_) | Attachment::Removed => None,
    });
    let keys: Vec<&str> = ready.flat_map(|ready| ready.variants.values()).map(|variant| variant.key.as_str()).collect();
    let urls = world.downloads.urls(&keys, world.clock.now()).await?;
    let view = |message| MessageView::new(message, &urls, |promise| uploads::lapse(world, promise));
    Ok(messages.iter().map(view).collect())
}
