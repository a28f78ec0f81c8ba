//! Leave to upload: issued with a message, issued again while the attachment is pending, and given up.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::attachment::{Attachment, Promise};
use vestibule_domain::correlation::CorrelationId;
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId};
use vestibule_domain::key::InboxKey;
use vestibule_domain::message::Message;
use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::upload_ticket::Slot;
use vestibule_store::messages::Change;

use super::messages::{changed, message_of, writer};
use super::room_of;
use crate::caller::Caller;
use crate::code::Code;
use crate::input::Place;
use crate::openapi::problems;
use crate::problem::Problem;
use crate::view::message::MessageView;
use crate::view::transfer::UploadView;
use crate::world::World;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::default().routes(routes!(issue_again, cancel))
}

/// Leave to upload each pending attachment of `message`, by attachment.
pub(super) async fn pending(world: &World, message: &Message) -> Result<BTreeMap<String, UploadView>, Problem> {
    let mut uploads = BTreeMap::new();
    for (id, entry) in message.attachments_in_order() {
        if let Attachment::Pending(pending) = entry
            && lapse(world, &pending.promise) > world.clock.now()
        {
            uploads.insert(id.to_string(), issue(world, message, &pending.promise).await?);
        }
    }
    Ok(uploads)
}

/// Leave to upload one attachment. The log line is the first with its correlation id.
async fn issue(world: &World, message: &Message, promise: &Promise) -> Result<UploadView, Problem> {
    let key = InboxKey { room: message.room.clone(), message: message.seq, attachment: promise.id.clone() };
    let upload = world.urls.upload(&key, promise, world.clock.now()).await?;
    let slot =
        Slot { key, size: promise.size, content_type: promise.declared_type.clone(), expires: lapse(world, promise) };
    let ticket = world.upload_keys.seal(&slot).await?;
    tracing::info!(
        correlation.id = %CorrelationId::from(&promise.id),
        room.id = %message.room,
        message.seq = message.seq.get(),
        attachment.id = %promise.id,
        attachment.size = promise.size,
        attachment.type = %promise.declared_type,
        upload.expires = %upload.expires,
        "upload issued"
    );
    Ok(UploadView::new(upload, &slot, &ticket))
}

/// Gives up what has begun in parts of an attachment that nobody waits for any more, or of a message. What cannot be aborted now, S3
/// aborts after some days.
pub(super) async fn abort(world: &World, room: &RoomId, seq: MessageSeq, attachment: Option<&AttachmentId>) {
    if let Err(error) = world.urls.abort_all(room, seq, attachment).await {
        tracing::warn!(error.message = %error, "an upload in parts was not aborted");
    }
}

/// When the time to upload a file is over.
pub(super) fn lapse(world: &World, promise: &Promise) -> Timestamp {
    promise.created_at.plus_seconds(world.settings.upload_ticket_seconds.into())
}

problems!(IssueProblems: NotFound, NotTheAuthor, AttachmentDecided, MessageDeleted, UploadLapsed);

/// Issue an upload again
///
/// For an upload whose URL has expired. The old URL is not revoked; whichever upload is examined first decides.
#[utoipa::path(
    post, path = "/v1/rooms/{room}/messages/{seq}/attachments/{attachment}/upload", operation_id = "issueUpload",
    tag = "uploads",
    params(
        ("room" = String, Path, description = "The room."),
        ("seq" = u64, Path, description = "The message."),
        ("attachment" = String, Path, description = "The attachment."),
    ),
    responses((status = 200, description = "How to upload it.", body = UploadView), IssueProblems),
)]
async fn issue_again(
    State(world): State<World>,
    caller: Caller,
    Place((room, seq, attachment)): Place<(RoomId, MessageSeq, AttachmentId)>,
) -> Result<Json<UploadView>, Problem> {
    let message = message_of(&world, &caller, &room, seq).await?;
    if message.author != caller.user {
        return Err(Code::NotTheAuthor.into());
    }
    match message.attachment(&attachment) {
        _ if message.deleted => Err(Code::MessageDeleted.into()),
        None => Err(Code::NotFound.into()),
        Some(Attachment::Pending(pending)) if lapse(&world, &pending.promise) <= world.clock.now() => {
            Err(Code::UploadLapsed.into())
        }
        Some(Attachment::Pending(pending)) => Ok(Json(issue(&world, &message, &pending.promise).await?)),
        Some(Attachment::Ready(_) | Attachment::Rejected(_) | Attachment::Cancelled(_) | Attachment::Removed) => {
            Err(Code::AttachmentDecided.into())
        }
    }
}

