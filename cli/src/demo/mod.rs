//! `vestibule demo`: the main job once, on real files, as a customer does it; and what became of each file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep};
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId};
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::ids::Ids;

use crate::api::{Api, Attachment};
use crate::args::Global;
use crate::checkout::Checkout;
use crate::delivery::{self, Announced, Sent};
use crate::demo::files::Input;
use crate::demo::report::{FileReport, Report};
use crate::local::{LocalCloud, Options};
use crate::people::{self, Person};
use crate::resume::Memory;
use crate::stack::Stack;
use crate::watch::Watch;
use crate::{archive, aws, terminal};

mod files;
mod report;

/// Between two looks at a bucket.
const LOOK: Duration = Duration::from_millis(200);
/// How long an object may stay in the inbox after its attachment was decided: deleting it is the last step.
const RETIRE: Duration = Duration::from_secs(20);
/// How long pushes and archive may be behind the last decision.
const FOLLOW: Duration = Duration::from_mins(1);

/// Changes of messages: place in the room, and version.
type Changes = BTreeSet<(MessageSeq, u64)>;

/// The arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --endpoint-url and --stack it starts a local cloud of its own and ends it again. On a stack that \
    runs already it makes a customer for itself and removes them again, which needs the rights of an administrator."
)]
pub struct Args {
    /// The files to send; all fixtures when there are none
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How long to wait for the last decision
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    deadline: u64,
}

/// Sends the files and says what became of them. The exit code tells whether all were decided, as expected where something
/// is, and nothing was left in the inbox.
///
/// # Errors
/// When a file cannot be sent, or something on the way does not answer.
pub async fn run(global: &Global, args: &Args) -> anyhow::Result<ExitCode> {
    let checkout = Checkout::find()?;
    let given = global.endpoint_url.is_some() || global.stack.is_some();
    let (report, log) = if given {
        let stack = Stack::find(global.stack(), global.endpoint_url.as_deref()).await?;
        (on_stack(&checkout, args, &stack).await?, None)
    } else {
        let options = Options {
            name: "demo".to_owned(),
            stack: global.stack().to_owned(),
            port: None,
            // No page calls it, but the template wants an origin.
            origins: vec!["http://localhost".to_owned()],
            parameters: BTreeMap::new(),
        };
        let cloud = LocalCloud::start(options, &terminal::note).await?;
        let log = cloud.log();
        let report = on_stack(&checkout, args, cloud.stack()).await;
        let report = report.with_context(|| format!("the demo failed, see also {}", log.display()))?;
        cloud.stop().await?;
        (report, Some(log))
    };
    report.write(&checkout.demo_report())?;
    if global.json {
        terminal::print_json(&report)?;
    } else {
        terminal::print(&report.table())?;
    }
    let problems = report.problems();
    for problem in &problems {
        eprintln!("vestibule: {problem}");
    }
    if problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(log) = log {
        eprintln!("vestibule: what the local cloud said is in {}", log.display());
    }
    Ok(ExitCode::FAILURE)
}

async fn on_stack(checkout: &Checkout, args: &Args, stack: &Stack) -> anyhow::Result<Report> {
    let inputs = files::inputs(&checkout.fixtures(), &args.files, stack.max_upload_bytes())?;
    let ids = Ids::random();
    let customer = people::create(stack, &format!("demo-{}", ids.attachment()?), false).await?;
    let report = as_customer(args, stack, &customer, inputs, &ids).await;
    let removed = people::remove(stack, &customer.name).await;
    let report = report?;
    removed?;
    Ok(report)
}

async fn as_customer(
    args: &Args,
    stack: &Stack,
    customer: &Person,
    inputs: Vec<Input>,
    ids: &Ids,
) -> anyhow::Result<Report> {
    let begun = Clock::system().now();
    let deadline = Instant::now() + Duration::from_secs(args.deadline);
    let tokens = people::sign_in_person(stack, customer).await?;
    let api = Api::new(stack.api_url()?, tokens.access)?;
    // Before anything is sent, so that no push is missed.
    let mut watch = Watch::open(&api).await;
    let room = api.open_room().await?.room;
    let files = inputs.iter().map(|input| input.file.clone()).collect();
    let (seqs, announced) = delivery::announce(&api, &room, "", files, &Memory::none(ids.clone())).await?;
    let sent = upload_all(&api, &room, &inputs, announced).await?;
    let decided = decisions(&api, &room, &sent, &mut watch, deadline).await?;
    let inbox_left = inbox_left(stack, &room).await?;
    api.close_room(&room).await?;
    let mut changes = BTreeSet::new();
    for seq in seqs {
        changes.extend((1..=api.message(&room, seq).await?.ver).map(|ver| (seq, ver)));
    }
    let pushes = pushes(&mut watch, &room, &changes).await;
    let archived = archived(stack, &room, begun, &changes).await?;
    let mut files = Vec::with_capacity(sent.len());
    for (input, sent) in inputs.iter().zip(sent) {
        let attachment = decided.get(&sent.id).context("the API left an attachment out")?;
        files.push(FileReport::new(input, sent.seq, sent.uploaded?, attachment));
    }
    let (pushes, archived, changes) = (pushes.len(), archived.len(), changes.len());
    Ok(Report { stack: stack.name().to_owned(), room, files, inbox_left, changes, pushes, archived })
}

