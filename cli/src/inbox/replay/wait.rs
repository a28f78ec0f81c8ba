//! What became of the versions that a replay sent.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::time::Duration;

use indicatif::ProgressBar;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use vestibule_domain::attachment::Attachment;
use vestibule_domain::hall::{Class, Next};
use vestibule_domain::key::InboxKey;
use vestibule_domain::message::Message;
use vestibule_store::audit::{Document, Documents};
use vestibule_store::hall::{MOST, Place, Standee};
use vestibule_store::objects::InboxVersion;

use crate::inbox::replay::apply::Sent;
use crate::inbox::world::World;

/// Versions of a page where few are waited for.
const SHORTEST_PAGE: u16 = 16;
/// Documents read at once, so that no more are held.
const DOCUMENTS: usize = 100;
/// Between the first two looks; doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What became of a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "verdict", content = "code", rename_all = "kebab-case")]
pub(crate) enum Fate {
    /// Its attachment is there for the room to see.
    Ready,
    /// It was refused, with this code.
    Rejected(String),
    /// Another version had decided its attachment; the bytes of this one are in quarantine.
    Quarantined,
    /// Its sender had given it up.
    Cancelled,
    /// Its attachment was removed.
    Removed,
    /// Its message was deleted.
    Deleted,
    /// It failed again, with this code.
    StillFailing(String),
    /// Nothing is known of it yet.
    Undecided,
    /// There is no such message or attachment, so it stays.
    MessageGone,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Rejected(code) => write!(f, "rejected({code})"),
            Self::Quarantined => f.write_str("quarantined"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Removed => f.write_str("removed"),
            Self::Deleted => f.write_str("deleted"),
            Self::StillFailing(code) => write!(f, "still failing({code})"),
            Self::Undecided => f.write_str("undecided"),
            Self::MessageGone => f.write_str("message gone"),
        }
    }
}

/// How many versions met which fate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdicts(BTreeMap<Fate, u64>);

impl Verdicts {
    fn add(&mut self, fate: Fate) {
        *self.0.entry(fate).or_default() += 1;
    }

    /// Whether every version was brought to an end.
    pub(crate) fn are_final(&self) -> bool {
        self.0.keys().all(|fate| match fate {
            Fate::Ready | Fate::Rejected(_) | Fate::Quarantined | Fate::Cancelled | Fate::Removed | Fate::Deleted => {
                true
            }
            Fate::StillFailing(_) | Fate::Undecided | Fate::MessageGone => false,
        })
    }

    /// The counts for people.
    pub(crate) fn in_words(&self) -> String {
        let counts: Vec<String> = self.0.iter().map(|(fate, count)| format!("{count} {fate}")).collect();
        if counts.is_empty() { "nothing to wait for".to_owned() } else { counts.join(", ") }
    }

    /// The counts for programs.
    pub(crate) fn listed(&self) -> Vec<Counted<'_>> {
        self.0.iter().map(|(fate, count)| Counted { fate, count: *count }).collect()
    }
}

/// A fate and how often it was met.
#[derive(Debug, Serialize)]
pub(crate) struct Counted<'a> {
    #[serde(flatten)]
    fate: &'a Fate,
    count: u64,
}

