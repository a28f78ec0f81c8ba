//! A folder of its own for every local run, so that runs beside one another share nothing but the pinned tools.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// `target/local/<name>-<port>/`, held by a lock while the run lasts. Its log stays when the run has ended; its temporary
/// files (the unpacked functions among them) go.
pub(crate) struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Makes the folder of a run on `port`, and clears up after runs that were killed.
    pub(crate) fn create(local: &Path, name: &str, port: u16) -> anyhow::Result<Self> {
        clear_dead_runs(local)?;
        let path = local.join(format!("{name}-{port}"));
        fs::create_dir_all(path.join("tmp")).with_context(|| format!("cannot make {}", path.display()))?;
        let lock = File::create(path.join("lock")).with_context(|| format!("cannot lock {}", path.display()))?;
        lock.try_lock().with_context(|| format!("another run holds {}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where the server and its functions put what lasts no longer than they do.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// What the server says.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        remove_tmp(&self.path);
    }
}

fn clear_dead_runs(local: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(local).with_context(|| format!("cannot read {}", local.display()))? {
        let path = entry?.path();
        let Ok(lock) = File::open(path.join("lock")) else { continue };
        if lock.try_lock().is_ok() {
            remove_tmp(&path);
        }
    }
    Ok(())
}

/// A function that is being ended may still be writing; what it leaves, the next run removes.
fn remove_tmp(run: &Path) {
    match fs::remove_dir_all(run.join("tmp")) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::debug!(folder = %run.display(), %error, "temporary files stay until the next run");
        }
        Err(_) | Ok(()) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_ended_leaves_its_log_and_a_run_that_was_killed_is_cleared_by_the_next() {
        let local = tempfile::tempdir().unwrap();
        let run = RunFolder::create(local.path(), "dev", 1).unwrap();
        let (log, tmp) = (run.log(), run.tmp());
        fs::write(&log, "x").unwrap();
        assert!(tmp.is_dir());
        drop(run);
        assert!(log.is_file() && !tmp.exists());

        fs::create_dir(&tmp).unwrap();
        let living = RunFolder::create(local.path(), "dev", 2).unwrap();
        assert!(!tmp.exists());
        let _another = RunFolder::create(local.path(), "demo", 3).unwrap();
        assert!(living.tmp().is_dir());
        assert!(RunFolder::create(local.path(), "dev", 2).is_err());
    }
}
