//! `vestibule inbox explain`: all that is known of one attachment, what is where, and what replay would do.

use std::process::ExitCode;

use indicatif::HumanBytes;
use serde::Serialize;
use vestibule_domain::attachment::Attachment;
use vestibule_domain::hall::{Class, Next};
use vestibule_domain::key::InboxKey;
use vestibule_domain::message::Message;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::audit::{Bucket, Finding, MOST};
use vestibule_store::hall::Standee;

use crate::inbox::replay::plan::{Action, STUCK, action};
use crate::inbox::row::classed;
use crate::inbox::selection::Selection;
use crate::inbox::timeline::{self, Event};
use crate::inbox::world::World;
use crate::terminal;

/// The arguments of `inbox explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key in the inbox, ROOM/MESSAGE/ATTACHMENT, or one version of it
    #[arg(value_name = "KEY[@VERSION]")]
    place: String,
}

/// All that is known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// What it all comes to, in a sentence.
    summary: String,
    /// `pending`, `ready`, `rejected`, `cancelled`, `removed`, `deleted`; none when there is no such message or attachment.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    timeline: Vec<Event>,
    inbox: Vec<Standing>,
    objects: Vec<Stored>,
}

/// A version in the inbox.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    version: String,
    size: u64,
    uploaded_at: Timestamp,
    class: Class,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    tries: u32,
    /// What the sweep does about it.
    next: Next,
    /// Whether replay would send it.
    replayed: bool,
    /// Why, or why not.
    why: String,
}

/// An object made of it.
#[derive(Debug, Serialize)]
struct Stored {
    bucket: Bucket,
    key: String,
    size: u64,
    finding: Finding,
}

