//! All that the protocol can see and change: one attachment, its key in three buckets, and whoever is at work on it.

use crate::pair::{Pair, Version, Worker};

/// The world, between two calls. One attachment is enough: no call concerns two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The message document, as far as this attachment goes.
    pub entry: Entry,
    /// The inbox bucket.
    pub inbox: Pair<Slot>,
    /// The processed bucket. Keys hold the version, so no two versions share an object.
    pub processed: Pair<Objects>,
    /// Whether the quarantine bucket holds a copy of the version.
    pub quarantine: Pair<bool>,
    /// Copies into the processed bucket that S3 still works on while nobody waits for them any more.
    pub copies_in_flight: Pair<bool>,
    /// The workers; `None` is idle.
    pub workers: Pair<Option<Run>>,
    /// How many times a worker was started: at most [`crate::model::MAX_STARTS`] times.
    pub starts: u8,
    /// The collector's full scan, while it is at work.
    pub audit: Option<Audit>,
    /// A collect of this attachment's prefix waits in its queue.
    pub collect_due: bool,
    /// A reclaim of all its objects waits in its queue.
    pub reclaim_due: bool,
    /// What the rest does not show afterwards.
    pub history: History,
}

/// What the message document says of the attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// There is no such message: never made, or gone with a table that was restored to an earlier time.
    Absent,
    /// Announced.
    Pending,
    /// Examined and published, from this version.
    Ready(Version),
    /// Examined and refused.
    Rejected,
    /// Given up by its sender.
    Cancelled,
    /// Taken out of the message.
    Removed,
    /// The whole message is deleted: its tombstone.
    Deleted,
}

impl Entry {
    /// Whether the attachment's fate is known. Absent is not deleted.
    pub fn is_decided(self) -> bool {
        match self {
            Self::Absent | Self::Pending => false,
            Self::Ready(_) | Self::Rejected | Self::Cancelled | Self::Removed | Self::Deleted => true,
        }
    }

    /// Whether people took the attachment away, or the message with it.
    pub fn is_taken_away(self) -> bool {
        matches!(self, Self::Removed | Self::Deleted)
    }

    /// The version whose processed objects the document points at.
    pub fn published(self) -> Option<Version> {
        match self {
            Self::Ready(version) => Some(version),
            Self::Absent | Self::Pending | Self::Rejected | Self::Cancelled | Self::Removed | Self::Deleted => None,
        }
    }
}

/// What is in a file. Whoever looks at one version, sees the same. Ordered for [`crate::model`]'s sake alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bytes {
    /// What the inspector accepts.
    Valid,
    /// What it refuses.
    Invalid,
    /// What it accepts, but not what the sender announced: the digest is another, which may only show once it is copied.
    Mistaken,
}

impl Bytes {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Valid, Self::Invalid, Self::Mistaken];
}

/// A version's place in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Nothing was uploaded yet.
    Empty,
    /// It stands there.
    Standing(Bytes),
    /// It has left.
    Gone(Bytes),
}

impl Slot {
    /// What stands there.
    pub fn standing(self) -> Option<Bytes> {
        match self {
            Self::Standing(bytes) => Some(bytes),
            Self::Empty | Self::Gone(_) => None,
        }
    }

    /// Whether these are its bytes, here or gone.
    pub fn holds(self, bytes: Bytes) -> bool {
        self == Self::Standing(bytes) || self == Self::Gone(bytes)
    }

    /// Takes the version out. Nothing happens when it is not there.
    pub fn retire(&mut self) {
        if let Self::Standing(bytes) = *self {
            *self = Self::Gone(bytes);
        }
    }
}

/// A kind of processed object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// All thumbnails. One will do for all: who misses one misses thumbnails.
    Thumbnails,
    /// The copy of the version.
    Original,
}

/// The processed objects of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Objects {
    /// The thumbnails are there.
    pub thumbnails: bool,
    /// The original is there.
    pub original: bool,
}

impl Objects {
    /// Whether `object` is there.
    pub fn holds(self, object: Object) -> bool {
        match object {
            Object::Thumbnails => self.thumbnails,
            Object::Original => self.original,
        }
    }

