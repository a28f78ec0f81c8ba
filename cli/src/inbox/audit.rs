//! `vestibule inbox audit`: goes through the processed and the quarantine bucket for what nothing points at. It deletes nothing itself:
//! `--apply` asks reclaim, which looks at the document once more.

use std::collections::BTreeMap;
use std::process::ExitCode;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use vestibule_domain::id::RoomId;
use vestibule_domain::key::InboxKey;
use vestibule_domain::reclaim::{Place, Reason, Reclaim};
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::audit::{Bucket, Finding, MOST, Object};

use crate::inbox::duration;
use crate::inbox::world::World;
use crate::terminal;

/// The arguments of `inbox audit`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Told are objects that are unreferenced (the attachment is decided, and nothing points at them), deleted (the attachment \
    or message is gone for good), unknown (there is no such message), unreadable (its document cannot be read) and unknown-key (no key of \
    ours). The first two are orphans, which reclaim deletes; the others stay, and somebody must look.\n\nWith --json each is an object in a line of its own, and the last line \
    is {\"totals\": …}."
)]
pub(crate) struct Args {
    /// Have reclaim collect the attachments that orphans were found of
    #[arg(long)]
    apply: bool,
    /// Only objects of this room
    #[arg(long, value_name = "ROOM")]
    room: Option<RoomId>,
}

/// What is told of an object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    bucket: Bucket,
    key: &'a str,
    size: u64,
    written_at: Timestamp,
    finding: Finding,
}

/// How much there is of what.
#[derive(Debug, Default)]
struct Totals(BTreeMap<(Bucket, Finding), (u64, u64)>);

