//! The dead letters of the two queues.

use std::collections::HashSet;

use futures::future;
use serde::Serialize;
use vestibule_domain::reclaim::Reclaim;
use vestibule_domain::timestamp::Timestamp;
use vestibule_ingest::arrival::{self, Arrival};
use vestibule_store::dead_letters::{DeadLetter, DeadLetters};
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

    /// Does it with up to `most` letters. Those that came after it began are left: a letter that fails again is not sent in circles.
    ///
    /// # Errors
    /// When a queue cannot be read or written. What was done until then is done.
    pub(crate) async fn go_through(&self, deed: Deed, most: u64, json: bool) -> anyhow::Result<Outcome> {
        let begin = self.world.now();
        let mut outcome = Outcome::default();
        let mut seen = HashSet::new();
        let mut spared = Vec::new();
        while !outcome.is_limited {
            let letters = self.queue.receive().await?;
            if letters.is_empty() {
                break;
            }
            let mut chosen = Vec::new();
            for letter in letters {
                let is_late = deed != Deed::List && letter.sent_at.is_some_and(|sent_at| sent_at > begin);
                let is_full = outcome.done + chosen.len() as u64 >= most;
                outcome.is_limited |= is_full;
                // One that is seen again was hidden for too short a while.
                if !seen.insert(letter.id.clone()) || is_late || is_full {
                    spared.push(letter);
                } else {
                    chosen.push(letter);
                }
            }
            let did = chosen.iter().map(|letter| self.treat(letter, deed));
            for (letter, content) in chosen.iter().zip(future::try_join_all(did).await?) {
                terminal::print(&self.told(letter, &content, deed, json)?)?;
            }
            outcome.done += chosen.len() as u64;
            if deed == Deed::List {
                spared.extend(chosen);
            }
        }
        for letter in &spared {
            if let Err(error) = self.queue.put_back(letter).await {
                tracing::warn!("{} is hidden for up to a minute: {}", letter.id, terminal::one_line(&error.into()));
            }
        }
        Ok(outcome)
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
                for upload in &content.uploads {
                    self.world.works.driven(&upload.key, &upload.version, at, true).await?;
                }
                self.queue.send_back(letter).await?;
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
    use serde_json::json;
    use vestibule_store::queues::event;

    use super::*;

    const KEY: &str = "01jd3v8q0zk5w6x7y8z9abcdef/000000000001/01jd3v8q0zk5w6x7y8z9abcdeg";

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
