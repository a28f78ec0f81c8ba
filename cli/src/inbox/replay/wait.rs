//! What became of the versions that a replay sent.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use vestibule_domain::attachment::Attachment;
use vestibule_domain::hall::{Class, Next};
use vestibule_domain::message::Message;
use vestibule_store::hall::Standee;
use vestibule_store::objects::InboxVersion;

use crate::inbox::replay::apply::Sent;
use crate::inbox::world::World;

/// Versions looked at at once.
const AT_ONCE: usize = 16;
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

/// Looks until each version has left the inbox or failed for good, the deadline comes, or it is told to stop.
///
/// # Errors
/// When the bucket cannot be listed or the table not be read.
pub(crate) async fn verdicts(
    world: &World,
    sent: Vec<Sent>,
    deadline: Instant,
    mut told: watch::Receiver<bool>,
    bar: &ProgressBar,
) -> anyhow::Result<Verdicts> {
    let mut verdicts = Verdicts::default();
    let mut open = sent;
    let mut pause = FIRST_PAUSE;
    loop {
        let looks = stream::iter(open).map(async |sent| anyhow::Ok((look(world, &sent).await?, sent)));
        let looks: Vec<_> = looks.buffer_unordered(AT_ONCE).try_collect().await?;
        let is_over = Instant::now() >= deadline || *told.borrow();
        open = Vec::new();
        for ((fate, is_known), sent) in looks {
            if is_known || is_over {
                verdicts.add(fate);
                bar.inc(u64::from(is_known));
            } else {
                open.push(sent);
            }
        }
        if open.is_empty() {
            return Ok(verdicts);
        }
        tokio::select! {
            () = sleep_until(deadline.min(Instant::now() + pause)) => {}
            _ = told.wait_for(|told| *told) => {}
        }
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// What is known of a version now, and whether that is its end.
async fn look(world: &World, sent: &Sent) -> anyhow::Result<(Fate, bool)> {
    let (key, version) = (&sent.upload.key, sent.upload.version.as_str());
    let standing = world.hall.versions_of(&key.to_string(), world.now(), world.patience).await?;
    match standing.into_iter().find(|standing| standing.version == version) {
        Some(standing) => Ok(of_standing(&standing, sent)),
        None => Ok((decided(world.decisions.ask(key).await?.as_ref(), &sent.upload), true)),
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
