//! The hints about tries at inbox versions: `WORK#<attachment>#<version tag>` items beside the messages. No decision rests on them,
//! so whoever cannot write one goes on without.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use vestibule_domain::id::VersionId;
use vestibule_domain::key::InboxKey;
use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::work::{Failure, MAX_LEASE_SECONDS, Work};

use crate::error::StoreError;
use crate::table::{self, number, room_pk, since_1970, text, work_sk, work_sks};

/// How long a hint is kept after it was written last: as long as the queues keep messages, in seconds.
const KEPT_SECONDS: i64 = 14 * 24 * 60 * 60;

/// The hints.
#[derive(Clone)]
pub struct Works {
    client: Client,
    table: String,
}

/// What became of the wish to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// The version is ours until the lease ends.
    Mine {
        /// Which try this is.
        tries: u32,
    },
    /// Somebody else is at work on it.
    Held {
        /// Until then at the latest.
        until: Timestamp,
    },
}

impl Works {
    /// Hints in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Notes that a try begins, and takes the version for `lease_seconds`, unless somebody else has it. A lease longer than
    /// [`MAX_LEASE_SECONDS`] holds nothing.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn begin(
        &self,
        key: &InboxKey,
        version: &VersionId,
        now: Timestamp,
        lease_seconds: i64,
    ) -> Result<Begun, StoreError> {
        const OPERATION: &str = "UpdateItem of a begun try";
        let update = self.update(key, version, now).return_values(ReturnValue::UpdatedNew);
        let update = update
            .update_expression(
                "SET #version = :version, #ttl = :ttl, #begun = :now, #lease = :until, \
                 #begunTry = if_not_exists(#tries, :none) + :one ADD #tries :one",
            )
            .condition_expression("attribute_not_exists(#lease) OR #lease <= :now OR #lease > :latest")
            .expression_attribute_names("#begun", "begunAt")
            .expression_attribute_names("#begunTry", "begunTry")
            .expression_attribute_names("#lease", "leaseUntil")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":latest", text(now.plus_seconds(MAX_LEASE_SECONDS).to_string()))
            .expression_attribute_values(":until", text(now.plus_seconds(lease_seconds).to_string()))
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match update.send().await {
            Ok(done) => return Ok(Begun::Mine { tries: tries(done.attributes.as_ref()) }),
            Err(error) => error,
        };
        if let Some(UpdateItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
            && let Some(found) = failed.item().cloned()
        {
            let found: Work = table::from_item(OPERATION, found)?;
            return Ok(match (found.begun_at, found.lease_until) {
                // The SDK's own retry met what its first try had written.
                (Some(begun_at), _) if begun_at == now => Begun::Mine { tries: found.tries },
                (_, until) => Begun::Held { until: until.unwrap_or(now) },
            });
        }
        Err(StoreError::classify(OPERATION, error))
    }

    /// Notes how a try failed, and lets go of the version. `begun` is when the try began, and which it was; one that never began is counted
    /// here.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn failed(
        &self,
        key: &InboxKey,
        version: &VersionId,
        begun: Option<(Timestamp, u32)>,
        failure: &Failure,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "UpdateItem of a failed try";
        let written =
            serde_dynamo::to_attribute_value(failure).map_err(|source| StoreError::unreadable(OPERATION, source))?;
        let update = self.update(key, version, failure.at).expression_attribute_names("#failure", "failure");
        let update = update.expression_attribute_values(":failure", written);
        let update = update.expression_attribute_names("#failedTry", "failedTry");
        let noted = "SET #version = :version, #ttl = :ttl, #failure = :failure, #failedTry =";
        let update = match begun {
            // Whoever has taken the version since keeps it.
            Some((begun_at, number_of_try)) => update
                .update_expression(format!("{noted} :try REMOVE #lease"))
                .expression_attribute_values(":try", number(number_of_try.into()))
                .condition_expression("#begun = :begun")
                .expression_attribute_names("#lease", "leaseUntil")
                .expression_attribute_names("#begun", "begunAt")
                .expression_attribute_values(":begun", text(begun_at.to_string())),
            None => update
                .update_expression(format!("{noted} if_not_exists(#tries, :none) + :one ADD #tries :one"))
                .expression_attribute_names("#tries", "tries")
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":one", number(1)),
        };
        match update.send().await.map_err(|error| StoreError::classify(OPERATION, error)) {
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Notes that the version was put into the queue again. With `afresh`, by an operator: its tries are counted from nothing.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn driven(
        &self,
        key: &InboxKey,
        version: &VersionId,
        at: Timestamp,
        afresh: bool,
    ) -> Result<(), StoreError> {
        let update = self.update(key, version, at);
        let noted = "SET #version = :version, #ttl = :ttl, #driven = :at";
        let update = if afresh {
            update
                .update_expression(format!("{noted}, #drives = :none, #tries = :none"))
                .expression_attribute_names("#tries", "tries")
                .expression_attribute_values(":none", number(0))
        } else {
            update.update_expression(format!("{noted} ADD #drives :one")).expression_attribute_values(":one", number(1))
        };
        let update = update.expression_attribute_names("#driven", "drivenAt");
        let update = update.expression_attribute_names("#drives", "drives");
        let update = update.expression_attribute_values(":at", text(at.to_string()));
        update.send().await.map_err(|error| StoreError::classify("UpdateItem of a driven version", error))?;
        Ok(())
    }

    /// Keeps the hints about a version for as long again: without them nobody would know that it was given up.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn keep(&self, key: &InboxKey, version: &VersionId, at: Timestamp) -> Result<(), StoreError> {
        let update =
            self.update(key, version, at).update_expression("SET #version = :version, #ttl = :ttl, #kept = :at");
        let update = update.expression_attribute_names("#kept", "keptAt");
        let update = update.expression_attribute_values(":at", text(at.to_string()));
        update.send().await.map_err(|error| StoreError::classify("UpdateItem of a version given up", error))?;
        Ok(())
    }

    /// The hints about all versions of one attachment.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read.
    pub async fn of(&self, key: &InboxKey) -> Result<Vec<Work>, StoreError> {
        const OPERATION: &str = "Query of an attachment's tries";
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :room AND begins_with(SK, :attachment)")
            .expression_attribute_values(":room", room_pk(&key.room))
            .expression_attribute_values(":attachment", work_sks(&key.attachment))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| StoreError::classify(OPERATION, error))?;
            found.push(table::from_item(OPERATION, item)?);
        }
        Ok(found)
    }

    fn update(
        &self,
        key: &InboxKey,
        version: &VersionId,
        at: Timestamp,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("PK", room_pk(&key.room))
            .key("SK", work_sk(&key.attachment, version))
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":version", text(version.as_str()))
            .expression_attribute_values(":ttl", number(since_1970(at.plus_seconds(KEPT_SECONDS))))
    }
}

fn tries(attributes: Option<&table::Item>) -> u32 {
    let written = attributes.and_then(|attributes| attributes.get("tries"));
    written.and_then(|value: &AttributeValue| value.as_n().ok()?.parse().ok()).unwrap_or(1)
}
