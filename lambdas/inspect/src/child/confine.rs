//! What a child gives up before it looks at a byte: descriptors that it was not meant to have, memory and processor time beyond its
//! budget, files, processes, privileges, outliving its parent, and where the kernel lets it almost all system calls.

use std::fs::File;
use std::io;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope};
use nix::errno::Errno;
use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, parent_process_death_signal, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, no_new_privs, set_capabilities, set_no_new_privs};

use super::filter;
use crate::layers::{Landlock, Layers, hide_this_process, is_hidden};

/// The last of the descriptors that a parent means a child to have: its three pipes.
const LAST_PIPE: i32 = 2;

/// How deep a child may recurse, in bytes of stack: what Linux gives by default. Where the default is "unlimited", it is this as well.
const STACK_BYTES: u64 = 8 * 1024 * 1024;

/// The newest Landlock that we know what it does of. An older kernel does less of it.
const LANDLOCK: ABI = ABI::V6;

/// Closes every descriptor but the three pipes, whatever the parent forgot to mark, and hides the process. To be called before anything
/// else, while there is one thread.
///
/// # Errors
/// When `/proc` is not there to say what is open, or a descriptor cannot be closed.
pub(super) fn shut() -> io::Result<()> {
    hide_this_process()?;
    let mut open = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        open.extend(name.to_str().and_then(|name| name.parse::<i32>().ok()).filter(|number| *number > LAST_PIPE));
    }
    for number in open {
        match nix::unistd::close(number) {
            // The listing's own, which is closed by now.
            Ok(()) | Err(Errno::EBADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Confines this process for good. Answers which layers are on.
///
/// Limits that cannot be set are an error. Capabilities that are kept, Landlock and the filter are not: some kernels have none of the latter,
/// and some surroundings refuse them; there
/// the function's own role, which may do nothing but log, is the wall.
pub(super) fn confine(memory_bytes: u64, cpu_seconds: u64) -> io::Result<Layers> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_no_new_privs(true)?;
    let no_capabilities = shed().is_ok_and(|sets| sets == NO_CAPABILITIES);
    // It takes a descriptor for a moment, so it comes before the limits.
    let landlock = restrict().unwrap_or(Landlock::Off);
    let limits = limits(memory_bytes, cpu_seconds);
    for (resource, current, maximum) in limits {
        limit(resource, current, maximum)?;
    }
    // The filter refuses to say any of this.
    let layers = Layers {
        filter: false,
        landlock,
        limits: limits.iter().all(|(resource, current, _)| is_limited(*resource, *current)),
        no_new_privs: no_new_privs()?,
        no_capabilities,
        undumpable: is_hidden(),
        dies_with_parent: parent_process_death_signal()? == Some(Signal::KILL),
    };
    Ok(Layers { filter: filter::install() && is_filtered(), ..layers })
}

const NO_CAPABILITIES: CapabilitySets = CapabilitySets {
    effective: CapabilitySet::empty(),
    permitted: CapabilitySet::empty(),
    inheritable: CapabilitySet::empty(),
};

/// Gives up what root may and others may not, such as looking into a hidden parent or raising a limit again. Without new privileges no
/// program gives it back: <https://man7.org/linux/man-pages/man7/capabilities.7.html>. Answers what is left.
///
/// Where it is refused, root keeps them, as in surroundings without a filter.
fn shed() -> io::Result<CapabilitySets> {
    set_capabilities(None, NO_CAPABILITIES)?;
    Ok(capabilities(None)?)
}

/// Every limit: current, and the most that the process may raise it to.
fn limits(memory_bytes: u64, cpu_seconds: u64) -> [(Resource, u64, u64); 7] {
    [
        (Resource::As, memory_bytes, memory_bytes),
        // At the first of the two comes SIGXCPU, which says why; a handler could outlive it, so at the second comes SIGKILL.
        (Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(1)),
        (Resource::Stack, STACK_BYTES, STACK_BYTES),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        (Resource::Nproc, 0, 0),
        // None at all: what is open stays open, and whoever closes a pipe gets nothing in its place.
        (Resource::Nofile, 0, 0),
    ]
}

/// Sets a limit, or leaves it where it may not be raised to that.
fn limit(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let highest = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let (current, maximum) = (current.min(highest), maximum.min(highest));
    Ok(setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?)
}

fn is_limited(resource: Resource, most: u64) -> bool {
    getrlimit(resource).current.is_some_and(|current| current <= most)
}

/// Gives up all that Landlock can take: there is no rule that leaves anything.
fn restrict() -> Result<Landlock, RulesetError> {
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?;
    Ok(match ruleset.create()?.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Landlock::Whole,
        RulesetStatus::PartiallyEnforced => Landlock::Partly,
        RulesetStatus::NotEnforced => Landlock::Off,
    })
}

/// Whether the filter does what it should: opening a file is not permitted, whereas the limits alone would say that too many are open.
fn is_filtered() -> bool {
    File::open("/").is_err_and(|error| error.raw_os_error() == Some(libc::EPERM))
}
