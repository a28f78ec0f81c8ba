//! The MiniStack process: started on loopback in a clean environment, awaited, ended with all it started.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::aws::LOCAL_REGION;
use crate::local::run_folder::RunFolder;
use crate::local::venv::last_words;

/// It starts in a second or four; a machine busy with a build takes longer.
const START: Duration = Duration::from_mins(1);
/// How long it and the functions may take to end.
const END: Duration = Duration::from_secs(10);
/// Between two looks at whether it answers.
const LOOK: Duration = Duration::from_millis(50);

/// A running MiniStack under its supervisor, which reads its standard input and ends the server and all the functions when that
/// ends. So they go when this is stopped or dropped, and also when this process is killed.
pub(crate) struct Server {
    child: Child,
    /// Its standard input, taken out of `child`, which would close it before waiting.
    alive: ChildStdin,
    endpoint: String,
    folder: RunFolder,
}

/// Takes a port that nobody listens on: `wanted`, or any.
pub(crate) fn free_port(wanted: Option<u16>) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted.unwrap_or(0)));
    let listener = listener.with_context(|| match wanted {
        Some(port) => format!("port {port} of 127.0.0.1 cannot be used, choose another"),
        None => "no port of 127.0.0.1 is free".to_owned(),
    })?;
    Ok(listener.local_addr()?.port())
}

impl Server {
    /// Starts it on `port` and waits until it answers.
    pub(crate) async fn start(python: &Path, script: &Path, folder: RunFolder, port: u16) -> anyhow::Result<Self> {
        let endpoint = format!("http://127.0.0.1:{port}");
        let log = File::create(folder.log()).with_context(|| format!("cannot write {}", folder.log().display()))?;
        // The functions inherit this environment, so it holds nothing of the caller's: no credentials, no profiles, no proxies.
        let mut child = Command::new(python)
            .arg(script)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", folder.tmp())
            .env("TMPDIR", folder.tmp())
            .env("AUTH", "true")
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("IOT_MTLS_ENABLED", "0")
            .env("MINISTACK_REGION", LOCAL_REGION)
            .env("AWS_ENDPOINT_URL", &endpoint)
            .current_dir(folder.tmp())
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C at the terminal is for this process alone, which then ends the supervisor in good order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {}", python.display()))?;
        let alive = child.stdin.take().context("the local cloud has no standard input")?;
        let mut server = Self { child, alive, endpoint, folder };
        server.answers().await?;
        Ok(server)
    }

    /// Where AWS's calls go.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What it says goes here.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.log()
    }

    /// Ends it and all it started.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Self { mut child, alive, folder, .. } = self;
        drop(alive);
        timeout(END, child.wait()).await.context("the local cloud did not end")??;
        drop(folder);
        Ok(())
    }

    /// Waits until the server has ended by itself.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        match self.child.wait().await {
            Ok(status) => self.obituary(status),
            Err(error) => anyhow::Error::new(error).context("cannot wait for the local cloud"),
        }
    }

    async fn answers(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
        let health = format!("{}/_ministack/health", self.endpoint);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.obituary(status));
            }
            if http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            let log = self.log();
            anyhow::ensure!(
                Instant::now() < deadline,
                "the local cloud did not answer within {} s: see {}",
                START.as_secs(),
                log.display()
            );
            sleep(LOOK).await;
        }
    }

    fn obituary(&self, status: ExitStatus) -> anyhow::Error {
        let log = self.log();
        let said = fs::read(&log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        anyhow::anyhow!("the local cloud ended ({status}): {}: see {}", last_words(&said), log.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = format!("{:#}", free_port(Some(port)).unwrap_err());
        assert!(error.starts_with(&format!("port {port} of 127.0.0.1 cannot be used, choose another: ")), "{error}");
        assert_ne!(free_port(None).unwrap(), port);
    }
}
