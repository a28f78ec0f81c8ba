//! What happens to a file, from its upload to its end: the stories in which calls are made to fail.

use crate::support::bench::Deed;
use crate::support::chat::File;

use super::Mode;

/// A story.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether all kinds of faults are tried, and pairs of them.
    pub(crate) is_main: bool,
    /// The file that is announced.
    pub(crate) file: fn() -> anyhow::Result<File>,
    /// What is uploaded in its place, version by version; without, the file itself.
    pub(crate) versions: &'static [Bytes],
    /// What its author does before anything is delivered.
    pub(crate) before: &'static [Deed],
    /// What its author does once everything was delivered.
    pub(crate) after: &'static [Deed],
    /// What is done to each of its calls.
    pub(crate) modes: &'static [Mode],
    /// The versions in the order in which their events come.
    pub(crate) deliveries: &'static [usize],
    /// Other orders in which what heals may bring them.
    pub(crate) also: &'static [&'static [usize]],
    /// Who may come in between at any call.
    pub(crate) intruders: &'static [Mode],
}

/// What is uploaded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bytes {
    /// What was announced.
    Announced,
    /// As many bytes, but others.
    Others,
}

/// All stories. A change of their calls shows in the snapshots.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "image",
        is_main: true,
        file: || File::fixture("png-palette.png", "image/png"),
        versions: &[Bytes::Announced],
        before: &[],
        after: &[],
        modes: &ALL,
        deliveries: &[0],
        also: &[],
        intruders: &[
            Mode::Collect,
            Mode::Duplicate,
            Mode::Sweep,
            Mode::Deed(Deed::Delete),
            Mode::Deed(Deed::Remove(0)),
            Mode::Deed(Deed::Cancel(0)),
        ],
    },
    Scenario {
        name: "multipart object",
        file: || {
            let text = "All that is copied in parts is longer than five megabytes.\n".repeat(90_000);
            Ok(File { bytes: text.into_bytes(), ..File::text("") })
        },
        is_main: false,
        modes: &[Mode::Before, Mode::After, Mode::Ambiguous, Mode::CutBody],
        ..IMAGE
    },
    Scenario { name: "no event came", is_main: false, deliveries: &[], ..IMAGE },
    Scenario { name: "removed once it is published", is_main: false, after: &[Deed::Remove(0)], ..IMAGE },
    Scenario {
        name: "deleted once it is refused",
        is_main: false,
        file: || File::fixture("truncated.png", "image/png"),
        after: &[Deed::Delete],
        ..IMAGE
    },
    Scenario {
        name: "rejected file",
        is_main: false,
        file: || File::fixture("truncated.png", "image/png"),
        intruders: &[Mode::Collect, Mode::Duplicate, Mode::Deed(Deed::Delete)],
        ..IMAGE
    },
    Scenario {
        name: "second version",
        is_main: false,
        file: || Ok(File::text("the first of two")),
        versions: &[Bytes::Announced, Bytes::Others],
        deliveries: &[0, 1],
        also: &[&[1, 0]],
        intruders: &[Mode::Collect, Mode::Duplicate],
        ..IMAGE
    },
    Scenario {
        name: "message deleted before it came",
        is_main: false,
        before: &[Deed::Delete],
        intruders: &[],
        ..IMAGE
    },
    Scenario {
        name: "attachment cancelled before it came",
        is_main: false,
        before: &[Deed::Cancel(0)],
        intruders: &[Mode::Collect, Mode::Deed(Deed::Delete)],
        ..IMAGE
    },
    Scenario {
        name: "attachment removed before it came",
        is_main: false,
        before: &[Deed::Remove(0)],
        intruders: &[],
        ..IMAGE
    },
    Scenario {
        name: "already decided",
        is_main: false,
        file: || Ok(File::text("it is decided twice over")),
        deliveries: &[0, 0, 0],
        ..IMAGE
    },
];

/// What most of them have in common.
const IMAGE: Scenario = Scenario {
    name: "",
    is_main: true,
    file: || File::fixture("png-palette.png", "image/png"),
    versions: &[Bytes::Announced],
    before: &[],
    after: &[],
    modes: &THREE,
    deliveries: &[0],
    also: &[],
    intruders: &[],
};

/// What happens to every call of every scenario.
pub(crate) const THREE: [Mode; 3] = [Mode::Before, Mode::After, Mode::Ambiguous];

/// All that can happen to a call, or to whoever makes it.
const ALL: [Mode; 11] = [
    Mode::Before,
    Mode::After,
    Mode::Ambiguous,
    Mode::ResetBefore,
    Mode::ResetAfter,
    Mode::CutBody,
    Mode::Throttle,
    Mode::CrashBefore,
    Mode::CrashAfter,
    Mode::Lost,
    Mode::LandsLate,
];

impl Scenario {
    /// Whether the bytes are worth publishing, whichever version they are.
    pub(crate) fn is_good(&self) -> bool {
        !matches!(self.name, "rejected file" | "deleted once it is refused")
    }
}

impl Bytes {
    /// The bytes of this version of `file`.
    pub(crate) fn of(self, file: &File) -> Vec<u8> {
        match self {
            Self::Announced => file.bytes.clone(),
            Self::Others => file.bytes.iter().rev().copied().collect(),
        }
    }
}
