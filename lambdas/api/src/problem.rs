//! What goes wrong, as callers see it: RFC 9457 documents with a stable code. Nothing internal is ever in one.

use std::borrow::Cow;
use std::error::Error;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use utoipa::ToSchema;
use vestibule_domain::id::InvalidId;
use vestibule_store::error::{Fault, StoreError};
use vestibule_store::messages::Refusal;

use crate::code::Code;

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Seconds after which an unavailable service may be asked again.
const RETRY_AFTER_SECONDS: u64 = 1;
/// Seconds after which parts that are being put together may be asked for again.
const COMPLETION_SECONDS: u64 = 5;
/// Seconds after which somebody with too many uploads may try again.
const PENDING_SECONDS: u64 = 60;

/// A part of the request that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Violation {
    /// Where: a JSON pointer into the body (`/attachments/0/name`), or the name of a query parameter.
    pub pointer: String,
    /// The rule.
    pub detail: String,
}

impl Violation {
    /// The rule that the part at `pointer` breaks.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// A problem document. <https://www.rfc-editor.org/rfc/rfc9457>
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// The code as a URI. It identifies and is not meant to be fetched.
    #[serde(rename = "type")]
    #[schema(example = "urn:problem-type:vestibule:room-closed")]
    kind: String,
    /// A few words for the code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// A sentence for a person.
    pub(crate) detail: String,
    /// For programs. New codes may be added; none is ever renamed.
    code: Code,
    /// With `invalid-request` and `too-large`: every part of the request that breaks a rule, where it can be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
}

/// Why a request did not get what it asked for.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<Violation>,
    cause: Option<String>,
    retry_after: Option<u64>,
}

/// What the log says of an answer that is our fault. It travels in the answer's extensions, never in its body.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub(crate) String);

impl Problem {
    /// A problem with a more exact sentence than the code's usual one.
    pub fn because(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let waits = [
            (Code::Unavailable, RETRY_AFTER_SECONDS),
            (Code::CompletionInProgress, COMPLETION_SECONDS),
            (Code::TooManyPending, PENDING_SECONDS),
        ];
        let retry_after = waits.iter().find(|(of, _)| *of == code).map(|(_, seconds)| *seconds);
        Self { code, detail: detail.into(), errors: Vec::new(), cause: None, retry_after }
    }

    /// A problem that is over after so many seconds.
    pub fn until(code: Code, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..code.into() }
    }

    /// A request that breaks these rules.
    pub fn violations(code: Code, errors: Vec<Violation>) -> Self {
        Self { errors, ..code.into() }
    }

    /// The problem's code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What a caller is told.
    pub(crate) fn document(&self) -> Document {
        Document {
            kind: self.code.uri(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone().into_owned(),
            code: self.code,
            errors: self.errors.clone(),
        }
    }

    fn caused_by(code: Code, error: &(dyn Error + 'static)) -> Self {
        let mut chain = vec![error.to_string()];
        let mut source = error.source();
        while let Some(deeper) = source {
            chain.push(deeper.to_string());
            source = deeper.source();
        }
        Self { cause: Some(chain.join(": ")), ..code.into() }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::because(code, code.sentence())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error.fault() {
            Fault::Transient => Self::caused_by(Code::Unavailable, &error),
            Fault::Permanent => Self::caused_by(Code::InternalError, &error),
        }
    }
}

/// An id that we made ourselves and that is none. What callers send is judged where it comes in.
impl From<InvalidId> for Problem {
    fn from(error: InvalidId) -> Self {
        Self::caused_by(Code::InternalError, &error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => Code::NotFound.into(),
            Refusal::NotTheAuthor => Code::NotTheAuthor.into(),
            Refusal::Deleted => Code::MessageDeleted.into(),
            Refusal::RoomClosed => Code::RoomClosed.into(),
            Refusal::Decided => Code::AttachmentDecided.into(),
            Refusal::NothingLeft => Self::violations(
                Code::InvalidRequest,
                vec![Violation::new("/text", "must not be blank without attachments")],
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.code.status(), Json(self.document())).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.code == Code::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(problem: Problem) -> (Response<()>, serde_json::Value) {
        let (parts, body) = problem.into_response().into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        (Response::from_parts(parts, ()), serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_problem_is_an_rfc_9457_document() {
        let (response, body) = answer(Problem::violations(
            Code::InvalidRequest,
            vec![Violation::new("/attachments/0/name", "must have 1 to 255 bytes")],
        ))
        .await;
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        insta::assert_json_snapshot!(body);
    }

    #[tokio::test]
    async fn a_fault_says_nothing_internal_but_tells_the_log() {
        let denied = StoreError::Denied {
            operation: "GetItem of a room",
            code: "AccessDeniedException".to_owned(),
            source: "role api may not dynamodb:GetItem".into(),
        };
        let (response, body) = answer(denied.into()).await;
        assert_eq!(
            response.extensions().get::<Cause>().unwrap().0,
            "GetItem of a room: denied (AccessDeniedException): role api may not dynamodb:GetItem"
        );
        insta::assert_json_snapshot!(body);
    }

    #[tokio::test]
    async fn what_may_succeed_later_says_when() {
        let busy = StoreError::Conflict { operation: "PutItem", code: "TransactionConflict".to_owned() };
        let (response, body) = answer(busy.into()).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        insta::assert_json_snapshot!(body);
    }

    #[tokio::test]
    async fn who_is_not_signed_in_is_told_how() {
        let (response, body) = answer(Code::Unauthenticated.into()).await;
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        insta::assert_json_snapshot!(body);
    }
}
