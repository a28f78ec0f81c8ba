//! A child's surroundings: each layer of the wall, with the others and without.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use landlock::{AccessFs, Ruleset, RulesetAttr as _, RulesetStatus};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use vestibule_inspect::layers::{Landlock, Layers, hide_this_process};
use vestibule_inspect::sandbox::Sandbox;

use crate::escapes::LEAKED;
use crate::{RULES, bad, budget, executable, misbehave, refused_by};

/// This executable within other surroundings: the flag, which ones, and what to be there.
pub(crate) const FLAG: &str = "--within";

/// A user who is nobody: limits on processes are none for root, and root looks into every process.
const NOBODY: u32 = 65534;

/// Becomes what it should within surroundings that are narrower than the test's. For another user it starts itself again, by a path that
/// needs no way through the folders that it is in.
pub(crate) fn within(what: &str, how: &str) -> ExitCode {
    match what {
        "nobody-without-filter" | "nobody-without-both" | "nobody-as-parent" if rustix::process::getuid().is_root() => {
            let error = Command::new("/proc/self/exe").args([FLAG, what, how]).uid(NOBODY).gid(NOBODY).exec();
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        "nobody-without-filter" => {
            refuse(&[(libc::SYS_seccomp, None), (libc::SYS_prctl, Some(libc::PR_SET_SECCOMP))]);
            misbehave(how)
        }
        "nobody-without-both" | "without-both" => {
            let calls = [
                (libc::SYS_seccomp, None),
                (libc::SYS_prctl, Some(libc::PR_SET_SECCOMP)),
                (libc::SYS_landlock_create_ruleset, None),
            ];
            refuse(&calls);
            misbehave(how)
        }
        "nobody-as-parent" | "as-parent" => {
            if how == "hidden" {
                hide_this_process().unwrap();
            }
            Command::new("/proc/self/exe").args([FLAG, "spy", ""]).status().unwrap();
            ExitCode::SUCCESS
        }
        "can" if how == "filter" => {
            refuse(&[(libc::SYS_acct, None)]);
            ExitCode::SUCCESS
        }
        "can" => {
            let ruleset = Ruleset::default().handle_access(AccessFs::Execute).unwrap().create().unwrap();
            let status = ruleset.restrict_self().unwrap().ruleset;
            ExitCode::from(u8::from(status == RulesetStatus::NotEnforced))
        }
        "spy" => {
            // As a child does, or there would be nothing to hide from root.
            let none = CapabilitySet::empty();
            set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }).unwrap();
            let parent = Path::new("/proc").join(std::os::unix::process::parent_id().to_string());
            let environment = std::fs::read(parent.join("environ")).is_ok();
            let files = std::fs::read_dir(parent.join("fd")).is_ok();
            let memory = std::fs::File::open(parent.join("mem")).is_ok();
            eprintln!("environment={environment} files={files} memory={memory}");
            ExitCode::SUCCESS
        }
        other => {
            eprintln!("unknown: {other}");
            ExitCode::FAILURE
        }
    }
}

/// Answers these system calls with EPERM, where given by their first argument: as Lambda is said to answer those that install a filter.
fn refuse(calls: &[(libc::c_long, Option<libc::c_int>)]) {
    let mut rules = BTreeMap::new();
    for (call, first) in calls {
        let is = |value: &libc::c_int| {
            let value = u64::from(value.cast_unsigned());
            SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value).unwrap()
        };
        let rule = first.iter().map(|value| SeccompRule::new(vec![is(value)]).unwrap()).collect();
        rules.insert(*call, rule);
    }
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let program: BpfProgram =
        SeccompFilter::new(rules, SeccompAction::Allow, refused, arch).unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

fn bad_within(what: &str, how: &str) -> Sandbox {
    Sandbox::of(executable(), [FLAG, what, how].map(OsString::from).to_vec(), budget())
}

/// What a bad child said that tried to escape.
struct Told {
    refused: Vec<String>,
    failed: Vec<String>,
    worked: Vec<String>,
    all: String,
}

