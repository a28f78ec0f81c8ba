//! Children that behave and children that do not: each refuses one file, and none is left behind.
//!
//! This test starts itself again as its children. As what, the arguments say: as the real child ([`child::dispatch`]), or as one
//! that misbehaves after it has confined itself. No function's binary contains any of that.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test, helper functions and all")]

#[path = "child/escapes.rs"]
mod escapes;
#[path = "child/surroundings.rs"]
mod surroundings;

use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use nix::sys::signal::{SigSet, Signal};
use tokio::time::Instant;
use vestibule_domain::attachment::Promise;
use vestibule_domain::id::AttachmentId;
use vestibule_domain::inspection::{InspectReply, InspectRequest};
use vestibule_domain::policy::{InspectLimits, InspectPolicy};
use vestibule_domain::rejection::RejectionCode;
use vestibule_domain::timestamp::Timestamp;
use vestibule_inspect::child;
use vestibule_inspect::ended::Ended;
use vestibule_inspect::error::InspectError;
use vestibule_inspect::examine::{Claim, examine};
use vestibule_inspect::handler::Inspector;
use vestibule_inspect::sandbox::{Answered, Budget, Sandbox};
use vestibule_inspect::source::Source;
use vestibule_media::probe::Verdict;
use vestibule_runtime::logs;

const MISBEHAVE: &str = "--misbehave";

fn main() -> ExitCode {
    if let Some(code) = child::dispatch() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [MISBEHAVE, how] => misbehave(how),
        [surroundings::FLAG, what, how] => surroundings::within(what, how),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

/// The bad child. It says its process id first, so that the test can look for it afterwards.
fn misbehave(how: &str) -> ExitCode {
    eprintln!("pid={}", std::process::id());
    let before = escapes::Before::enter(how);
    let mut input = io::stdin().lock();
    let confined = match child::enter(&mut input) {
        Ok(confined) => confined,
        Err(code) => return code,
    };
    eprintln!("{:?}", confined.layers());
    let mut output = io::stdout().lock();
    // One that ends before this never saw the file, and is our fault.
    ask(&mut input, &mut output);
    match how {
        "panic" => panic!("on purpose"),
        "abort" => std::process::abort(),
        "exit" => return ExitCode::SUCCESS,
        "overflow-the-stack" => eprintln!("{}", endless(1)),
        "allocate" => hoard(),
        "spin" => spin(),
        "spin-deaf" => {
            SigSet::from(Signal::SIGXCPU).thread_block().unwrap();
            spin();
        }
        "wait" => drop(input.read_to_end(&mut Vec::new())),
        "garbage" => drop(output.write_all(b"\0\0\0\x07garbage")),
        "huge-frame" => drop(output.write_all(&[0xFF; 64])),
        "half-a-frame" => drop(output.write_all(b"\0\0\0\x07gar")),
        "ask-outside" => say(&mut output, br#"{"say":"need","start":0,"end":99999999999}"#),
        "ask-nothing" => say(&mut output, br#"{"say":"need","start":5,"end":5}"#),
        "ask-for-ever" => ask_for_ever(&mut input, &mut output),
        "lie" => say(&mut output, LIE),
        "lie-in-facts" => say(&mut output, LIE_IN_FACTS),
        "speak-of-itself" => say(&mut output, SELF),
        "shout" => (0..10_000).for_each(|_| eprintln!("{}", "a".repeat(1000))),
        "exit-as-unconfined" => return ExitCode::from(70),
        "close-and-stay" => {
            nix::unistd::close(1).unwrap();
            drop(input.read_to_end(&mut Vec::new()));
            spin();
        }
        "escape" => before.escape(),
        "exec" => eprintln!("exec: {}", Command::new("/bin/true").exec()),
        other => before.look(other),
    }
    drop(output.flush());
    ExitCode::FAILURE
}

const LIE: &[u8] =
    br#"{"say":"done","filtered":false,"examination":{"verdict":{"verdict":"accepted","facts":{"type":"image/png"},
    "thumbnails":[{"name":"../320","type":"text/html","width":1,"height":1,"base64":"AAAA"}]}}}"#;
