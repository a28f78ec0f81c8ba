//! People ─▶ ChatTable ─▶ archive, whatever they do: random histories leave dense numbers, and the raw archive tells them whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::{Value, json};
use vestibule_domain::id::MessageSeq;
use vestibule_store::objects::InboxVersion;

use crate::support::archive;
use crate::support::chat::{Chat, File, Slot, put};
use crate::support::cloud::{Cloud, batch, failed_messages};
use crate::support::state::State;
use crate::support::wait::until;

/// Histories in one run, and steps in one history. The API and ingest answer each step in milliseconds.
const HISTORIES: u32 = 8;
const STEPS: std::ops::Range<usize> = 8..28;
/// Tries to make a history that fails shorter.
const SHRINKING: u32 = 24;

/// What somebody does next. An index stands for one of the messages, attachments or uploads that there are by then.
#[derive(Debug, Clone)]
enum Step {
    /// A message with these files, none of which is uploaded yet.
    Send(Vec<Kind>),
    /// The same message once more, as after a lost answer.
    SendAgain(Index),
    Edit(Index),
    Delete(Index),
    Upload(Index),
    Cancel(Index),
    Remove(Index),
    /// The event of an upload once more, late.
    Redeliver(Index),
}

/// A file, by what will become of it.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Picture,
    Lie,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![2 => Just(Kind::Text), 1 => Just(Kind::Picture), 1 => Just(Kind::Lie)];
    prop_oneof![
        3 => prop::collection::vec(kind, 0..3).prop_map(Step::Send),
        1 => any::<Index>().prop_map(Step::SendAgain),
        2 => any::<Index>().prop_map(Step::Edit),
        1 => any::<Index>().prop_map(Step::Delete),
        5 => any::<Index>().prop_map(Step::Upload),
        1 => any::<Index>().prop_map(Step::Cancel),
        1 => any::<Index>().prop_map(Step::Remove),
        2 => any::<Index>().prop_map(Step::Redeliver),
    ]
}

pub(crate) async fn numbers_stay_dense_and_the_archive_rebuilds_every_message(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let config =
        Config { cases: HISTORIES, max_shrink_iters: SHRINKING, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Handle::current();
    let ended = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&prop::collection::vec(step(), STEPS), |steps| {
            let live = runtime.block_on(Room::live(&cloud, steps));
            live.map_err(|error| TestCaseError::fail(format!("{error:?}")))
        })
    });
    ended.map_err(|error| match error {
        TestError::Fail(reason, steps) => anyhow::anyhow!("{reason}\nin the history {steps:#?}"),
        TestError::Abort(reason) => anyhow::anyhow!("{reason}"),
    })
}

/// What there is in the room so far.
struct Room {
    cloud: Arc<Cloud>,
    chat: Chat,
    sent: Vec<(Value, MessageSeq)>,
    attachments: Vec<(Slot, Kind)>,
    uploads: Vec<InboxVersion>,
}

impl Room {
    /// Lets a history happen in a room of its own, and looks at what it left.
    async fn live(cloud: &Arc<Cloud>, steps: Vec<Step>) -> anyhow::Result<()> {
        let name = format!("history-{}", vestibule_runtime::ids::Ids::random().room()?);
        let chat = Chat::open(cloud, &name).await?;
        let mut room = Self { cloud: Arc::clone(cloud), chat, sent: vec![], attachments: vec![], uploads: vec![] };
        for step in steps {
            room.take(step).await?;
        }
        room.check().await
    }

    /// Does one step. What cannot be done (any more) is refused by the API, which changes nothing.
    async fn take(&mut self, step: Step) -> anyhow::Result<()> {
        match step {
            Step::Send(kinds) => self.send(&kinds).await,
            Step::SendAgain(which) if !self.sent.is_empty() => {
                let (body, seq) = which.get(&self.sent);
                let again = self.chat.call("POST", &self.messages(), Some(body)).await?;
                ensure!(again["message"]["seq"] == seq.get(), "sent twice: {again}");
                Ok(())
            }
            Step::Edit(which) if !self.sent.is_empty() => {
                let body = json!({ "text": format!("edited after {} uploads", self.uploads.len()) });
                self.try_on_message(which, "PATCH", Some(&body)).await
            }
            Step::Delete(which) if !self.sent.is_empty() => self.try_on_message(which, "DELETE", None).await,
            Step::Upload(which) if !self.attachments.is_empty() => self.upload(which).await,
            Step::Cancel(which) if !self.attachments.is_empty() => {
                let path = format!("{}/upload", self.chat.attachment_path(&which.get(&self.attachments).0));
                self.allowed_to_fail("DELETE", &path, None).await
            }
            Step::Remove(which) if !self.attachments.is_empty() => {
                let path = self.chat.attachment_path(&which.get(&self.attachments).0);
                self.allowed_to_fail("DELETE", &path, None).await
            }
            Step::Redeliver(which) if !self.uploads.is_empty() => {
                let event = self.cloud.s3_event(which.get(&self.uploads))?;
                // While another worker is at it, a duplicate waits.
                until("the duplicates to be done with", async || {
                    let answer = self.cloud.invoke_ingest(&batch(&[event.clone(), event.clone()])).await?;
                    Ok(failed_messages(&answer).is_empty().then_some(()))
                })
                .await
            }
            Step::SendAgain(_)
            | Step::Edit(_)
            | Step::Delete(_)
            | Step::Upload(_)
            | Step::Cancel(_)
            | Step::Remove(_)
            | Step::Redeliver(_) => Ok(()),
        }
    }