fn escape(sandbox: &Sandbox) -> Told {
    let all = refused_by(sandbox, "escape", RULES);
    let named = |name: &str| {
        let (_, rest) = all.split_once(&format!(" {name}=")).or_else(|| all.split_once(&format!("\n{name}="))).unwrap();
        let names = rest.split_whitespace().next().unwrap_or_default();
        let names = if names.contains('=') { "" } else { names };
        names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    Told { refused: named("refused"), failed: named("failed"), worked: named("worked"), all: all.clone() }
}

fn layers() -> Layers {
    let sandbox = Sandbox::of_this_executable(budget()).unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(sandbox.layers()).unwrap()
}

/// Whether a process can do without system calls ("filter") or files ("landlock") here, as one finds that is no child of a sandbox.
fn can(what: &str) -> bool {
    Command::new(executable()).args([FLAG, "can", what]).output().unwrap().status.success()
}

pub(crate) fn a_filtered_child_has_no_way_out() {
    if !can("filter") {
        return eprintln!("passed over: no filter can be installed here");
    }
    let told = escape(&bad("escape", budget()));
    assert!(told.failed.is_empty() && told.worked.is_empty(), "{}", told.all);
    assert_eq!(told.refused.len(), 26, "{}", told.all);
    let exec = refused_by(&bad("exec", budget()), "exec", RULES);
    assert!(exec.contains("exec: Operation not permitted"), "{exec}");
}

/// As in Lambda, if it refuses the filter and its kernel is without Landlock.
pub(crate) fn limits_alone_stop_what_they_can() {
    let told = escape(&bad_within("nobody-without-both", "escape"));
    assert!(told.all.contains("filter: false, landlock: Off, limits: true"), "{}", told.all);
    // No new descriptor, so no file, socket or memory that is one; no process; nothing of another user's.
    for name in [
        "open",
        "create",
        "udp",
        "tcp-listen",
        "tcp-connect",
        "unix-pair",
        "unix",
        "process",
        "thread",
        "kill-parent",
        "ptrace",
        "mount",
        "memfd",
        "dup",
        "limits",
        "reuse-a-pipe",
    ] {
        assert!(!told.worked.iter().any(|worked| worked == name), "{name}: {}", told.all);
    }
}

/// What takes no descriptor is not stopped by a limit on them: making and removing what has a name, and becoming another program.
pub(crate) fn landlock_stops_what_limits_cannot() {
    let landlock = layers().landlock;
    if !can("landlock") {
        return eprintln!("passed over: this kernel is without Landlock");
    }
    let told = escape(&bad_within("nobody-without-filter", "escape"));
    assert!(told.all.contains(&format!("filter: false, landlock: {landlock:?}")), "{}", told.all);
    for name in ["open", "create", "mkdir", "remove", "process", "kill-parent", "ptrace", "reuse-a-pipe"] {
        assert!(!told.worked.iter().any(|worked| worked == name), "{name}: {}", told.all);
    }
    let exec = refused_by(&bad_within("nobody-without-filter", "exec"), "exec", RULES);
    assert!(exec.contains("exec: Permission denied"), "{exec}");
    // The same without it, so that this test can tell.
    let told = escape(&bad_within("nobody-without-both", "escape"));
    assert!(told.worked.iter().any(|worked| worked == "mkdir"), "{}", told.all);
}

pub(crate) fn a_child_has_nothing_but_its_pipes() {
    use std::os::fd::AsRawFd as _;

    let secret = tempfile::tempfile().unwrap();
    // As a library or a runtime does that forgets to mark it.
    fcntl_setfd(&secret, FdFlags::empty()).unwrap();
    let told = refused_by(&bad(&format!("{LEAKED}{}", secret.as_raw_fd()), budget()), "leaked", RULES);
    assert!(told.contains("inherited=true environment=0 folder=/\n") && told.contains("leaked=false"), "{told}");
}

pub(crate) fn a_child_says_which_layers_are_on() {
    let Layers { filter, landlock, limits, no_new_privs, no_capabilities, undumpable, dies_with_parent } = layers();
    assert!(limits && no_new_privs && no_capabilities && undumpable && dies_with_parent);
    // Of these two it depends on the kernel.
    assert_eq!((filter, landlock != Landlock::Off), (can("filter"), can("landlock")));
    let nobody = Sandbox::of("/bin/false".into(), Vec::new(), budget());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(nobody.layers()).is_err());
}

/// As whoever runs this test, who may be root.
pub(crate) fn a_child_has_no_powers_of_roots() {
    let told = escape(&bad_within("without-both", "escape"));
    assert!(told.all.contains("no_capabilities: true"), "{}", told.all);
    for name in ["open", "create", "dup", "limits", "mount"] {
        assert!(!told.worked.iter().any(|worked| worked == name), "{name}: {}", told.all);
    }
}

pub(crate) fn a_hidden_parent_cannot_be_looked_into() {
    let spied_by = |who: &str, how: &str| {
        let told = Command::new(executable()).args([FLAG, who, how]).output().unwrap();
        String::from_utf8(told.stderr).unwrap()
    };
    let spied = |how: &str| spied_by("nobody-as-parent", how);
    assert_eq!(spied("hidden"), "environment=false files=false memory=false\n");
    // Root without its capabilities may count the open files, and no more.
    let hidden = spied_by("as-parent", "hidden");
    assert!(hidden.starts_with("environment=false ") && hidden.ends_with(" memory=false\n"), "{hidden}");
    // The kernel may keep memory from children in any case, if it has Yama.
    let open = spied("open");
    assert!(open.starts_with("environment=true files=true memory="), "{open}");
}

pub(crate) fn the_function_says_which_layers_are_on() {
    let runtime = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut function = Command::new(env!("CARGO_BIN_EXE_vestibule-inspect"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime.local_addr().unwrap().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "inspect")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "3008")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "inspect")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (lines, said) = mpsc::channel();
    let stdout = BufReader::new(function.stdout.take().unwrap());
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
    let line = said.recv_timeout(Duration::from_secs(20));
    function.kill().unwrap();
    function.wait().unwrap();
    let line = line.unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let layers = layers();
    assert_eq!((&told["message"], &told["level"]), (&"layers".into(), &"INFO".into()), "{line}");
    for (name, expected) in [
        ("filter", layers.filter.into()),
        ("landlock", layers.landlock.as_str().into()),
        ("limits", true.into()),
        ("no_new_privs", true.into()),
        ("no_capabilities", true.into()),
        ("undumpable", true.into()),
        ("dies_with_parent", true.into()),
        ("parent_undumpable", serde_json::Value::from(true)),
    ] {
        assert_eq!(told[format!("inspect.layers.{name}")], expected, "{name}: {line}");
    }
}
