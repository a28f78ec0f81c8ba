//! `vestibule login` and `vestibule send`, as somebody at a terminal runs them.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use vestibule::checkout::Checkout;

use crate::demo_from_outside::executable;
use crate::support::cloud::Cloud;

pub(crate) async fn each_verdict_is_said_and_a_refusal_shows_in_the_exit_code(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let (person, token) = cloud.customer("terminal").await?;
    let (_, room) = cloud.call(&token, "POST", "/v1/rooms", Some(&serde_json::json!({}))).await?;
    let room = room["room"].as_str().context("a room has an id")?;
    let home = tempfile::tempdir()?;
    let command = |arguments: &[&str]| -> anyhow::Result<Command> {
        let mut command = Command::new(executable()?);
        command.args(arguments).args(["--endpoint-url", cloud.endpoint(), "--stack", cloud.stack().name()]);
        command.env("XDG_STATE_HOME", home.path()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    };
    let files = Checkout::find()?.fixtures().join("files");
    let path = |name: &str| files.join(name).display().to_string();
    let (good, bad, text) = (path("tiny.jpg"), path("jpeg-zip.jpg"), path("note.txt"));

    let anonymous = command(&["send", "--room", room, &good])?.output().await?;
    ensure!(anonymous.status.code() == Some(1), "{anonymous:?}");
    ensure!(
        String::from_utf8_lossy(&anonymous.stderr).contains("nobody is signed in: vestibule login"),
        "{anonymous:?}"
    );

    let mut login = command(&["login", "--user", &person.name, "--password-stdin"])?.spawn()?;
    login.stdin.take().context("piped")?.write_all(person.password.as_bytes()).await?;
    let login = login.wait_with_output().await?;
    ensure!(login.status.success(), "{login:?}");

    let accepted = command(&["send", "--room", room, "--text", "two files", &good, &text])?.output().await?;
    let said = String::from_utf8_lossy(&accepted.stdout);
    ensure!(accepted.status.success(), "{accepted:?}");
    let lines = "tiny.jpg: accepted as image/jpeg, 3 × 2 pixels, with 2 thumbnails\nnote.txt: accepted as text/plain\n";
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
