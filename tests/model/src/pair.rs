//! Two of a kind, by name: two versions of one key, two workers. A list would need indices that may be out of range.

use std::ops::{Index, IndexMut};

/// A version of the inbox key, in the order of arrival: in the code, its S3 version id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// What was uploaded first.
    First,
    /// What was uploaded to the same key afterwards: the presigned URL works until it expires.
    Second,
}

impl Version {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];
}

/// One of the functions that run at the same time. They are alike and have no memory, so the names are places: see
/// [`crate::state::State::order_workers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worker {
    /// Whose run is further on. Idle only when both are.
    A,
    /// The other.
    B,
}

impl Worker {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];
}

/// One `T` for each version, or for each worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Pair<T> {
    one: T,
    other: T,
}

impl<T: Copy> Pair<T> {
    /// The same for both.
    pub fn both(value: T) -> Self {
        Self { one: value, other: value }
    }
}

impl<T> Index<Version> for Pair<T> {
    type Output = T;

    fn index(&self, version: Version) -> &T {
        match version {
            Version::First => &self.one,
            Version::Second => &self.other,
        }
    }
}

impl<T> IndexMut<Version> for Pair<T> {
    fn index_mut(&mut self, version: Version) -> &mut T {
        match version {
            Version::First => &mut self.one,
            Version::Second => &mut self.other,
        }
    }
}

impl<T> Index<Worker> for Pair<T> {
    type Output = T;

    fn index(&self, worker: Worker) -> &T {
        match worker {
            Worker::A => &self.one,
            Worker::B => &self.other,
        }
    }
}

impl<T> IndexMut<Worker> for Pair<T> {
    fn index_mut(&mut self, worker: Worker) -> &mut T {
        match worker {
            Worker::A => &mut self.one,
            Worker::B => &mut self.other,
        }
    }
}
