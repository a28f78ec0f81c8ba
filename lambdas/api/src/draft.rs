//! Judges what somebody wants to send: all that is wrong with it at once, or the draft.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::digest::Sha256Digest;
use vestibule_domain::id::ClientMessageId;
use vestibule_domain::policy::{MAX_ATTACHMENTS, MAX_NAME_BYTES, MAX_TEXT_BYTES};

use crate::code::Code;
use crate::problem::{Problem, Violation};

/// A message to send. It needs a text or attachments.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewMessage {
    /// The sender's own name for the message, 1 to 64 of `A–Z a–z 0–9 - _`. The same request under the same name is the same
    /// message: for a day, sending it again returns the first answer.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    client_message_id: String,
    /// What it says: at most 32,768 bytes of UTF-8.
    text: Option<String>,
    /// The files that will be uploaded for it, in the order in which they are shown: at most 20.
    #[schema(max_items = 20)]
    attachments: Option<Vec<NewAttachment>>,
}

/// A file that will be uploaded.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct NewAttachment {
    /// Its name, 1 to 255 bytes of UTF-8. Any text: it is only ever shown.
    name: String,
    /// Its length in bytes. The upload must have exactly this length.
    size: u64,
    /// Its content type. The upload must be sent with it, and the bytes must be of it; `application/octet-stream` promises
    /// nothing.
    #[serde(rename = "type")]
    #[schema(example = "image/jpeg")]
    content_type: String,
    /// Its SHA-256 in 64 lower-case hex digits, if known. The upload must then have it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: Option<String>,
}

/// A message that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) client_message_id: ClientMessageId,
    pub(crate) text: String,
    pub(crate) attachments: Vec<Announced>,
}

/// A file that may be uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Announced {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) content_type: ContentType,
    pub(crate) sha256: Option<Sha256Digest>,
}

impl Checked {
    /// Judges `message`; a file may have `max_upload_bytes`.
    pub(crate) fn new(message: NewMessage, max_upload_bytes: u64) -> Result<Self, Problem> {
        let mut rules = Rules::default();
        let client_message_id = message.client_message_id.parse();
        let client_message_id = rules.keep("/clientMessageId", client_message_id, "must be 1 to 64 of A-Z a-z 0-9 - _");
        let text = message.text.unwrap_or_default();
        rules.check_text(&text);
        let announced = message.attachments.unwrap_or_default();
        if announced.is_empty() && text.trim().is_empty() {
            rules.broken("", "a message needs a text or attachments");
        }
        if announced.len() > MAX_ATTACHMENTS {
            rules.broken("/attachments", format!("must be at most {MAX_ATTACHMENTS}"));
        }
        // What is too many is not looked at one by one.
        let judged = announced.into_iter().take(MAX_ATTACHMENTS).enumerate();
        let attachments: Option<Vec<_>> =
            judged.map(|(index, file)| rules.check_file(index, file, max_upload_bytes)).collect();
        match (client_message_id, attachments) {
            (Some(client_message_id), Some(attachments)) if rules.is_kept() => {
                Ok(Self { client_message_id, text, attachments })
            }
            _ => Err(rules.problem()),
        }
    }

    /// What was asked for, digested: two requests with the same digest want the same message.
    pub(crate) fn digest(&self) -> Result<Sha256Digest, Problem> {
        let request = serde_json::to_vec(&(&self.text, &self.attachments));
        let request = request.map_err(|_unwritable| Problem::from(Code::InternalError))?;
        Ok(Sha256Digest::new(Sha256::digest(request).into()))
    }
}

/// Judges the text of an edit. Whether it may be blank is the message's matter.
pub(crate) fn check_text(text: &str) -> Result<(), Problem> {
    let mut rules = Rules::default();
    rules.check_text(text);
    if rules.is_kept() { Ok(()) } else { Err(rules.problem()) }
}

/// Collects what is broken.
#[derive(Default)]
struct Rules {
    broken: Vec<Violation>,
    too_large: Vec<Violation>,
}

impl Rules {
    fn broken(&mut self, pointer: &str, detail: impl Into<String>) {
        self.broken.push(Violation::new(pointer, detail));
    }

    fn keep<T, E>(&mut self, pointer: &str, value: Result<T, E>, rule: &str) -> Option<T> {
        if value.is_err() {
            self.broken(pointer, rule);
        }
        value.ok()
    }

    fn check_text(&mut self, text: &str) {
        if text.len() > MAX_TEXT_BYTES {
            self.broken("/text", format!("must have at most {MAX_TEXT_BYTES} bytes"));
        }
    }