    fn messages(&self) -> String {
        format!("/v1/rooms/{}/messages", self.chat.room)
    }

    async fn send(&mut self, kinds: &[Kind]) -> anyhow::Result<()> {
        let files: Vec<File> = kinds.iter().map(|kind| kind.file()).collect::<anyhow::Result<_>>()?;
        let announced =
            files.iter().map(|file| json!({ "name": file.name, "size": file.bytes.len(), "type": file.declared }));
        let body = json!({
            "clientMessageId": format!("m{}", self.sent.len()), "text": format!("message {}", self.sent.len()),
            "attachments": announced.collect::<Vec<_>>(),
        });
        let answer = self.chat.call("POST", &self.messages(), Some(&body)).await?;
        let slots = self.chat.slots(&answer)?;
        self.sent.push((body, serde_json::from_value(answer["message"]["seq"].clone())?));
        self.attachments.extend(slots.into_iter().zip(kinds.iter().copied()));
        Ok(())
    }

    async fn upload(&mut self, which: Index) -> anyhow::Result<()> {
        let (slot, kind) = which.get(&self.attachments);
        let file = kind.file()?;
        let size = file.bytes.len() as u64;
        let response = put(&self.cloud, &slot.ticket, file.bytes).await?;
        // Until the first one is decided, S3 takes no second upload of the key; after that it may.
        let version = response.headers().get("x-amz-version-id").filter(|_| response.status().is_success());
        if let Some(version) = version {
            let version = version.to_str()?.parse()?;
            self.uploads.push(InboxVersion { key: slot.key.clone(), version, size });
        }
        Ok(())
    }

    async fn try_on_message(&self, which: Index, method: &str, body: Option<&Value>) -> anyhow::Result<()> {
        let (_, seq) = which.get(&self.sent);
        self.allowed_to_fail(method, &self.chat.path(*seq), body).await
    }

    /// Calls the API, which may say that it is too late for that.
    async fn allowed_to_fail(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<()> {
        let (status, answer) = self.cloud.call(&self.chat.customer, method, path, body).await?;
        ensure!(status < 500, "{method} {path}: {status} {answer}");
        Ok(())
    }

    /// Sequence numbers and versions are dense, and the archive says of every message what the table says.
    async fn check(&self) -> anyhow::Result<()> {
        let state = State::settled(&self.cloud, &self.chat.room).await?;
        let table: BTreeMap<u64, &Value> =
            state.items.iter().filter_map(|(sk, item)| Some((sk.strip_prefix("MSG#")?.parse().ok()?, item))).collect();
        let expected: Vec<u64> = (1..=self.sent.len() as u64).collect();
        ensure!(table.keys().copied().collect::<Vec<_>>() == expected, "sequence numbers: {:?}", table.keys());
        ensure!(state.items["META"]["lastSeq"] == self.sent.len(), "{}", state.items["META"]);
        let changes: u64 = table.values().filter_map(|item| item["ver"].as_u64()).sum();
        let records = until("all changes in the archive", async || {
            let records = archive::records(&self.cloud, &self.chat.room).await?;
            Ok((archive::changes(&records).len() as u64 >= changes).then_some(records))
        })
        .await?;
        let dated = records.iter().all(|record| record.by.is_some() && record.cause.is_some() && record.at.is_some());
        ensure!(dated, "every change says who, why and when");
        let rebuilt = archive::rebuilt(&records)?;
        ensure!(rebuilt.len() == table.len(), "the archive knows {} messages, not {}", rebuilt.len(), table.len());
        for (seq, item) in table {
            let told = rebuilt.get(&seq).with_context(|| format!("the archive does not know message {seq}"))?;
            ensure!(told == item, "message {seq} is {item}, and by the archive {told}");
        }
        Ok(())
    }
}

impl Kind {
    fn file(self) -> anyhow::Result<File> {
        match self {
            Self::Text => Ok(File::text("a text")),
            Self::Picture => File::fixture("tiny.jpg", "image/jpeg"),
            Self::Lie => File::fixture("text-named.png", "image/png"),
        }
    }
}
