//! The dead letters of the two queues.

use std::collections::{HashMap, HashSet};

use futures::future;
use serde::Serialize;
use tokio::sync::watch;
use vestibule_domain::reclaim::Reclaim;
use vestibule_domain::timestamp::Timestamp;
use vestibule_ingest::arrival::{self, Arrival};
use vestibule_store::dead_letters::{DeadLetter, DeadLetters, Receipt};
use vestibule_store::objects::InboxVersion;

use crate::inbox::dlq::{Deed, Outcome, Queue};
use crate::inbox::duration;
use crate::inbox::world::World;
use crate::terminal;

/// Whose letters they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Events of uploads.
    Ingest,
    /// Requests to collect.
    Reclaim,
}

/// The letters of one queue.
pub(crate) struct Letters<'a> {
    world: &'a World,
    source: Source,
    queue: DeadLetters,
}

/// What a letter is about.
#[derive(Debug, Default)]
struct Content {
    /// Each thing that it names, in words.
    names: Vec<String>,
    /// The uploads among them.
    uploads: Vec<InboxVersion>,
}

/// What is told of a letter.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    queue: Queue,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<Timestamp>,
    receives: u32,
    names: &'a [String],
}

impl<'a> Letters<'a> {
    /// The letters of one of the stack's queues.
    ///
    /// # Errors
    /// When the stack has no such queue.
    pub(crate) fn of(world: &'a World, source: Source) -> anyhow::Result<Self> {
        let queue = match source {
            Source::Ingest => world.dead_letters("IngestDeadLetterQueueUrl", "IngestQueueUrl")?,
            Source::Reclaim => world.dead_letters("ReclaimDeadLetterQueueUrl", "ReclaimQueueUrl")?,
        };
        Ok(Self { world, source, queue })
    }

    /// Does it with up to `most` letters. Those that came after it began are left: a letter that fails again is not sent in circles. What it
    /// has taken in hand and not sent or deleted it puts back, however it ends.
    ///
    /// # Errors
    /// When a queue cannot be read or written, nobody reads what is told, or `told` says to stop. What was done until then is done.
    pub(crate) async fn go_through(
        &self,
        deed: Deed,
        most: u64,
        json: bool,
        told: &watch::Receiver<bool>,
    ) -> anyhow::Result<Outcome> {
        let mut round = Round::new((deed != Deed::List).then(|| self.world.now()), most);
        let ended = self.go_round(&mut round, deed, json, told).await;
        for (id, receipt) in &round.spared {
            if let Err(error) = self.queue.put_back(receipt).await {
                tracing::warn!("{id} is hidden for up to a minute: {}", terminal::one_line(&error.into()));
            }
        }
        let done = ended?;
        let hidden = if round.seen.is_empty() { self.queue.hidden().await? } else { 0 };
        Ok(Outcome { done, left: 0, hidden, is_limited: round.is_limited })
    }

    /// Goes on until the queue's end, and answers with how many it was done. One that fails keeps it from no other of its batch.
    async fn go_round(
        &self,
        round: &mut Round,
        deed: Deed,
        json: bool,
        told: &watch::Receiver<bool>,
    ) -> anyhow::Result<u64> {
        let mut done = 0;
        while !round.is_over {
            anyhow::ensure!(!*told.borrow(), "stopped");
            let chosen = round.choose(self.queue.receive().await?);
            let did = future::join_all(chosen.iter().map(|letter| self.treat(letter, deed))).await;
            if deed != Deed::List {
                let gone = chosen.iter().zip(&did).filter(|(_, did)| did.is_ok());
                gone.for_each(|(letter, _)| round.is_gone(letter));
            }
            for (letter, content) in chosen.iter().zip(did) {
                terminal::print(&self.told(letter, &content?, deed, json)?)?;
                done += 1;
            }
        }
        Ok(done)
    }

    async fn treat(&self, letter: &DeadLetter, deed: Deed) -> anyhow::Result<Content> {
        let content = match self.source {
            Source::Ingest => uploads(&letter.body, &self.world.bucket),
            Source::Reclaim => request(&letter.body),
        };
        match deed {
            Deed::List => {}
            Deed::Redrive => {
                let at = self.world.now();
                self.queue.send_back(letter).await?;
                for upload in &content.uploads {
                    self.world.works.driven(&upload.key, &upload.version, at, true).await?;
                }
            }
            Deed::Purge => self.queue.delete(letter).await?,
        }
        Ok(content)
    }