/// Looks until each version has left the inbox or failed for good, the deadline comes, or it is told to stop: both also in the middle of a
/// look. What is not known by then is told as it was seen last.
///
/// # Errors
/// When the bucket cannot be listed or the table not be read.
pub(crate) async fn verdicts(
    world: &World,
    prefix: &str,
    sent: Vec<Sent>,
    (deadline, mut told): (Instant, watch::Receiver<bool>),
    bar: &ProgressBar,
) -> anyhow::Result<Verdicts> {
    let mut waiting = Waiting::of(sent);
    let looking = async {
        let mut pause = FIRST_PAUSE;
        loop {
            waiting.look(world, prefix, bar).await?;
            if waiting.open.is_empty() {
                return anyhow::Ok(());
            }
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    };
    tokio::select! {
        biased;
        () = sleep_until(deadline) => {}
        Ok(_) = told.wait_for(|told| *told) => {}
        looked = looking => looked?,
    }
    Ok(waiting.told())
}

/// What is waited for, by its key as the bucket sorts it, and what is known already.
#[derive(Debug, Default)]
struct Waiting {
    open: BTreeMap<String, Vec<Open>>,
    /// How often the inbox was gone through, this time included.
    looks: u64,
    verdicts: Verdicts,
}

/// A version that is not known to have come to its end.
#[derive(Debug)]
struct Open {
    sent: Sent,
    /// What was seen of it last.
    seen: Fate,
    /// Which look met it in the inbox last.
    met: u64,
}

impl Waiting {
    fn of(sent: Vec<Sent>) -> Self {
        let mut waiting = Self::default();
        for sent in sent {
            let open = Open { sent, seen: Fate::Undecided, met: 0 };
            waiting.open.entry(open.sent.upload.key.to_string()).or_default().push(open);
        }
        waiting
    }

    /// Goes through the inbox once, by pages that begin where something is waited for; of what is no longer there the documents are read.
    /// No more than one page is ever held.
    async fn look(&mut self, world: &World, prefix: &str, bar: &ProgressBar) -> anyhow::Result<()> {
        self.looks += 1;
        let mut next = self.open.keys().next().cloned();
        while let Some(first) = next {
            let most = u16::try_from(self.open.len()).unwrap_or(MOST).clamp(SHORTEST_PAGE, MOST);
            let page = world.hall.page(prefix, Some(&before(&first)), most, world.now(), world.patience).await?;
            // The page has all versions of the keys before its end.
            let (standing, end) = match page.next {
                Some(Place { key, .. }) if key <= first => {
                    (world.hall.versions_of(&first, world.now(), world.patience).await?, Some(format!("{first}\0")))
                }
                next => (page.versions, next.map(|place| place.key)),
            };
            self.meet(&standing, bar);
            drop(standing);
            let to = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let mut from = Bound::Included(first);
            loop {
                let gone = self.gone((from.as_ref().map(String::as_str), to));
                let Some((last, _)) = gone.last() else { break };
                let documents = world.audit.documents(gone.iter().map(|(_, key)| key)).await?;
                self.settle(gone.iter().map(|(key, _)| key.as_str()), &documents, bar);
                from = Bound::Excluded(last.clone());
            }
            next = end.and_then(|end| self.open.range(end..).next().map(|(key, _)| key.clone()));
        }
        Ok(())
    }

    /// Notes what is known of versions that stand in the inbox.
    fn meet(&mut self, standing: &[Standee], bar: &ProgressBar) {
        for version in standing {
            let Some(versions) = self.open.get_mut(&version.key) else { continue };
            let mut is_met = |open: &mut Open| {
                if open.sent.upload.version.as_str() != version.version {
                    return false;
                }
                let (fate, is_known) = of_standing(version, &open.sent);
                if is_known {
                    self.verdicts.add(fate);
                    bar.inc(1);
                } else {
                    (open.seen, open.met) = (fate, self.looks);
                }
                is_known
            };
            versions.retain_mut(|open| !is_met(open));
            if versions.is_empty() {
                self.open.remove(&version.key);
            }
        }
    }

    /// The first keys in the range that have versions which this look did not meet.
    fn gone(&self, range: (Bound<&str>, Bound<&str>)) -> Vec<(String, InboxKey)> {
        let gone = self.open.range::<str, _>(range).filter_map(|(key, versions)| {
            let gone = versions.iter().find(|open| open.met != self.looks)?;
            Some((key.clone(), gone.sent.upload.key.clone()))
        });
        gone.take(DOCUMENTS).collect()
    }

    /// Tells by their documents what became of the versions of these keys that this look did not meet.
    fn settle<'a>(&mut self, keys: impl Iterator<Item = &'a str>, documents: &Documents, bar: &ProgressBar) {
        for key in keys {
            let Some(versions) = self.open.get_mut(key) else { continue };
            for Open { sent, .. } in versions.extract_if(.., |open| open.met != self.looks) {
                self.verdicts.add(left(documents.of(&sent.upload.key), &sent.upload));
                bar.inc(1);
            }
            if versions.is_empty() {
                self.open.remove(key);
            }
        }
    }

    /// The verdicts, and of all else what was seen last.
    fn told(mut self) -> Verdicts {
        for open in self.open.into_values().flatten() {
            self.verdicts.add(open.seen);
        }
        self.verdicts
    }
}

