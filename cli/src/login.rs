//! `vestibule login`: signs in and keeps the tokens for the commands that need them.

use std::fs;
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::config;

use crate::args::Global;
use crate::people::{self, Identity, SignedIn, Tokens};
use crate::stack::Stack;
use crate::terminal;

/// The longest password that Cognito takes is 256 characters; a line break may follow.
const MAX_PASSWORD_BYTES: u64 = 4 * 256 + 2;

/// A token that ends within this time is not used any more: what it is for may take a while.
const SOON_SECONDS: i64 = 5 * 60;

/// The arguments of `login`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who to sign in as
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Read the password from standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

/// What is kept: mode 0600, one file for each stack. A credential, and so without `Debug`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    /// The stack's name.
    stack: String,
    /// Where AWS's calls go, unless to AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint_url: Option<String>,
    /// Who is signed in.
    identity: Identity,
    /// What proves it.
    tokens: Tokens,
    /// When the access token ends.
    until: Timestamp,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Who<'a> {
    #[serde(flatten)]
    identity: &'a Identity,
    stack: &'a str,
    until: Timestamp,
}

/// Signs in, keeps the tokens, and says who one is and until when.
///
/// # Errors
/// When there is no such stack, Cognito refuses, or the tokens cannot be kept.
pub async fn run(global: &Global, args: &Args) -> anyhow::Result<ExitCode> {
    let stack = Stack::find(global.stack(), global.endpoint_url.as_deref()).await?;
    let password = if args.password_stdin { from_stdin()? } else { ask(&format!("password of {}: ", args.user))? };
    let tokens = match people::sign_in(&stack, &args.user, &password).await? {
        SignedIn::Tokens(tokens) => tokens,
        SignedIn::NewPasswordWanted(session) => {
            anyhow::ensure!(!args.password_stdin, "{} must choose a new password: log in at a terminal", args.user);
            people::sign_in_anew(&stack, &args.user, &session, &chosen()?).await?
        }
    };
    let session = Session {
        stack: stack.name().to_owned(),
        endpoint_url: stack.endpoint().map(str::to_owned),
        identity: people::identity(&tokens.access)?,
        until: Clock::system().now().plus_seconds(tokens.seconds),
        tokens,
    };
    keep(&file(&state_folder()?, &stack), &session)?;
    let Session { identity, until, .. } = &session;
    if global.json {
        terminal::print_json(&Who { identity, stack: stack.name(), until: *until })?;
    } else {
        let groups =
            if identity.groups.is_empty() { String::new() } else { format!(" ({})", identity.groups.join(", ")) };
        terminal::print(&format!("signed in to {} as {}{groups} until {until}", stack.name(), identity.user))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The access token of whoever is signed in to `stack`. One that ends soon is exchanged for a new one first.
///
/// # Errors
/// When nobody is signed in, or has been for too long.
pub(crate) async fn access_token(stack: &Stack) -> anyhow::Result<String> {
    let file = file(&state_folder()?, stack);
    let session = kept(&file)?.with_context(|| {
        let endpoint = stack.endpoint().map(|url| format!(" --endpoint-url {url}")).unwrap_or_default();
        format!("nobody is signed in: vestibule login --stack {}{endpoint} --user NAME", stack.name())
    })?;
    let now = Clock::system().now();
    if now.plus_seconds(SOON_SECONDS) < session.until {
        return Ok(session.tokens.access);
    }
    let tokens = people::refresh(stack, &session.tokens.refresh).await;
    let tokens = tokens.with_context(|| format!("{} must log in again", session.identity.user))?;
    let access = tokens.access.clone();
    keep(&file, &Session { until: now.plus_seconds(tokens.seconds), tokens, ..session })?;
    Ok(access)
}

/// The session in `file`; `None` where there is none.
fn kept(file: &Path) -> anyhow::Result<Option<Session>> {
    let bytes = match fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {}", file.display()))?,
    };
    Ok(Some(
        serde_json::from_slice(&bytes).with_context(|| format!("{} is not a session: log in again", file.display()))?,
    ))
}

fn from_stdin() -> anyhow::Result<String> {
    let mut password = String::new();
    std::io::stdin().take(MAX_PASSWORD_BYTES).read_to_string(&mut password).context("cannot read the password")?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask(prompt: &str) -> anyhow::Result<String> {
    anyhow::ensure!(std::io::stdin().is_terminal(), "no terminal to ask for the password: use --password-stdin");
    rpassword::prompt_password(prompt).context("cannot ask for the password")
}

fn chosen() -> anyhow::Result<String> {
    let password = ask("this was a first password; a new one: ")?;
    anyhow::ensure!(ask("the new one again: ")? == password, "the two are not the same");
    Ok(password)
}

/// `$XDG_STATE_HOME/vestibule`, by default `~/.local/state/vestibule`.
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
pub(crate) fn state_folder() -> anyhow::Result<PathBuf> {
    let state = config::environment("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || config::environment("HOME").map(|home| Path::new(&home).join(".local/state"));
    Ok(state.or_else(home).context("neither XDG_STATE_HOME nor HOME is set")?.join("vestibule"))
}

/// A stack's name is unique only in its account and region, or at its endpoint; the pool's id is unique everywhere on AWS.
fn file(folder: &Path, stack: &Stack) -> PathBuf {
    let place = stack.endpoint().or(stack.sdk().region().map(AsRef::as_ref)).unwrap_or_default();
    let name = format!("{}@{place}", stack.name());
    let safe = name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.@".contains(c) { c } else { '_' });
    folder.join(safe.collect::<String>()).with_added_extension("json")
}

/// Writes the session so that nobody else can read it at any moment.
fn keep(file: &Path, session: &Session) -> anyhow::Result<()> {
    let folder = file.parent().context("a session's file is in a folder")?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| cannot_write(folder))?;
    let unfinished = file.with_added_extension("new");
    if unfinished.exists() {
        fs::remove_file(&unfinished).with_context(|| cannot_write(&unfinished))?;
    }
    let mut private = fs::OpenOptions::new();
    let mut new = private.write(true).create_new(true).mode(0o600).open(&unfinished);
    let new = new.as_mut().map_err(|error| anyhow::anyhow!("{}: {error}", cannot_write(&unfinished)))?;
    new.write_all(&serde_json::to_vec(session)?)?;
    fs::rename(&unfinished, file).with_context(|| cannot_write(file))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_session_is_private_and_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vestibule/a.json");
        let mut session = Session {
            stack: "a".to_owned(),
            endpoint_url: None,
            identity: Identity { id: "1".to_owned(), user: "ada".to_owned(), groups: vec![] },
            tokens: Tokens { access: "x".to_owned(), refresh: "y".to_owned(), seconds: 3600 },
            until: Timestamp::from_millis(0),
        };
        keep(&file, &session).unwrap();
        session.identity.user = "eve".to_owned();
        keep(&file, &session).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        assert_eq!(kept(&file).unwrap().unwrap().identity.user, "eve");
        assert!(kept(&folder.path().join("nobody.json")).unwrap().is_none());
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }
}