    fn told(&self, letter: &DeadLetter, content: &Content, deed: Deed, json: bool) -> anyhow::Result<String> {
        let queue = match self.source {
            Source::Ingest => Queue::Ingest,
            Source::Reclaim => Queue::Reclaim,
        };
        let DeadLetter { id, sent_at, receives, .. } = letter;
        if json {
            let row = Row { queue, id, sent_at: *sent_at, receives: *receives, names: &content.names };
            return Ok(serde_json::to_string(&row)?);
        }
        let age = sent_at.map_or_else(|| "?".to_owned(), |sent_at| duration::age(sent_at, self.world.now()));
        let (queue, done) = (queue.as_str(), deed.done());
        let names: Vec<String> = content.names.iter().map(|name| terminal::shown(name)).collect();
        Ok(format!("{queue:<8} {done:<8}  {id:<36}  {age:>5}  {receives:>3} receives  {}", names.join(", ")))
    }
}

/// One way through a queue, which shows a letter again after a while.
struct Round {
    /// Letters that came after this moment are left.
    begin: Option<Timestamp>,
    /// How many may still be chosen.
    left: u64,
    /// The ids of all that were met.
    seen: HashSet<String>,
    /// What is in hand, and so to be put back: of each letter only the receipt of the last time, since those before are worth nothing.
    spared: HashMap<String, Receipt>,
    /// Whether there may be more than were chosen.
    is_limited: bool,
    /// Whether the end of the queue was met, or the limit.
    is_over: bool,
}

impl Round {
    fn new(begin: Option<Timestamp>, most: u64) -> Self {
        let (seen, spared) = (HashSet::new(), HashMap::new());
        Self { begin, left: most, seen, spared, is_limited: false, is_over: false }
    }

    /// Those of the letters received that something is to be done with.
    ///
    /// Letters come back when they were hidden for as long as they are. When there are so many that no more than these come, it is over:
    /// else it went round and round.
    fn choose(&mut self, letters: Vec<DeadLetter>) -> Vec<DeadLetter> {
        let (mut chosen, is_end) = (Vec::new(), letters.is_empty());
        let before = self.seen.len();
        for letter in letters {
            let is_late = self.begin.is_some_and(|begin| letter.sent_at.is_some_and(|sent_at| sent_at > begin));
            let is_new = self.seen.insert(letter.id.clone());
            self.spared.insert(letter.id.clone(), letter.receipt.clone());
            if is_new && !is_late && self.left > 0 {
                self.left -= 1;
                chosen.push(letter);
            } else {
                self.is_limited |= is_new && !is_late;
            }
        }
        self.is_limited |= !is_end && self.seen.len() == before;
        self.is_over = is_end || self.is_limited;
        chosen
    }

    /// Notes that a letter was sent or deleted.
    fn is_gone(&mut self, letter: &DeadLetter) {
        self.spared.remove(&letter.id);
    }
}

/// The uploads that a letter of the ingest queue tells of, by ingest's own reading.
fn uploads(body: &str, bucket: &str) -> Content {
    let Ok(arrivals) = serde_json::from_str(body).and_then(|event| arrival::read(event, bucket)) else {
        return unreadable();
    };
    let mut content = Content::default();
    for arrival in arrivals {
        match arrival {
            Arrival::Upload(upload) => {
                content.names.push(format!("{}@{}", upload.key, upload.version));
                content.uploads.push(upload);
            }
            Arrival::Unknown(unknown) => content.names.push(format!("{} ({})", unknown.key, unknown.reason)),
            Arrival::Nothing => content.names.push("nothing that ingest works on".to_owned()),
        }
    }
    content
}

/// The attachment that a letter of the reclaim queue asks for.
fn request(body: &str) -> Content {
    match serde_json::from_str::<Reclaim>(body) {
        Ok(request) => {
            Content { names: vec![format!("{} ({})", request.key, request.why.as_str())], uploads: Vec::new() }
        }
        Err(_) => unreadable(),
    }
}

