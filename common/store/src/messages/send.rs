//! Sending: the room's next number, the message, the hint that makes a retry recognisable, and what its attachments cost, in one
//! transaction.

use vestibule_domain::attachment::{Attachment, Pending, Promise};
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::id::{ClientMessageId, MessageSeq, RoomId, UserId};
use vestibule_domain::message::{Cause, Message};
use vestibule_domain::quota::{Quota, Window};
use vestibule_domain::room::{Room, RoomStatus};
use vestibule_domain::timestamp::Timestamp;

use super::Messages;
use super::parts::{self, SentOnce};
use crate::backoff::Backoff;
use crate::error::StoreError;
use crate::quotas::{self, Exceeded};
use crate::rooms;
use crate::table::{self, Item, room_pk, sent_once_sk};
use crate::transaction::{Cancelled, Reason};

const OPERATION: &str = "TransactWriteItems that sends a message";

/// A message that somebody wants to send.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Who sends it.
    pub author: UserId,
    /// Their name for it.
    pub client_message_id: ClientMessageId,
    /// What the sender asked for, digested: the same request has the same digest.
    pub digest: Sha256Digest,
    /// What it says; may be empty.
    pub text: String,
    /// Its attachments, in the order in which they are shown.
    pub attachments: Vec<Promise>,
    /// What its author may upload.
    pub quota: Quota,
    /// When it is sent.
    pub at: Timestamp,
}

/// What became of a draft.
#[derive(Debug)]
pub enum Sending {
    /// It is sent.
    Sent(Box<Message>),
    /// It had been sent before: this is the message as it is now.
    Repeated(Box<Message>),
    /// Its name was used for another message within the last day.
    Reused,
    /// The room is closed.
    Closed,
    /// There is no such room.
    NoRoom,
    /// Its author may not upload so much.
    Exceeded(Exceeded),
}

/// One try's end.
enum Try {
    Done(Sending),
    /// Another message took the number; this is the room with the next one.
    Renumber(Box<Room>),
    /// Somebody was in the way.
    Wait(StoreError),
}

impl Messages {
    /// Sends `draft` in `room`, which the caller has just read.
    ///
    /// # Errors
    /// [`StoreError`]; whether the message was sent is then unknown, and sending it again under the same name tells.
    pub async fn send(&self, room: &Room, draft: &Draft) -> Result<Sending, StoreError> {
        let mut backoff = Backoff::new(draft.client_message_id.as_str());
        let mut room = room.clone();
        let mut is_first_race = true;
        loop {
            let reason = match self.try_to_send(&room, draft).await? {
                Try::Done(sending) => return Ok(sending),
                // The room as it is right now: worth a try at once. If that is too late again, many are sending.
                Try::Renumber(newer) if is_first_race => {
                    is_first_race = false;
                    room = *newer;
                    continue;
                }
                Try::Renumber(_) => StoreError::Conflict { operation: OPERATION, code: "lastSeq".to_owned() },
                Try::Wait(reason) => reason,
            };
            if !backoff.again().await {
                return Err(reason);
            }
            // What was true before the wait says nothing about the next number now.
            match rooms::read(&self.client, &self.table, &room.room).await? {
                Some(newer) => room = newer,
                None => return Ok(Sending::NoRoom),
            }
        }
    }

