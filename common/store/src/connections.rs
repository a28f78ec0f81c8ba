//! Connections of the WebSocket: tickets that open one, who has which, posting to them, and hanging up.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use serde::{Deserialize, Serialize};
use vestibule_domain::id::{ConnectionId, UserId};
use vestibule_domain::live::{ServerFrame, Ticket};
use vestibule_domain::timestamp::Timestamp;

use crate::backoff::Backoff;
use crate::error::{Fault, StoreError};
use crate::table::{self, CONNECTION, GSI1, connection_sk, number, since_1970, text, ticket_pk, ticket_sk, user_pk};

/// How long a frame is tried to be posted. Its caller has others to post to, or somebody who waits for it.
pub const PATIENCE: Duration = Duration::from_secs(4);

const POST: &str = "PostToConnection";

/// Tickets, as the API issues and `connect` redeems them.
#[derive(Clone)]
pub struct Tickets {
    client: Client,
    table: String,
}

/// The item at `TICKET#…`.
#[derive(Serialize, Deserialize)]
struct Issued {
    user: UserId,
    /// When it ends, in seconds since 1970.
    ttl: u64,
}

impl Tickets {
    /// Tickets in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Makes `ticket` good for `user` until `until`.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn issue(&self, ticket: &Ticket, user: &UserId, until: Timestamp) -> Result<(), StoreError> {
        const OPERATION: &str = "PutItem of a ticket";
        let item = table::to_item(OPERATION, &Issued { user: user.clone(), ttl: since_1970(until) })?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put.item("PK", ticket_pk(ticket)).item("SK", ticket_sk());
        let put = put.condition_expression("attribute_not_exists(PK)");
        put.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        Ok(())
    }

    /// Takes `ticket`, which is good once and until its end, and answers whose it was; `None` when it is not good.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written; the ticket may then be gone.
    pub async fn redeem(&self, ticket: &Ticket, now: Timestamp) -> Result<Option<UserId>, StoreError> {
        const OPERATION: &str = "DeleteItem of a ticket";
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("PK", ticket_pk(ticket))
            .key("SK", ticket_sk())
            // DynamoDB may be days late to delete what has ended.
            .condition_expression("attribute_exists(PK) AND #ttl > :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(since_1970(now)))
            .return_values(ReturnValue::AllOld);
        match delete.send().await {
            Ok(deleted) => {
                let issued: Issued = table::from_item(OPERATION, deleted.attributes.unwrap_or_default())?;
                Ok(Some(issued.user))
            }
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(StoreError::classify(OPERATION, error)),
            },
        }
    }
}

/// Open connections: who has which, and posting to them.
#[derive(Clone)]
pub struct Connections {
    client: Client,
    table: String,
    posts: aws_sdk_apigatewaymanagement::Client,
}

/// The item at `CONN#…`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Opened {
    user: UserId,
    connected_at: Timestamp,
    ttl: u64,
}

/// What became of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// It is on its way.
    Sent,
    /// There is no such connection any more.
    Gone,
}

impl Connections {
    /// Connections in `table`, posted to by `posts`.
    pub fn new(client: Client, table: String, posts: aws_sdk_apigatewaymanagement::Client) -> Self {
        Self { client, table, posts }
    }

