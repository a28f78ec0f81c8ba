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
    /// The person is not known as an operator.
    NotAnOperator,
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
    /// The person has uploaded as much as they may for now.
    QuotaExceeded,
    /// Too many of the person's attachments are pending.
    TooManyPending,
    /// The time to upload the attachment is over.
    UploadLapsed,
    /// The upload ticket is not one of ours, or not for this.
    TicketInvalid,
    /// The upload ticket has expired.
    TicketExpired,
    /// The key is not the upload ticket's own.
    KeyMismatch,
    /// The request of an upload route breaks a rule.
    BadUploadRequest,
    /// There is no such part of the file.
    BadPart,
    /// The parts are not the promised file.
    PartsIncomplete,
    /// The parts that are named are not those that S3 has.
    PartsDiffer,
    /// More parts are named than a file may have.
    TooManyParts,
    /// The parts have another length together than was promised.
    PartsOfOtherSize,
    /// There is no such multipart upload.
    UploadNotFound,
    /// Another upload of the attachment came first.
    UploadOvertaken,
    /// The parts are being put together.
    CompletionInProgress,
    /// Credentials are never handed out.
    NoCredentials,
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
        Self::NotAnOperator,
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
        Self::QuotaExceeded,
        Self::TooManyPending,
        Self::UploadLapsed,
        Self::TicketInvalid,
        Self::TicketExpired,
        Self::KeyMismatch,
        Self::BadUploadRequest,
        Self::BadPart,
        Self::PartsIncomplete,
        Self::PartsDiffer,
        Self::TooManyParts,
        Self::PartsOfOtherSize,
        Self::UploadNotFound,
        Self::UploadOvertaken,
        Self::CompletionInProgress,
        Self::NoCredentials,
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
            Self::NotAnOperator => "not-an-operator",
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
            Self::QuotaExceeded => "quota-exceeded",
            Self::TooManyPending => "too-many-pending",
            Self::UploadLapsed => "upload-lapsed",
            Self::TicketInvalid => "ticket-invalid",
            Self::TicketExpired => "ticket-expired",
            Self::KeyMismatch => "key-mismatch",
            Self::BadUploadRequest => "bad-upload-request",
            Self::BadPart => "bad-part",
            Self::PartsIncomplete => "parts-incomplete",
            Self::PartsDiffer => "parts-differ",
            Self::TooManyParts => "too-many-parts",
            Self::PartsOfOtherSize => "parts-of-other-size",
            Self::UploadNotFound => "upload-not-found",
            Self::UploadOvertaken => "upload-overtaken",
            Self::CompletionInProgress => "completion-in-progress",
            Self::NoCredentials => "no-credentials",
            Self::InternalError => "internal-error",
            Self::Unavailable => "unavailable",
        }
    }

    /// The status of an answer with this code.
    pub fn status(self) -> StatusCode {
        match self {
            Self::MalformedJson
            | Self::KeyMismatch
            | Self::BadUploadRequest
            | Self::BadPart
            | Self::PartsIncomplete
            | Self::PartsDiffer
            | Self::TooManyParts
            | Self::PartsOfOtherSize => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::OperatorsOnly
            | Self::NotTheAuthor
            | Self::TicketInvalid
            | Self::TicketExpired
            | Self::NoCredentials => StatusCode::FORBIDDEN,
            Self::NotFound | Self::UploadNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::CustomerHasRoom
            | Self::RoomTaken
            | Self::NotAnOperator
            | Self::RoomClosed
            | Self::ClientMessageIdReused
            | Self::AttachmentDecided
            | Self::AttachmentNotReady
            | Self::UploadOvertaken => StatusCode::CONFLICT,
            Self::AttachmentGone | Self::MessageDeleted | Self::UploadLapsed => StatusCode::GONE,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidRequest | Self::TooLarge | Self::TwoPeopleNeeded => StatusCode::UNPROCESSABLE_ENTITY,
            Self::QuotaExceeded | Self::TooManyPending => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable | Self::CompletionInProgress => StatusCode::SERVICE_UNAVAILABLE,
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
            Self::NotAnOperator => "Not an operator",
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
            Self::QuotaExceeded => "Too much for now",
            Self::TooManyPending => "Too many uploads are pending",
            Self::UploadLapsed => "The upload has lapsed",
            Self::TicketInvalid => "Not a ticket for this",
            Self::TicketExpired => "The ticket has expired",
            Self::KeyMismatch => "Not the ticket's key",
            Self::BadUploadRequest => "Bad request",
            Self::BadPart => "No such part",
            Self::PartsIncomplete => "The parts are not the file",
            Self::PartsDiffer => "Other parts",
            Self::TooManyParts => "Too many parts",
            Self::PartsOfOtherSize => "Another size than promised",
            Self::UploadNotFound => "No such upload",
            Self::UploadOvertaken => "Another upload came first",
            Self::CompletionInProgress => "Still in progress",
            Self::NoCredentials => "No credentials",
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
            Self::NotAnOperator => {
                "Nobody is known under this id who could have been given a room within the last 30 days."
            }
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
            Self::QuotaExceeded => "You have uploaded as much as you may for now. Please try again later.",
            Self::TooManyPending => "Too many of your uploads are pending. Finish or cancel some first.",
            Self::UploadLapsed => "The time to upload this file is over. Send it again in a new message.",
            Self::TicketInvalid => "This upload ticket is not valid.",
            Self::TicketExpired => "This upload ticket has expired. Ask for another.",
            Self::KeyMismatch => "The key must be the one that this ticket is for.",
            Self::BadUploadRequest => "The request of the upload breaks a rule.",
            Self::BadPart => "There is no such part of this file.",
            Self::PartsIncomplete => "The parts that were uploaded are not the file that was promised.",
            Self::PartsDiffer => "These are not the parts that S3 has. List them and send what is missing.",
            Self::TooManyParts => "A file has at most 10,000 parts.",
            Self::PartsOfOtherSize => "The parts have another length together than was promised.",
            Self::UploadNotFound => "There is no such upload: it was aborted, or is too old. Start over.",
            Self::UploadOvertaken => "Another upload of this attachment came first.",
            Self::CompletionInProgress => "The parts are being put together. Ask again in a moment.",
            Self::NoCredentials => "Credentials are never handed out. Ask for signed URLs.",
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