    async fn try_to_send(&self, room: &Room, draft: &Draft) -> Result<Try, StoreError> {
        let message = compose(room, draft)?;
        let mut transaction = self
            .client
            .transact_write_items()
            .transact_items(parts::numbered(&self.table, room, &message)?)
            .transact_items(parts::document(&self.table, &message)?)
            .transact_items(parts::sent_once(&self.table, &message, draft)?);
        let has_attachments = !draft.attachments.is_empty();
        if has_attachments {
            match quotas::charges(&self.table, &draft.quota, &draft.author, &message, &draft.attachments)? {
                Ok([counted, reserved]) => transaction = transaction.transact_items(counted).transact_items(reserved),
                Err(exceeded) => return Ok(Try::Done(Sending::Exceeded(exceeded))),
            }
        }
        let reasons = match transaction.send().await {
            Ok(_) => return Ok(Try::Done(Sending::Sent(Box::new(message)))),
            Err(error) => match Cancelled::<5>::read_first(OPERATION, if has_attachments { 5 } else { 3 }, error) {
                Cancelled::Reasons(reasons) => reasons,
                Cancelled::Failed(error) => return Err(error),
            },
        };
        match reasons {
            [_, _, Reason::Condition(Some(hint)), ..] => Ok(Try::Done(self.recall(&room.room, draft, hint).await?)),
            [Reason::Condition(Some(found)), ..] => self.overtaken(table::from_item(OPERATION, found)?, draft).await,
            [Reason::Condition(None), ..] => Ok(Try::Done(Sending::NoRoom)),
            [_, _, _, Reason::Condition(_), _] => {
                let seconds_left = Window::at(draft.at, draft.quota.window_seconds).seconds_left(draft.at);
                Ok(Try::Done(Sending::Exceeded(Exceeded::Window { seconds_left })))
            }
            [.., Reason::Condition(_)] => Ok(Try::Done(Sending::Exceeded(Exceeded::Pending))),
            reasons if Reason::is_busy(&reasons) => Ok(Try::Wait(Reason::fault(OPERATION, &reasons))),
            reasons => Err(Reason::fault(OPERATION, &reasons)),
        }
    }

    /// The room, now as `found`, moved on since it was read: is there a next number?
    async fn overtaken(&self, found: Room, draft: &Draft) -> Result<Try, StoreError> {
        match found.status {
            RoomStatus::Open => Ok(Try::Renumber(Box::new(found))),
            // What was sent before the room closed was sent, and its retry is told so.
            RoomStatus::Closed => Ok(Try::Done(self.earlier(&found.room, draft).await?.unwrap_or(Sending::Closed))),
        }
    }

    /// What was sent under the draft's name within the last day, if anything.
    async fn earlier(&self, room: &RoomId, draft: &Draft) -> Result<Option<Sending>, StoreError> {
        const OPERATION: &str = "GetItem of what was sent";
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("PK", room_pk(room))
            .key("SK", sent_once_sk(&draft.client_message_id))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::classify(OPERATION, error))?;
        let Some(item) = answer.item else { return Ok(None) };
        let hint: SentOnce = table::from_item(OPERATION, item.clone())?;
        if hint.is_past(draft.at) { Ok(None) } else { self.recall(room, draft, item).await.map(Some) }
    }

    /// What `hint`, which stands in the draft's way, says of it.
    async fn recall(&self, room: &RoomId, draft: &Draft, hint: Item) -> Result<Sending, StoreError> {
        let hint: SentOnce = table::from_item(OPERATION, hint)?;
        if hint.author != draft.author || hint.digest != draft.digest {
            return Ok(Sending::Reused);
        }
        match self.get(room, hint.seq).await? {
            Some(message) => Ok(Sending::Repeated(Box::new(message))),
            None => Err(StoreError::unreadable(OPERATION, "the hint names a message that does not exist")),
        }
    }
}

/// The message that `draft` becomes as the next of `room`.
fn compose(room: &Room, draft: &Draft) -> Result<Message, StoreError> {
    let seq = MessageSeq::try_from(room.last_seq.saturating_add(1));
    let entry = |promise: &Promise| (promise.id.clone(), Attachment::Pending(Pending { promise: promise.clone() }));
    Ok(Message {
        room: room.room.clone(),
        seq: seq.map_err(|full| StoreError::unreadable(OPERATION, full))?,
        ver: 1,
        by: draft.author.to_string(),
        cause: Cause::Sent,
        at: draft.at,
        author: draft.author.clone(),
        created_at: draft.at,
        edited_at: None,
        deleted: false,
        text: Some(draft.text.clone()),
        attachments: Some(draft.attachments.iter().map(entry).collect()),
        attachment_order: draft.attachments.iter().map(|promise| promise.id.clone()).collect(),
    })
}
