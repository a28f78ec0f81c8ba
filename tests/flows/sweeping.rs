//! schedule ─▶ sweep: what it brings to ingest and what it leaves alone, page by page; what it frees and gives up. In this process, with a clock
//! of the test's own.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use aws_sdk_s3::config::retry::RetryConfig;
use serde_json::{Value, json};
use vestibule_domain::attachment::Promise;
use vestibule_domain::quota::Quota;
use vestibule_domain::room::Room;
use vestibule_ingest::inspector::Inspector;
use vestibule_store::hall::Place;
use vestibule_store::messages::{Draft, Messages, Sending};
use vestibule_store::progress::Progress;
use vestibule_store::rooms::Rooms;
use vestibule_store::work::{Begun, Works};

use crate::support::bench::{Bench, TRIES as BENCH_TRIES};
use crate::support::chat::File;
use crate::support::cloud::Cloud;
use crate::support::line::{Ended, Fate, Verdict, late, listen, tap};

/// Longer than anything is fresh, in seconds.
const STALE: i64 = 3600;
const DAY: i64 = 24 * 3600;

/// A run whose time is over after a page goes on in the next run, and the pass sees everything once.
pub(crate) async fn a_pass_goes_on_where_the_last_runs_time_was_over(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    const VERSIONS: usize = 7;
    let mut bench = Bench::new(&cloud).await?;
    bench.announce(&[&File::text("one of many versions")]).await?;
    for number in 0..VERSIONS {
        bench.upload(0, format!("version {number} of many").into_bytes(), true).await?;
    }
    let mut functions = bench.functions(cloud.stack().sdk())?;
    functions.sweep.config.page = 2;
    functions.sweep.config.time = Duration::ZERO;
    let mut runs = Vec::new();
    for _ in 0..VERSIONS {
        runs.push(bench.sweep(&functions).await?);
        if runs.last().is_some_and(|run| run["finished"] == true) {
            break;
        }
    }
    let pages: Vec<_> = runs.iter().map(|run| (run["pages"].clone(), run["driven"].clone())).collect();
    ensure!(pages == [2, 2, 2, 1].map(|driven| (json!(1), json!(driven))), "{pages:?}");
    let last = runs.last().context("it ran")?;
    ensure!(last["seen"]["never-notified"]["versions"] == VERSIONS, "the whole pass is told: {last}");
    // What was driven a moment ago is left alone, and the next pass begins afresh.
    functions.sweep.config.time = Duration::from_mins(1);
    let again = bench.sweep(&functions).await?;
    ensure!(again["driven"] == 0 && again["seen"]["in-flight"]["versions"] == VERSIONS, "{again}");
    bench.heal().await?;
    bench.end().await
}

/// What fails again and again is driven less and less, then left alone, until somebody replays it.
pub(crate) async fn what_failed_too_often_is_left_alone_until_it_is_replayed(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    const MOST: u32 = 3;
    let mut bench = Bench::new(&cloud).await?;
    let file = File::text("nobody can look into it");
    bench.announce(&[&file]).await?;
    bench.upload(0, file.bytes.clone(), true).await?;
    let mut failing = bench.functions(cloud.stack().sdk())?;
    let nowhere = aws_sdk_lambda::config::Builder::from(cloud.stack().sdk()).endpoint_url("http://127.0.0.1:9");
    let nowhere = nowhere.retry_config(aws_sdk_lambda::config::retry::RetryConfig::disabled());
    failing.ingest.inspector = Inspector::new(aws_sdk_lambda::Client::from_conf(nowhere.build()), "nobody".to_owned());
    failing.sweep.config.patience.max_tries = MOST;
    for tries in 1..=MOST {
        ensure!(!bench.deliver(&failing, 0).await?, "it cannot be finished");
        let hint = bench.hint(0).await?;
        ensure!(hint.tries == tries && hint.failed_try == Some(tries) && hint.lease_until.is_none(), "{hint:?}");
        let failure = hint.failure.context("a failure is noted")?;
        ensure!(failure.code == "inspector-silent", "{failure:?}");
        ensure!(
            failure.message.contains("the inspector did not answer") && !failure.message.contains("X-Amz"),
            "{failure:?}"
        );
    }
    let state = bench.state().await?;
    ensure!(state["table"]["MSG#000000000001"]["ver"] == 1, "the message was not touched: {state}");
    bench.wait(365 * DAY);
    let swept = bench.sweep(&failing).await?;
    ensure!(swept["driven"] == 0 && swept["seen"]["failed"]["versions"] == 1, "{swept}");
    // As `vestibule inbox replay` does.
    let works = Works::new(cloud.dynamodb.clone(), bench.table().to_owned());
    let upload = bench.uploads.first().context("it was uploaded")?;
    works.driven(&upload.key, &upload.version, failing.sweep.clock.now(), true).await?;
    bench.wait(STALE);
    ensure!(bench.sweep(&failing).await?["driven"] == 1, "it has its tries again");
    bench.drain(&bench.functions(cloud.stack().sdk())?).await?;
    ensure!(bench.state().await?["table"]["MSG#000000000001"]["ver"] == 2, "it is decided");
    bench.end().await
}