const LIE_IN_FACTS: &[u8] = br#"{"say":"done","filtered":false,"examination":{"verdict":{"verdict":"accepted",
    "facts":{"type":"text/plain","excerpt":"\u001b[2J"},"thumbnails":[]}}}"#;

const SELF: &[u8] =
    br#"{"say":"layers","filter":true,"landlock":"off","limits":true,"no_new_privs":true,"no_capabilities":true,"undumpable":true,
    "dies_with_parent":true}"#;

fn say(output: &mut impl io::Write, frame: &[u8]) {
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    drop(output.write_all(&[&length[..], frame].concat()));
    drop(output.flush());
}

const NEED: &str = r#"{"say":"need","start":0,"end":1}"#;

/// Asks for a byte, and whether one came.
fn ask(input: &mut impl io::Read, output: &mut impl io::Write) -> bool {
    say(output, NEED.as_bytes());
    input.read_exact(&mut [0; 5]).is_ok()
}

fn ask_for_ever(input: &mut impl io::Read, output: &mut impl io::Write) {
    (0..1000).all(|_| ask(input, output));
}

fn hoard() {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1; 16 * 1024 * 1024]));
    }
}

fn spin() {
    let mut count = 0_u64;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

fn endless(depth: u64) -> u64 {
    let page = std::hint::black_box([depth; 512]);
    if depth == 0 { 0 } else { endless(depth + 1) + page[7] }
}

fn budget() -> Budget {
    Budget { memory_bytes: 512 * 1024 * 1024, cpu_seconds: 20, wall: Duration::from_secs(20) }
}

fn executable() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn bad(how: &str, budget: Budget) -> Sandbox {
    Sandbox::of(executable(), vec![MISBEHAVE.into(), how.into()], budget)
}

/// Examines `bytes` as a file of `content_type`.
fn run(sandbox: &Sandbox, bytes: &[u8], content_type: &str) -> Result<Option<Answered>, InspectError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut source = Source::File(tokio::fs::File::open(&path).await.unwrap());
        let claim = Claim { size: bytes.len() as u64, content_type: content_type.parse().unwrap(), sha256: None };
        examine(sandbox, &mut source, claim, &InspectPolicy::default()).await
    })
}

/// Runs a bad child and answers what was noted of its end, after checking that it ended so, refused the file and is gone.
fn refused(how: &str, budget: Budget, expected: (Ended, RejectionCode)) -> String {
    refused_by(&bad(how, budget), how, expected)
}