/// Explains one attachment, or one version of it.
///
/// # Errors
/// When a bucket cannot be listed or the table not be read.
pub(crate) async fn run(world: &World, args: &Args, json: bool) -> anyhow::Result<ExitCode> {
    let (key, version) = parted(&args.place);
    let mut standing = world.hall.versions_of(key, world.now(), world.patience).await?;
    let (key, version) = match version {
        // A key that is none of ours may hold an @ itself.
        Some(_) if standing.is_empty() && key.parse::<InboxKey>().is_err() => {
            standing = world.hall.versions_of(&args.place, world.now(), world.patience).await?;
            (args.place.as_str(), None)
        }
        version => (key, version),
    };
    standing.retain(|found| version.is_none_or(|version| found.version == version));
    let explained = explain(world, key, version, &standing).await?;
    if json {
        terminal::print_json(&explained)?;
    } else {
        terminal::print(&explained.in_words())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The key, and the version behind the last @.
fn parted(place: &str) -> (&str, Option<&str>) {
    place.rsplit_once('@').map_or((place, None), |(key, version)| (key, Some(version)))
}

async fn explain(world: &World, key: &str, version: Option<&str>, standing: &[Standee]) -> anyhow::Result<Explained> {
    let now = world.now();
    let mut explained = Explained {
        key: key.to_owned(),
        version: version.map(ToOwned::to_owned),
        summary: "this is no key of ours: <room>/<message>/<attachment>".to_owned(),
        state: None,
        timeline: standing.iter().map(timeline::uploaded).collect(),
        inbox: standing.iter().map(|version| Standing::of(version, now)).collect(),
        objects: Vec::new(),
    };
    let Ok(key) = key.parse::<InboxKey>() else { return Ok(explained) };
    let message = world.decisions.ask(&key).await?;
    let mut works = world.works.of(&key).await?;
    works.retain(|work| version.is_none_or(|version| work.version.as_str() == version));
    explained.timeline = timeline::events(&key.attachment, message.as_ref(), &works, standing);
    let prefix = format!("{key}/");
    for bucket in [Bucket::Processed, Bucket::Quarantine] {
        // An attachment has a handful.
        let page = world.audit.page(bucket, &prefix, None, MOST).await?;
        let stored = |object: vestibule_store::audit::Object| {
            let (key, size, finding) = (object.key, object.size, object.finding);
            Stored { bucket, key, size, finding }
        };
        explained.objects.extend(page.objects.into_iter().map(stored));
    }
    explained.state = state(message.as_ref(), &key);
    explained.summary = summary(message.as_ref(), &key, version, standing);
    Ok(explained)
}

fn state(message: Option<&Message>, key: &InboxKey) -> Option<&'static str> {
    let message = message?;
    if message.deleted { Some("deleted") } else { message.attachment(&key.attachment).map(Attachment::state) }
}

fn summary(message: Option<&Message>, key: &InboxKey, version: Option<&str>, standing: &[Standee]) -> String {
    let state = match message {
        None => "there is no such message: it was never sent, or the table was restored to an earlier time".to_owned(),
        Some(message) if message.deleted => "the message is deleted".to_owned(),
        Some(message) => match message.attachment(&key.attachment) {
            None => "the message has no such attachment".to_owned(),
            Some(Attachment::Pending(_)) => "the attachment is announced and not decided".to_owned(),
            Some(Attachment::Removed) => "the attachment was removed".to_owned(),
            Some(Attachment::Cancelled(_)) => "the attachment was cancelled".to_owned(),
            Some(Attachment::Ready(ready)) => of_version("ready", ready.inbox_version.as_str(), version),
            Some(Attachment::Rejected(rejected)) => of_version("rejected", rejected.inbox_version.as_str(), version),
        },
    };
    let inbox = match (standing.len(), version) {
        (0, Some(_)) => "this version is not in the inbox".to_owned(),
        (0, None) => "nothing of it is in the inbox".to_owned(),
        (1, _) => "it stands in the inbox".to_owned(),
        (many, _) => format!("{many} versions of it stand in the inbox"),
    };
    format!("{state}; {inbox}")
}

/// Whether a decision was made by the very version that was asked for.
fn of_version(state: &str, decided_by: &str, asked_for: Option<&str>) -> String {
    match asked_for {
        Some(asked_for) if asked_for == decided_by => format!("the attachment is {state}, by this version"),
        Some(_) => format!("the attachment is {state}, by another version"),
        None => format!("the attachment is {state}"),
    }
}

impl Standing {
    fn of(version: &Standee, now: Timestamp) -> Self {
        let usual = Selection { classes: STUCK.into(), ..Selection::default() };
        let (replayed, why) = match action(version, &usual, now) {
            Action::Send => (true, why_sent(version.standing.class)),
            Action::Skip(why) => (false, why),
            Action::Ignore => (false, "no filter lets it through"),
        };
        Self {
            version: version.version.clone(),
            size: version.size,
            uploaded_at: version.uploaded_at,
            class: version.standing.class,
            code: version.standing.code.clone(),
            tries: version.work.as_ref().map_or(0, |work| work.tries),
            next: version.standing.next,
            replayed,
            why: why.to_owned(),
        }
    }

    /// How often it was tried, in words. Something went wrong and nothing is counted: a replay has begun the count anew.
    fn tried(&self) -> String {
        match self.tries {
            0 if self.code.is_some() => "no try since it was replayed".to_owned(),
            1 => "1 try".to_owned(),
            tries => format!("{tries} tries"),
        }
    }
}

fn why_sent(class: Class) -> &'static str {
    match class {
        Class::Failed => "its last try failed",
        Class::NeverNotified => "nobody ever tried",
        Class::Leftover => "it is decided, and only its last step is missing",
        Class::Fresh | Class::InFlight | Class::MessageGone | Class::UnknownKey => "it was asked for",
    }
}