    /// Deletes `object`.
    pub fn delete(&mut self, object: Object) {
        match object {
            Object::Thumbnails => self.thumbnails = false,
            Object::Original => self.original = false,
        }
    }
}

/// A worker's run over one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// The call to make next: all that a worker remembers, its program counter.
    pub step: Step,
    /// The version that the event names.
    pub version: Version,
}

/// The calls of a run, in the order of their table in docs/ARCHITECTURE.md and under the names of `lambdas/ingest/src/steps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// 1: read the message.
    Ask,
    /// 2: look at the bytes.
    Inspect,
    /// 3: put the thumbnails.
    Thumbnails,
    /// 4: S3 begins to copy.
    Copy,
    /// 4, ended: the copy is there, and S3 says so.
    Copied,
    /// 5 and 5′: write `ready`, or learn from the refused write what stands there.
    Publish,
    /// R and 5′: write `rejected`, or learn the same.
    Reject,
    /// Q: copy to quarantine.
    Quarantine,
    /// 6: delete the version from the inbox.
    Retire,
    /// 6 before 5. Only [`crate::protocol::Protocol::RetireBeforePublish`] has it.
    RetireTooEarly,
}

impl Step {
    /// Whether a run at this step may still write into the processed bucket without asking the document again.
    pub fn may_write_objects(self) -> bool {
        match self {
            Self::Inspect | Self::Thumbnails | Self::Copy | Self::Copied => true,
            Self::Ask | Self::Publish | Self::Reject | Self::Quarantine | Self::Retire | Self::RetireTooEarly => false,
        }
    }
}

/// The collector's full scan at work: it has read the document and goes through the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Audit {
    /// The version whose objects it leaves alone, as the document said when it looked.
    pub keep: Option<Version>,
}

/// Writes that must never happen, remembered when they do, since the state behind them may look like any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct History {
    /// A write brought back what was deleted, removed or absent.
    pub revived: bool,
    /// A write replaced a decision by another one.
    pub redecided: bool,
}

impl State {
    /// Before any upload, with the document saying `entry`.
    pub fn new(entry: Entry) -> Self {
        Self {
            entry,
            inbox: Pair::both(Slot::Empty),
            processed: Pair::default(),
            quarantine: Pair::default(),
            copies_in_flight: Pair::default(),
            workers: Pair::default(),
            starts: 0,
            audit: None,
            collect_due: false,
            reclaim_due: false,
            history: History::default(),
        }
    }

    /// Writes the document. The table's stream then enqueues a collect, and a reclaim of what was taken away.
    pub fn write(&mut self, entry: Entry) {
        let before = std::mem::replace(&mut self.entry, entry);
        let gone = before.is_taken_away() || before == Entry::Absent;
        self.history.revived |= gone && !entry.is_taken_away();
        self.history.redecided |= before.is_decided() && before != entry && !entry.is_taken_away();
        self.collect_due = true;
        self.reclaim_due |= entry.is_taken_away();
    }

    /// Brings the run that is further on to the first place. Of two states that differ only in which worker does what, one then
    /// stands for both: workers are alike, and no property names one. That halves the search and loses nothing.
    pub fn order_workers(&mut self) {
        let (a, b) = (self.workers[Worker::A], self.workers[Worker::B]);
        (self.workers[Worker::A], self.workers[Worker::B]) = (a.max(b), a.min(b));
    }

    /// The worker that the queue gives the next event to.
    pub fn idle_worker(&self) -> Option<Worker> {
        Worker::ALL.into_iter().find(|&worker| self.workers[worker].is_none())
    }

    /// Whether anything begun before the decision may still write into the processed bucket.
    pub fn objects_may_appear(&self) -> bool {
        let at_work = |worker: Worker| self.workers[worker].is_some_and(|run| run.step.may_write_objects());
        Worker::ALL.into_iter().any(at_work) || Version::ALL.into_iter().any(|version| self.copies_in_flight[version])
    }
}
