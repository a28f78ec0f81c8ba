//! The keys that upload tickets are sealed with, from Secrets Manager.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use tokio::sync::Mutex;
use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::upload_ticket::{BadTicket, Keyring, Slot};

use crate::error::StoreError;

/// The text of a secret, by its ARN or name.
///
/// # Errors
/// [`StoreError`], when it cannot be read.
pub async fn secret(client: &Client, secret: &str) -> Result<String, StoreError> {
    let got = client.get_secret_value().secret_id(secret).send().await;
    let got = got.map_err(|error| StoreError::classify("GetSecretValue", error))?;
    Ok(got.secret_string().unwrap_or_default().to_owned())
}

/// Least time between two looks at the secret: whoever makes up key ids causes no more calls than this.
const LOOK: Duration = Duration::from_mins(1);

/// Seals and opens upload tickets.
#[derive(Clone)]
pub struct UploadKeys(Arc<Inner>);

struct Inner {
    secret: Option<(Client, String)>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keyring: Option<Keyring>,
    looked: Option<Instant>,
}

impl UploadKeys {
    /// Keys from the secret with this ARN or name. It is read when it is first needed.
    pub fn new(client: Client, secret: String) -> Self {
        Self(Arc::new(Inner { secret: Some((client, secret)), known: Mutex::default() }))
    }

    /// These keys and no others.
    pub fn fixed(keyring: Keyring) -> Self {
        let known = Known { keyring: Some(keyring), looked: None };
        Self(Arc::new(Inner { secret: None, known: Mutex::new(known) }))
    }

    /// A ticket for `slot`. A secret.
    ///
    /// # Errors
    /// [`StoreError`], when the keys cannot be read.
    pub async fn seal(&self, slot: &Slot) -> Result<String, StoreError> {
        Ok(self.keyring(false).await?.seal(slot))
    }

    /// What `ticket` is for. One sealed with a key that is not known makes it look for new keys, now and then.
    ///
    /// # Errors
    /// [`StoreError`], when the keys cannot be read; inside it, why the ticket is not good.
    pub async fn open(&self, ticket: &str, now: Timestamp) -> Result<Result<Slot, BadTicket>, StoreError> {
        match self.keyring(false).await?.open(ticket, now) {
            Err(BadTicket::UnknownKey) => Ok(self.keyring(true).await?.open(ticket, now)),
            opened => Ok(opened),
        }
    }

    async fn keyring(&self, newer: bool) -> Result<Keyring, StoreError> {
        const OPERATION: &str = "GetSecretValue of the upload keys";
        let mut known = self.0.known.lock().await;
        let is_fresh = known.looked.is_some_and(|looked| looked.elapsed() < LOOK);
        match (&known.keyring, &self.0.secret) {
            (Some(keyring), _) if !newer || is_fresh => Ok(keyring.clone()),
            (Some(keyring), None) => Ok(keyring.clone()),
            (_, Some((client, secret))) => {
                let keyring = Keyring::parse(&self::secret(client, secret).await?);
                let keyring = keyring.map_err(|source| StoreError::unreadable(OPERATION, source))?;
                *known = Known { keyring: Some(keyring.clone()), looked: Some(Instant::now()) };
                Ok(keyring)
            }
            (None, None) => Err(StoreError::unreadable(OPERATION, "no secret")),
        }
    }
}
