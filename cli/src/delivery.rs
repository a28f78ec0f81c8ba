//! Sends files in a room and waits until they are decided: what `send` and `demo` have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use reqwest::Client;
use tokio::time::Instant;
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId};
use vestibule_domain::policy::MAX_ATTACHMENTS;
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::clock::Clock;

use crate::api::{Announcement, Api, Attachment, Ticket};
use crate::http_client;
use crate::outgoing::Outgoing;
use crate::parts::{self, Counts};
use crate::patience::{Failed, patiently};
use crate::resume::{Memory, MessageMemory};
use crate::upload::{self, Piece};
use crate::watch::Watch;

/// Uploads at a time.
const UPLOADS: usize = 4;
/// Files from this length on go in parts, in bytes.
const IN_PARTS: u64 = 16 * 1024 * 1024;
/// Files up to this length are announced with their digest. The digest of a larger one, which is copied in parts, could only be compared by
/// reading it all once more.
const DIGESTED: u64 = 256 * 1024 * 1024;
/// Between two looks at what is undecided while pushes come: a push is a hint and may be lost.
const LOOK_WHILE_PUSHED: Duration = Duration::from_secs(5);
/// Between two looks where no push can come.
const LOOK: Duration = Duration::from_millis(500);

/// A file that was announced, and how to upload it.
pub(crate) struct Announced {
    file: Outgoing,
    seq: MessageSeq,
    id: AttachmentId,
    /// `None` when it was uploaded and decided before.
    ticket: Option<Ticket>,
    memory: MessageMemory,
}

/// A file that was announced and, if all went well, uploaded.
pub(crate) struct Sent {
    /// The file.
    pub(crate) file: Outgoing,
    /// The message's place in the room.
    pub(crate) seq: MessageSeq,
    /// The attachment.
    pub(crate) id: AttachmentId,
    /// When its last byte went, or why it did not.
    pub(crate) uploaded: anyhow::Result<Timestamp>,
    /// Its parts, when it went in parts.
    pub(crate) parts: Option<Counts>,
}

/// Sends a message for every twenty files, the first of them with `text`. Without files, a message of text alone. A message that `memory`
/// knows is not sent again. Answers the messages' places, and the files in their order.
///
/// # Errors
/// When a file cannot be read or the API refuses.
pub(crate) async fn announce(
    api: &Api,
    room: &RoomId,
    text: &str,
    files: Vec<Outgoing>,
    memory: &Memory,
) -> anyhow::Result<(BTreeSet<MessageSeq>, Vec<Announced>)> {
    let (mut seqs, mut announced) = (BTreeSet::new(), Vec::with_capacity(files.len()));
    let mut messages: Vec<&[Outgoing]> = files.chunks(MAX_ATTACHMENTS).collect();
    if messages.is_empty() {
        messages.push(&[]);
    }
    for (number, files) in messages.into_iter().enumerate() {
        let announcements: Vec<_> = stream::iter(files).then(announcement).try_collect().await?;
        let text = if number == 0 { text } else { "" };
        let (mut sent, memory) = send(api, room, text, announcements, memory).await?;
        seqs.insert(sent.message.seq);
        for (file, attachment) in files.iter().zip(sent.message.attachments) {
            let ticket = sent.uploads.remove(&attachment.id);
            let (file, memory) = (file.clone(), memory.clone());
            announced.push(Announced { file, seq: sent.message.seq, id: attachment.id, ticket, memory });
        }
    }
    Ok((seqs, announced))
}

/// Sends a message that is perhaps remembered. What was deleted meanwhile, or not uploaded in time, is sent anew.
async fn send(
    api: &Api,
    room: &RoomId,
    text: &str,
    files: Vec<(Announcement, Option<SystemTime>)>,
    memory: &Memory,
) -> anyhow::Result<(crate::api::Sent, MessageMemory)> {
    let from = format!("{} {}", api.url(), memory.person());
    let remembered = memory.of(&from, room, text, &files)?;
    let announcements: Vec<Announcement> = files.iter().map(|(file, _)| file.clone()).collect();
    let sent = api.send(room, &remembered.message(), text, &announcements).await?;
    let is_whole = sent.message.attachments.len() == files.len();
    let is_open = |attachment: &Attachment| !attachment.is_pending() || sent.uploads.contains_key(&attachment.id);
    if is_whole && sent.message.attachments.iter().all(is_open) {
        return Ok((sent, remembered));
    }
    remembered.forget()?;
    let anew = memory.of(&from, room, text, &files)?;
    let sent = api.send(room, &anew.message(), text, &announcements).await?;
    anyhow::ensure!(sent.message.attachments.len() == files.len(), "the API announced other files than were sent");
    Ok((sent, anew))
}