/// Hints that cannot be written are told of as an error of the run, and keep no version from being driven, nor the pass from its end.
pub(crate) async fn what_cannot_be_noted_does_not_end_a_pass(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let mut bench = Bench::new(&cloud).await?;
    bench.announce(&[&File::text("never noted")]).await?;
    for number in 0..3 {
        bench.upload(0, format!("version {number}").into_bytes(), true).await?;
    }
    let (sdk, mut rings) = tap(cloud.stack().sdk());
    let (mut functions, plain) = (bench.functions(&sdk)?, bench.functions(cloud.stack().sdk())?);
    functions.sweep.config.page = 2;
    bench.wait(STALE);
    let ended = listen(bench.sweep(&functions), &mut rings, async |name| {
        let is_hint = name == "dynamodb UpdateItem of a hint";
        Ok(Verdict::Fate(if is_hint { Fate::FailBefore } else { Fate::Through }))
    })
    .await?;
    ensure!(matches!(ended, Ended::Done(Err(_))), "somebody must look: {ended:?}");
    let progress = plain.sweep.progresses.get().await?;
    ensure!(progress.after.is_none(), "the pass came to its end: {progress:?}");
    let queued = bench.state().await?["queue"]["ingest ApproximateNumberOfMessages"].clone();
    ensure!(queued == "3", "all were driven: {queued}");
    bench.heal().await?;
    bench.end().await
}

/// The schedule brings the next run: a retry of Lambda's own would count one failure three times.
pub(crate) async fn a_run_that_failed_is_not_repeated_before_the_schedule(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let get = cloud
        .lambda
        .get_function_event_invoke_config()
        .function_name(cloud.output("SweepFunction")?)
        .qualifier("$LATEST");
    let told = get.send().await?;
    ensure!(told.maximum_retry_attempts() == Some(0), "{told:?}");
    Ok(())
}

/// A listing that cannot go on behind a version goes on behind its key.
pub(crate) async fn a_place_that_is_gone_does_not_end_a_pass(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let mut bench = Bench::new(&cloud).await?;
    bench.announce(&[&File::text("one"), &File::text("other")]).await?;
    bench.upload(0, b"one".to_vec(), true).await?;
    bench.upload(1, b"other".to_vec(), true).await?;
    let (sdk, mut rings) = tap(cloud.stack().sdk());
    let (functions, plain) = (bench.functions(&sdk)?, bench.functions(cloud.stack().sdk())?);
    bench.wait(STALE);
    let first = bench.uploads.iter().map(|upload| upload.key.to_string()).min().context("they were uploaded")?;
    let after = Place { key: first, version: Some("gone".to_owned()) };
    plain.sweep.progresses.put(&Progress { after: Some(after), ..Progress::default() }).await?;
    let mut listings = 0;
    let ended = listen(bench.sweep(&functions), &mut rings, async |name| {
        listings += usize::from(name == "s3 ListObjectVersions inbox");
        let is_refused = name == "s3 ListObjectVersions inbox" && listings == 1;
        // As AWS refuses a version that it does not know, which the local cloud takes.
        Ok(Verdict::Fate(if is_refused { Fate::Refuse } else { Fate::Through }))
    })
    .await?;
    ensure!(matches!(ended, Ended::Done(Err(_))) && listings == 2, "somebody must look: {ended:?}, {listings}");
    let progress = plain.sweep.progresses.get().await?;
    ensure!(progress.after.is_none(), "the pass came to its end: {progress:?}");
    let queued = bench.state().await?["queue"]["ingest ApproximateNumberOfMessages"].clone();
    ensure!(queued == "1", "what is behind that key was driven: {queued}");
    let swept = bench.sweep(&plain).await?;
    ensure!(swept["driven"] == 1, "and the other in the next pass: {swept}");
    bench.heal().await?;
    bench.end().await
}

