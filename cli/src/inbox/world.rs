//! What the commands talk to: the stack's inbox, table and queues.

use futures::{Stream, stream};
use vestibule_domain::hall::Patience;
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::clock::Clock;
use vestibule_store::audit::Audit;
use vestibule_store::dead_letters::DeadLetters;
use vestibule_store::decisions::Decisions;
use vestibule_store::error::StoreError;
use vestibule_store::failed_batches::FailedBatches;
use vestibule_store::hall::{self, Hall, Place, Standee};
use vestibule_store::queues::{IngestQueue, ReclaimQueue};
use vestibule_store::work::Works;

use crate::stack::Stack;

/// Versions of the first page, so that the first line is there at once.
const FIRST_PAGE: u16 = 100;

/// The stack, as ops see it.
pub(crate) struct World {
    /// The stack's name.
    pub(crate) stack: String,
    /// The inbox's bucket.
    pub(crate) bucket: String,
    /// What stands in the inbox.
    pub(crate) hall: Hall,
    /// The hints about tries.
    pub(crate) works: Works,
    /// The documents.
    pub(crate) decisions: Decisions,
    /// The objects of the other two buckets.
    pub(crate) audit: Audit,
    /// How long things may take.
    pub(crate) patience: Patience,
    /// Tells the time.
    pub(crate) clock: Clock,
    described: Stack,
    sqs: aws_sdk_sqs::Client,
}

impl World {
    /// What belongs to `stack`.
    ///
    /// # Errors
    /// When it lacks an output, so is not one of Vestibule's.
    pub(crate) fn of(stack: &Stack) -> anyhow::Result<Self> {
        let s3 = vestibule_runtime::sdk::s3(stack.sdk());
        let dynamodb = aws_sdk_dynamodb::Client::new(stack.sdk());
        let output = |name: &str| stack.output(name).map(ToOwned::to_owned);
        let (table, bucket) = (output("TableName")?, output("InboxBucket")?);
        let (processed, quarantine) = (output("ProcessedBucket")?, output("QuarantineBucket")?);
        Ok(Self {
            stack: stack.name().to_owned(),
            hall: Hall::new(s3.clone(), dynamodb.clone(), bucket.clone(), table.clone()),
            works: Works::new(dynamodb.clone(), table.clone()),
            decisions: Decisions::new(dynamodb.clone(), table.clone()),
            audit: Audit::new(s3, dynamodb, table, processed, quarantine),
            patience: stack.patience(),
            clock: Clock::system(),
            described: stack.clone(),
            sqs: aws_sdk_sqs::Client::new(stack.sdk()),
            bucket,
        })
    }

    /// The moment it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The queue that brings uploads to ingest.
    ///
    /// # Errors
    /// When the stack has none.
    pub(crate) fn ingest(&self) -> anyhow::Result<IngestQueue> {
        Ok(IngestQueue::new(self.sqs.clone(), self.described.output("IngestQueueUrl")?.to_owned(), self.bucket.clone()))
    }

    /// The queue that brings attachments to reclaim.
    ///
    /// # Errors
    /// When the stack has none.
    pub(crate) fn reclaim(&self) -> anyhow::Result<ReclaimQueue> {
        Ok(ReclaimQueue::new(self.sqs.clone(), self.described.output("ReclaimQueueUrl")?.to_owned()))
    }

    /// The dead letters of the queue that two outputs name.
    ///
    /// # Errors
    /// When the stack has none.
    pub(crate) fn dead_letters(&self, dead_letters: &str, source: &str) -> anyhow::Result<DeadLetters> {
        let url = |name| self.described.output(name).map(ToOwned::to_owned);
        Ok(DeadLetters::new(self.sqs.clone(), url(dead_letters)?, url(source)?))
    }

    /// The batches of the table's stream that Lambda gave up.
    ///
    /// # Errors
    /// When the stack keeps none.
    pub(crate) fn failed_batches(&self) -> anyhow::Result<FailedBatches> {
        let bucket = self.described.output("StreamFailureBucket")?.to_owned();
        Ok(FailedBatches::new(vestibule_runtime::sdk::s3(self.described.sdk()), bucket))
    }

    /// Calls functions.
    pub(crate) fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(self.described.sdk())
    }

    /// The inbox page by page, behind `after`: a short page first. No more than one page is ever held.
    pub(crate) fn pages<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<Place>,
    ) -> impl Stream<Item = Result<Vec<Standee>, StoreError>> + 'a {
        stream::try_unfold(Some((after, FIRST_PAGE)), async move |left| {
            let Some((after, most)) = left else { return Ok(None) };
            let page = self.hall.page(prefix, after.as_ref(), most, self.now(), self.patience).await?;
            Ok(Some((page.versions, page.next.map(|next| (Some(next), hall::MOST)))))
        })
    }
}
