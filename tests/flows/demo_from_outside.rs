//! The whole job, by the command line, checked by a program that shares no code with it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::process::Command;
use vestibule::checkout::Checkout;

use crate::support::cloud::Cloud;

/// The Python that has what tests/independent needs; `make test` sets it up.
const PYTHON: &str = "INDEPENDENT_PYTHON";

pub(crate) async fn the_demo_ends_well_and_python_agrees(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let checkout = Checkout::find()?;
    let (endpoint, stack) = (cloud.endpoint(), cloud.stack().name());
    run(Command::new(executable()?).args(["demo", "--endpoint-url", endpoint, "--stack", stack])).await?;
    let report: Value = serde_json::from_slice(&std::fs::read(checkout.demo_report())?)?;
    ensure!(report["inboxLeft"] == 0, "{report}");
    ensure!(report["files"].as_array().is_some_and(|files| files.len() >= 35), "{report}");
    let (report, files) = (checkout.demo_report(), checkout.fixtures().join("files"));
    independently(
        &cloud,
        "check_demo.py",
        &["--only-room".as_ref(), "--report".as_ref(), report.as_ref(), "--files".as_ref(), files.as_ref()],
    )
    .await
}

/// Runs a check of tests/independent on the run's stack.
pub(crate) async fn independently(cloud: &Cloud, check: &str, arguments: &[&OsStr]) -> anyhow::Result<()> {
    let mut command = Command::new(python()?);
    command.arg(Checkout::find()?.root().join("tests/independent").join(check)).args(arguments);
    command.args([
        "--endpoint-url",
        cloud.endpoint(),
        "--stack",
        cloud.stack().name(),
        "--region",
        vestibule::aws::LOCAL_REGION,
    ]);
    run(&mut command).await
}

/// The Python that has what tests/independent needs.
pub(crate) fn python() -> anyhow::Result<String> {
    vestibule_runtime::config::environment(PYTHON).with_context(|| format!("{PYTHON} is not set: run `make test`"))
}

/// `vestibule`, where Cargo built it beside this test.
pub(crate) fn executable() -> anyhow::Result<PathBuf> {
    let running = std::env::current_exe()?;
    let folder =
        running.parent().and_then(|deps| deps.parent()).context("tests are built into a folder of a folder")?;
    Ok(folder.join("vestibule"))
}

/// Runs to the end, and wants it to end well.
async fn run(command: &mut Command) -> anyhow::Result<()> {
    let ended = command.kill_on_drop(true).output().await?;
    let said = [ended.stdout, ended.stderr].concat();
    ensure!(ended.status.success(), "{}: {}", ended.status, String::from_utf8_lossy(&said));
    Ok(())
}