/// What is said of a file, and when it was changed last.
async fn announcement(file: &Outgoing) -> anyhow::Result<(Announcement, Option<SystemTime>)> {
    let context = || format!("cannot read {}", file.path.display());
    let (sha256, changed) = if file.size <= DIGESTED {
        (Some(upload::digest(&file.path).await.with_context(context)?), None)
    } else {
        (None, tokio::fs::metadata(&file.path).await.with_context(context)?.modified().ok())
    };
    let announcement =
        Announcement { name: file.name.clone(), size: file.size, content_type: file.declared.clone(), sha256 };
    Ok((announcement, changed))
}

/// Uploads the files, a few at a time, and moves the bar that `bar_of` gives for each. One that fails stops no other.
///
/// # Errors
/// When HTTP cannot be set up, or what was remembered cannot be forgotten.
pub(crate) async fn upload_all(
    api: &Api,
    room: &RoomId,
    announced: Vec<Announced>,
    bar_of: impl Fn(&Outgoing) -> ProgressBar,
) -> anyhow::Result<Vec<Sent>> {
    let (http, clock) = (http_client::client()?, Clock::system());
    let memories: BTreeMap<MessageSeq, MessageMemory> =
        announced.iter().map(|file| (file.seq, file.memory.clone())).collect();
    let uploads = stream::iter(announced).map(|announced| {
        let bar = bar_of(&announced.file);
        upload_one(&http, api, room, &clock, announced, bar)
    });
    let sent: Vec<Sent> = uploads.buffered(UPLOADS).collect().await;
    for (seq, memory) in memories {
        if sent.iter().all(|file| file.seq != seq || file.uploaded.is_ok()) {
            memory.forget()?;
        }
    }
    Ok(sent)
}

async fn upload_one(
    http: &Client,
    api: &Api,
    room: &RoomId,
    clock: &Clock,
    announced: Announced,
    bar: ProgressBar,
) -> Sent {
    let Announced { file, seq, id, ticket, memory } = announced;
    // The last byte's moment, not the answer's: a small file may be decided before its sender reads that it arrived.
    let last = Arc::new(AtomicI64::new(clock.now().millis()));
    let went = {
        let (last, clock, bar) = (Arc::clone(&last), clock.clone(), bar.clone());
        move |bytes: i64| {
            match u64::try_from(bytes) {
                Ok(bytes) => bar.inc(bytes),
                Err(_taken_back) => bar.dec(bytes.unsigned_abs()),
            }
            last.store(clock.now().millis(), Ordering::Relaxed);
        }
    };
    let ended = match &ticket {
        None => {
            bar.inc(file.size);
            Ok(None)
        }
        Some(ticket) if file.size >= IN_PARTS => {
            let (base, begun) = (format!("{}{}", api.url(), ticket.companion.url), memory.begun(&id));
            let note = |begun: &_| memory.note(&id, begun);
            parts::upload(http, &base, (&file.path, file.size), begun, note, went).await.map(Some)
        }
        Some(ticket) => {
            let piece = Piece { path: &file.path, from: 0, length: file.size };
            let put = patiently(async |number| {
                // Its time to begin may be over, and not only for want of a line.
                let newer = if number == 0 { None } else { Some(api.upload_again(room, seq, &id).await) };
                let newer = newer.transpose().map_err(Failed::ForGood)?;
                let ticket = newer.as_ref().unwrap_or(ticket);
                upload::put(http, &ticket.url, &ticket.headers, piece, went.clone()).await
            });
            match put.await {
                // It got there, and only the answer was lost.
                Ok(_) | Err(Failed::Taken(_)) => Ok(None),
                Err(failed) => Err(failed.error()),
            }
        }
    };
    let ended = ended.with_context(|| format!("cannot upload {}", file.path.display()));
    let parts = ended.as_ref().ok().copied().flatten();
    let uploaded = ended.map(|_| Timestamp::from_millis(last.load(Ordering::Relaxed)));
    Sent { file, seq, id, uploaded, parts }
}

