//! A version in the inbox: a line for people, an object for programs.

use indicatif::HumanBytes;
use serde::Serialize;
use vestibule_domain::hall::{Class, Next};
use vestibule_domain::id::UserId;
use vestibule_domain::timestamp::Timestamp;
use vestibule_store::hall::Standee;

use crate::inbox::duration;
use crate::terminal;

/// What is told of a version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row<'a> {
    key: &'a str,
    version: &'a str,
    size: u64,
    uploaded_at: Timestamp,
    age_seconds: u64,
    class: Class,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    tries: u32,
    /// What the sweep does about it.
    next: Next,
    /// The sender, where the message is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<&'a UserId>,
    #[serde(skip)]
    age: String,
}

impl<'a> Row<'a> {
    /// The row of a version.
    pub(crate) fn of(version: &'a Standee, now: Timestamp) -> Self {
        Self {
            key: &version.key,
            version: &version.version,
            size: version.size,
            uploaded_at: version.uploaded_at,
            age_seconds: duration::age_seconds(version.uploaded_at, now),
            class: version.standing.class,
            code: version.standing.code.as_deref(),
            tries: version.work.as_ref().map_or(0, |work| work.tries),
            next: version.standing.next,
            sender: version.message.as_ref().map(|message| &message.author),
            age: duration::age(version.uploaded_at, now),
        }
    }

    /// The names of the columns.
    pub(crate) fn head() -> String {
        columns(["AGE", "SIZE", "CLASS", "TRIES", "SWEEP", "SENDER", "KEY@VERSION"])
    }

    /// The row, in its columns.
    pub(crate) fn in_words(&self) -> String {
        let size = HumanBytes(self.size).to_string();
        let class = classed(self.class, self.code);
        let tries = self.tries.to_string();
        let sender = self.sender.map_or("-", |sender| sender.as_str());
        let place = format!("{}@{}", terminal::shown(self.key), terminal::shown(self.version));
        columns([&self.age, &size, &class, &tries, self.next.as_str(), sender, &place])
    }
}

/// The class, with its code where it has one.
pub(crate) fn classed(class: Class, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("{class}({})", terminal::shown(code)),
        None => class.to_string(),
    }
}

fn columns([age, size, class, tries, next, sender, place]: [&str; 7]) -> String {
    format!("{age:>5} {size:>11}  {class:<24} {tries:>5}  {next:<8}  {sender:<36}  {place}")
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;
    use vestibule_domain::hall::Standing;
    use vestibule_domain::work::{Failure, Work};

    use super::*;

    /// A version of a message of anna's.
    pub(crate) fn standee(class: Class, code: Option<&str>, uploaded_at: Timestamp) -> Standee {
        let (room, attachment) = ("01jd3v8q0zk5w6x7y8z9abcdef", "01jd3v8q0zk5w6x7y8z9abcdeg");
        let moment = Timestamp::from_millis(0);
        let message = json!({
            "room": room, "seq": 1, "ver": 1, "by": "anna", "cause": "sent", "at": moment, "author": "anna", "createdAt": moment,
        });
        let key = format!("{room}/000000000001/{attachment}");
        let is_ours = class != Class::UnknownKey;
        let upload = vestibule_store::objects::InboxVersion {
            key: key.parse().unwrap(),
            version: "v1".parse().unwrap(),
            size: 3000,
        };
        let work = code.map(|code| Work {
            tries: 2,
            failure: Some(Failure::new(code, "x", uploaded_at)),
            ..serde_json::from_value(json!({ "version": "v1" })).unwrap()
        });
        Standee {
            key: if is_ours { key } else { "holiday\u{1b}[2J.jpg".to_owned() },
            version: "v1".to_owned(),
            size: 3000,
            uploaded_at,
            upload: is_ours.then_some(upload),
            message: is_ours.then(|| serde_json::from_value(message).unwrap()),
            work,
            standing: Standing { class, code: code.map(ToOwned::to_owned), next: Next::Drive },
        }
    }

    #[test]
    fn a_row_is_aligned_and_a_key_cannot_write_on_the_terminal() {
        let now = Timestamp::from_millis(7_500_000);
        let failed = standee(Class::Failed, Some("SlowDown"), Timestamp::from_millis(0));
        let unknown = standee(Class::UnknownKey, None, now);
        let rows = [&failed, &unknown].map(|version| Row::of(version, now).in_words());
        insta::assert_snapshot!([Row::head(), rows.join("\n")].join("\n"));
    }

    #[test]
    fn a_row_is_an_object_for_programs() {
        let now = Timestamp::from_millis(7_500_000);
        let failed = standee(Class::Failed, Some("SlowDown"), Timestamp::from_millis(0));
        let unknown = standee(Class::UnknownKey, None, now);
        let rows = [&failed, &unknown].map(|version| serde_json::to_string(&Row::of(version, now)).unwrap());
        insta::assert_snapshot!(rows.join("\n"));
    }
}
