//! Fresh ids, in one place, so that tests can hand in others.

use std::sync::Arc;

use vestibule_domain::id::{AttachmentId, InvalidId, RoomId};

/// Makes ids that nobody has used.
#[derive(Clone)]
pub struct Ids(Arc<dyn Fn() -> String + Send + Sync>);

impl Ids {
    /// ULIDs from the machine's clock and random numbers.
    pub fn random() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that makes random ids")]
        Self::new(|| ulid::Ulid::generate().to_string().to_ascii_lowercase())
    }

    /// Ids that `next` makes: ULIDs in lower case.
    pub fn new(next: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    /// A room's id.
    ///
    /// # Errors
    /// When the source made something that is not a ULID.
    pub fn room(&self) -> Result<RoomId, InvalidId> {
        (self.0)().parse()
    }

    /// An attachment's id.
    ///
    /// # Errors
    /// When the source made something that is not a ULID.
    pub fn attachment(&self) -> Result<AttachmentId, InvalidId> {
        (self.0)().parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_valid_and_differ() {
        let ids = Ids::random();
        assert_ne!(ids.attachment().unwrap(), ids.attachment().unwrap());
        assert!(ids.room().is_ok());
    }
}
