//! `vestibule send`: sends a message with files, shows how they go, waits for every decision and says it in words.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::time::Instant;
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId};
use vestibule_domain::inspection::Facts;
use vestibule_domain::policy::MAX_TEXT_BYTES;
use vestibule_domain::rejection::Rejection;
use vestibule_runtime::ids::Ids;

use crate::api::{Api, Attachment};
use crate::args::Global;
use crate::delivery::{self, Sent};
use crate::outgoing::Outgoing;
use crate::parts::Counts;
use crate::resume::Memory;
use crate::stack::Stack;
use crate::watch::Watch;
use crate::{REFUSED, facts, login, people, terminal};

/// The arguments of `send`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Files of 16 MiB and more go in parts. The same command, given again after it was cut off, goes on where it was; what it \
    needs for that is kept below $XDG_STATE_HOME/vestibule/uploads.\n\nExit codes: 0 all files are accepted, 1 something failed or was not decided in time, 3 a file was refused."
)]
pub struct Args {
    /// The room to send to
    #[arg(long, value_name = "ROOM")]
    room: RoomId,
    /// What the message says
    #[arg(long, value_name = "TEXT", default_value = "")]
    text: String,
    /// The files to send
    #[arg(value_name = "FILE", required_unless_present = "text")]
    files: Vec<PathBuf>,
    /// How long to wait for the last decision
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    deadline: u64,
}

/// What became of one file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    name: String,
    seq: MessageSeq,
    id: AttachmentId,
    /// `ready`, `rejected`, `cancelled`, `removed`; `pending` when it was not decided in time, `failed` when it was not uploaded.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<Facts>,
    /// Pixels of its thumbnails, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variants: BTreeMap<String, (u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<Rejection>,
    /// Its parts, when it went in parts: those that were sent now, and those that an earlier try had sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Counts>,
    /// Why it was not uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    room: &'a RoomId,
    /// The messages' places in the room.
    messages: Vec<MessageSeq>,
    files: &'a [Outcome],
    /// The most memory that this process had, in bytes; where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_memory_bytes: Option<u64>,
}

/// The most memory that this process had.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Sends the files as whoever is signed in, and says what became of each.
///
/// # Errors
/// When nobody is signed in, a file cannot be read, or the API refuses.
pub async fn run(global: &Global, args: &Args) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.text.len() <= MAX_TEXT_BYTES, "the text is longer than {MAX_TEXT_BYTES} bytes");
    let stack = Stack::find(global.stack(), global.endpoint_url.as_deref()).await?;
    let files: Vec<Outgoing> =
        args.files.iter().map(|path| Outgoing::at(path, stack.max_upload_bytes())).collect::<anyhow::Result<_>>()?;
    let person = people::identity(&login::access_token(&stack).await?)?.id;
    let api = Api::of(&stack)?;
    // Before anything is sent, so that no push is missed.
    let mut watch = if files.is_empty() { Watch::nothing() } else { Watch::open(&api).await };
    let memory = Memory::at(login::state_folder()?.join("uploads"), person, Ids::random());
    let (seqs, announced) = delivery::announce(&api, &args.room, &args.text, files, &memory).await?;
    let bars = MultiProgress::new();
    let style =
        ProgressStyle::with_template("{msg:30!} {bar:30} {bytes:>10} of {total_bytes:10} {bytes_per_sec:12} {eta}")?;
    let sent = delivery::upload_all(&api, &args.room, announced, |file| {
        let bar = bars.add(ProgressBar::new(file.size).with_style(style.clone()));
        bar.with_message(terminal::shown(&file.name))
    })
    .await?;
    bars.clear().context("cannot draw progress")?;
    let deadline = Instant::now() + Duration::from_secs(args.deadline);
    let bar = ProgressBar::new(sent.len() as u64).with_message("being examined");
    bar.set_style(ProgressStyle::with_template("{msg} {bar:30} {pos} of {len}")?);
    let decided = delivery::decisions(&api, &args.room, &sent, &mut watch, deadline, |known| {
        bar.set_position(known.values().filter(|attachment| !attachment.is_pending()).count() as u64);
    })
    .await?;
    bar.finish_and_clear();
    let outcomes: Vec<Outcome> = sent.into_iter().map(|sent| Outcome::of(sent, &decided)).collect();
    if global.json {
        let messages = seqs.into_iter().collect();
        let report = Report { room: &args.room, messages, files: &outcomes, peak_memory_bytes: peak_memory() };
        terminal::print_json(&report)?;
    } else {
        for outcome in &outcomes {
            terminal::print(&outcome.in_words())?;
        }
        if outcomes.is_empty() {
            terminal::print("sent")?;
        }
    }
    Ok(exit_code(&outcomes))
}

