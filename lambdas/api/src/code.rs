//! The stable codes of what goes wrong, each with its status, its title and its sentence.

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Stable codes. New ones may be added; none is ever renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The body is not JSON.
    MalformedJson,
    /// There is no access token, or not a valid one.
    Unauthenticated,
    /// Only an operator may do this.
    OperatorsOnly,
    /// Only the author may do this.
    NotTheAuthor,
    /// It does not exist, or not for the caller.
    NotFound,
    /// The path does not have this method.
    MethodNotAllowed,
    /// The customer has an open room with somebody else.
    CustomerHasRoom,
    /// Another operator has the room.
    RoomTaken,
    /// The room is closed.
    RoomClosed,
    /// The client message id was used for another message.
    ClientMessageIdReused,
    /// The attachment is not pending any more.
    AttachmentDecided,
    /// The attachment is still pending.
    AttachmentNotReady,
    /// The attachment was refused, cancelled or removed.
    AttachmentGone,
    /// The message was deleted.
    MessageDeleted,
    /// The body is too long.
    RequestTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The request breaks a rule; `errors` says which.
    InvalidRequest,
    /// A file is larger than may be uploaded.
    TooLarge,
    /// The operator and the customer would be the same person.
    TwoPeopleNeeded,
    /// Our fault, and trying again will not help.
    InternalError,
    /// Our fault, and trying again will probably help.
    Unavailable,
}

impl Code {
    /// Every code, for the description and for tests.
    pub const ALL: &[Self] = &[
        Self::MalformedJson,
        Self::Unauthenticated,
        Self::OperatorsOnly,
        Self::NotTheAuthor,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::CustomerHasRoom,
        Self::RoomTaken,
        Self::RoomClosed,
        Self::ClientMessageIdReused,
        Self::AttachmentDecided,
        Self::AttachmentNotReady,
        Self::AttachmentGone,
        Self::MessageDeleted,
        Self::RequestTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidRequest,
        Self::TooLarge,
        Self::TwoPeopleNeeded,
        Self::InternalError,
        Self::Unavailable,
    ];

    /// The code as it stands in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed-json",
            Self::Unauthenticated => "unauthenticated",
            Self::OperatorsOnly => "operators-only",
            Self::NotTheAuthor => "not-the-author",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::CustomerHasRoom => "customer-has-room",
            Self::RoomTaken => "room-taken",
            Self::RoomClosed => "room-closed",
            Self::ClientMessageIdReused => "client-message-id-reused",
            Self::AttachmentDecided => "attachment-decided",
            Self::AttachmentNotReady => "attachment-not-ready",
            Self::AttachmentGone => "attachment-gone",
            Self::MessageDeleted => "message-deleted",
            Self::RequestTooLarge => "request-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::InvalidRequest => "invalid-request",
            Self::TooLarge => "too-large",
            Self::TwoPeopleNeeded => "two-people-needed",
            Self::InternalError => "internal-error",
            Self::Unavailable => "unavailable",
        }
    }

    /// The status of an answer with this code.
    pub fn status(self) -> StatusCode {
        match self {
            Self::MalformedJson => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::OperatorsOnly | Self::NotTheAuthor => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::CustomerHasRoom
            | Self::RoomTaken
            | Self::RoomClosed
            | Self::ClientMessageIdReused
            | Self::AttachmentDecided
            | Self::AttachmentNotReady => StatusCode::CONFLICT,
            Self::AttachmentGone | Self::MessageDeleted => StatusCode::GONE,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidRequest | Self::TooLarge | Self::TwoPeopleNeeded => StatusCode::UNPROCESSABLE_ENTITY,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A few words for this code.
    pub fn title(self) -> &'static str {
        match self {
            Self::MalformedJson => "Malformed JSON",
            Self::Unauthenticated => "Not signed in",
            Self::OperatorsOnly => "Only for operators",
            Self::NotTheAuthor => "Not the author",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::CustomerHasRoom => "The customer has an open room",
            Self::RoomTaken => "The room is taken",
            Self::RoomClosed => "The room is closed",
            Self::ClientMessageIdReused => "The client message id was used before",
            Self::AttachmentDecided => "The attachment is not pending",
            Self::AttachmentNotReady => "The attachment is not ready yet",
            Self::AttachmentGone => "The attachment is gone",
            Self::MessageDeleted => "The message was deleted",
            Self::RequestTooLarge => "The request is too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::InvalidRequest => "Invalid request",
            Self::TooLarge => "A file is too large",
            Self::TwoPeopleNeeded => "A room needs two people",
            Self::InternalError => "Internal error",
            Self::Unavailable => "Unavailable",
        }
    }

    /// The usual sentence for this code.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::MalformedJson => "The body of the request is not JSON.",
            Self::Unauthenticated => "This needs an access token of a person who is signed in.",
            Self::OperatorsOnly => "Only an operator may do this.",
            Self::NotTheAuthor => "Only the author of the message may do this.",
            Self::NotFound => "There is nothing here, or nothing that you may see.",
            Self::MethodNotAllowed => "This path does not have this method. The Allow header lists those that it has.",
            Self::CustomerHasRoom => "A customer has one open room at a time, and this one has another already.",
            Self::RoomTaken => "Another operator has taken the room.",
            Self::RoomClosed => "A closed room can be read but not written in.",
            Self::ClientMessageIdReused => {
                "Another message was sent in this room under the same client message id within the last day."
            }
            Self::AttachmentDecided => "Uploads can only be issued and cancelled while the attachment is pending.",
            Self::AttachmentNotReady => "The attachment has not been uploaded, or is still being examined.",
            Self::AttachmentGone => "The attachment was refused, cancelled or removed.",
            Self::MessageDeleted => "The author of the message has deleted it.",
            Self::RequestTooLarge => {
                "The body of a request may have 262144 bytes. Files are uploaded on their own, never in a request."
            }
            Self::UnsupportedMediaType => "The body of the request must be declared as application/json.",
            Self::InvalidRequest => "The request breaks a rule.",
            Self::TooLarge => "A file is larger than may be uploaded.",
            Self::TwoPeopleNeeded => "The operator and the customer of a room cannot be the same person.",
            Self::InternalError => "Something went wrong on our side.",
            Self::Unavailable => "This cannot be done right now. Please try again in a moment.",
        }
    }

    /// The code's URI. It identifies and is not meant to be fetched.
    pub fn uri(self) -> String {
        format!("urn:problem-type:vestibule:{}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::input::MAX_BODY_BYTES;

    #[test]
    fn every_code_is_written_as_it_serialises_and_explains_itself() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.sentence().ends_with('.'), "{code:?}");
            assert!(!code.title().ends_with('.'), "{code:?}");
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
        }
    }

    #[test]
    fn no_code_is_missing_from_the_list_or_there_twice() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        let schema = serde_json::to_value(<Code as utoipa::PartialSchema>::schema()).unwrap();
        let described: BTreeSet<_> =
            schema["enum"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
        assert_eq!(described, codes);
    }

    #[test]
    fn the_sentence_names_the_limit_that_holds() {
        assert!(Code::RequestTooLarge.sentence().contains(&MAX_BODY_BYTES.to_string()));
    }
}
