//! Work by libraries that may panic on an odd file: it ends there, and the file comes in with what is known of it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `work` gives, unless it panics or unwinds on purpose; then what it unwound with.
///
/// A library that meets an odd file may fail an assertion of its own, and an honest file would be refused for it: the child that looks at a
/// file ends with a panic. To go on is sound only where what `work` makes is dropped with it and what it borrows is not looked at again, or
/// is bytes; whoever calls says why that is so.
pub(crate) fn unless_it_unwinds<T>(work: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(work))
}

/// What a panic said, where it said something.
#[cfg(feature = "pdf")]
pub(crate) fn said(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())
}
