//! Listing a room's messages, by their place or by their last change.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::id::{MessageSeq, RoomId};
use vestibule_domain::message::Message;
use vestibule_store::cursor::ChangeCursor;
use vestibule_store::messages::Since;

use super::messages::views;
use super::{limit, parameter, room_of};
use crate::caller::Caller;
use crate::code::Code;
use crate::input::{Place, Wanted};
use crate::openapi::problems;
use crate::problem::Problem;
use crate::view::message::MessageView;
use crate::world::World;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::default().routes(routes!(list))
}

/// Which messages are listed: by their place, or by their last change.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct MessagesWanted {
    /// The messages behind this one, in their order. 0, the default, is the beginning.
    #[param(value_type = Option<u64>, nullable = false)]
    after_seq: Option<String>,
    /// The messages that changed since this moment (RFC 3339, in UTC), by their last change.
    #[param(nullable = false)]
    changed_since: Option<String>,
    /// Most messages of the answer, 1 to 100; 50 by default. It may have fewer and still not be the last.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, nullable = false)]
    limit: Option<String>,
}

/// Some messages.
#[derive(Serialize, ToSchema)]
#[schema(as = Messages)]
pub struct MessagesView {
    /// The messages.
    #[schema(value_type = Vec<MessageView>)]
    messages: Vec<Box<RawValue>>,
    /// Where the next page begins, to be given back in place of the `afterSeq` or `changedSince` that was asked with; absent
    /// after the last. Its form may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

problems!(ListProblems: NotFound, InvalidRequest);

/// List messages
///
/// By their place in the room (`afterSeq`), or by their last change (`changedSince`). The second list lags a little and the
/// clocks that date changes differ, so begin two minutes before the last change you have seen, and drop what you know by
/// `seq` and `ver`. Thumbnails come with URLs that are ready to be shown.
#[utoipa::path(
    get, path = "/v1/rooms/{room}/messages", operation_id = "listMessages", tag = "messages",
    params(("room" = String, Path, description = "The room."), MessagesWanted),
    responses((status = 200, description = "The messages.", body = MessagesView), ListProblems),
)]
async fn list(
    State(world): State<World>,
    caller: Caller,
    Place(room): Place<RoomId>,
    Wanted(wanted): Wanted<MessagesWanted>,
) -> Result<Json<MessagesView>, Problem> {
    let limit = limit(wanted.limit.as_deref())?;
    let from = From::read(wanted.after_seq.as_deref(), wanted.changed_since.as_deref())?;
    let room = room_of(&world, &caller, &room).await?.room;
    let (messages, more) = match from {
        From::Seq(after) => {
            let (messages, more) = world.messages.list(&room, after, limit).await?;
            (messages.into_iter().map(|message| (message.seq.to_string(), message)).collect::<Vec<_>>(), more)
        }
        From::Change(since) => {
            let (messages, more) = world.messages.changed(&room, &since, limit).await?;
            (messages.into_iter().map(|(place, message)| (place.to_string(), message)).collect(), more)
        }
    };
    page(&world, messages, more).await.map(Json)
}

/// Where a list of messages begins.
#[derive(Debug, PartialEq, Eq)]
enum From {
    Seq(Option<MessageSeq>),
    Change(Since),
}

impl From {
    fn read(after_seq: Option<&str>, changed_since: Option<&str>) -> Result<Self, Problem> {
        match (after_seq, changed_since) {
            (Some(_), Some(_)) => Err(parameter("changedSince", "cannot go with afterSeq")),
            (None | Some("0"), None) => Ok(Self::Seq(None)),
            (Some(after), None) => {
                let seq = after.parse::<u64>().ok().and_then(|seq| MessageSeq::try_from(seq).ok());
                let seq = seq.ok_or_else(|| parameter("afterSeq", "must be a message's seq, or 0"))?;
                Ok(Self::Seq(Some(seq)))
            }
            (None, Some(since)) => {
                let moment = since.parse().map(Since::Moment).ok();
                let place = || since.parse::<ChangeCursor>().map(Since::Place).ok();
                let rule = "must be an RFC 3339 time, or what an answer gave as next";
                moment.or_else(place).map(Self::Change).ok_or_else(|| parameter("changedSince", rule))
            }
        }
    }
}

