//! Tickets for the WebSocket.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule_domain::timestamp::Timestamp;

use crate::caller::Caller;
use crate::openapi::problems;
use crate::problem::Problem;
use crate::world::World;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<World> {
    OpenApiRouter::default().routes(routes!(issue_ticket))
}

/// What opens the WebSocket. A secret, and so without `Debug`.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectTicket)]
pub struct TicketView {
    /// Good once, and until it expires.
    ticket: String,
    /// Where to connect, with `?ticket=` and the ticket behind it.
    url: String,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

problems!(TicketProblems: Unauthenticated);

/// Get a ticket for the WebSocket
///
/// A browser's WebSocket sends no token, so a ticket opens it: once, and for some seconds. Connect to `url` with the query
/// `?ticket=…`, send `{"action":"hello"}` and wait for `{"type":"sync","at":…,"until":…}`. Whatever changes after `at` in your rooms is
/// pushed as `{"type":"message","room":…,"seq":…,"ver":…}`: at least once, perhaps out of order. What changed before is in the list
/// of messages with `changedSince`.
#[utoipa::path(
    post, path = "/v1/connect-tickets", operation_id = "issueConnectTicket", tag = "live",
    responses((status = 201, description = "A ticket.", body = TicketView), TicketProblems),
)]
async fn issue_ticket(State(world): State<World>, caller: Caller) -> Result<(StatusCode, Json<TicketView>), Problem> {
    let ticket = world.secrets.ticket();
    let expires = world.clock.now().plus_seconds(world.settings.ticket_seconds.into());
    world.tickets.issue(&ticket, &caller.user, expires).await?;
    if caller.is_operator {
        world.rooms.note_operator(&caller.user, world.clock.now()).await?;
    }
    let view = TicketView { ticket: ticket.reveal().to_owned(), url: world.websocket_url.clone(), expires };
    Ok((StatusCode::CREATED, Json(view)))
}
