//! `vestibule login` and `vestibule send`, as somebody at a terminal runs them.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use vestibule::checkout::Checkout;
use vestibule::people::Person;

use crate::demo_from_outside::executable;
use crate::support::cloud::{Cloud, MAX_UPLOAD_BYTES};
use crate::support::wait::until;

/// A person at a terminal, with a home of their own.
struct Terminal<'a> {
    cloud: &'a Cloud,
    home: tempfile::TempDir,
    room: String,
    person: Person,
}

impl<'a> Terminal<'a> {
    async fn of(cloud: &'a Cloud, name: &str) -> anyhow::Result<Self> {
        let (person, token) = cloud.customer(name).await?;
        let (_, room) = cloud.call(&token, "POST", "/v1/rooms", Some(&serde_json::json!({}))).await?;
        let room = room["room"].as_str().context("a room has an id")?.to_owned();
        Ok(Self { cloud, home: tempfile::tempdir()?, room, person })
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(executable()?);
        command.args(arguments).args(["--endpoint-url", self.cloud.endpoint(), "--stack", self.cloud.stack().name()]);
        command.env("XDG_STATE_HOME", self.home.path()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    async fn login(&self) -> anyhow::Result<()> {
        let mut login = self.command(&["login", "--user", &self.person.name, "--password-stdin"])?.spawn()?;
        login.stdin.take().context("piped")?.write_all(self.person.password.as_bytes()).await?;
        let login = login.wait_with_output().await?;
        ensure!(login.status.success(), "{login:?}");
        Ok(())
    }
}

/// SIGKILL, in the middle: the same command goes on where it was, and its memory does not grow with the file.
pub(crate) async fn a_large_file_survives_a_kill_and_no_finished_part_is_sent_again(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    const PARTS: u64 = 16;
    let terminal = Terminal::of(&cloud, "large-file").await?;
    terminal.login().await?;
    let file = terminal.home.path().join("recording.bin");
    let mut bytes = Vec::with_capacity(usize::try_from(MAX_UPLOAD_BYTES)?);
    while (bytes.len() as u64) < MAX_UPLOAD_BYTES {
        bytes.extend_from_slice(&Sha256::digest(bytes.len().to_le_bytes()).repeat(32_768));
    }
    tokio::fs::write(&file, &bytes).await?;
    let digest = hex::encode(Sha256::digest(&bytes));
    drop(bytes);
    let arguments = ["send", "--json", "--room", &terminal.room, "--text", "large", &file.display().to_string()];

    let mut killed = terminal.command(&arguments)?.spawn()?;
    until("some parts in S3", async || Ok((finished_parts(&cloud, &terminal.room).await?.len() >= 3).then_some(())))
        .await?;
    killed.kill().await?;
    // What was on its way may have got there.
    let finished = finished_parts(&cloud, &terminal.room).await?;
    ensure!((3..PARTS).contains(&(finished.len() as u64)), "killed in the middle: {} parts", finished.len());

    let resumed = terminal.command(&arguments)?.output().await?;
    ensure!(resumed.status.success(), "{resumed:?}");
    let report: Value = serde_json::from_slice(&resumed.stdout)?;
    let parts = &report["files"][0]["parts"];
    let (sent, found) = (parts["sent"].as_u64().context("sent")?, parts["found"].as_u64().context("found")?);
    ensure!(sent + found == PARTS && found >= finished.len() as u64, "{parts} after {} parts", finished.len());
    ensure!(report["messages"] == serde_json::json!([1]), "it is the same message: {report}");
    ensure!(report["files"][0]["state"] == "ready" && report["files"][0]["facts"]["sha256"] == digest, "{report}");
    let memory = report["peakMemoryBytes"].as_u64().context("its memory")?;
    eprintln!("    256 MiB: {found} parts found, {sent} sent, at most {} MiB of memory", memory / (1024 * 1024));
    ensure!(memory < MAX_UPLOAD_BYTES / 2, "{memory} bytes of memory");
    // It is forgotten, so the same command is another message now.
    let kept = std::fs::read_dir(terminal.home.path().join("vestibule/uploads"))?.count();
    ensure!(kept == 0, "{kept} messages are remembered");
    Ok(())
}

/// The numbers of the parts that S3 has of the room's uploads.
async fn finished_parts(cloud: &Cloud, room: &str) -> anyhow::Result<Vec<i32>> {
    let bucket = cloud.output("InboxBucket")?;
    let uploads = cloud.s3.list_multipart_uploads().bucket(bucket).prefix(room).send().await?;
    let mut numbers = Vec::new();
    for upload in uploads.uploads() {
        let parts = cloud.s3.list_parts().bucket(bucket).set_key(upload.key.clone());
        let parts = parts.set_upload_id(upload.upload_id.clone()).send().await;
        // Completed between the two calls.
        let Ok(parts) = parts else { continue };
        numbers.extend(parts.parts().iter().filter_map(|part| part.part_number));
    }
    Ok(numbers)
}

pub(crate) async fn each_verdict_is_said_and_a_refusal_shows_in_the_exit_code(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let terminal = Terminal::of(&cloud, "terminal").await?;
    let (room, command) = (terminal.room.as_str(), |arguments: &[&str]| terminal.command(arguments));
    let files = Checkout::find()?.fixtures().join("files");
    let path = |name: &str| files.join(name).display().to_string();
    let (good, bad, text) = (path("tiny.jpg"), path("jpeg-zip.jpg"), path("note.txt"));

    let anonymous = command(&["send", "--room", room, &good])?.output().await?;
    ensure!(anonymous.status.code() == Some(1), "{anonymous:?}");
    ensure!(
        String::from_utf8_lossy(&anonymous.stderr).contains("nobody is signed in: vestibule login"),
        "{anonymous:?}"
    );

    terminal.login().await?;

    let accepted = command(&["send", "--room", room, "--text", "two files", &good, &text])?.output().await?;
    let said = String::from_utf8_lossy(&accepted.stdout);
    ensure!(accepted.status.success(), "{accepted:?}");
    let lines = "tiny.jpg: accepted as image/jpeg, 3 × 2 pixels, with 2 thumbnails\nnote.txt: accepted as text/plain, UTF-8\n    \
                 | Order 4711\n    |\n    | The parcel arrived on Tuesday. One of the two lamps is broken, and the carton has a dent on its left \
                 side.\n";
    ensure!(said == lines, "{said}");

    let refused = command(&["send", "--json", "--room", room, &good, &bad])?.output().await?;
    ensure!(refused.status.code() == Some(3), "{refused:?}");
    let report: Value = serde_json::from_slice(&refused.stdout)?;
    ensure!(report["files"][0]["state"] == "ready", "{report}");
    ensure!(report["files"][1]["rejection"]["code"] == "polyglot", "{report}");
    ensure!(report["messages"] == serde_json::json!([2]), "{report}");

    let words = command(&["send", "--room", room, "--text", "only words"])?.output().await?;
    ensure!(words.status.success() && words.stdout == b"sent\n", "{words:?}");
    let stranger = command(&["send", "--room", "01jd3v8q0zk5w6x7y8z9abcdef", &good])?.output().await?;
    ensure!(String::from_utf8_lossy(&stranger.stderr).contains("not-found"), "{stranger:?}");
    let nothing = command(&["send", "--room", room])?.output().await?;
    ensure!(nothing.status.code() == Some(2), "{nothing:?}");
    Ok(())
}