fn refused_by(sandbox: &Sandbox, how: &str, (ended, code): (Ended, RejectionCode)) -> String {
    let answered = run(sandbox, b"some text", "text/plain").unwrap().unwrap();
    let detail = answered.examination.detail.unwrap();
    let Verdict::Rejected(rejection) = answered.examination.verdict else { panic!("{how}: accepted") };
    assert_eq!((rejection.code, answered.ended), (code, Some(ended)), "{how}: {detail}");
    let pid = detail.split("pid=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    assert!(!Path::new("/proc").join(pid).exists(), "{how}: {pid} is still there");
    detail
}

const PANIC: (Ended, RejectionCode) = (Ended::Panic, RejectionCode::InspectionFailed);
const CRASH: (Ended, RejectionCode) = (Ended::Crash, RejectionCode::InspectionCrashed);
const MEMORY: (Ended, RejectionCode) = (Ended::Memory, RejectionCode::TooMuchMemory);
const CPU: (Ended, RejectionCode) = (Ended::Cpu, RejectionCode::TooMuchTime);
const DEADLINE: (Ended, RejectionCode) = (Ended::Deadline, RejectionCode::TooMuchTime);
const RULES: (Ended, RejectionCode) = (Ended::Rules, RejectionCode::InspectionFailed);

fn trials() -> Vec<Trial> {
    let test = |name: &str, test: fn()| {
        Trial::test(name, move || -> Result<(), Failed> {
            test();
            Ok(())
        })
    };
    vec![
        test("a_real_child_examines_a_file", a_real_child_examines_a_file),
        test("the_function_examines_an_object_behind_a_url", the_function_examines_an_object_behind_a_url),
        test(
            "the_function_judges_by_length_before_it_starts_a_child",
            the_function_judges_by_length_before_it_starts_a_child,
        ),
        test(
            "a_version_that_cannot_be_is_unknown_and_a_range_that_is_ignored_is_cut_out",
            a_version_that_cannot_be_is_unknown_and_a_range_that_is_ignored_is_cut_out,
        ),
        test(
            "only_a_size_that_differs_is_told_with_the_one_that_was_announced",
            only_a_size_that_differs_is_told_with_the_one_that_was_announced,
        ),
        test("a_child_that_dies_refuses_its_file", a_child_that_dies_refuses_its_file),
        test("a_child_that_hoards_memory_meets_its_limit", a_child_that_hoards_memory_meets_its_limit),
        test("a_child_that_computes_for_ever_meets_its_limit", a_child_that_computes_for_ever_meets_its_limit),
        test("a_child_that_waits_for_ever_is_ended", a_child_that_waits_for_ever_is_ended),
        test("a_child_that_breaks_the_rules_refuses_its_file", a_child_that_breaks_the_rules_refuses_its_file),
        test("what_a_child_complains_about_is_kept_up_to_a_cap", what_a_child_complains_about_is_kept_up_to_a_cap),
        test("a_crash_is_told_by_its_signal_and_a_kill_from_outside_is_our_fault", each_signal_means_what_it_means),
        test(
            "a_child_that_ends_before_it_saw_the_file_is_our_fault",
            a_child_that_ends_before_it_saw_the_file_is_our_fault,
        ),
        test("the_log_says_how_a_child_ended", the_log_says_how_a_child_ended),
        test("a_filtered_child_has_no_way_out", surroundings::a_filtered_child_has_no_way_out),
        test("a_child_has_nothing_but_its_pipes", surroundings::a_child_has_nothing_but_its_pipes),
        test("limits_alone_stop_what_they_can", surroundings::limits_alone_stop_what_they_can),
        test("landlock_stops_what_limits_cannot", surroundings::landlock_stops_what_limits_cannot),
        test("a_child_says_which_layers_are_on", surroundings::a_child_says_which_layers_are_on),
        test("a_child_has_no_powers_of_roots", surroundings::a_child_has_no_powers_of_roots),
        test("a_hidden_parent_cannot_be_looked_into", surroundings::a_hidden_parent_cannot_be_looked_into),
        test("the_function_says_at_its_start_which_layers_are_on", surroundings::the_function_says_which_layers_are_on),
        test("a_child_that_cannot_be_started_is_our_fault", a_child_that_cannot_be_started_is_our_fault),
        test("a_child_that_cannot_be_confined_is_our_fault", a_child_that_cannot_be_confined_is_our_fault),
        test("an_examination_that_is_given_up_leaves_no_child", an_examination_that_is_given_up_leaves_no_child),
    ]
}

fn a_real_child_examines_a_file() {
    let sandbox = Sandbox::of_this_executable(budget()).unwrap();
    let answered = run(&sandbox, b"a,b\n1,2\n", "text/csv").unwrap().unwrap();
    let Verdict::Accepted(found) = answered.examination.verdict else { panic!("{:?}", answered.examination) };
    assert_eq!(found.facts.content_type.as_str(), "text/csv");
    assert!(found.facts.sha256.is_some());
    assert!(answered.filtered.is_some());
}

/// Serves `bytes` by ranges to whoever asks.
fn store(bytes: Vec<u8>) -> String {
    serve(move |request| {
        let range = request.lines().find_map(|line| line.strip_prefix("range: bytes=")).unwrap();
        let (start, last) = range.split_once('-').unwrap();
        let (start, last) = (start.parse::<usize>().unwrap(), last.parse::<usize>().unwrap().min(bytes.len() - 1));
        let range = format!("content-range: bytes {start}-{last}/{}\r\n", bytes.len());
        response("206 Partial Content", &range, bytes.get(start..=last).unwrap())
    })
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Answers whoever asks, on a thread of its own.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/object?X-Amz-Signature=secret", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") {
                let mut byte = [0];
                socket.read_exact(&mut byte).unwrap();
                request.push(char::from(byte[0]));
            }
            // A client that has what it wants hangs up, and the rest is for nobody.
            match socket.write_all(&answer(&request)) {
                Ok(()) | Err(_) => {}
            }
        }
    });
    url
}

