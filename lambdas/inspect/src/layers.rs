//! The layers of the wall around a child, and which of them are on.

use std::io;

use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};
use serde::{Deserialize, Serialize};

/// What a child found of the layers around it, once they were up: what the kernel answers, not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a layer that is on or off, and none depends on another")]
pub struct Layers {
    /// System calls are filtered: a call that the filter refuses was refused.
    pub filter: bool,
    /// How much of Landlock is in force: no file, no program, no network, no signal to others.
    pub landlock: Landlock,
    /// Memory, processor time, descriptors, processes and the rest are limited.
    pub limits: bool,
    /// No program can give it more privileges than it has.
    pub no_new_privs: bool,
    /// It has no capabilities, though it may be root.
    pub no_capabilities: bool,
    /// Others cannot look into it, and it leaves no core.
    pub undumpable: bool,
    /// It dies with its parent.
    pub dies_with_parent: bool,
}

/// How much of Landlock is in force: <https://docs.kernel.org/userspace-api/landlock.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Landlock {
    /// All that we ask for.
    Whole,
    /// What a kernel knows that is older than what we ask for.
    Partly,
    /// Nothing.
    Off,
}

impl Landlock {
    /// The word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Partly => "partly",
            Self::Off => "off",
        }
    }
}

/// Keeps the processes of the same user, and so every child, from this one's memory, environment and open files, for good: what is a
/// dumpable process's own below `/proc` is root's alone of one that is not. <https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html>
///
/// Root with the capability to trace looks into it all the same, so a child gives up its capabilities.
///
/// The parent calls it before it starts a child, since it holds credentials in its environment and URLs in its memory.
///
/// # Errors
/// When the kernel does not let it.
pub fn hide_this_process() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Whether this process is hidden as [`hide_this_process`] hides it. What cannot be told counts as no.
pub fn is_hidden() -> bool {
    dumpable_behavior().is_ok_and(|behavior| behavior == DumpableBehavior::NotDumpable)
}