/// A try that failed before it began, since the message could not be read, has its number too.
pub(crate) async fn a_try_that_never_began_is_counted_like_another(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let mut bench = Bench::new(&cloud).await?;
    let file = File::text("nobody can ask for it");
    bench.announce(&[&file]).await?;
    bench.upload(0, file.bytes.clone(), true).await?;
    let (sdk, mut rings) = tap(cloud.stack().sdk());
    let functions = bench.functions(&sdk)?;
    for (tries, broken) in
        ["dynamodb GetItem of a message", "lambda Invoke", "dynamodb GetItem of a message"].iter().enumerate()
    {
        let ended = listen(bench.deliver(&functions, 0), &mut rings, async |name| {
            Ok(Verdict::Fate(if name == *broken { Fate::FailBefore } else { Fate::Through }))
        })
        .await?;
        ensure!(matches!(ended, Ended::Done(Ok(false))), "{ended:?}");
        let (hint, tries) = (bench.hint(0).await?, u32::try_from(tries + 1)?);
        ensure!(hint.tries == tries && hint.failed_try == Some(tries) && hint.failure.is_some(), "{tries}: {hint:?}");
        bench.outlive_leases();
    }
    bench.heal().await?;
    bench.end().await
}

/// A clock that was far ahead has left a lease that would hold for a day: nobody waits for it.
pub(crate) async fn a_lease_of_a_clock_far_ahead_holds_nobody(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let mut bench = Bench::new(&cloud).await?;
    let file = File::text("held by nobody");
    bench.announce(&[&file]).await?;
    bench.upload(0, file.bytes.clone(), true).await?;
    let works = Works::new(cloud.dynamodb.clone(), bench.table().to_owned());
    let (upload, now) = (bench.uploads.first().context("it was uploaded")?, bench.now());
    let begun = works.begin(&upload.key, &upload.version, now.plus_seconds(DAY), 120).await?;
    ensure!(begun == Begun::Mine { tries: 1 }, "{begun:?}");
    ensure!(bench.deliver(&bench.functions(cloud.stack().sdk())?, 0).await?, "it is decided at once");
    ensure!(bench.hint(0).await?.tries == 2);
    bench.end().await
}

/// Throttling that passes is waited for; what lasts is noted and left to redelivery.
pub(crate) async fn throttling_is_waited_for_and_then_left_to_redelivery(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let tries = vestibule_runtime::sdk::load_patient().await.retry_config().map(RetryConfig::max_attempts);
    ensure!(tries == Some(BENCH_TRIES), "the functions try as often as here: {tries:?}");
    for (operation, code) in [
        ("s3 CopyObject processed/original", "SlowDown"),
        ("dynamodb UpdateItem of a message", "ProvisionedThroughputExceededException"),
        ("s3 DeleteObject inbox", "SlowDown"),
    ] {
        let mut bench = Bench::new(&cloud).await?;
        let file = File::text("too much just now");
        bench.announce(&[&file]).await?;
        bench.upload(0, file.bytes.clone(), true).await?;
        let (sdk, mut rings) = tap(cloud.stack().sdk());
        let functions = bench.functions(&sdk)?;
        for (most, is_finished) in [(usize::MAX, false), (3, true)] {
            let mut met = 0;
            let ended = listen(bench.deliver(&functions, 0), &mut rings, async |name| {
                let is_throttled = name == operation && met < most;
                met += usize::from(is_throttled);
                Ok(Verdict::Fate(if is_throttled { Fate::Throttle } else { Fate::Through }))
            })
            .await?;
            let Ended::Done(finished) = ended else { anyhow::bail!("nobody crashed") };
            ensure!(
                finished? == is_finished && met == most.min(usize::try_from(BENCH_TRIES)?),
                "{operation}: {met} of {most} tries"
            );
            if !is_finished {
                let failure = bench.hint(0).await?.failure.context("it is noted")?;
                ensure!(failure.code == code, "{operation}: {failure:?}");
            }
            bench.outlive_leases();
        }
        bench.heal().await?;
        bench.end().await?;
    }
    Ok(())
}

/// A call that hangs is given up before the function's time is over, and the try noted.
pub(crate) async fn what_hangs_is_given_up_in_time_and_noted(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let mut bench = Bench::new(&cloud).await?;
    let file = File::text("it hangs");
    bench.announce(&[&file]).await?;
    bench.upload(0, file.bytes.clone(), true).await?;
    let (sdk, mut rings) = tap(cloud.stack().sdk());
    let mut functions = bench.functions(&sdk)?;
    functions.ingest.config.time_out = Duration::from_secs(4);
    let mut hanging = Vec::new();
    let ended = listen(bench.deliver(&functions, 0), &mut rings, async |name| {
        if name != "s3 CopyObject processed/original" {
            return Ok(Verdict::Fate(Fate::Through));
        }
        let (call, _, never) = late();
        hanging.push(never);
        Ok(Verdict::Fate(Fate::Late(call)))
    })
    .await?;
    ensure!(hanging.len() == 1, "it came to the copy");
    ensure!(matches!(ended, Ended::Done(Ok(false))), "it comes again: {ended:?}");
    let failure = bench.hint(0).await?.failure.context("it is noted")?;
    ensure!(failure.code == "out-of-time", "{failure:?}");
    bench.outlive_leases();
    ensure!(bench.deliver(&bench.functions(cloud.stack().sdk())?, 0).await?);
    bench.end().await
}

