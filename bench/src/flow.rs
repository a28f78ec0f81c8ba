//! What a file costs in the flow: `vestibule-flow INSPECT TYPE FILE` has the inspect function's program examine FILE in a child of its own, as
//! the function does, and prints `CPU_MICROSECONDS PEAK_KIB VERDICT` of the child.
//!
//! A text of one letter costs what starting, confining and ending a child costs.

#![expect(clippy::print_stdout, reason = "a command's report")]

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use vestibule_domain::policy::InspectPolicy;
use vestibule_inspect::child::ARGUMENT;
use vestibule_inspect::examine::{Claim, examine};
use vestibule_inspect::sandbox::{Budget, Sandbox};
use vestibule_inspect::source::Source;
use vestibule_media::probe::Verdict;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [inspect, content_type, file] = arguments.as_slice() else {
        bail!("usage: vestibule-flow INSPECT TYPE FILE");
    };
    let sandbox = Sandbox::of(inspect.into(), vec![ARGUMENT.into()], Budget::default());
    let open = tokio::fs::File::open(file).await.with_context(|| file.clone())?;
    let claim = Claim {
        size: open.metadata().await?.len(),
        content_type: content_type.parse().with_context(|| content_type.clone())?,
        sha256: None,
    };
    let answered = examine(&sandbox, &mut Source::File(open), claim, &InspectPolicy::default()).await?;
    let answered = answered.with_context(|| format!("{file} has gone"))?;
    // The child has been waited for.
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds();
    let verdict = match answered.examination.verdict {
        Verdict::Accepted(_) => "accepted",
        Verdict::Rejected(rejection) => rejection.code.as_str(),
    };
    println!("{cpu} {} {verdict}", usage.max_rss());
    Ok(())
}
