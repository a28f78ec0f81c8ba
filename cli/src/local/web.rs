//! The page and the API on one origin, as behind a CDN: the local cloud answers an HTTP API's preflights with 403.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::services::ServeDir;

use crate::people::Person;
use crate::stack::Stack;

/// Largest request that is passed on: an HTTP API takes 10 MB.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;
/// What is passed on of a request, and of an answer.
const REQUEST_HEADERS: &[HeaderName] = &[ACCEPT, AUTHORIZATION, CONTENT_TYPE];
const ANSWER_HEADERS: &[HeaderName] = &[CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER];

/// A port that the page will be served on: its origin is known before the stack that must allow it is deployed.
pub struct PagePort(TcpListener, SocketAddr);

/// A page that is being served, until it is dropped.
pub struct Page {
    url: String,
    server: JoinHandle<()>,
}

/// What the page needs to know: `/config.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    /// Where the API is; empty for the page's own origin.
    api_url: &'a str,
    /// Where Cognito is.
    sign_in_url: &'a str,
    /// The user pool's client.
    client_id: &'a str,
    /// People to sign in as with one click. Only ever those of a local run.
    people: &'a [Person],
}

#[derive(Clone)]
struct Upstream {
    http: reqwest::Client,
    api_url: String,
}

impl PagePort {
    /// Takes `port`, or any that is free.
    ///
    /// # Errors
    /// When the port is in use.
    pub async fn take(port: Option<u16>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await;
        let listener = listener.with_context(|| match port {
            Some(port) => format!("port {port} of 127.0.0.1 cannot be used, choose another"),
            None => "no port of 127.0.0.1 is free".to_owned(),
        })?;
        let address = listener.local_addr()?;
        Ok(Self(listener, address))
    }

    /// The origins under which a browser may know the page.
    pub fn origins(&self) -> Vec<String> {
        ["127.0.0.1", "localhost"].map(|host| format!("http://{host}:{}", self.1.port())).to_vec()
    }

    /// Serves the files of `folder`, `/config.json`, and the API of `stack` below `/v1` and `/u`.
    ///
    /// # Errors
    /// When the stack has no API.
    pub fn serve(self, folder: &Path, stack: &Stack, people: &[Person]) -> anyhow::Result<Page> {
        let config = serde_json::to_string(&Config {
            api_url: "",
            sign_in_url: stack.endpoint().unwrap_or_default(),
            client_id: stack.output("UserPoolClientId")?,
            people,
        })?;
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let routes = Router::new()
            .route("/config.json", get(move || async move { ([(CONTENT_TYPE, "application/json")], config) }))
            .route("/v1/{*path}", any(pass_on))
            .route("/u/{*path}", any(pass_on))
            .with_state(Upstream { http, api_url: stack.api_url()? })
            .fallback_service(ServeDir::new(folder));
        let url = format!("http://{}", self.1);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(self.0, routes).await {
                tracing::error!(%error, "the page is not served any more");
            }
        });
        Ok(Page { url, server })
    }
}

impl Page {
    /// Where the page is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass_on(State(upstream): State<Upstream>, request: Request) -> Response {
    match passed_on(&upstream, request).await {
        Ok(answer) => answer,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("the API cannot be reached: {error:#}\n")).into_response(),
    }
}

async fn passed_on(upstream: &Upstream, request: Request) -> anyhow::Result<Response> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let body = to_bytes(body, MAX_REQUEST_BYTES).await?;
    let mut sent = upstream.http.request(parts.method, format!("{}{path}", upstream.api_url)).body(body);
    for name in REQUEST_HEADERS {
        if let Some(value) = parts.headers.get(name) {
            sent = sent.header(name, value);
        }
    }
    let got = sent.send().await?;
    let mut answer = Response::builder().status(got.status());
    for name in ANSWER_HEADERS {
        if let Some(value) = got.headers().get(name) {
            answer = answer.header(name, value);
        }
    }
    if let Some(length) = got.content_length() {
        answer = answer.header(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(answer.body(Body::from_stream(got.bytes_stream()))?)
}