/// While one worker has a version, a second event of it waits, and comes again when the lease ends.
pub(crate) async fn a_duplicate_waits_while_somebody_is_at_work(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let mut bench = Bench::new(&cloud).await?;
    let file = File::text("one at a time");
    bench.announce(&[&file]).await?;
    bench.upload(0, file.bytes.clone(), true).await?;
    let (sdk, mut rings) = tap(cloud.stack().sdk());
    let (tapped, plain) = (bench.functions(&sdk)?, bench.functions(cloud.stack().sdk())?);
    let mut shed = None;
    let ended = listen(bench.deliver(&tapped, 0), &mut rings, async |name| {
        if name == "lambda Invoke" {
            // Two that begin in the same millisecond take each other for their own retry, and do the work twice, which harms nobody.
            bench.wait(1);
            shed = Some(bench.deliver(&plain, 0).await?);
        }
        Ok(Verdict::Fate(Fate::Through))
    })
    .await?;
    ensure!(matches!(ended, Ended::Done(Ok(true))) && shed == Some(false), "{ended:?} {shed:?}");
    let hint = bench.hint(0).await?;
    ensure!(hint.tries == 1 && hint.failure.is_none(), "the duplicate was no try, and did not fail: {hint:?}");
    ensure!(bench.deliver(&plain, 0).await?, "once it is decided, an event of it is done with at once");
    bench.end().await
}

/// What somebody reserved and never uploaded is free again once its ticket has run out, without their doing anything.
pub(crate) async fn reservations_that_have_lapsed_are_freed(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let bench = Bench::new(&cloud).await?;
    let functions = bench.functions(cloud.stack().sdk())?;
    let at = functions.sweep.clock.now();
    let (room, user) = ("01jd3v8q0zk5w6x7y8z9abcdef".parse()?, "anna".parse()?);
    let room = Room {
        room,
        customer: user,
        operator: None,
        status: serde_json::from_value(json!("open"))?,
        opened_at: at,
        last_activity: at,
        last_seq: 0,
        closed_at: None,
    };
    Rooms::new(cloud.dynamodb.clone(), bench.table().to_owned()).open(&room).await?;
    let messages = Messages::new(cloud.dynamodb.clone(), bench.table().to_owned());
    let quota = Quota { window_seconds: 3600, files: 1000, bytes: 1_000_000, pending: 1 };
    let announce = async |name: &str, id: &str, at| {
        let promise = Promise {
            id: id.parse()?,
            name: "a.txt".to_owned(),
            size: 3,
            declared_type: "text/plain".parse()?,
            declared_sha256: None,
            created_at: at,
        };
        let draft = Draft {
            author: "anna".parse()?,
            client_message_id: name.parse()?,
            digest: serde_json::from_value(json!("0".repeat(64)))?,
            text: String::new(),
            attachments: vec![promise],
            quota,
            at,
        };
        anyhow::Ok(messages.send(&room, &draft).await?)
    };
    let sent = announce("one", "01jd3v8q0zk5w6x7y8z9abcdeg", at).await?;
    ensure!(matches!(sent, Sending::Sent(_)), "{sent:?}");
    bench.wait(DAY - 60);
    ensure!(bench.sweep(&functions).await?["freed"] == 0, "its ticket is still good");
    bench.wait(120);
    ensure!(bench.sweep(&functions).await?["freed"] == 1, "its ticket has run out");
    ensure!(bench.sweep(&functions).await?["freed"] == 0, "nobody has anything reserved");
    let state: Value = bench.state().await?;
    let reserved = &state["table"]["QUOTA#PENDING"];
    ensure!(reserved["keys"].is_null() && reserved["GSI1PK"].is_null(), "it has left the index: {reserved}");
    let sent = announce("two", "01jd3v8q0zk5w6x7y8z9abcdeh", functions.sweep.clock.now()).await?;
    ensure!(matches!(sent, Sending::Sent(_)), "and may be announced again: {sent:?}");
    bench.end().await
}

/// An upload in parts that was begun and never finished is given up once its ticket has run out.
pub(crate) async fn an_abandoned_upload_in_parts_is_given_up(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let mut bench = Bench::new(&cloud).await?;
    bench.announce(&[&File::text("in parts")]).await?;
    let ours = bench.begin_parts(0).await?;
    cloud.s3.create_multipart_upload().bucket(bench.inbox()).key("somebody/elses").send().await?;
    let functions = bench.functions(cloud.stack().sdk())?;
    // The run's clock is far ahead of S3's, so that what was begun just now is old.
    ensure!(bench.sweep(&functions).await?["aborted"] == 1);
    let state = bench.state().await?;
    ensure!(state["buckets"]["inbox"]["begun"] == json!(["somebody/elses"]), "{ours}: {state}");
    bench.end().await
}
