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
        intruders: &[],
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
    Scenario { name: "message deleted meanwhile", is_main: false, before: &[Deed::Delete], intruders: &[], ..IMAGE },
    Scenario {
        name: "attachment cancelled",
        is_main: false,
        before: &[Deed::Cancel(0)],
        intruders: &[Mode::Collect, Mode::Deed(Deed::Delete)],
        ..IMAGE
    },
    Scenario { name: "attachment removed", is_main: false, before: &[Deed::Remove(0)], intruders: &[], ..IMAGE },
    Scenario {
        name: "already decided",
        is_main: false,
        file: || Ok(File::text("it is decided twice over")),
        deliveries: &[0, 0, 0],
        intruders: &[],
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
    deliveries: &[0],
    also: &[],
    intruders: &[],
};

impl Scenario {
    /// Whether the bytes are worth publishing, whichever version they are.
    pub(crate) fn is_good(&self) -> bool {
        self.name != "rejected file"
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
