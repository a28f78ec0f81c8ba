//! Fresh ids, in one place, so that tests can hand in others.

use std::sync::Arc;

use vestibule_domain::id::{AttachmentId, InvalidId, RoomId};
use vestibule_domain::live::Ticket;

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

/// Makes secrets that nobody can guess.
#[derive(Clone)]
pub struct Secrets(Arc<dyn Fn() -> [u8; 32] + Send + Sync>);

impl Secrets {
    /// Secrets from the operating system's random numbers.
    pub fn random() -> Self {
        Self::new(rand::random)
    }

    /// Secrets that `next` makes.
    pub fn new(next: impl Fn() -> [u8; 32] + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    /// A ticket for the WebSocket.
    pub fn ticket(&self) -> Ticket {
        Ticket::new((self.0)())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ticket_is_another() {
        let secrets = Secrets::random();
        assert_ne!(secrets.ticket(), secrets.ticket());
    }

    #[test]
    fn random_ids_are_valid_and_differ() {
        let ids = Ids::random();
        assert_ne!(ids.attachment().unwrap(), ids.attachment().unwrap());
        assert!(ids.room().is_ok());
    }
}