    /// Notes that `user` has opened `connection`, until `until` at the latest.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn open(
        &self,
        connection: &ConnectionId,
        user: &UserId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "PutItem of a connection";
        let opened = Opened { user: user.clone(), connected_at: now, ttl: since_1970(until) };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(table::to_item(OPERATION, &opened)?))
            .item("PK", user_pk(user))
            .item("SK", connection_sk(connection))
            .item("GSI1PK", connection_sk(connection))
            .item("GSI1SK", user_pk(user));
        put.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        Ok(())
    }

    /// The connections that `user` has open, as far as is known, the newest first.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or holds what it should not.
    pub async fn of(&self, user: &UserId, now: Timestamp) -> Result<Vec<ConnectionId>, StoreError> {
        const OPERATION: &str = "Query of a person's connections";
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :user AND begins_with(SK, :connection)")
            .filter_expression("#ttl > :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":user", user_pk(user))
            .expression_attribute_values(":connection", text(CONNECTION))
            .expression_attribute_values(":now", number(since_1970(now)));
        let mut items = query.into_paginator().items().send();
        let mut connections = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| StoreError::classify(OPERATION, error))?;
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
            let id = text("SK").and_then(|key| key.strip_prefix(CONNECTION));
            let id = id.ok_or_else(|| StoreError::unreadable(OPERATION, "a connection without its key"))?;
            let id: ConnectionId = id.parse().map_err(|source| StoreError::unreadable(OPERATION, source))?;
            // Moments of one form and length sort as texts.
            connections.push((text("connectedAt").cloned(), id));
        }
        connections.sort_by(|(one, _), (other, _)| other.cmp(one));
        Ok(connections.into_iter().map(|(_, id)| id).collect())
    }

    /// Forgets a connection of `user`. Forgetting it again is no error.
    async fn forget(&self, connection: &ConnectionId, user: &UserId) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("PK", user_pk(user)).key("SK", connection_sk(connection));
        delete.send().await.map_err(|error| StoreError::classify("DeleteItem of a connection", error))?;
        Ok(())
    }

    /// Forgets a connection of `user` that seems gone, unless it was noted only after `noted_before`: API Gateway says the same of one
    /// that `$connect` has not let in yet. <https://repost.aws/knowledge-center/410-gone-api-gateway>
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be written.
    pub async fn forget_gone(
        &self,
        connection: &ConnectionId,
        user: &UserId,
        noted_before: Timestamp,
    ) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("PK", user_pk(user)).key("SK", connection_sk(connection));
        let delete = delete.condition_expression("connectedAt < :before");
        let delete = delete.expression_attribute_values(":before", text(noted_before.to_string()));
        let Err(error) = delete.send().await else { return Ok(()) };
        let error = StoreError::classify("DeleteItem of a gone connection", error);
        if matches!(error, StoreError::Condition { .. }) { Ok(()) } else { Err(error) }
    }

    /// Hangs up on a connection of `user` and forgets it. Whoever had it will connect again and ask what has changed. While API Gateway
    /// takes no more calls, waits and tries again, for some seconds.
    ///
    /// # Errors
    /// [`StoreError`], when it cannot be closed or the table cannot be written.
    pub async fn hang_up(&self, connection: &ConnectionId, user: &UserId) -> Result<(), StoreError> {
        let mut backoff = Backoff::new(connection.as_str());
        loop {
            let delete = self.posts.delete_connection().connection_id(connection.as_str());
            let Err(error) = delete.send().await else { break };
            let error = StoreError::classify("DeleteConnection", error);
            if matches!(error, StoreError::Missing { .. }) {
                break;
            }
            if error.fault() == Fault::Permanent || !backoff.again().await {
                return Err(error);
            }
        }
        self.forget(connection, user).await
    }

    /// Forgets a connection of which only the id is known. The index may not know it yet; then the first post to it, or its time,
    /// ends it.
    ///
    /// # Errors
    /// [`StoreError`], when the table cannot be read or written.
    pub async fn close(&self, connection: &ConnectionId) -> Result<(), StoreError> {
        const OPERATION: &str = "Query of a connection's owner";
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(GSI1)
            .key_condition_expression("GSI1PK = :connection")
            .expression_attribute_values(":connection", connection_sk(connection));
        let found = query.send().await.map_err(|error| StoreError::classify(OPERATION, error))?;
        for item in found.items() {
            let user = item.get("GSI1SK").and_then(|key| key.as_s().ok()).and_then(|key| key.strip_prefix("USER#"));
            let user = user.ok_or_else(|| StoreError::unreadable(OPERATION, "a connection without its owner"))?;
            let user = user.parse().map_err(|source| StoreError::unreadable(OPERATION, source))?;
            self.forget(connection, &user).await?;
        }
        Ok(())
    }

    /// Posts `frame`. While the connection takes no more, waits and tries again, for [`PATIENCE`] in all.
    ///
    /// # Errors
    /// [`StoreError`], when it is still busy then, or something else keeps the frame from it.
    pub async fn post(&self, connection: &ConnectionId, frame: &ServerFrame) -> Result<Posted, StoreError> {
        tokio::time::timeout(PATIENCE, self.post_at_last(connection, frame)).await.unwrap_or_else(|elapsed| {
            let code = "too slow".to_owned();
            Err(StoreError::Unavailable { operation: POST, code, source: Box::new(elapsed) })
        })
    }

    async fn post_at_last(&self, connection: &ConnectionId, frame: &ServerFrame) -> Result<Posted, StoreError> {
        let data = serde_json::to_vec(frame).map_err(|source| StoreError::unreadable(POST, source))?;
        let mut backoff = Backoff::new(connection.as_str());
        loop {
            let post = self.posts.post_to_connection().connection_id(connection.as_str());
            let Err(error) = post.data(Blob::new(data.clone())).send().await else { return Ok(Posted::Sent) };
            let error = StoreError::classify(POST, error);
            if matches!(error, StoreError::Missing { .. }) {
                return Ok(Posted::Gone);
            }
            if !matches!(error, StoreError::Unavailable { .. }) || !backoff.again().await {
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
    use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use vestibule_domain::live::FrameError;

    use super::*;

    const BUSY: &str = "429 Too Many Requests\r\nx-amzn-errortype: LimitExceededException";
    const GONE: &str = "410 Gone\r\nx-amzn-errortype: GoneException";
    const FORBIDDEN: &str = "403 Forbidden\r\nx-amzn-errortype: ForbiddenException";
    const OK: &str = "200 OK";

    /// Posts to a server that gives these answers, one after the other, and counts how many were asked for. The local cloud is never
    /// busy, so these are AWS's answers by its documentation:
    /// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/api-connections-connectionid.html>
    async fn posted(answers: &'static [&'static str]) -> (Result<Posted, StoreError>, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = async {
            let mut asked = 0;
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(br#""unknown-action"}"#) {
                    stream.read_buf(&mut request).await.unwrap();
                }
                assert!(request.starts_with(b"POST /@connections/L0SM9cOFvHcCIhw%3D HTTP/1.1"));
                let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                asked += 1;
            }
            asked
        };
        let config = aws_sdk_apigatewaymanagement::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(url)
            .build();
        let table =
            aws_sdk_dynamodb::Config::builder().behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest());
        let connections = Connections::new(
            Client::from_conf(table.build()),
            "table".to_owned(),
            aws_sdk_apigatewaymanagement::Client::from_conf(config),
        );
        let connection = "L0SM9cOFvHcCIhw=".parse().unwrap();
        let frame = ServerFrame::Error { code: FrameError::UnknownAction };
        let both = async { tokio::join!(connections.post(&connection, &frame), server) };
        tokio::time::timeout(Duration::from_mins(1), both).await.unwrap()
    }

    #[tokio::test]
    async fn a_busy_connection_is_tried_again_until_it_takes_the_frame() {
        let (posted, asked) = posted(&[BUSY, BUSY, OK]).await;
        assert_eq!((posted.unwrap(), asked), (Posted::Sent, 3));
    }

    #[tokio::test]
    async fn a_connection_that_is_gone_is_no_error() {
        let (posted, asked) = posted(&[GONE]).await;
        assert_eq!((posted.unwrap(), asked), (Posted::Gone, 1));
        let (posted, _) = super::tests::posted(&[BUSY, GONE]).await;
        assert_eq!(posted.unwrap(), Posted::Gone);
    }

    #[tokio::test]
    async fn what_is_forbidden_is_not_tried_again() {
        let (posted, asked) = posted(&[FORBIDDEN]).await;
        assert!(matches!(posted, Err(StoreError::Denied { .. })));
        assert_eq!(asked, 1);
    }
}