    fn check_file(&mut self, index: usize, file: NewAttachment, max_upload_bytes: u64) -> Option<Announced> {
        let at = |field: &str| format!("/attachments/{index}/{field}");
        if !(1..=MAX_NAME_BYTES).contains(&file.name.len()) {
            self.broken(&at("name"), format!("must have 1 to {MAX_NAME_BYTES} bytes"));
        }
        // An empty file is let through: what it is told is ingest's to say, like everything about its bytes.
        if file.size > max_upload_bytes {
            self.too_large.push(Violation::new(at("size"), format!("must be at most {max_upload_bytes}")));
        }
        let content_type =
            self.keep(&at("type"), file.content_type.parse(), "must be a content type, such as image/jpeg");
        let sha256 = file.sha256.map(|digest| digest.parse()).transpose();
        let sha256 = self.keep(&at("sha256"), sha256, "must be 64 lower-case hex digits");
        Some(Announced { name: file.name, size: file.size, content_type: content_type?, sha256: sha256? })
    }

    fn is_kept(&self) -> bool {
        self.broken.is_empty() && self.too_large.is_empty()
    }

    fn problem(self) -> Problem {
        let code = if self.broken.is_empty() { Code::TooLarge } else { Code::InvalidRequest };
        Problem::violations(code, self.broken.into_iter().chain(self.too_large).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const MAX: u64 = 1000;

    fn judge(message: Value) -> Result<Checked, Problem> {
        Checked::new(serde_json::from_value(message).unwrap(), MAX)
    }

    fn file(field: &str, value: Value) -> Value {
        let mut file = json!({ "name": "a.jpg", "size": 1, "type": "image/jpeg" });
        file[field] = value;
        json!({ "clientMessageId": "c1", "attachments": [file] })
    }

    fn code(message: Value) -> Option<Code> {
        judge(message).err().map(|problem| problem.code())
    }

    #[test]
    fn limits_are_inclusive() {
        for (over, limit) in [(-1, None), (0, None), (1, Some(Code::InvalidRequest))] {
            let length = |max: usize| max.checked_add_signed(over).unwrap();
            let text = "x".repeat(length(MAX_TEXT_BYTES));
            assert_eq!(code(json!({ "clientMessageId": "c", "text": text })), limit);
            assert_eq!(code(file("name", json!("x".repeat(length(MAX_NAME_BYTES))))), limit);
            let one = json!({ "name": "a", "size": 1, "type": "image/jpeg" });
            let files = vec![one; length(MAX_ATTACHMENTS)];
            assert_eq!(code(json!({ "clientMessageId": "c", "attachments": files })), limit);
        }
        assert_eq!(code(file("size", json!(MAX - 1))), None);
        assert_eq!(code(file("size", json!(MAX))), None);
        assert_eq!(code(file("size", json!(MAX + 1))), Some(Code::TooLarge));
        assert_eq!(code(file("size", json!(0))), None);
        assert_eq!(code(file("name", json!(""))), Some(Code::InvalidRequest));
    }

    #[test]
    fn a_message_needs_a_text_or_attachments() {
        assert_eq!(code(json!({ "clientMessageId": "c" })), Some(Code::InvalidRequest));
        assert_eq!(
            code(json!({ "clientMessageId": "c", "text": " \n", "attachments": [] })),
            Some(Code::InvalidRequest)
        );
        assert_eq!(code(json!({ "clientMessageId": "c", "text": "x", "attachments": null })), None);
        assert_eq!(code(file("name", json!("x"))), None);
    }

    #[test]
    fn a_name_is_any_text() {
        for name in ["../../etc/passwd", "\u{202e}gpj.exe", "a\u{0}b", "🪟", "\r\nX: y"] {
            assert_eq!(judge(file("name", json!(name))).unwrap().attachments[0].name, name);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let problem = judge(json!({
            "clientMessageId": "no spaces",
            "text": "x".repeat(MAX_TEXT_BYTES + 1),
            "attachments": [
                { "name": "", "size": MAX + 1, "type": "jpeg", "sha256": "ABC" },
                { "name": "fine.jpg", "size": MAX, "type": "IMAGE/JPEG; x=y" },
            ],
        }));
        insta::assert_debug_snapshot!(problem.unwrap_err());
    }

    #[test]
    fn the_digest_is_of_what_is_wanted_and_not_of_how_it_is_written() {
        let digest = |message| judge(message).unwrap().digest().unwrap();
        let first = json!({ "clientMessageId": "c", "text": "x", "attachments": [{ "name": "a", "size": 1, "type": "image/jpeg" }] });
        let same = json!({ "attachments": [{ "type": "Image/JPEG", "size": 1, "name": "a", "sha256": null }], "clientMessageId": "c", "text": "x" });
        assert_eq!(digest(first.clone()), digest(same));
        for (pointer, value) in [
            ("/text", json!("y")),
            ("/attachments/0/name", json!("b")),
            ("/attachments/0/size", json!(2)),
            ("/attachments/0/type", json!("image/png")),
        ] {
            let mut other = first.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            assert_ne!(digest(first.clone()), digest(other), "{pointer}");
        }
    }
}
