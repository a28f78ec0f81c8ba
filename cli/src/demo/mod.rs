//! `vestibule demo`: the main job once, on real files, as a customer does it; and what became of each file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep};
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId};
use vestibule_domain::policy::MAX_ATTACHMENTS;
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::ids::Ids;

use crate::api::{Announcement, Api, Attachment, Ticket};
use crate::args::Global;
use crate::checkout::Checkout;
use crate::demo::files::Input;
use crate::demo::report::{FileReport, Report};
use crate::local::{LocalCloud, Options};
use crate::people::{self, Person};
use crate::stack::Stack;
use crate::{aws, http_client, terminal, upload};

mod files;
mod report;

/// Uploads at a time.
const UPLOADS: usize = 4;
/// Between two looks at a message.
const LOOK: Duration = Duration::from_millis(200);
/// How long an object may stay in the inbox after its attachment was decided: deleting it is the last step.
const RETIRE: Duration = Duration::from_secs(20);

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

/// A file on its way.
struct Sent {
    input: Input,
    seq: MessageSeq,
    id: AttachmentId,
    uploaded: Timestamp,
}

/// A file that was announced, and how to upload it.
struct Announced {
    input: Input,
    seq: MessageSeq,
    id: AttachmentId,
    ticket: Ticket,
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
    let tokens = people::sign_in_person(stack, customer).await?;
    let api = Api::new(stack.api_url()?, tokens.access)?;
    let room = api.open_room().await?.room;
    let announced = announce(&api, &room, inputs, ids).await?;
    let sent = upload_all(announced).await?;
    let decided = decisions(&api, &room, &sent, Duration::from_secs(args.deadline)).await?;
    let inbox_left = inbox_left(stack, &room).await?;
    api.close_room(&room).await?;
    let files = sent
        .iter()
        .filter_map(|file| Some(FileReport::new(&file.input, file.seq, file.uploaded, decided.get(&file.id)?)));
    Ok(Report { stack: stack.name().to_owned(), room, files: files.collect(), inbox_left })
}

/// Sends a message for every twenty files.
async fn announce(api: &Api, room: &RoomId, inputs: Vec<Input>, ids: &Ids) -> anyhow::Result<Vec<Announced>> {
    let mut announced = Vec::with_capacity(inputs.len());
    for inputs in inputs.chunks(MAX_ATTACHMENTS) {
        let files = stream::iter(inputs).then(|input| async move {
            let sha256 = upload::digest(&input.path).await;
            let sha256 = sha256.with_context(|| format!("cannot read {}", input.path.display()))?;
            let content_type = input.declared.clone();
            anyhow::Ok(Announcement { name: input.name.clone(), size: input.size, content_type, sha256 })
        });
        let files: Vec<Announcement> = files.try_collect().await?;
        let mut sent = api.send(room, &ids.attachment()?.as_str().parse()?, &files).await?;
        for (input, attachment) in inputs.iter().zip(sent.message.attachments) {
            let ticket = sent.uploads.remove(&attachment.id);
            let ticket = ticket.with_context(|| format!("the API gave no upload for {}", input.name))?;
            announced.push(Announced { input: input.clone(), seq: sent.message.seq, id: attachment.id, ticket });
        }
    }
    Ok(announced)
}

async fn upload_all(announced: Vec<Announced>) -> anyhow::Result<Vec<Sent>> {
    let (http, clock) = (http_client::client()?, Clock::system());
    let bytes = announced.iter().map(|file| file.input.size).sum();
    let bar = ProgressBar::new(bytes).with_message("uploading");
    bar.set_style(ProgressStyle::with_template("{msg:10} {bar:40} {bytes} of {total_bytes}  {bytes_per_sec}")?);
    let uploads = stream::iter(announced).map(|Announced { input, seq, id, ticket }| {
        let (http, clock, bar) = (&http, &clock, bar.clone());
        async move {
            // The last byte's moment, not the answer's: a small file may be decided before its sender reads that it arrived.
            let last = Arc::new(AtomicI64::new(clock.now().millis()));
            let sent = upload::upload(http, &ticket, &input.path, input.size, {
                let (last, clock) = (Arc::clone(&last), clock.clone());
                move |bytes| {
                    bar.inc(bytes);
                    last.store(clock.now().millis(), Ordering::Relaxed);
                }
            });
            sent.await.with_context(|| format!("cannot upload {}", input.path.display()))?;
            let uploaded = Timestamp::from_millis(last.load(Ordering::Relaxed));
            anyhow::Ok(Sent { input, seq, id, uploaded })
        }
    });
    let sent = uploads.buffered(UPLOADS).try_collect().await;
    bar.finish_and_clear();
    sent
}

/// Waits until every attachment is decided, or the time is up: what is pending then stays so in the answer.
async fn decisions(
    api: &Api,
    room: &RoomId,
    sent: &[Sent],
    wait: Duration,
) -> anyhow::Result<BTreeMap<AttachmentId, Attachment>> {
    let deadline = Instant::now() + wait;
    let bar = ProgressBar::new(sent.len() as u64).with_message("deciding");
    bar.set_style(ProgressStyle::with_template("{msg:10} {bar:40} {pos} of {len}")?);
    let mut seqs: Vec<MessageSeq> = sent.iter().map(|file| file.seq).collect();
    seqs.dedup();
    let mut known = BTreeMap::new();
    loop {
        let mut undecided = Vec::new();
        for seq in seqs {
            let message = api.message(room, seq).await?;
            if message.attachments.iter().any(|attachment| attachment.state == "pending") {
                undecided.push(seq);
            }
            known.extend(message.attachments.into_iter().map(|attachment| (attachment.id.clone(), attachment)));
        }
        let decided = known.values().filter(|attachment| attachment.state != "pending").count();
        bar.set_position(decided as u64);
        if undecided.is_empty() || Instant::now() >= deadline {
            bar.finish_and_clear();
            return Ok(known);
        }
        seqs = undecided;
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