problems!(CancelProblems: NotFound, NotTheAuthor, AttachmentDecided, MessageDeleted);

/// Cancel an upload
///
/// The attachment goes from pending to cancelled; what arrives for it later is not published. Cancelling it again changes
/// nothing.
#[utoipa::path(
    delete, path = "/v1/rooms/{room}/messages/{seq}/attachments/{attachment}/upload", operation_id = "cancelUpload",
    tag = "uploads",
    params(
        ("room" = String, Path, description = "The room."),
        ("seq" = u64, Path, description = "The message."),
        ("attachment" = String, Path, description = "The attachment."),
    ),
    responses((status = 200, description = "The message.", body = MessageView), CancelProblems),
)]
async fn cancel(
    State(world): State<World>,
    caller: Caller,
    Place((room, seq, attachment)): Place<(RoomId, MessageSeq, AttachmentId)>,
) -> Result<Json<MessageView>, Problem> {
    room_of(&world, &caller, &room).await?;
    let change = world.messages.cancel(&writer(&world, &caller, room.clone(), seq), &attachment).await?;
    if let Change::Made(_) = &change {
        // Should this fail, the reservation lapses by itself.
        let key = InboxKey { room, message: seq, attachment };
        if let Err(error) = world.quotas.give_back(&caller.user, &[key.to_string()]).await {
            tracing::warn!(error.message = %error, "a reservation was not given back");
        }
        abort(&world, &key.room, seq, Some(&key.attachment)).await;
    }
    changed(&world, change).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing;

    const ATTACHMENT: &str = "01jd3v8q0zk5w6x7y8z9abcde0";

    fn message() -> Message {
        let entry = json!({
            "id": ATTACHMENT, "name": "secret plans.pdf", "size": 9, "declaredType": "application/pdf",
            "createdAt": "2026-11-22T22:35:14.000Z", "state": "pending",
        });
        let message = json!({
            "room": testing::ROOM, "seq": 42, "ver": 1, "by": "me", "cause": "sent", "at": "2026-11-22T22:35:14.000Z",
            "author": "me", "createdAt": "2026-11-22T22:35:14.000Z", "text": "for your eyes only",
            "attachments": { ATTACHMENT: entry, "01jd3v8q0zk5w6x7y8z9abcde1": { "state": "removed" } },
            "attachmentOrder": [ATTACHMENT, "01jd3v8q0zk5w6x7y8z9abcde1"],
        });
        serde_json::from_value(message).unwrap()
    }

    #[tokio::test]
    async fn what_is_pending_gets_leave_to_upload() {
        let uploads = pending(&testing::world(), &message()).await.unwrap();
        let mut uploads = serde_json::to_value(&uploads).unwrap();
        let url = uploads[ATTACHMENT]["url"].take();
        let place = format!("/inbox/{}/000000000042/{ATTACHMENT}?", testing::ROOM);
        assert!(url.as_str().unwrap().contains(&place), "{url}");
        insta::assert_json_snapshot!(uploads);
    }

    #[tokio::test]
    async fn an_issued_upload_is_logged_under_its_correlation_id_without_its_url_or_name() {
        let lines = testing::Lines::default();
        let logging = tracing::subscriber::set_default(vestibule_runtime::logs::into("trace", lines.writer()));
        let uploads = pending(&testing::world(), &message()).await.unwrap();
        drop(logging);
        let log = lines.text();
        let line: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
        assert_eq!(log.lines().count(), 1);
        assert_eq!(line["correlation.id"], ATTACHMENT);
        assert_eq!(line["message"], "upload issued");
        assert_eq!(line["message.seq"], 42);
        assert_eq!(line["attachment.type"], "application/pdf");
        assert_eq!(uploads.len(), 1);
        for secret in ["X-Amz", "Signature", "http", "secret plans", "eyes only"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
}
