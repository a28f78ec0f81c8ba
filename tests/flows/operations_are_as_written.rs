//! docs/OPERATIONS.md: every command that it shows is run, each as somebody who may do no more than it says, and every alarm and default in
//! it is the template's.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aws_sdk_s3::types::NotificationConfiguration;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use vestibule::checkout::Checkout;
use vestibule::stack::Stack;

use crate::demo_from_outside::{executable, python};
use crate::support::cloud::Cloud;

mod handbook;
mod situation;

use handbook::{Handbook, Shown, Step, Template, our_codes};
use situation::{Situation, arrange};

/// The account of the local cloud.
const ACCOUNT: &str = "000000000000";
/// How long a step may take to find what it says it finds.
const PATIENCE: Duration = Duration::from_mins(1);
/// Words of a command that changes what it finds, so that the next one needs another situation.
const CHANGING: [&str; 4] = ["replay", "redrive", "purge", "--apply"];

pub(crate) async fn every_alarm_and_every_default_is_the_templates(_: Arc<Cloud>) -> anyhow::Result<()> {
    let (handbook, template) = (Handbook::read()?, Template::read()?);
    ensure!(handbook.alarms() == template.alarms, "{:?}, {:?}", handbook.alarms(), template.alarms);
    let mut checked = 0;
    for (name, value) in handbook.defaults() {
        match template.parameters.get(&name) {
            Some(default) => {
                ensure!(
                    default.as_deref() == Some(value.as_str()),
                    "`{name}` ({value}) is {default:?} in the template"
                );
                checked += 1;
            }
            None => ensure!(value.parse::<u64>().is_err(), "`{name}` ({value}) is no parameter of the template"),
        }
    }
    ensure!(checked >= 8, "{checked} defaults");
    Ok(())
}

/// Whoever is on call finds every word that we say for a failure. What AWS calls an error is AWS's to explain.
pub(crate) async fn every_code_of_ours_is_explained(_: Arc<Cloud>) -> anyhow::Result<()> {
    /// What is told of nowhere: an event that waits for another worker is no failure.
    const UNSAID: &str = "held";
    let (explained, ours) = (Handbook::read()?.codes(), our_codes()?);
    let missing: Vec<_> = ours.difference(&explained).filter(|code| *code != UNSAID).collect();
    ensure!(missing.is_empty(), "docs/OPERATIONS.md has no row for {missing:?}");
    Ok(())
}

/// On a stack of its own, since whole queues are sent back and deleted. The inbox tells nobody of uploads, and nobody sweeps, so that things
/// stand where they were put.
pub(crate) async fn every_command_does_what_is_written_with_the_permissions_that_are_written(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let handbook = Handbook::read()?;
    let parameters = [
        ("SweepSchedule", ""),
        ("SweepAfterSeconds", "3"),
        ("SweepMaxTries", "5"),
        ("CollectDelaySeconds", "0"),
        ("IngestTimeoutSeconds", "30"),
        ("InspectTimeoutSeconds", "25"),
        ("IngestVisibilitySeconds", "180"),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let stack = cloud.another_stack("operations", parameters).await?;
    let none = NotificationConfiguration::builder().build();
    let untell = cloud.s3.put_bucket_notification_configuration().bucket(stack.output("InboxBucket")?);
    untell.notification_configuration(none).send().await?;
    // Nor is reclaim asked for anything but by the commands.
    cloud.take_off_its_queue(&stack, "RelayFunction").await?;

    let steps = handbook.steps()?;
    let users = users(&cloud, &stack, &policies(&handbook, &stack, &steps)?).await?;
    let key = |name: &str, place: usize| users[name][place].as_str().context("a key");
    let mut situation = arrange(&cloud, &stack).await?;
    let looks = [key("list", 0)?, key("list", 1)?];
    ensure!(is_refused_to_send(&cloud, &stack, &situation, looks).await?, "who may look sends");
    let folder = tempfile::tempdir()?;
    for Step { commands, words } in &steps {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut printed = String::new();
            for shown in commands {
                let (name, _) = handbook.statements(&shown.words)?;
                let mut command = command(&cloud, &stack, shown, &situation)?;
                command.env("AWS_ACCESS_KEY_ID", key(&name, 0)?).env("AWS_SECRET_ACCESS_KEY", key(&name, 1)?);
                let ended = command.current_dir(&folder).output().await?;
                ensure!(ended.status.code() == Some(shown.exit), "{shown:?}: {}", said(&ended));
                ensure!(shown.exit != 0 || !ended.stdout.is_empty(), "{shown:?} found nothing to say");
                printed.push_str(&said(&ended));
                if CHANGING.iter().any(|word| shown.words.iter().any(|other| other == word)) {
                    situation = arrange(&cloud, &stack).await?;
                }
            }
            let Some(missing) = words.iter().find(|word| !printed.contains(word.as_str())) else { break };
            // What stands there is fresh for a moment only, and older than that only after it.
            ensure!(Instant::now() < deadline, "{missing:?} is in the handbook and not in {printed}");
            situation = arrange(&cloud, &stack).await?;
        }
    }
    let left = folder.path().read_dir()?.count();
    ensure!(left == 0, "a replay that came to its end leaves no cursor");
    Ok(())
}