fn inspect(inspector: &Inspector, url: String, size: u64, sha256: Option<&str>) -> InspectReply {
    let id: AttachmentId = "01jd3v8q0zk5w6x7y8z9abcdef".parse().unwrap();
    let request = InspectRequest {
        url,
        correlation: (&id).into(),
        promise: Promise {
            id,
            name: "photo.jpg".to_owned(),
            size,
            declared_type: "image/jpg".parse().unwrap(),
            declared_sha256: sha256.map(|digest| digest.parse().unwrap()),
            created_at: Timestamp::from_millis(0),
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(inspector.handle(request)).unwrap()
}

fn the_function_examines_an_object_behind_a_url() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/files/progressive.jpg");
    let photo = std::fs::read(path).unwrap();
    let size = photo.len() as u64;
    let url = store(photo);
    let sandbox = Sandbox::of_this_executable(budget()).unwrap();
    let inspector = Inspector::with(sandbox, InspectPolicy::default()).unwrap();
    let InspectReply::Accepted(found) = inspect(&inspector, url.clone(), size, None) else { panic!("not accepted") };
    assert_eq!((found.facts.width, found.facts.height), (Some(1600), Some(1200)));
    assert_eq!(found.thumbnails.len(), 2);
    let wrong = "0".repeat(64);
    let InspectReply::Rejected(why) = inspect(&inspector, url, size, Some(&wrong)) else { panic!("not rejected") };
    assert_eq!(why.code, RejectionCode::ChecksumMismatch);
}

fn a_version_that_cannot_be_is_unknown_and_a_range_that_is_ignored_is_cut_out() {
    let inspector = Inspector::with(Sandbox::of_this_executable(budget()).unwrap(), InspectPolicy::default()).unwrap();
    let refusal = b"<Error><Code>InvalidArgument</Code><Message>Invalid version id specified</Message></Error>";
    let malformed = serve(move |_| response("400 Bad Request", "", refusal));
    assert_eq!(inspect(&inspector, malformed, 3, None), InspectReply::Unknown);
    assert_eq!(inspect(&inspector, serve(|_| response("404 Not Found", "", b"")), 3, None), InspectReply::Gone);

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/files/phone-12mp.jpg");
    let photo = std::fs::read(path).unwrap();
    let size = photo.len() as u64;
    let whole = serve(move |_| response("200 OK", "", &photo));
    assert!(matches!(inspect(&inspector, whole, size, None), InspectReply::Accepted(_)));
}

fn the_function_judges_by_length_before_it_starts_a_child() {
    let nobody = Sandbox::of("/nowhere/at/all".into(), Vec::new(), budget());
    let limits = InspectLimits { max_upload_bytes: 10, ..InspectLimits::default() };
    let inspector = Inspector::with(nobody, InspectPolicy { limits, ..InspectPolicy::default() }).unwrap();
    for (bytes, promised, expected) in
        [(9, 10, RejectionCode::SizeMismatch), (10, 9, RejectionCode::SizeMismatch), (11, 11, RejectionCode::TooLarge)]
    {
        let InspectReply::Rejected(why) = inspect(&inspector, store(vec![7; bytes]), promised, None) else {
            panic!("not rejected")
        };
        assert_eq!(why.code, expected);
    }
}

fn only_a_size_that_differs_is_told_with_the_one_that_was_announced() {
    let nobody = Sandbox::of("/nowhere/at/all".into(), Vec::new(), budget());
    let limits = InspectLimits { max_upload_bytes: 10, ..InspectLimits::default() };
    let policy = InspectPolicy { limits, ..InspectPolicy::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (bytes, promised, expected) in
        [(0, 0, None), (0, 9, None), (11, 11, None), (9, 10, Some("9 bytes where 10 were announced"))]
    {
        let file = tempfile::tempfile().unwrap();
        file.set_len(bytes).unwrap();
        let mut source = Source::File(tokio::fs::File::from_std(file));
        let claim = Claim { size: promised, content_type: "text/plain".parse().unwrap(), sha256: None };
        let answered = runtime.block_on(examine(&nobody, &mut source, claim, &policy)).unwrap().unwrap();
        assert_eq!(answered.examination.detail.as_deref(), expected, "{bytes} of {promised}");
    }
}

fn a_child_that_dies_refuses_its_file() {
    assert!(refused("panic", budget(), PANIC).contains("on purpose"));
    assert!(refused("abort", budget(), CRASH).contains("signal: 6"));
    assert!(refused("overflow-the-stack", budget(), CRASH).contains("signal"));
    assert!(refused("exit", budget(), RULES).contains("exit status: 0"));
    assert!(refused("half-a-frame", budget(), RULES).contains("exit status"));
}

fn a_child_that_hoards_memory_meets_its_limit() {
    assert!(refused("allocate", budget(), MEMORY).contains("allocation"));
}

fn a_child_that_computes_for_ever_meets_its_limit() {
    let short = Budget { cpu_seconds: 1, ..budget() };
    let detail = refused("spin", short, CPU);
    // SIGXCPU
    assert!(detail.contains("signal: 24"), "{detail}");
    // Who does not hear that is killed a second later, and not by us.
    let detail = refused("spin-deaf", short, CPU);
    assert!(detail.contains("signal: 9"), "{detail}");
}

fn a_child_that_waits_for_ever_is_ended() {
    let began = Instant::now();
    let detail = refused("wait", Budget { wall: Duration::from_millis(300), ..budget() }, DEADLINE);
    assert!(detail.contains("took more than"), "{detail}");
    assert!(began.elapsed() >= Duration::from_millis(300));
}

fn a_child_that_breaks_the_rules_refuses_its_file() {
    assert!(refused("garbage", budget(), RULES).contains("nonsense"));
    assert!(refused("huge-frame", budget(), RULES).contains("a frame of 4294967295 bytes"));
    assert!(refused("ask-outside", budget(), RULES).contains("asked for 0..99999999999"));
    assert!(refused("ask-nothing", budget(), RULES).contains("asked for 5..5"));
    assert!(refused("ask-for-ever", budget(), RULES).contains("for ever"));
    assert!(refused("lie", budget(), RULES).contains("text/html"));
    assert!(refused("lie-in-facts", budget(), RULES).contains("excerpt"));
    assert!(refused("speak-of-itself", budget(), RULES).contains("of itself"));
    assert!(refused("close-and-stay", budget(), RULES).contains("did not end"));
    // What is our fault before it has asked for a byte is its own afterwards.
    assert!(refused("exit-as-unconfined", budget(), RULES).contains("exit status: 70"));
}

fn script(script: &str) -> Sandbox {
    Sandbox::of("/bin/sh".into(), vec!["-c".into(), script.into()], budget())
}

/// A child that asks for a byte, and then does what `script` says.
fn once_it_began(then: &str) -> Sandbox {
    script(&format!("echo pid=$$ >&2; printf '\\000\\000\\000\\{:03o}%s' '{NEED}'; {then}", NEED.len()))
}

fn each_signal_means_what_it_means() {
    for signal in ["SEGV", "BUS", "ILL", "ABRT", "SYS", "FPE"] {
        let sandbox = once_it_began(&format!("kill -{signal} $$"));
        assert!(refused_by(&sandbox, signal, CRASH).contains("signal: "));
    }
    for (name, number) in [("KILL", libc::SIGKILL), ("TERM", libc::SIGTERM)] {
        let killed = run(&once_it_began(&format!("kill -{name} $$")), b"some text", "text/plain");
        assert!(matches!(killed, Err(InspectError::Killed { signal, .. }) if signal == number), "{name}: {killed:?}");
    }
}

fn a_child_that_ends_before_it_saw_the_file_is_our_fault() {
    // 127 is a loader's that misses a library, and 1 that of a job that is not understood.
    for how in ["exit 127", "exit 1", "exit 0", "exit 101", "kill -SEGV $$", "kill -ABRT $$"] {
        let ended = run(&script(&format!("echo why >&2; {how}")), b"some text", "text/plain");
        assert!(matches!(&ended, Err(InspectError::EndedEarly { words, .. }) if words == "why"), "{how}: {ended:?}");
    }
    let killed = run(&script("kill -KILL $$"), b"some text", "text/plain");
    assert!(matches!(killed, Err(InspectError::Killed { .. })), "{killed:?}");
    // A limit is a limit, whenever it is met.
    let limited = run(&script("kill -XCPU $$"), b"some text", "text/plain").unwrap().unwrap();
    assert_eq!(limited.ended, Some(Ended::Cpu));
    // What it did once it had a byte may be the file's doing.
    assert!(refused_by(&once_it_began("exit 127"), "exit 127", RULES).contains("exit status: 127"));
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn the_log_says_how_a_child_ended() {
    for (how, ended, code) in [
        ("panic", "panic", "inspection-failed"),
        ("abort", "crash", "inspection-crashed"),
        ("allocate", "memory", "too-much-memory"),
        ("garbage", "rules", "inspection-failed"),
    ] {
        let inspector = Inspector::with(bad(how, budget()), InspectPolicy::default()).unwrap();
        let lines = Lines::default();
        let writer = lines.clone();
        let reply = tracing::subscriber::with_default(logs::into("info", move || writer.clone()), || {
            inspect(&inspector, store(vec![b'a'; 9]), 9, None)
        });
        assert!(matches!(reply, InspectReply::Rejected(why) if why.code.as_str() == code));
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.lines().next_back().unwrap()).unwrap();
        assert_eq!((&line["inspect.ended"], &line["inspect.code"]), (&ended.into(), &code.into()), "{text}");
    }
}

fn what_a_child_complains_about_is_kept_up_to_a_cap() {
    let detail = refused("shout", budget(), RULES);
    assert!(detail.contains("aaa") && detail.len() < 3000, "{}", detail.len());
}

fn a_child_that_cannot_be_started_is_our_fault() {
    let sandbox = Sandbox::of("/nowhere/at/all".into(), Vec::new(), budget());
    assert!(matches!(run(&sandbox, b"text", "text/plain"), Err(InspectError::Child(_))));
}

fn a_child_that_cannot_be_confined_is_our_fault() {
    // A child that fails to confine itself says why and ends with this code, before it has asked for a byte.
    let sandbox = script("echo why >&2; exit 70");
    let Err(InspectError::Confinement(why)) = run(&sandbox, b"text", "text/plain") else { panic!("it went on") };
    assert_eq!(why, "why");
}

/// A function that is stopped in the middle, or a caller that stops waiting, drops the future.
fn an_examination_that_is_given_up_leaves_no_child() {
    let folder = tempfile::tempdir().unwrap();
    let (pid_file, path) = (folder.path().join("pid"), folder.path().join("file"));
    std::fs::write(&path, b"text").unwrap();
    let sandbox = script(&format!("echo $$ > {}; exec sleep 600", pid_file.display()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut source = Source::File(tokio::fs::File::open(&path).await.unwrap());
        let claim = Claim { size: 4, content_type: "text/plain".parse().unwrap(), sha256: None };
        let policy = InspectPolicy::default();
        let examination = examine(&sandbox, &mut source, claim, &policy);
        let pid = async {
            loop {
                if let Some(pid) = std::fs::read_to_string(&pid_file).ok().filter(|text| text.ends_with('\n')) {
                    return pid.trim().to_owned();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let pid = tokio::select! {
            _ = examination => panic!("it cannot end"),
            pid = pid => pid,
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while Path::new("/proc").join(&pid).exists() {
            assert!(Instant::now() < deadline, "{pid} is still there");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}
