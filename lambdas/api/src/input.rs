//! What comes in with a request: paths, queries and bodies, each with a problem document for what cannot be read.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::caller::Caller;
use crate::code::Code;
use crate::problem::{Problem, Violation};

/// Longest body of a request, in bytes, inclusive: the longest text, every byte of it escaped, and twenty attachments.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The ids in the path. Text that is no id names nothing, so it is not found, like an id that nothing has.
pub struct Place<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Place<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_not_ids) => Err(Code::NotFound.into()),
        }
    }
}

/// The query's parameters. Unknown ones are passed over.
pub struct Wanted<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Wanted<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(wanted)) => Ok(Self(wanted)),
            Err(rejection) => {
                let violation = Violation::new("?", rejection.body_text());
                Err(Problem::violations(Code::InvalidRequest, vec![violation]))
            }
        }
    }
}

/// A JSON body. Fields that are not known are passed over, so that a newer client can talk to an older server.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !declares_json(request.headers()) {
            return Err(Code::UnsupportedMediaType.into());
        }
        parse(&read(request, state).await?).map(Self)
    }
}

/// A JSON body that may be left out, or be `null`.
pub struct OptionalBody<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = declares_json(request.headers());
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if is_json {
            parse::<Option<T>>(&bytes).map(|body| Self(body.unwrap_or_default()))
        } else {
            Err(Code::UnsupportedMediaType.into())
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Code::Unauthenticated.into())
    }
}

/// Reads a body up to the router's limit, which is [`MAX_BODY_BYTES`].
async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    match Bytes::from_request(request, state).await {
        Ok(bytes) => Ok(bytes),
        Err(rejection) => Err(too_large_or_cut_off(rejection)),
    }
}

fn too_large_or_cut_off(rejection: BytesRejection) -> Problem {
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::RequestTooLarge.into(),
        _ => Problem::because(Code::MalformedJson, "The body of the request ended too early."),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => Problem::violations(Code::InvalidRequest, vec![Violation::new("", error.to_string())]),
        Category::Io | Category::Syntax | Category::Eof => {
            Problem::because(Code::MalformedJson, format!("The body of the request is not JSON: {error}."))
        }
    })
}

/// `application/json`, with any parameters, or a type that is JSON by its suffix.
fn declares_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Example {
        size: u64,
    }

    fn request(content_type: Option<&str>, body: impl Into<axum::body::Body>) -> Request {
        let mut builder = Request::builder().method("POST").uri("/");
        if let Some(content_type) = content_type {
            builder = builder.header(CONTENT_TYPE, content_type);
        }
        builder.body(body.into()).unwrap()
    }

    async fn code(content_type: Option<&str>, body: &str) -> Option<Code> {
        let read = Body::<Example>::from_request(request(content_type, body.to_owned()), &()).await;
        read.err().map(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_body_is_json_declared_as_json() {
        assert_eq!(code(Some("application/json"), "{\"size\":1}").await, None);
        assert_eq!(code(Some("Application/JSON; charset=utf-8"), "{\"size\":1}").await, None);
        assert_eq!(code(Some("application/json"), "{\"size\":1,\"newer\":true}").await, None);
        assert_eq!(code(None, "{\"size\":1}").await, Some(Code::UnsupportedMediaType));
        assert_eq!(code(Some("text/plain"), "{\"size\":1}").await, Some(Code::UnsupportedMediaType));
        assert_eq!(code(Some("application/json"), "{\"size\":").await, Some(Code::MalformedJson));
        assert_eq!(code(Some("application/json"), "").await, Some(Code::MalformedJson));
        assert_eq!(code(Some("application/json"), "{\"size\":-1}").await, Some(Code::InvalidRequest));
        assert_eq!(code(Some("application/json"), "{}").await, Some(Code::InvalidRequest));
    }

    #[tokio::test]
    async fn an_optional_body_may_be_left_out_but_not_be_nonsense() {
        let read = OptionalBody::<Example>::from_request(request(None, ""), &()).await;
        assert_eq!(read.map(|body| body.0.size).unwrap(), 0);
        let read = OptionalBody::<Example>::from_request(request(Some("application/json"), "nonsense"), &()).await;
        assert_eq!(read.err().unwrap().code(), Code::MalformedJson);
        let read = OptionalBody::<Example>::from_request(request(None, "x=1"), &()).await;
        assert_eq!(read.err().unwrap().code(), Code::UnsupportedMediaType);
    }
}