/// Goes through both buckets.
///
/// # Errors
/// When a bucket cannot be listed, the table not be read, or reclaim not be asked.
pub(crate) async fn run(world: &World, args: &Args, json: bool) -> anyhow::Result<ExitCode> {
    let reclaim = if args.apply { Some(world.reclaim()?) } else { None };
    let prefix = args.room.as_ref().map(|room| format!("{room}/")).unwrap_or_default();
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template("{spinner} {pos} objects looked at")?);
    let (mut totals, mut asked) = (Totals::default(), 0);
    for bucket in [Bucket::Processed, Bucket::Quarantine] {
        let (mut after, mut last) = (None, None);
        loop {
            let page = world.audit.page(bucket, &prefix, after.as_deref(), MOST).await?;
            bar.inc(page.objects.len() as u64);
            let now = world.now();
            for object in &page.objects {
                totals.add(bucket, object);
                if is_told(object.finding) {
                    bar.suspend(|| terminal::print(&told(bucket, object, now, json)?))?;
                }
            }
            let requests = requests(&page.objects, &mut last);
            if let Some(reclaim) = &reclaim {
                reclaim.ask(&requests).await?;
            }
            asked += requests.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    bar.finish_and_clear();
    let asked = if args.apply { asked } else { 0 };
    if json {
        terminal::print_json(&json!({ "totals": totals.listed(), "asked": asked }))?;
    } else {
        terminal::print(&totals.in_words())?;
        if args.apply {
            let plural = if asked == 1 { "" } else { "s" };
            terminal::print(&format!("reclaim was asked to collect {asked} attachment{plural}"))?;
        } else if totals.have_orphans() {
            terminal::print("nothing was deleted: --apply asks reclaim to collect the orphans")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is in its place, or may soon be pointed at, is only counted.
fn is_told(finding: Finding) -> bool {
    match finding {
        Finding::InPlace | Finding::Pending => false,
        Finding::Unreferenced | Finding::Deleted | Finding::Unknown | Finding::Unreadable | Finding::UnknownKey => true,
    }
}

/// A request for each attachment with an orphan. Its objects follow one another, also over the end of a page.
fn requests(objects: &[Object], last: &mut Option<InboxKey>) -> Vec<(Reclaim, u16)> {
    let mut requests = Vec::new();
    for owner in objects.iter().filter(|object| object.finding.is_orphan()).filter_map(|object| object.owner.as_ref()) {
        if last.as_ref() != Some(owner) {
            requests.push((Reclaim { key: Place(owner.clone()), why: Reason::Audited }, 0));
            *last = Some(owner.clone());
        }
    }
    requests
}

fn told(bucket: Bucket, object: &Object, now: Timestamp, json: bool) -> anyhow::Result<String> {
    let Object { key, size, written_at, finding, .. } = object;
    if json {
        let row = Row { bucket, key, size: *size, written_at: *written_at, finding: *finding };
        return Ok(serde_json::to_string(&row)?);
    }
    let (age, size) = (duration::age(*written_at, now), HumanBytes(*size).to_string());
    let (bucket, finding, key) = (bucket.as_str(), finding.as_str(), terminal::shown(key));
    Ok(format!("{bucket:<10}  {finding:<12}  {age:>5} {size:>11}  {key}"))
}

impl Totals {
    fn add(&mut self, bucket: Bucket, object: &Object) {
        let (count, bytes) = self.0.entry((bucket, object.finding)).or_default();
        *count += 1;
        *bytes += object.size;
    }

    fn have_orphans(&self) -> bool {
        self.0.keys().any(|(_, finding)| finding.is_orphan())
    }

    fn in_words(&self) -> String {
        let lines = self.0.iter().map(|((bucket, finding), (count, bytes))| {
            let (bucket, finding, bytes) = (bucket.as_str(), finding.as_str(), HumanBytes(*bytes).to_string());
            format!("{bucket:<10}  {finding:<12} {count:>10}  {bytes:>11}")
        });
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() { "there are no objects".to_owned() } else { lines.join("\n") }
    }

    fn listed(&self) -> Vec<serde_json::Value> {
        let listed = self.0.iter().map(|((bucket, finding), (count, bytes))| {
            json!({ "bucket": bucket, "finding": finding, "count": count, "bytes": bytes })
        });
        listed.collect()
    }
}

#[cfg(test)]
mod tests {
    use vestibule_domain::reclaim::owner;

    use super::*;

    const KEY: &str = "01jd3v8q0zk5w6x7y8z9abcdef/000000000001/01jd3v8q0zk5w6x7y8z9abcdeg";

    fn object(key: &str, finding: Finding) -> Object {
        let written_at = Timestamp::from_millis(0);
        Object { key: key.to_owned(), size: 2048, written_at, owner: owner(key), finding }
    }

    #[test]
    fn an_attachment_is_asked_for_once_and_only_for_orphans() {
        let second = KEY.replace("000000000001", "000000000002");
        let page = [
            object(&format!("{KEY}/0123456789abcdef/original"), Finding::InPlace),
            object(&format!("{KEY}/1123456789abcdef/original"), Finding::Unreferenced),
            object(&format!("{KEY}/1123456789abcdef/r1/320"), Finding::Unreferenced),
            object(&format!("{second}/1123456789abcdef/original"), Finding::Unknown),
            object(&format!("{second}/1123456789abcdef/r1/320"), Finding::Unreadable),
        ];
        let mut last = None;
        let asked = requests(&page, &mut last);
        assert_eq!(asked, [(Reclaim { key: Place(KEY.parse().unwrap()), why: Reason::Audited }, 0)]);
        assert!(requests(&page[2..], &mut last).is_empty(), "the next page begins with the same attachment");
        let other = object(&format!("{second}/1123456789abcdef/original"), Finding::Deleted);
        assert_eq!(requests(&[other], &mut last).len(), 1);
    }

    #[test]
    fn a_finding_is_a_line_and_an_object() {
        let found = object("holiday\u{1b}[2J.jpg", Finding::UnknownKey);
        let now = Timestamp::from_millis(600_000);
        let mut totals = Totals::default();
        totals.add(Bucket::Processed, &found);
        totals.add(Bucket::Processed, &object(&format!("{KEY}/0123456789abcdef/original"), Finding::InPlace));
        let said = [
            told(Bucket::Processed, &found, now, false).unwrap(),
            told(Bucket::Processed, &found, now, true).unwrap(),
            totals.in_words(),
            serde_json::to_string(&totals.listed()).unwrap(),
        ];
        insta::assert_snapshot!(said.join("\n"));
    }
}