impl Explained {
    fn in_words(&self) -> String {
        let version = self.version.as_ref().map(|version| format!("@{}", terminal::shown(version)));
        let mut lines = vec![format!("{}{}", terminal::shown(&self.key), version.unwrap_or_default())];
        lines.push(format!("  {}", self.summary));
        if !self.timeline.is_empty() {
            lines.push("what happened".to_owned());
        }
        lines.extend(self.timeline.iter().map(|event| {
            let version = event.version.as_ref().map(|version| format!("version {}: ", terminal::shown(version)));
            format!("  {}  {:<9}  {}{}", event.at, event.what, version.unwrap_or_default(), event.detail)
        }));
        if !self.inbox.is_empty() || !self.objects.is_empty() {
            lines.push("what is where".to_owned());
        }
        for standing in &self.inbox {
            let Standing { why, .. } = standing;
            let (version, size) = (terminal::shown(&standing.version), HumanBytes(standing.size));
            let (class, next) = (classed(standing.class, standing.code.as_deref()), standing.next.as_str());
            lines.push(format!(
                "  inbox       {version}  {size}  {class}, {}, the sweep's next step: {next}",
                standing.tried()
            ));
            let does = if standing.replayed { "would send it" } else { "would leave it" };
            lines.push(format!("              replay {does}: {why}"));
        }
        lines.extend(self.objects.iter().map(|object| {
            let (key, size) = (terminal::shown(&object.key), HumanBytes(object.size));
            format!("  {:<10}  {key}  {size}  {}", object.bucket.as_str(), object.finding.as_str())
        }));
        if self.inbox.is_empty() {
            lines.push("replay would do nothing: there is no version in the inbox".to_owned());
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::row::tests::standee;

    #[test]
    fn a_place_is_a_key_and_perhaps_a_version() {
        assert_eq!(parted("a/b/c"), ("a/b/c", None));
        assert_eq!(parted("a/b/c@v"), ("a/b/c", Some("v")));
        assert_eq!(parted("me@home@v"), ("me@home", Some("v")));
    }

    #[test]
    fn an_explanation_says_what_is_where_and_what_replay_would_do() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let standing = [standee(Class::Failed, Some("SlowDown"), at(10)), standee(Class::MessageGone, None, at(5))];
        let key: InboxKey = standing[0].key.parse().unwrap();
        let explained = Explained {
            key: key.to_string(),
            version: None,
            summary: summary(None, &key, None, &standing),
            state: None,
            timeline: timeline::events(&key.attachment, None, &[], &standing),
            inbox: standing.iter().map(|version| Standing::of(version, at(100))).collect(),
            objects: vec![Stored {
                bucket: Bucket::Processed,
                key: format!("{key}/0123456789abcdef/original"),
                size: 3000,
                finding: Finding::Unknown,
            }],
        };
        insta::assert_snapshot!(explained.in_words());
        insta::assert_snapshot!(serde_json::to_string_pretty(&explained).unwrap());
    }

    #[test]
    fn tries_are_counted_from_the_last_replay() {
        let at = Timestamp::from_millis(0);
        let mut failed = standee(Class::Failed, Some("SlowDown"), at);
        let tried = |failed: &Standee| Standing::of(failed, at).tried();
        assert_eq!(tried(&failed), "2 tries");
        failed.work.as_mut().unwrap().tries = 0;
        assert_eq!(tried(&failed), "no try since it was replayed");
        assert_eq!(tried(&standee(Class::Fresh, None, at)), "0 tries");
    }

    #[test]
    fn nothing_at_all_is_said_clearly() {
        let key: InboxKey = standee(Class::Fresh, None, Timestamp::from_millis(0)).key.parse().unwrap();
        assert_eq!(
            summary(None, &key, Some("v"), &[]),
            "there is no such message: it was never sent, or the table was restored to an earlier time; this version is not in the inbox"
        );
        assert_eq!(of_version("ready", "v", Some("v")), "the attachment is ready, by this version");
        assert_eq!(of_version("ready", "v", Some("w")), "the attachment is ready, by another version");
    }
}