/// Most bytes of a page. A function's answer ends at 6 MB, where JSON stands as a text inside JSON, so that quotes and
/// backslashes may count double. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;

/// The page of these messages, each with the place that follows it, and of no more bytes than an answer may have.
async fn page(world: &World, messages: Vec<(String, Message)>, more: bool) -> Result<MessagesView, Problem> {
    let mut page = MessagesView { messages: Vec::with_capacity(messages.len()), next: None };
    let (mut bytes, mut last, mut cut) = (0, None, false);
    let (places, messages): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
    for (place, view) in places.into_iter().zip(views(world, &messages).await?) {
        let view = serde_json::value::to_raw_value(&view);
        let view = view.map_err(|_unwritable| Problem::from(Code::InternalError))?;
        bytes += view.get().len();
        if bytes > MAX_PAGE_BYTES && last.is_some() {
            cut = true;
            break;
        }
        page.messages.push(view);
        last = Some(place);
    }
    page.next = last.filter(|_| more || cut);
    Ok(page)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;

    #[test]
    fn a_list_begins_at_a_place_or_at_a_moment() {
        let seq = |seq| MessageSeq::try_from(seq).unwrap();
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(From::read(None, None).unwrap(), From::Seq(None));
        assert_eq!(From::read(Some("0"), None).unwrap(), From::Seq(None));
        assert_eq!(From::read(Some("7"), None).unwrap(), From::Seq(Some(seq(7))));
        assert_eq!(
            From::read(None, Some("2026-11-22T22:35:14Z")).unwrap(),
            From::Change(Since::Moment(at("2026-11-22T22:35:14.000Z")))
        );
        assert_eq!(
            From::read(None, Some("2026-11-22T22:35:14.123Z~000000000007")).unwrap(),
            From::Change(Since::Place(ChangeCursor { at: at("2026-11-22T22:35:14.123Z"), seq: seq(7) }))
        );
        for (after, since) in [
            (Some("-1"), None),
            (Some("x"), None),
            (Some("1000000000000"), None),
            (None, Some("yesterday")),
            (None, Some("2026-11-22T22:35:14.123Z~7")),
            (Some("1"), Some("2026-11-22T22:35:14Z")),
        ] {
            assert_eq!(From::read(after, since).unwrap_err().code(), Code::InvalidRequest, "{after:?} {since:?}");
        }
    }

    fn message(seq: u64, text: &str) -> (String, Message) {
        let message = json!({
            "room": testing::ROOM, "seq": seq, "ver": 1, "by": "me", "cause": "sent", "at": "2026-11-22T22:35:14.000Z",
            "author": "me", "createdAt": "2026-11-22T22:35:14.000Z", "text": text, "attachments": {},
        });
        (seq.to_string(), serde_json::from_value(message).unwrap())
    }

    #[tokio::test]
    async fn a_page_ends_before_its_answer_gets_too_long() {
        let world = testing::world();
        let long = "\u{1}".repeat(vestibule_domain::policy::MAX_TEXT_BYTES);
        let messages: Vec<_> = (1..=100).map(|seq| message(seq, &long)).collect();
        let page = page(&world, messages, false).await.unwrap();
        let bytes: usize = page.messages.iter().map(|message| message.get().len()).sum();
        assert!(bytes <= MAX_PAGE_BYTES && bytes > MAX_PAGE_BYTES / 2, "{bytes}");
        assert_eq!(page.next, Some(page.messages.len().to_string()));
    }

    #[tokio::test]
    async fn the_last_page_says_that_it_is_the_last() {
        let world = testing::world();
        let two = || vec![message(1, "a"), message(2, "b")];
        assert_eq!(page(&world, two(), true).await.unwrap().next.as_deref(), Some("2"));
        assert_eq!(page(&world, two(), false).await.unwrap().next, None);
        assert_eq!(page(&world, vec![], false).await.unwrap().next, None);
    }
}