/// For each command of the table of permissions its policy.
fn policies(handbook: &Handbook, stack: &Stack, steps: &[Step]) -> anyhow::Result<Value> {
    let policy = filled(stack, &handbook.policy()?)?;
    let statements = policy["Statement"].as_array().context("a policy has statements")?;
    let mut policies = BTreeMap::new();
    for shown in steps.iter().flat_map(|step| &step.commands) {
        let (name, sids) = handbook.statements(&shown.words)?;
        let is_wanted = |one: &&Value| one["Sid"].as_str().is_some_and(|sid| sids.contains(sid));
        let chosen: Vec<_> = statements.iter().filter(is_wanted).collect();
        ensure!(chosen.len() == sids.len(), "{name} needs {sids:?}, and the policy has {chosen:?}");
        policies.insert(name, json!({ "Version": policy["Version"], "Statement": chosen }));
    }
    Ok(json!(policies))
}

/// The permissions are those of the command alone: who may look may not send.
async fn is_refused_to_send(
    cloud: &Cloud,
    stack: &Stack,
    situation: &Situation,
    key: [&str; 2],
) -> anyhow::Result<bool> {
    let words = ["inbox", "replay", "--room", "ROOM"].map(ToOwned::to_owned).into();
    let mut command = command(cloud, stack, &Shown { words, exit: 1 }, situation)?;
    let ended = command.env("AWS_ACCESS_KEY_ID", key[0]).env("AWS_SECRET_ACCESS_KEY", key[1]).output().await?;
    Ok(ended.status.code() == Some(1) && said(&ended).contains("denied"))
}

/// The command, on the stack, with its placeholders filled in.
///
/// The command line takes this machine's endpoints for the local cloud and is root there, but for this name of it: nobody's address and
/// by Linux the loopback's.
fn command(cloud: &Cloud, stack: &Stack, shown: &Shown, situation: &Situation) -> anyhow::Result<Command> {
    let endpoint = cloud.endpoint().replace("127.0.0.1", "0.0.0.0");
    let mut command = Command::new(executable()?);
    command.args(shown.words.iter().map(|word| match word.as_str() {
        "KEY" => situation.key.clone(),
        "ROOM" => situation.room.to_string(),
        word => word.to_owned(),
    }));
    command.args(["--endpoint-url", &endpoint, "--stack", stack.name()]);
    command.env_clear().env("AWS_REGION", vestibule::aws::LOCAL_REGION).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

fn said(ended: &Output) -> String {
    String::from_utf8_lossy(&[ended.stdout.as_slice(), &ended.stderr].concat()).into_owned()
}

/// The policy, with what it leaves open: `<Output>` is an output of the stack, of a queue's URL the last part.
fn filled(stack: &Stack, policy: &Value) -> anyhow::Result<Value> {
    let mut text = policy.to_string();
    for (name, value) in stack.outputs() {
        let last = value.rsplit('/').next().unwrap_or_default();
        text = text.replace(&format!("<{}>", name.trim_end_matches("Url")), last);
    }
    for (word, value) in [("REGION", vestibule::aws::LOCAL_REGION), ("ACCOUNT", ACCOUNT), ("STACK", stack.name())] {
        text = text
            .replace(&format!(":{word}:"), &format!(":{value}:"))
            .replace(&format!("/{word}/"), &format!("/{value}/"));
    }
    ensure!(!text.contains('<'), "no such output: {text}");
    Ok(serde_json::from_str(&text)?)
}

/// A user for each policy, with an access key.
async fn users(cloud: &Cloud, stack: &Stack, policies: &Value) -> anyhow::Result<Value> {
    let mut command = Command::new(python()?);
    command.arg(Checkout::find()?.root().join("tests/independent/make_users.py"));
    command.args(["--endpoint-url", cloud.endpoint(), "--stack", stack.name()]);
    command.args(["--region", vestibule::aws::LOCAL_REGION]).kill_on_drop(true);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut input = running.stdin.take().context("it reads the policies")?;
    input.write_all(policies.to_string().as_bytes()).await?;
    drop(input);
    let ended = running.wait_with_output().await?;
    ensure!(ended.status.success(), "{}", said(&ended));
    Ok(serde_json::from_slice(&ended.stdout)?)
}
