//! Turns what API Gateway says of a connection into what is to be done, and that into a status. Only this file logs failures.

use aws_lambda_events::event::apigw::ApiGatewayWebsocketProxyRequest;
use serde_json::{Value, json};
use vestibule_domain::id::ConnectionId;
use vestibule_domain::live::{FrameError, ServerFrame, Ticket};
use vestibule_domain::timestamp::Timestamp;
use vestibule_runtime::logs::chain;
use vestibule_store::error::StoreError;

use crate::world::World;

/// What API Gateway says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Somebody wants in, with a ticket or without.
    Connect(ConnectionId, Option<Ticket>),
    /// Somebody who is in since that moment says hello.
    Hello(ConnectionId, Timestamp),
    /// Somebody who is in says something else.
    Unknown(ConnectionId),
    /// A connection was closed.
    Disconnect(ConnectionId),
}

/// How it went; to API Gateway a status. A connection that gets another than 200 at `$connect` is refused with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done = 200,
    BadRequest = 400,
    Unauthorized = 401,
    Failed = 500,
}

/// Handles one event of a WebSocket API.
///
/// # Errors
/// Never: what fails is logged and answered with a status.
pub async fn handle(world: &World, event: Value) -> Result<Value, lambda_runtime::Error> {
    let answer = match read(event) {
        None => {
            tracing::error!(outcome = "fault", "not an event of a WebSocket");
            Answer::BadRequest
        }
        Some(ask) => carry_out(world, ask).await.unwrap_or_else(|error| {
            tracing::error!(outcome = "fault", error.message = %chain(&error), "the connection was not served");
            Answer::Failed
        }),
    };
    Ok(json!({ "statusCode": answer as u16 }))
}

/// Reads an event; `None` when it does not say which connection it is about.
pub fn read(event: Value) -> Option<Ask> {
    let event: ApiGatewayWebsocketProxyRequest = serde_json::from_value(event).ok()?;
    let connection = event.request_context.connection_id?.parse().ok()?;
    let connected = Timestamp::from_millis(event.request_context.connected_at);
    match (event.request_context.event_type.as_deref()?, event.request_context.route_key.as_deref()?) {
        ("CONNECT", _) => {
            let ticket = event.query_string_parameters.first("ticket").and_then(|text| text.parse().ok());
            Some(Ask::Connect(connection, ticket))
        }
        ("DISCONNECT", _) => Some(Ask::Disconnect(connection)),
        ("MESSAGE", "hello") => Some(Ask::Hello(connection, connected)),
        ("MESSAGE", _) => Some(Ask::Unknown(connection)),
        _ => None,
    }
}

