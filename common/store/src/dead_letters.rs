//! A queue's dead letters: looked at without taking them, sent back to where they came from, or deleted.

use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use vestibule_domain::timestamp::Timestamp;

use crate::error::StoreError;

/// Most messages of one call.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
const MOST: i32 = 10;
/// How long a message that was received is hidden: longer than it takes to look at one batch of them, and so short that
/// they are soon back when whoever looked is killed.
const HIDDEN: Duration = Duration::from_mins(1);
/// A receive that waits asks all of the queue's servers; one that does not may answer nothing while there is something.
const WAIT_SECONDS: i32 = 1;

/// A dead-letter queue and the queue that it belongs to.
#[derive(Clone)]
pub struct DeadLetters {
    client: Client,
    url: String,
    source: String,
}

/// One dead letter.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The message's id.
    pub id: String,
    /// What it says.
    pub body: String,
    /// When it was sent first, as far as the queue tells.
    pub sent_at: Option<Timestamp>,
    /// How often it was received, this time included.
    pub receives: u32,
    /// What it is put back or deleted by.
    pub receipt: Receipt,
}

/// What stands for one time that a letter was received. A later one takes its place.
#[derive(Debug, Clone)]
pub struct Receipt {
    handle: String,
    received: Instant,
}

impl DeadLetters {
    /// The dead-letter queue at `url`, whose letters came from the queue at `source`.
    pub fn new(client: Client, url: String, source: String) -> Self {
        Self { client, url, source }
    }

    /// Up to ten letters, which are hidden from others for a minute; none at the end. A queue without a redrive policy of its own does
    /// nothing about how often a message was received.
    ///
    /// # Errors
    /// [`StoreError`], when the queue cannot be read.
    pub async fn receive(&self) -> Result<Vec<DeadLetter>, StoreError> {
        const OPERATION: &str = "ReceiveMessage of a dead-letter queue";
        let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(MOST);
        let hidden = i32::try_from(HIDDEN.as_secs()).unwrap_or(i32::MAX);
        let receive = receive.visibility_timeout(hidden).wait_time_seconds(WAIT_SECONDS);
        let receive = receive
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        // Before the call, so that no letter is thought to be hidden for longer than it is.
        let now = Instant::now();
        let received = receive.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        Ok(received.messages.unwrap_or_default().into_iter().map(|message| DeadLetter::of(message, now)).collect())
    }

    /// How many letters are hidden just now, since somebody has received them, as far as the queue knows.
    ///
    /// # Errors
    /// [`StoreError`], when the queue does not say.
    pub async fn hidden(&self) -> Result<u64, StoreError> {
        const HIDDEN: QueueAttributeName = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        let get = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(HIDDEN).send().await;
        let told = get.map_err(|error| StoreError::classify("GetQueueAttributes of a dead-letter queue", error))?;
        let count = told.attributes().and_then(|attributes| attributes.get(&HIDDEN)?.parse().ok());
        Ok(count.unwrap_or_default())
    }

    /// Shows a letter to others again at once, unless its time has shown it already.
    ///
    /// # Errors
    /// [`StoreError`], when the queue does not do it; the letter is back within a minute all the same.
    pub async fn put_back(&self, receipt: &Receipt) -> Result<(), StoreError> {
        if receipt.received.elapsed() >= HIDDEN {
            return Ok(());
        }
        let change = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(&receipt.handle);
        let changed = change.visibility_timeout(0).send().await;
        changed.map_err(|error| StoreError::classify("ChangeMessageVisibility of a dead letter", error))?;
        Ok(())
    }

    /// Sends a letter to the queue that it came from, and only then deletes it: whoever is killed in between has doubled it, which is
    /// harmless, and lost nothing.
    ///
    /// # Errors
    /// [`StoreError`], when it could not be sent or not be deleted.
    pub async fn send_back(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        let sent = self.client.send_message().queue_url(&self.source).message_body(&letter.body).send().await;
        sent.map_err(|error| StoreError::classify("SendMessage of a dead letter", error))?;
        self.delete(letter).await
    }

    /// Deletes a letter for good.
    ///
    /// # Errors
    /// [`StoreError`], when the queue does not do it.
    pub async fn delete(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        let delete =
            self.client.delete_message().queue_url(&self.url).receipt_handle(&letter.receipt.handle).send().await;
        delete.map_err(|error| StoreError::classify("DeleteMessage of a dead letter", error))?;
        Ok(())
    }
}

impl DeadLetter {
    /// The letter that a message is, received at that moment.
    pub fn of(message: Message, at: Instant) -> Self {
        let number = |name| message.attributes.as_ref()?.get(&name)?.parse::<i64>().ok();
        let sent_at = number(MessageSystemAttributeName::SentTimestamp).map(Timestamp::from_millis);
        let receives = number(MessageSystemAttributeName::ApproximateReceiveCount);
        Self {
            sent_at,
            receives: receives.and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receipt: Receipt { handle: message.receipt_handle.unwrap_or_default(), received: at },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_dated_and_counted_by_what_the_queue_says() {
        let message = Message::builder().message_id("m").body("{}").receipt_handle("r");
        let bare = DeadLetter::of(message.clone().build(), Instant::now());
        assert_eq!((bare.sent_at, bare.receives), (None, 0));
        let message = message
            .attributes(MessageSystemAttributeName::SentTimestamp, "1795386914123")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "6");
        let told = DeadLetter::of(message.build(), Instant::now());
        assert_eq!((told.sent_at, told.receives), (Some(Timestamp::from_millis(1_795_386_914_123)), 6));
    }
}