/// Waits until every uploaded attachment is decided, or the deadline has come: what is pending then stays so in the answer.
/// Whenever there is news, `told` is given all that is known.
///
/// # Errors
/// When the API cannot be asked.
pub(crate) async fn decisions(
    api: &Api,
    room: &RoomId,
    sent: &[Sent],
    watch: &mut Watch,
    deadline: Instant,
    mut told: impl FnMut(&BTreeMap<AttachmentId, Attachment>),
) -> anyhow::Result<BTreeMap<AttachmentId, Attachment>> {
    let awaited: BTreeSet<&AttachmentId> =
        sent.iter().filter(|file| file.uploaded.is_ok()).map(|file| &file.id).collect();
    let mut undecided: BTreeSet<MessageSeq> = sent.iter().map(|file| file.seq).collect();
    let mut known = BTreeMap::new();
    let mut look_at = undecided.clone();
    loop {
        for seq in look_at {
            let message = api.message(room, seq).await?;
            let waits = |attachment: &Attachment| attachment.is_pending() && awaited.contains(&attachment.id);
            if !message.attachments.iter().any(waits) {
                undecided.remove(&seq);
            }
            known.extend(message.attachments.into_iter().map(|attachment| (attachment.id.clone(), attachment)));
        }
        told(&known);
        let now = Instant::now();
        if undecided.is_empty() || now >= deadline {
            return Ok(known);
        }
        let pause = if watch.is_live() { LOOK_WHILE_PUSHED } else { LOOK };
        // Of the messages that were pushed, or of all when it was quiet.
        look_at = match watch.changed(room, deadline.min(now + pause)).await {
            Some(seq) => BTreeSet::from([seq]).intersection(&undecided).copied().collect(),
            None => undecided.clone(),
        };
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use super::*;

    const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";
    const ID: &str = "01jd3v8q0zk5w6x7y8z9abcdeg";

    /// An API without a WebSocket, whose attachment is decided when it is asked for the third time.
    async fn api() -> Api {
        let asked = Arc::new(AtomicI64::new(0));
        let message = async move || {
            let state = if asked.fetch_add(1, Ordering::Relaxed) < 2 { "pending" } else { "ready" };
            axum::Json::<Value>(json!({ "seq": 1, "ver": 1, "attachments": [{ "id": ID, "state": state }] }))
        };
        let routes = Router::new().route("/v1/rooms/{room}/messages/{seq}", get(message));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Api::new(url, "token".to_owned()).unwrap()
    }

    fn sent(uploaded: anyhow::Result<Timestamp>) -> Sent {
        let (path, declared) = ("/tmp/a".into(), "text/plain".parse().unwrap());
        let file = Outgoing { path, name: "a".to_owned(), size: 1, declared };
        Sent { file, seq: MessageSeq::try_from(1).unwrap(), id: ID.parse().unwrap(), uploaded, parts: None }
    }

    #[tokio::test]
    async fn without_a_websocket_decisions_are_asked_for() {
        let api = api().await;
        let mut watch = Watch::open(&api).await;
        assert!(!watch.is_live());
        let room = ROOM.parse().unwrap();
        let mut told = 0;
        let deadline = Instant::now() + Duration::from_mins(1);
        let uploaded = [sent(Ok(Timestamp::from_millis(0)))];
        let decided = decisions(&api, &room, &uploaded, &mut watch, deadline, |_| told += 1).await.unwrap();
        assert_eq!(decided[&ID.parse().unwrap()].state, "ready");
        assert_eq!(told, 3);
    }

    #[tokio::test]
    async fn what_was_not_uploaded_is_not_waited_for() {
        let api = api().await;
        let failed = [sent(Err(anyhow::anyhow!("refused")))];
        let (room, deadline) = (ROOM.parse().unwrap(), Instant::now() + Duration::from_mins(1));
        let decided = decisions(&api, &room, &failed, &mut Watch::nothing(), deadline, |_| {}).await.unwrap();
        assert_eq!(decided[&ID.parse().unwrap()].state, "pending");
    }

    /// The same words to a room where the first message was deleted: a tombstone has no attachments.
    #[tokio::test]
    async fn what_was_deleted_meanwhile_is_sent_anew() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), "abc").unwrap();
        let names = Arc::new(std::sync::Mutex::new(Vec::new()));
        let send = {
            let names = Arc::clone(&names);
            async move |axum::Json(body): axum::Json<Value>| {
                let mut names = names.lock().unwrap();
                names.push(body["clientMessageId"].clone());
                let attachments = if names.len() == 1 { json!([]) } else { json!([{ "id": ID, "state": "ready" }]) };
                axum::Json(
                    json!({ "message": { "seq": names.len(), "ver": 1, "attachments": attachments }, "uploads": {} }),
                )
            }
        };
        let routes = Router::new().route("/v1/rooms/{room}/messages", axum::routing::post(send));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let api = Api::new(url, "token".to_owned()).unwrap();
        let ids = vestibule_runtime::ids::Ids::random();
        let memory = Memory::at(folder.path().join("state"), "me".to_owned(), ids);
        let files = vec![Outgoing::at(&folder.path().join("a.txt"), 10).unwrap()];
        let (seqs, announced) = announce(&api, &ROOM.parse().unwrap(), "x", files, &memory).await.unwrap();
        assert_eq!((seqs.len(), announced.len()), (1, 1));
        assert_eq!(announced[0].seq.get(), 2);
        let names = names.lock().unwrap();
        assert_ne!(names[0], names[1]);
    }
}