async fn carry_out(world: &World, ask: Ask) -> Result<Answer, StoreError> {
    let now = world.clock.now();
    let until = now.plus_seconds(world.connection_seconds.into());
    match ask {
        Ask::Connect(connection, ticket) => {
            let user = match ticket {
                Some(ticket) => world.tickets.redeem(&ticket, now).await?,
                None => None,
            };
            let Some(user) = user else {
                tracing::info!(connection.id = %connection, outcome = "refused", "no good ticket");
                return Ok(Answer::Unauthorized);
            };
            world.connections.open(&connection, &user, now, until).await?;
            tracing::info!(connection.id = %connection, user.id = %user, outcome = "connected", "connected");
        }
        Ask::Hello(connection, connected) => {
            let until = connected.plus_seconds(world.connection_seconds.into());
            // A connection that is gone by now has nobody to tell.
            let posted = world.connections.post(&connection, &ServerFrame::Sync { at: now, until }).await?;
            tracing::info!(connection.id = %connection, outcome = ?posted, "hello");
        }
        Ask::Unknown(connection) => {
            let frame = ServerFrame::Error { code: FrameError::UnknownAction };
            let posted = world.connections.post(&connection, &frame).await?;
            tracing::info!(connection.id = %connection, outcome = ?posted, "not understood");
        }
        Ask::Disconnect(connection) => {
            world.connections.close(&connection).await?;
            tracing::info!(connection.id = %connection, outcome = "disconnected", "disconnected");
        }
    }
    Ok(Answer::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: &str = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYm8";

    /// After <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>.
    fn event(kind: &str, route: &str) -> Value {
        json!({
            "requestContext": {
                "routeKey": route, "eventType": kind, "extendedRequestId": "Xq", "requestTime": "22/Nov/2026:22:35:14 +0000",
                "messageDirection": "IN", "stage": "live", "connectedAt": 1_795_386_914_000_i64,
                "requestTimeEpoch": 1_795_386_914_000_i64, "identity": { "sourceIp": "192.0.2.1" }, "requestId": "Xq",
                "domainName": "abc.execute-api.eu-central-1.amazonaws.com", "connectionId": "L0SM9cOFvHcCIhw=", "apiId": "abc",
            },
            "isBase64Encoded": false,
        })
    }

    fn connection() -> ConnectionId {
        "L0SM9cOFvHcCIhw=".parse().unwrap()
    }

    #[test]
    fn every_recorded_and_documented_event_asks_for_what_its_manifest_says() {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/events");
        let from =
            |file: &str| -> Value { serde_json::from_slice(&std::fs::read(fixtures.join(file)).unwrap()).unwrap() };
        let manifest = from("sockets.json");
        let manifest = manifest.as_array().unwrap();
        assert!(manifest.len() >= 14);
        for row in manifest {
            let file = row["file"].as_str().unwrap();
            let asked = match read(from(file)) {
                None => Value::Null,
                Some(Ask::Connect(id, ticket)) => {
                    assert_eq!(id, connection(), "{file}");
                    json!({ "ask": "connect", "ticket": ticket.map(|ticket| ticket.reveal().to_owned()) })
                }
                Some(Ask::Hello(..)) => json!({ "ask": "hello" }),
                Some(Ask::Unknown(_)) => json!({ "ask": "unknown" }),
                Some(Ask::Disconnect(_)) => json!({ "ask": "disconnect" }),
            };
            assert_eq!(asked, row["expect"], "{file}");
        }
    }

    #[test]
    fn each_route_is_what_it_says() {
        assert_eq!(
            read(event("MESSAGE", "hello")),
            Some(Ask::Hello(connection(), Timestamp::from_millis(1_795_386_914_000)))
        );
        assert_eq!(read(event("MESSAGE", "$default")), Some(Ask::Unknown(connection())));
        assert_eq!(read(event("DISCONNECT", "$disconnect")), Some(Ask::Disconnect(connection())));
    }

    #[test]
    fn a_connection_brings_one_whole_ticket_or_none() {
        let with = |query: Value| {
            let mut event = event("CONNECT", "$connect");
            event["queryStringParameters"] = query;
            read(event)
        };
        let whole = Some(Ask::Connect(connection(), Some(TICKET.parse().unwrap())));
        assert_eq!(with(json!({ "ticket": TICKET })), whole);
        let none = Some(Ask::Connect(connection(), None));
        assert_eq!(read(event("CONNECT", "$connect")), none);
        for query in
            [json!(null), json!({}), json!({ "ticket": "" }), json!({ "ticket": "half" }), json!({ "Ticket": TICKET })]
        {
            assert_eq!(with(query), none);
        }
    }

    #[test]
    fn what_says_nothing_of_a_connection_is_no_ask() {
        for pointer in ["/requestContext/connectionId", "/requestContext/eventType", "/requestContext/routeKey"] {
            for wrong in [json!(null), json!(""), json!("a b"), json!(3)] {
                let mut event = event("OTHER", "hello");
                *event.pointer_mut(pointer).unwrap() = wrong;
                assert_eq!(read(event), None, "{pointer}");
            }
        }
        for other in [json!(null), json!({}), json!([]), json!({ "requestContext": {} })] {
            assert_eq!(read(other), None);
        }
    }
}
