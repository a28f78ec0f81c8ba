//! The application: from a request with the gateway's word on who is calling to an answer, with one log line for each.

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{Extensions, HeaderValue};
use lambda_http::request::RequestContext;
use tracing::Instrument as _;

use crate::caller::Caller;
use crate::code::Code;
use crate::input::MAX_BODY_BYTES;
use crate::problem::{Cause, Problem};
use crate::routes;
use crate::world::World;

/// All routes in `world`, for `lambda_http` to run. It takes requests that carry the gateway's [`RequestContext`] in their
/// extensions; without one, nobody is calling.
pub fn router(world: World) -> Router {
    let (routes, _description) = routes::all().split_for_parts();
    routes
        .merge(routes::companion::routes())
        .method_not_allowed_fallback(|| async { Problem::from(Code::MethodNotAllowed) })
        .fallback(|| async { Problem::from(Code::NotFound) })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(world.clone(), answer))
        .with_state(world)
}

/// Finds out who is calling, lets the route answer, and logs one line: never the path itself, a query, a header or a body.
async fn answer(State(world): State<World>, mut request: Request, next: Next) -> Response {
    let begun = world.clock.now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request.id = tracing::field::Empty, user.id = tracing::field::Empty);
    if let Some(id) = request_id(request.extensions()) {
        span.record("request.id", id);
    }
    if let Some(caller) = caller(request.extensions()) {
        span.record("user.id", caller.user.as_str());
        request.extensions_mut().insert(caller);
    }
    let mut response = next.run(request).instrument(span.clone()).await;
    // Answers are for one person, and many of them hold signed URLs.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let millis = world.clock.now().millis().saturating_sub(begun.millis());
    let status = response.status().as_u16();
    let _entered = span.entered();
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => {
            tracing::error!(
                http.method = %method,
                http.route = route,
                http.status = status,
                duration.ms = millis,
                error = cause,
                "request failed"
            );
        }
        None => {
            tracing::info!(
                http.method = %method,
                http.route = route,
                http.status = status,
                duration.ms = millis,
                "request answered"
            );
        }
    }
    response
}

/// Who is calling, in the gateway's word.
fn caller(extensions: &Extensions) -> Option<Caller> {
    match extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => {
            Caller::from_claims(&context.authorizer.as_ref()?.jwt.as_ref()?.claims)
        }
        _ => None,
    }
}