/// Uploads all files under one bar. The demo has nothing to show when one cannot be uploaded.
async fn upload_all(
    api: &Api,
    room: &RoomId,
    inputs: &[Input],
    announced: Vec<Announced>,
) -> anyhow::Result<Vec<Sent>> {
    let bar = ProgressBar::new(inputs.iter().map(|input| input.file.size).sum()).with_message("uploading");
    bar.set_style(ProgressStyle::with_template("{msg:10} {bar:40} {bytes} of {total_bytes}  {bytes_per_sec}")?);
    let mut sent = delivery::upload_all(api, room, announced, |_| bar.clone()).await?;
    bar.finish_and_clear();
    match sent.iter().position(|file| file.uploaded.is_err()) {
        Some(failed) => Err(sent.swap_remove(failed).uploaded.err().context("it failed")?),
        None => Ok(sent),
    }
}

async fn decisions(
    api: &Api,
    room: &RoomId,
    sent: &[Sent],
    watch: &mut Watch,
    deadline: Instant,
) -> anyhow::Result<BTreeMap<AttachmentId, Attachment>> {
    let bar = ProgressBar::new(sent.len() as u64).with_message("deciding");
    bar.set_style(ProgressStyle::with_template("{msg:10} {bar:40} {pos} of {len}")?);
    let decided = delivery::decisions(api, room, sent, watch, deadline, |known| {
        bar.set_position(known.values().filter(|attachment| !attachment.is_pending()).count() as u64);
    });
    let decided = decided.await;
    bar.finish_and_clear();
    decided
}

/// The distinct changes that were pushed, after giving the last ones time to come.
async fn pushes(watch: &mut Watch, room: &RoomId, changes: &Changes) -> Changes {
    let deadline = Instant::now() + FOLLOW;
    while !changes.is_subset(&watch.pushes(room)) && watch.is_live() && Instant::now() < deadline {
        watch.changed(room, deadline).await;
    }
    watch.pushes(room)
}

/// The distinct changes in the archive, after giving the last ones time to get there.
async fn archived(stack: &Stack, room: &RoomId, since: Timestamp, changes: &Changes) -> anyhow::Result<Changes> {
    let deadline = Instant::now() + FOLLOW;
    loop {
        let archived = archive::changes(stack, room, since).await?;
        if changes.is_subset(&archived) || Instant::now() >= deadline {
            return Ok(archived);
        }
        sleep(LOOK).await;
    }
}

/// Counts what the room has in the inbox, and gives the last versions time to go.
async fn inbox_left(stack: &Stack, room: &RoomId) -> anyhow::Result<usize> {
    let deadline = Instant::now() + RETIRE;
    loop {
        let left = inbox_versions(stack, &format!("{room}/")).await?;
        if left == 0 || Instant::now() >= deadline {
            return Ok(left);
        }
        sleep(LOOK).await;
    }
}

/// Counts object versions, delete markers too.
async fn inbox_versions(stack: &Stack, prefix: &str) -> anyhow::Result<usize> {
    let s3 = vestibule_runtime::sdk::s3(stack.sdk());
    let listing = s3.list_object_versions().bucket(stack.output("InboxBucket")?).prefix(prefix);
    let (mut count, mut next) = (0, (None, None));
    loop {
        let page = listing.clone().set_key_marker(next.0).set_version_id_marker(next.1).send().await;
        let page = page.map_err(aws::failed("cannot list the inbox"))?;
        count += page.versions().len() + page.delete_markers().len();
        if page.is_truncated() != Some(true) {
            return Ok(count);
        }
        next = (page.next_key_marker, page.next_version_id_marker);
    }
}