/// A place in the listing that is so close before a key of ours that next to nothing is in between.
fn before(key: &str) -> Place {
    let mut key = key.to_owned();
    key.pop();
    Place { key, version: None }
}

/// What became of a version that has left the inbox.
fn left(document: Option<&Document>, upload: &InboxVersion) -> Fate {
    match document {
        Some(Document::Message(message)) => decided(Some(message), upload),
        // Nobody can say.
        Some(Document::Unreadable) => Fate::Undecided,
        None => decided(None, upload),
    }
}

/// What a version that still stands in the inbox has come to. What failed before it was sent says nothing.
fn of_standing(version: &Standee, sent: &Sent) -> (Fate, bool) {
    let failure = version.work.as_ref().and_then(|work| work.failure.as_ref()).filter(|failure| failure.at >= sent.at);
    match version.standing.class {
        Class::MessageGone | Class::UnknownKey => (Fate::MessageGone, true),
        Class::Leftover => (decided(version.message.as_ref(), &sent.upload), false),
        Class::Fresh | Class::InFlight | Class::Failed | Class::NeverNotified => match failure {
            Some(failure) => (Fate::StillFailing(failure.code.clone()), version.standing.next == Next::GivenUp),
            None => (Fate::Undecided, false),
        },
    }
}

/// What the document says of a version.
fn decided(message: Option<&Message>, upload: &InboxVersion) -> Fate {
    let Some(message) = message else { return Fate::MessageGone };
    match message.attachment(&upload.key.attachment) {
        _ if message.deleted => Fate::Deleted,
        None => Fate::MessageGone,
        Some(Attachment::Pending(_)) => Fate::Undecided,
        Some(Attachment::Ready(ready)) if ready.inbox_version == upload.version => Fate::Ready,
        Some(Attachment::Rejected(rejected)) if rejected.inbox_version != upload.version => Fate::Quarantined,
        Some(Attachment::Ready(_)) => Fate::Quarantined,
        Some(Attachment::Rejected(rejected)) => Fate::Rejected(rejected.rejection.code.as_str().to_owned()),
        Some(Attachment::Cancelled(_)) => Fate::Cancelled,
        Some(Attachment::Removed) => Fate::Removed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vestibule_domain::timestamp::Timestamp;

    use super::*;
    use crate::inbox::row::tests::standee;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_failure_counts_when_it_came_after_the_version_was_sent_and_ends_it_when_the_sweep_gives_up() {
        let mut failed = standee(Class::Failed, Some("SlowDown"), at(100));
        let sent = |seconds| Sent { upload: failed.upload.clone().unwrap(), at: at(seconds) };
        let (before, after) = (sent(101), sent(99));
        assert_eq!(of_standing(&failed, &before), (Fate::Undecided, false));
        assert_eq!(of_standing(&failed, &after), (Fate::StillFailing("SlowDown".to_owned()), false));
        failed.standing.next = Next::GivenUp;
        assert_eq!(of_standing(&failed, &after), (Fate::StillFailing("SlowDown".to_owned()), true));
    }

    #[test]
    fn a_version_that_another_one_overtook_is_not_called_ready() {
        let version = standee(Class::Leftover, None, at(0));
        let upload = version.upload.unwrap();
        let id = &upload.key.attachment;
        let said = |entry: serde_json::Value| {
            let mut entry = entry;
            let promise = json!({ "id": id, "name": "a", "size": 3, "declaredType": "image/png", "createdAt": at(0) });
            entry.as_object_mut().unwrap().extend(promise.as_object().unwrap().clone());
            let entries = serde_json::from_value(json!({ id.as_str(): entry })).unwrap();
            decided(Some(&Message { attachments: Some(entries), ..version.message.clone().unwrap() }), &upload)
        };
        let decision = |state: &str, version: &str| {
            json!({
                "state": state, "decidedAt": at(1), "inboxVersion": version, "facts": { "type": "image/png" },
                "original": { "key": "k", "size": 3 }, "rejection": { "code": "damaged", "message": "x" },
            })
        };
        assert_eq!(said(decision("ready", "v1")), Fate::Ready);
        assert_eq!(said(decision("rejected", "v1")), Fate::Rejected("damaged".to_owned()));
        assert_eq!(
            [said(decision("ready", "v2")), said(decision("rejected", "v2"))],
            [Fate::Quarantined, Fate::Quarantined]
        );
        assert_eq!(said(decision("cancelled", "v2")), Fate::Cancelled);
        assert_eq!(said(json!({ "state": "pending" })), Fate::Undecided);
        assert_eq!(decided(None, &upload), Fate::MessageGone);
        let tombstone = Message { deleted: true, ..version.message.clone().unwrap() };
        assert_eq!(decided(Some(&tombstone), &upload), Fate::Deleted);
    }

    #[test]
    fn of_what_is_waited_for_some_stands_and_of_the_rest_the_documents_tell() {
        let versions: Vec<Standee> = (1..=4)
            .map(|number| {
                let class = if number == 2 { Class::MessageGone } else { Class::InFlight };
                let mut version = standee(class, None, at(0));
                version.key = version.key.replace("/000000000001/", &format!("/{number:012}/"));
                version.upload.as_mut().unwrap().key = version.key.parse().unwrap();
                version
            })
            .collect();
        let sent = |version: &Standee| Sent { upload: version.upload.clone().unwrap(), at: at(1) };
        let mut again = sent(&versions[0]);
        again.upload.version = "v2".parse().unwrap();
        let mut waiting = Waiting::of(versions.iter().map(sent).chain([again]).collect());
        let bar = ProgressBar::hidden();
        let numbers = |gone: &[(String, InboxKey)]| gone.iter().map(|(_, key)| key.message.get()).collect::<Vec<_>>();
        // The page ends before the fourth. The second has no message, and of the first another version stands.
        waiting.looks = 1;
        waiting.meet(&versions[..3], &bar);
        let range = (Bound::Included(versions[0].key.as_str()), Bound::Excluded(versions[3].key.as_str()));
        let gone = waiting.gone(range);
        assert_eq!(numbers(&gone), [1]);
        waiting.settle(gone.iter().map(|(key, _)| key.as_str()), &Documents::default(), &bar);
        assert_eq!(waiting.verdicts.in_words(), "2 message gone");
        assert_eq!(numbers(&waiting.gone(range)), [0; 0], "the others stand, however often they are asked for");
        // The next look meets none of them.
        waiting.looks = 2;
        assert_eq!(numbers(&waiting.gone((Bound::Unbounded, Bound::Unbounded))), [1, 3, 4]);
        assert_eq!(waiting.told().in_words(), "3 undecided, 2 message gone");
    }

    #[test]
    fn a_page_begins_right_before_the_first_key_that_is_waited_for() {
        let key = standee(Class::Fresh, None, at(0)).key;
        let place = before(&key);
        assert!(place.key < key && place.version.is_none());
    }

    #[test]
    fn a_document_that_cannot_be_read_tells_nothing() {
        let upload = standee(Class::Fresh, None, at(0)).upload.unwrap();
        assert_eq!(left(Some(&Document::Unreadable), &upload), Fate::Undecided);
        assert_eq!(left(None, &upload), Fate::MessageGone);
    }

    #[test]
    fn verdicts_are_counted_for_people_and_for_programs() {
        let mut verdicts = Verdicts::default();
        assert_eq!((verdicts.in_words().as_str(), verdicts.are_final()), ("nothing to wait for", true));
        for fate in [Fate::Ready, Fate::Rejected("damaged".to_owned()), Fate::Ready] {
            verdicts.add(fate);
        }
        assert!(verdicts.are_final());
        verdicts.add(Fate::StillFailing("SlowDown".to_owned()));
        assert!(!verdicts.are_final());
        assert_eq!(verdicts.in_words(), "2 ready, 1 rejected(damaged), 1 still failing(SlowDown)");
        insta::assert_snapshot!(serde_json::to_string(&verdicts.listed()).unwrap());
    }
}
