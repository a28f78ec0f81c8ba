//! What happened to one attachment, in the order of time: from its document, the hints about its tries, and the inbox.

use indicatif::HumanBytes;
use serde::Serialize;
use vestibule_domain::attachment::Attachment;
use vestibule_domain::id::AttachmentId;
use vestibule_domain::message::Message;
use vestibule_domain::timestamp::Timestamp;
use vestibule_domain::work::Work;
use vestibule_store::hall::Standee;

use crate::terminal;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    /// When.
    pub(crate) at: Timestamp,
    /// What, in a word.
    pub(crate) what: &'static str,
    /// To which version, when to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// The rest, in words.
    pub(crate) detail: String,
}

/// All that is known to have happened.
pub(crate) fn events(
    attachment: &AttachmentId,
    message: Option<&Message>,
    works: &[Work],
    standing: &[Standee],
) -> Vec<Event> {
    let mut events: Vec<Event> = message.into_iter().flat_map(|message| of_message(message, attachment)).collect();
    events.extend(standing.iter().map(uploaded));
    events.extend(works.iter().flat_map(of_work));
    events.sort_by_key(|event| event.at);
    events
}

/// The arrival of a version that is still there.
pub(crate) fn uploaded(version: &Standee) -> Event {
    let detail = HumanBytes(version.size).to_string();
    Event { at: version.uploaded_at, what: "uploaded", version: Some(version.version.clone()), detail }
}

fn of_message(message: &Message, attachment: &AttachmentId) -> Vec<Event> {
    let mut events = Vec::new();
    let mut add = |at, what, version: Option<&str>, detail: String| {
        events.push(Event { at, what, version: version.map(ToOwned::to_owned), detail });
    };
    let entry = message.attachment(attachment);
    let author = &message.author;
    match entry.and_then(Attachment::promise) {
        Some(promise) => {
            let (size, declared) = (HumanBytes(promise.size), &promise.declared_type);
            let name = terminal::shown(&promise.name);
            add(promise.created_at, "announced", None, format!("by {author}: {name:?}, {size}, as {declared}"));
        }
        None => add(message.created_at, "sent", None, format!("the message, by {author}")),
    }
    match entry {
        None | Some(Attachment::Pending(_)) => {}
        Some(Attachment::Ready(ready)) => {
            let thumbnails = ready.variants.len();
            let detail = format!("found to be {}, with {thumbnails} thumbnails", ready.facts.content_type);
            add(ready.decided_at, "ready", Some(ready.inbox_version.as_str()), detail);
        }
        Some(Attachment::Rejected(rejected)) => {
            let (code, sentence) = (rejected.rejection.code.as_str(), terminal::shown(&rejected.rejection.message));
            add(rejected.decided_at, "rejected", Some(rejected.inbox_version.as_str()), format!("{code}: {sentence}"));
        }
        Some(Attachment::Cancelled(cancelled)) => {
            add(cancelled.decided_at, "cancelled", None, "given up before it was decided".to_owned());
        }
        // The entry keeps nothing but the word, and the message may have changed since.
        Some(Attachment::Removed) => add(message.at, "removed", None, "the attachment, then or before".to_owned()),
    }
    if message.deleted {
        add(message.at, "deleted", None, format!("the message, by {}", terminal::shown(&message.by)));
    }
    events
}

fn of_work(work: &Work) -> Vec<Event> {
    let event = |at, what, detail| Event { at, what, version: Some(work.version.to_string()), detail };
    // A replay begins the count anew, so that of what was before it the count says nothing.
    let of_try = |number: Option<u32>| number.map_or_else(|| "a try".to_owned(), |number| format!("try {number}"));
    let begun = work.begun_at.map(|at| event(at, "begun", of_try(work.begun_try)));
    let failed = work.failure.as_ref().map(|failure| {
        let (code, message) = (terminal::shown(&failure.code), terminal::shown(&failure.message));
        event(failure.at, "failed", format!("{}: {code}: {message}", of_try(work.failed_try)))
    });
    let driven = work.driven_at.map(|at| {
        let detail = match work.drives {
            0 => "by an operator, whose replay begins the count anew".to_owned(),
            1 => "by the sweep".to_owned(),
            drives => format!("by the sweep, which has done so {drives} times in a row"),
        };
        event(at, "driven", detail)
    });
    [begun, failed, driven].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vestibule_domain::hall::Class;

    use super::*;
    use crate::inbox::row::tests::standee;

    #[test]
    fn the_hints_the_inbox_and_the_document_make_one_story() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let id = "01jd3v8q0zk5w6x7y8z9abcdeg";
        let message: Message = serde_json::from_value(json!({
            "room": "01jd3v8q0zk5w6x7y8z9abcdef", "seq": 1, "ver": 2, "by": "ingest", "cause": "attachment-rejected", "at": at(50),
            "author": "anna", "createdAt": at(0), "attachmentOrder": [id], "attachments": { id: {
                "state": "rejected", "id": id, "name": "a\u{1b}[2J.png", "size": 3000, "declaredType": "image/png", "createdAt": at(0),
                "inboxVersion": "v1", "decidedAt": at(50), "rejection": { "code": "damaged", "message": "This file is damaged." },
            } },
        }))
        .unwrap();
        let work: Work = serde_json::from_value(json!({
            "version": "v1", "tries": 2, "begunAt": at(40), "begunTry": 2, "drives": 1, "drivenAt": at(30),
            "failure": { "code": "SlowDown", "message": "S3: slow down", "at": at(20) }, "failedTry": 1,
        }))
        .unwrap();
        let standing = [standee(Class::Leftover, None, at(10))];
        let events = events(&id.parse().unwrap(), Some(&message), &[work], &standing);
        insta::assert_snapshot!(
            events.iter().map(|event| serde_json::to_string(event).unwrap()).collect::<Vec<_>>().join("\n")
        );
    }
    #[test]
    fn after_a_replay_each_try_keeps_its_number_and_none_is_made_up() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let mut work: Work = serde_json::from_value(json!({
            "version": "v1", "tries": 0, "begunAt": at(10), "begunTry": 5, "drives": 0, "drivenAt": at(30),
            "failure": { "code": "SlowDown", "message": "x", "at": at(20) }, "failedTry": 5,
        }))
        .unwrap();
        let told = |work: &Work| of_work(work).into_iter().map(|event| event.detail).collect::<Vec<_>>();
        let replayed = "by an operator, whose replay begins the count anew";
        assert_eq!(told(&work), ["try 5", "try 5: SlowDown: x", replayed]);
        (work.begun_try, work.failed_try) = (None, None);
        assert_eq!(told(&work), ["a try", "a try: SlowDown: x", replayed]);
    }
}
