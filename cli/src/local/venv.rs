//! The pinned virtual environment of the local cloud: made once, made anew when its pins change.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::checkout::Checkout;
use crate::local::Note;

/// The environment's Python. Runs that start at the same time wait for the one that makes it.
pub(crate) async fn python(checkout: &Checkout, note: Note<'_>) -> anyhow::Result<PathBuf> {
    let folder = checkout.local();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let lock = File::create(folder.join("venv.lock")).context("cannot make the virtual environment's lock")?;
    // Held until this function ends.
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await?.context("cannot lock")?;

    let requirements = checkout.requirements();
    let pins = fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let wanted = hex::encode(Sha256::digest(&pins));
    let venv = folder.join("venv");
    let stamp = venv.join("requirements.sha256");
    let python = venv.join("bin/python");
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == wanted) {
        return Ok(python);
    }

    note(&format!("making the local cloud's virtual environment in {}", venv.display()));
    if venv.exists() {
        fs::remove_dir_all(&venv).with_context(|| format!("cannot remove {}", venv.display()))?;
    }
    run("python3", &["-m".as_ref(), "venv".as_ref(), venv.as_os_str()], "python3 (3.11 or later) with venv").await?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
    let install: Vec<_> = install.iter().map(AsRef::as_ref).chain([requirements.as_os_str()]).collect();
    run(&python, &install, "pip").await?;
    // The stamp goes last: an environment that was interrupted has none.
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    drop(lock);
    Ok(python)
}

/// Runs a program to its end. `needed` names it for someone who has to install it.
async fn run(program: impl AsRef<Path>, arguments: &[&std::ffi::OsStr], needed: &str) -> anyhow::Result<()> {
    let program = program.as_ref();
    let ended = Command::new(program).args(arguments).stdin(Stdio::null()).kill_on_drop(true).output().await;
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            anyhow::bail!("{} was not found: install {needed}", program.display())
        }
        Err(error) => return Err(error).with_context(|| format!("cannot run {}", program.display())),
    };
    if ended.status.success() {
        return Ok(());
    }
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let why = last_words(&said);
    anyhow::bail!("{} failed ({}), needed: {needed}: {why}", program.display(), ended.status)
}

/// The last line that is not empty.
pub(crate) fn last_words(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing")
}