impl Outcome {
    fn of(sent: Sent, decided: &BTreeMap<AttachmentId, Attachment>) -> Self {
        let attachment = decided.get(&sent.id);
        let error = sent.uploaded.as_ref().err().map(terminal::one_line);
        let state = match (&error, attachment) {
            (Some(_), _) => "failed".to_owned(),
            (None, Some(attachment)) => attachment.state.clone(),
            (None, None) => "pending".to_owned(),
        };
        let pixels = |attachment: &Attachment| {
            let variants = attachment.variants.iter();
            variants.map(|(name, variant)| (name.clone(), (variant.width, variant.height))).collect()
        };
        Self {
            name: sent.file.name,
            seq: sent.seq,
            id: sent.id,
            state,
            facts: attachment.and_then(|attachment| attachment.facts.clone()),
            variants: attachment.map(pixels).unwrap_or_default(),
            rejection: attachment.and_then(|attachment| attachment.rejection.clone()),
            parts: sent.parts,
            error,
        }
    }

    /// The verdict, in a line for a person.
    fn in_words(&self) -> String {
        let name = terminal::shown(&self.name);
        if let Some(error) = &self.error {
            return format!("{name}: not sent: {error}");
        }
        if let Some(rejection) = &self.rejection {
            return format!("{name}: refused ({}): {}", rejection.code.as_str(), rejection.message);
        }
        match (self.state.as_str(), &self.facts) {
            ("ready", Some(facts)) => {
                let thumbnails = match self.variants.len() {
                    0 => String::new(),
                    1 => ", with a thumbnail".to_owned(),
                    many => format!(", with {many} thumbnails"),
                };
                let mut lines = vec![format!("{name}: accepted as {}{thumbnails}", facts::in_words(facts))];
                lines.append(&mut facts::pictured(facts));
                lines.join("\n    ")
            }
            ("pending", _) => format!("{name}: not decided in time; it waits in the inbox"),
            (state, _) => format!("{name}: {state}"),
        }
    }
}

fn exit_code(outcomes: &[Outcome]) -> ExitCode {
    let is = |state: &str| outcomes.iter().any(|outcome| outcome.state == state);
    if is("failed") || is("pending") {
        ExitCode::FAILURE
    } else if is("rejected") {
        ExitCode::from(REFUSED)
    } else {
        ExitCode::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(uploaded: anyhow::Result<()>, attachment: &serde_json::Value) -> Outcome {
        let id: AttachmentId = "01jd3v8q0zk5w6x7y8z9abcdeg".parse().unwrap();
        let sent = Sent {
            file: Outgoing {
                path: "/tmp/a".into(),
                name: "a\u{202e}gpj.exe\u{1b}[2J".to_owned(),
                size: 3,
                declared: "image/jpeg".parse().unwrap(),
            },
            seq: MessageSeq::try_from(1).unwrap(),
            id: id.clone(),
            uploaded: uploaded.map(|()| vestibule_domain::timestamp::Timestamp::from_millis(0)),
            parts: None,
        };
        let mut known = serde_json::json!({ "id": id });
        known.as_object_mut().unwrap().extend(attachment.as_object().unwrap().clone());
        Outcome::of(sent, &BTreeMap::from([(id, serde_json::from_value(known).unwrap())]))
    }

    fn ready() -> serde_json::Value {
        serde_json::json!({
            "state": "ready", "facts": { "type": "image/gif", "width": 30, "height": 40, "frames": 12 },
            "variants": {
                "320": { "type": "image/jpeg", "width": 30, "height": 40, "size": 9 },
                "1280": { "type": "image/jpeg", "width": 30, "height": 40, "size": 3 },
            },
        })
    }

    fn refused() -> serde_json::Value {
        let rejection = serde_json::json!({ "code": "damaged", "message": "This file is damaged." });
        serde_json::json!({ "state": "rejected", "rejection": rejection })
    }

    #[test]
    fn a_verdict_is_a_line_of_words_and_a_name_cannot_write_on_the_terminal() {
        let pending = serde_json::json!({ "state": "pending" });
        let said: Vec<String> = [
            outcome(Ok(()), &ready()),
            outcome(Ok(()), &refused()),
            outcome(Ok(()), &pending),
            outcome(Err(anyhow::anyhow!("S3 refused the upload")), &pending),
            outcome(Ok(()), &serde_json::json!({ "state": "cancelled" })),
        ]
        .iter()
        .map(Outcome::in_words)
        .collect();
        assert_eq!(
            said,
            [
                "agpj.exe[2J: accepted as image/gif, 30 × 40 pixels, 12 frames, with 2 thumbnails",
                "agpj.exe[2J: refused (damaged): This file is damaged.",
                "agpj.exe[2J: not decided in time; it waits in the inbox",
                "agpj.exe[2J: not sent: S3 refused the upload",
                "agpj.exe[2J: cancelled",
            ]
        );
    }

    #[test]
    fn a_failure_outweighs_a_refusal_and_a_refusal_an_acceptance() {
        let pending = serde_json::json!({ "state": "pending" });
        let code = |outcomes: &[Outcome]| format!("{:?}", exit_code(outcomes));
        let (ok, bad) = (outcome(Ok(()), &ready()), outcome(Ok(()), &refused()));
        let late = outcome(Ok(()), &pending);
        assert_eq!(code(&[]), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(std::slice::from_ref(&ok)), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(&[ok, bad]), format!("{:?}", ExitCode::from(3)));
        assert_eq!(code(&[outcome(Ok(()), &refused()), late]), format!("{:?}", ExitCode::FAILURE));
    }
}
