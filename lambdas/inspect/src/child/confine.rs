//! What a child gives up before it looks at a byte: memory and processor time beyond its budget, files, processes,
//! privileges, outliving its parent, and where the kernel lets it almost all system calls.

use std::io;

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use rustix::thread::set_no_new_privs;

use super::filter;

/// Files a child may have open: its three pipes.
const OPEN_FILES: u64 = 3;

/// Confines this process for good. Answers whether system calls are filtered too.
///
/// Limits that cannot be set are an error. The filter is not: inside Lambda the kernel does not allow one, and there the
/// function's own role, which may do nothing but log, is the wall.
pub(super) fn confine(memory_bytes: u64, cpu_seconds: u64) -> io::Result<bool> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_no_new_privs(true)?;
    limit(Resource::As, memory_bytes, memory_bytes)?;
    // At the first of the two comes SIGXCPU, which says why; a handler could outlive it, so at the second comes SIGKILL.
    limit(Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(1))?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Nproc, 0, 0)?;
    limit(Resource::Nofile, OPEN_FILES, OPEN_FILES)?;
    Ok(filter::install())
}

fn limit(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?)
}