fn unreadable() -> Content {
    Content { names: vec!["not to be read".to_owned()], uploads: Vec::new() }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
    use serde_json::json;
    use vestibule_store::queues::event;

    use super::*;

    const KEY: &str = "01jd3v8q0zk5w6x7y8z9abcdef/000000000001/01jd3v8q0zk5w6x7y8z9abcdeg";

    fn letters(ids: &[&str], sent_at: i64) -> Vec<DeadLetter> {
        let letter = |id: &&str| {
            let message = Message::builder().message_id(*id).receipt_handle(format!("{id} at {sent_at}"));
            let message = message.attributes(MessageSystemAttributeName::SentTimestamp, sent_at.to_string());
            DeadLetter::of(message.build(), Instant::now())
        };
        ids.iter().map(letter).collect()
    }

    fn ids(letters: Vec<DeadLetter>) -> Vec<String> {
        letters.into_iter().map(|letter| letter.id).collect()
    }

    #[test]
    fn a_round_ends_with_the_queue_or_when_only_letters_come_that_were_seen() {
        let mut round = Round::new(None, u64::MAX);
        assert_eq!(ids(round.choose(letters(&["a", "b"], 1))), ["a", "b"]);
        assert_eq!(ids(round.choose(letters(&["b", "c"], 2))), ["c"]);
        assert!(!round.is_over, "there was a new one among them");
        assert!(format!("{:?}", round.spared["b"]).contains("b at 2"), "the newest receipt: {:?}", round.spared);
        assert_eq!(ids(round.choose(letters(&["a", "b"], 3))), [""; 0]);
        assert_eq!((round.is_over, round.is_limited, round.spared.len()), (true, true, 3));

        let mut round = Round::new(None, u64::MAX);
        assert_eq!(ids(round.choose(letters(&["a"], 1))), ["a"]);
        assert_eq!(ids(round.choose(Vec::new())), [""; 0]);
        assert_eq!((round.is_over, round.is_limited), (true, false));
    }

    #[test]
    fn a_round_chooses_no_more_than_it_may_and_nothing_that_came_after_it_began() {
        let mut round = Round::new(Some(Timestamp::from_millis(5)), 2);
        assert_eq!(ids(round.choose(letters(&["late"], 6))), [""; 0]);
        assert!(!round.is_over);
        let chosen = round.choose(letters(&["a", "b", "c"], 5));
        assert_eq!((round.is_over, round.is_limited, round.spared.len()), (true, true, 4), "all that is in hand");
        round.is_gone(&chosen[0]);
        assert_eq!(ids(chosen), ["a", "b"]);
        let mut left: Vec<_> = round.spared.into_keys().collect();
        left.sort();
        assert_eq!(left, ["b", "c", "late"], "what could not be sent is put back");
    }

    #[test]
    fn a_letter_of_the_ingest_queue_names_its_uploads() {
        let upload = InboxVersion { key: KEY.parse().unwrap(), version: "v1".parse().unwrap(), size: 3 };
        let mut body = event("inbox", &upload, "x", Timestamp::from_millis(0));
        let read = uploads(&body.to_string(), "inbox");
        assert_eq!((read.names, read.uploads.len()), (vec![format!("{KEY}@v1")], 1));
        let mut other = body["Records"][0].clone();
        other["s3"]["object"]["key"] = json!("holi+day.jpg");
        body["Records"].as_array_mut().unwrap().push(other);
        let read = uploads(&body.to_string(), "inbox");
        assert_eq!(read.names[1], "holi day.jpg (the key is outside the grammar)");
        assert_eq!(read.uploads.len(), 1);
        let test = uploads("{\"Event\":\"s3:TestEvent\"}", "inbox");
        assert_eq!(test.names, ["nothing that ingest works on"]);
        for garbage in ["", "{}", "nonsense"] {
            assert_eq!(uploads(garbage, "inbox").names, ["not to be read"], "{garbage}");
        }
    }

    #[test]
    fn a_letter_of_the_reclaim_queue_names_its_attachment() {
        let body = json!({ "key": KEY, "why": "deleted" }).to_string();
        assert_eq!(request(&body).names, [format!("{KEY} (deleted)")]);
        assert_eq!(request("{}").names, ["not to be read"]);
    }
}