fn request_id(extensions: &Extensions) -> Option<&str> {
    match extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => context.request_id.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::header::{ALLOW, CONTENT_TYPE};
    use http::{Method, StatusCode};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::testing::{self, ROOM};

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.secret";

    fn request(method: Method, path: &str, body: impl Into<Body>) -> Request {
        let request = Request::builder().method(method).uri(path).header("authorization", TOKEN);
        let mut request = request.header(CONTENT_TYPE, "application/json").body(body.into()).unwrap();
        request.extensions_mut().insert(testing::context(&json!({
            "token_use": "access", "sub": "customer-1", "username": "someone", "client_id": "client",
        })));
        request
    }

    async fn ask(request: Request) -> (StatusCode, http::HeaderMap, Value) {
        let (parts, body) = router(testing::world()).oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 100_000).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap())
    }

    async fn code(request: Request) -> (u16, String) {
        let (status, headers, body) = ask(request).await;
        assert_eq!(headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(headers[CACHE_CONTROL], "private, no-store");
        assert_eq!(body["status"], status.as_u16());
        (status.as_u16(), body["code"].as_str().unwrap().to_owned())
    }

    fn problem(status: u16, code: &str) -> (u16, String) {
        (status, code.to_owned())
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found_and_a_malformed_id_is_not_there() {
        for path in [
            "/".to_owned(),
            "/v1".to_owned(),
            "/v1/nothing".to_owned(),
            "/v1/rooms/".to_owned(),
            "/v1/rooms/not-an-id".to_owned(),
            "/v1/rooms/..%2f..".to_owned(),
            format!("/v1/rooms/{ROOM}/messages/0"),
            format!("/v1/rooms/{ROOM}/messages/x"),
            format!("/v1/rooms/{ROOM}/messages/1/attachments/x"),
        ] {
            assert_eq!(code(request(Method::GET, &path, "")).await, problem(404, "not-found"), "{path}");
        }
    }

    #[tokio::test]
    async fn a_method_that_a_path_does_not_have_is_refused_with_those_it_has() {
        let (status, headers, body) = ask(request(Method::PUT, "/v1/rooms", "")).await;
        assert_eq!((status.as_u16(), body["code"].as_str().unwrap()), (405, "method-not-allowed"));
        assert_eq!(headers[ALLOW], "POST,GET,HEAD");
    }

    #[tokio::test]
    async fn nobody_is_let_in_without_an_access_token() {
        let mut anonymous = request(Method::GET, "/v1/rooms", "");
        anonymous.extensions_mut().remove::<RequestContext>();
        assert_eq!(code(anonymous).await, problem(401, "unauthenticated"));
        let mut by_id_token = request(Method::GET, "/v1/rooms", "");
        by_id_token.extensions_mut().insert(testing::context(&json!({ "token_use": "id", "sub": "customer-1" })));
        assert_eq!(code(by_id_token).await, problem(401, "unauthenticated"));
    }

    #[tokio::test]
    async fn a_body_is_refused_before_anything_is_asked_of_the_table() {
        let path = format!("/v1/rooms/{ROOM}/messages");
        let post = |body: Vec<u8>| request(Method::POST, &path, body);
        assert_eq!(code(post(b"{".to_vec())).await, problem(400, "malformed-json"));
        assert_eq!(code(post(b"{}".to_vec())).await, problem(422, "invalid-request"));
        let mut text = post(b"{}".to_vec());
        text.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert_eq!(code(text).await, problem(415, "unsupported-media-type"));
        // At the limit it is read, and found not to be JSON.
        assert_eq!(code(post(vec![b' '; MAX_BODY_BYTES])).await, problem(400, "malformed-json"));
        assert_eq!(code(post(vec![b' '; MAX_BODY_BYTES + 1])).await, problem(413, "request-too-large"));
    }

    #[tokio::test]
    async fn customers_do_not_see_who_waits_and_do_not_take_rooms() {
        let waiting = request(Method::GET, "/v1/rooms?waiting=true", "");
        assert_eq!(code(waiting).await, problem(403, "operators-only"));
        let claim = request(Method::PUT, &format!("/v1/rooms/{ROOM}/operator"), "");
        assert_eq!(code(claim).await, problem(403, "operators-only"));
        for query in ["limit=0", "limit=x", "waiting=maybe", "after=x", "limit=1&limit=2"] {
            let list = request(Method::GET, &format!("/v1/rooms?{query}"), "");
            assert_eq!(code(list).await, problem(422, "invalid-request"), "{query}");
        }
    }

    /// The gateway's events, as they were recorded and as AWS documents them, through `lambda_http`.
    #[tokio::test]
    async fn every_recorded_and_documented_request_is_answered_as_its_manifest_says() {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/events");
        let read = |file: &str| std::fs::read_to_string(fixtures.join(file)).unwrap();
        let manifest: Value = serde_json::from_str(&read("requests.json")).unwrap();
        let manifest = manifest.as_array().unwrap();
        assert!(manifest.len() >= 8);
        for row in manifest {
            let file = row["file"].as_str().unwrap();
            let request = lambda_http::request::from_str(&read(file)).unwrap();
            let (parts, body) = router(testing::world()).oneshot(request.map(into_body)).await.unwrap().into_parts();
            let body = axum::body::to_bytes(body, 100_000).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(json!({ "status": parts.status.as_u16(), "code": body["code"] }), row["expect"], "{file}");
        }
    }

    fn into_body(body: lambda_http::Body) -> Body {
        match body {
            lambda_http::Body::Text(text) => Body::from(text),
            lambda_http::Body::Binary(bytes) => Body::from(bytes),
            lambda_http::Body::Empty | _ => Body::empty(),
        }
    }

    #[tokio::test]
    async fn a_request_is_one_line_without_what_it_says() {
        let lines = testing::Lines::default();
        let logging = tracing::subscriber::set_default(vestibule_runtime::logs::into("trace", lines.writer()));
        let path = format!("/v1/rooms/{ROOM}/messages?x=query-secret");
        let body = json!({
            "clientMessageId": "c1", "text": "text-secret",
            "attachments": [{ "name": "name-secret.jpg", "size": 1, "type": "image/jpeg" }],
        });
        // There is no table behind the test's world, so that this is also how a fault is answered and logged.
        assert_eq!(code(request(Method::POST, &path, body.to_string())).await, problem(503, "unavailable"));
        drop(logging);
        let log = lines.text();
        assert_eq!(log.lines().count(), 1, "{log}");
        let line: Value = serde_json::from_str(&log).unwrap();
        assert_eq!(line["http.method"], "POST");
        assert_eq!(line["http.route"], "/v1/rooms/{room}/messages");
        assert_eq!(line["http.status"], 503);
        assert_eq!(line["user.id"], "customer-1");
        assert_eq!(line["request.id"], "request-1");
        assert!(line["duration.ms"].is_number());
        assert!(line["error"].as_str().unwrap().starts_with("GetItem of a room: "), "{log}");
        for secret in ["text-secret", "name-secret", "query-secret", TOKEN, ROOM] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
}
