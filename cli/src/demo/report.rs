//! What became of each file: a row for people, an entry of `report.json` for programs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};
use serde::Serialize;
use vestibule_domain::id::{AttachmentId, MessageSeq, RoomId};
use vestibule_domain::timestamp::Timestamp;

use crate::api::{Attachment, Variant};
use crate::demo::files::{Expected, Input};
use crate::terminal::ending;

/// What the demo found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The stack.
    pub(crate) stack: String,
    /// The room that the files were sent in.
    pub(crate) room: RoomId,
    /// The files, in the order in which they were sent.
    pub(crate) files: Vec<FileReport>,
    /// Object versions that are still in the inbox.
    pub(crate) inbox_left: usize,
    /// Changes of the messages: each was sent, and each file was decided.
    pub(crate) changes: usize,
    /// How many distinct changes the sender was told of over the WebSocket.
    pub(crate) pushes: usize,
    /// How many distinct changes are in the archive.
    pub(crate) archived: usize,
}

/// What became of one file.
#[derive(Debug, Serialize)]
pub(crate) struct FileReport {
    /// The file's name.
    pub(crate) name: String,
    /// The content type it was declared as.
    pub(crate) declared: String,
    /// The content type found in its bytes; absent when it was refused.
    pub(crate) found: Option<String>,
    /// Its bytes.
    pub(crate) bytes: u64,
    /// `ready`, `rejected`, or `pending` when it was not decided in time.
    pub(crate) state: String,
    /// The code of its rejection.
    pub(crate) rejection: Option<String>,
    /// Pixels across, as shown.
    pub(crate) width: Option<u32>,
    /// Pixels down, as shown.
    pub(crate) height: Option<u32>,
    /// Its thumbnails by name.
    pub(crate) variants: BTreeMap<String, Variant>,
    /// Milliseconds from the end of its upload to its decision.
    pub(crate) millis: Option<u64>,
    /// Where the file is.
    pub(crate) path: String,
    /// The message's place in the room.
    pub(crate) seq: MessageSeq,
    /// The attachment.
    pub(crate) id: AttachmentId,
    /// Pictures in an animation.
    pub(crate) frames: Option<u32>,
    /// What is not as the fixture's manifest says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unexpected: Vec<String>,
}

impl FileReport {
    /// What the API says of `input`, which was uploaded at `uploaded`.
    pub(crate) fn new(input: &Input, seq: MessageSeq, uploaded: Timestamp, attachment: &Attachment) -> Self {
        let facts = attachment.facts.as_ref();
        let mut report = Self {
            name: input.file.name.clone(),
            declared: input.file.declared.to_string(),
            found: facts.map(|facts| facts.content_type.to_string()),
            bytes: input.file.size,
            state: attachment.state.clone(),
            rejection: attachment.rejection.as_ref().map(|rejection| rejection.code.as_str().to_owned()),
            width: facts.and_then(|facts| facts.width),
            height: facts.and_then(|facts| facts.height),
            variants: attachment.variants.clone(),
            // The two clocks may differ by a little, and on AWS they do.
            millis: attachment.decided_at.map(|at| u64::try_from(at.millis() - uploaded.millis()).unwrap_or(0)),
            path: input.file.path.display().to_string(),
            seq,
            id: attachment.id.clone(),
            frames: facts.and_then(|facts| facts.frames),
            unexpected: Vec::new(),
        };
        report.unexpected = input.expected.as_ref().map(|expected| report.differences(expected)).unwrap_or_default();
        report
    }

    /// Whether it was decided, and as expected.
    pub(crate) fn is_fine(&self) -> bool {
        self.is_decided() && self.unexpected.is_empty()
    }

    fn is_decided(&self) -> bool {
        self.state != "pending"
    }

    fn differences(&self, expected: &Expected) -> Vec<String> {
        fn shown<T: std::fmt::Display>(value: Option<T>) -> String {
            value.map_or_else(|| "none".to_owned(), |value| value.to_string())
        }
        let promised = [
            ("state", Some(expected.state.clone()), self.state.clone()),
            ("rejection", expected.code.clone(), shown(self.rejection.as_ref())),
            ("type", expected.content_type.clone(), shown(self.found.as_ref())),
            ("width", expected.width.map(|pixels| pixels.to_string()), shown(self.width)),
            ("height", expected.height.map(|pixels| pixels.to_string()), shown(self.height)),
            ("frames", expected.frames.map(|frames| frames.to_string()), shown(self.frames)),
        ];
        let differs = |(what, promised, is): (&str, Option<String>, String)| {
            promised.filter(|promised| *promised != is).map(|promised| format!("{what} is {is}, not {promised}"))
        };
        promised.into_iter().filter_map(differs).collect()
    }

    fn state_or_rejection(&self) -> String {
        self.rejection.as_ref().map_or_else(|| self.state.clone(), |code| format!("{}: {code}", self.state))
    }

    fn pixels(&self) -> String {
        self.width.zip(self.height).map(|(width, height)| format!("{width} × {height}")).unwrap_or_default()
    }

    fn variants(&self) -> String {
        let mut variants: Vec<&Variant> = self.variants.values().collect();
        variants.sort_by_key(|variant| (variant.width, variant.height));
        let sizes: Vec<_> = variants.iter().map(|variant| format!("{} × {}", variant.width, variant.height)).collect();
        sizes.join(", ")
    }
}

impl Report {
    /// What is wrong, a line each; nothing when all went well.
    pub(crate) fn problems(&self) -> Vec<String> {
        let of_file = |file: &FileReport| {
            if file.is_decided() { file.unexpected.join(", ") } else { "was not decided in time".to_owned() }
        };
        let wrong = self.files.iter().filter(|file| !file.is_fine());
        let mut problems: Vec<String> = wrong.map(|file| format!("{}: {}", file.name, of_file(file))).collect();
        if self.inbox_left > 0 {
            problems.push(format!("{} objects were left in the inbox", self.inbox_left));
        }
        for (what, count) in [("pushed", self.pushes), ("archived", self.archived)] {
            if count != self.changes {
                problems.push(format!("{count} changes were {what}, not {}", self.changes));
            }
        }
        problems
    }

    /// One row per file.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(["name", "declared", "found", "bytes", "state or rejection", "pixels", "variants", "ms"]);
        for file in &self.files {
            table.add_row([
                Cell::new(&file.name),
                Cell::new(ending(&file.declared, TYPE_COLUMNS)),
                Cell::new(ending(file.found.as_deref().unwrap_or_default(), TYPE_COLUMNS)),
                Cell::new(file.bytes).set_alignment(CellAlignment::Right),
                Cell::new(file.state_or_rejection()),
                Cell::new(file.pixels()).set_alignment(CellAlignment::Right),
                Cell::new(file.variants()),
                Cell::new(file.millis.map(|millis| millis.to_string()).unwrap_or_default())
                    .set_alignment(CellAlignment::Right),
            ]);
        }
        format!(
            "{table}\nobjects left in the inbox: {}\nchanges of messages: {}, pushed: {}, archived: {}",
            self.inbox_left, self.changes, self.pushes, self.archived
        )
    }

    /// Writes `report.json`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let cannot_write = || format!("cannot write {}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(cannot_write)?;
        }
        fs::write(path, serde_json::to_string_pretty(self)? + "\n").with_context(cannot_write)
    }
}

/// Letters of a type in the table: those of Office documents have more than seventy, and end in what tells them apart.
const TYPE_COLUMNS: usize = 28;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::Outgoing;

    fn input(expected: Expected) -> Input {
        Input {
            file: Outgoing {
                path: "/tmp/a.jpg".into(),
                name: "a.jpg".to_owned(),
                size: 12_345,
                declared: "image/jpeg".parse().unwrap(),
            },
            expected: Some(expected),
        }
    }

    fn report(files: Vec<FileReport>) -> Report {
        let room = "01jd3v8q0zk5w6x7y8z9abcdef".parse().unwrap();
        Report { stack: "vestibule".to_owned(), room, files, inbox_left: 0, changes: 3, pushes: 3, archived: 3 }
    }

    fn attachment(json: &serde_json::Value) -> Attachment {
        let mut attachment = serde_json::json!({ "id": "01jd3v8q0zk5w6x7y8z9abcdeg" });
        attachment.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
        serde_json::from_value(attachment).unwrap()
    }

    fn file(expected: Expected, json: &serde_json::Value) -> FileReport {
        let (seq, uploaded) = (MessageSeq::try_from(1).unwrap(), Timestamp::from_millis(1000));
        FileReport::new(&input(expected), seq, uploaded, &attachment(json))
    }

    fn ready() -> serde_json::Value {
        serde_json::json!({
            "state": "ready", "decidedAt": "1970-01-01T00:00:01.250Z",
            "facts": { "type": "image/jpeg", "width": 3000, "height": 4000 },
            "variants": {
                "1280": { "type": "image/jpeg", "width": 960, "height": 1280, "size": 9 },
                "320": { "type": "image/jpeg", "width": 240, "height": 320, "size": 3 },
            },
        })
    }

    fn refused() -> serde_json::Value {
        let rejection = serde_json::json!({ "code": "damaged", "message": "This file is damaged." });
        serde_json::json!({ "state": "rejected", "decidedAt": "1970-01-01T00:00:00.900Z", "rejection": rejection })
    }

    #[test]
    fn a_report_has_an_entry_and_a_row_for_each_file() {
        let rejected =
            Expected { state: "rejected".to_owned(), code: Some("damaged".to_owned()), ..Expected::default() };
        let as_said = Expected { state: "ready".to_owned(), width: Some(3000), ..Expected::default() };
        let report = report(vec![file(as_said, &ready()), file(rejected, &refused())]);
        assert_eq!(report.problems(), Vec::<String>::new());
        insta::assert_snapshot!(report.table());
        insta::assert_json_snapshot!(report);
    }

    #[test]
    fn what_went_wrong_is_named() {
        let expected = Expected {
            state: "ready".to_owned(),
            content_type: Some("image/jpeg".to_owned()),
            width: Some(1),
            ..Expected::default()
        };
        let pending = serde_json::json!({ "state": "pending" });
        let mut report = report(vec![file(expected.clone(), &refused()), file(expected, &pending)]);
        report.inbox_left = 1;
        report.archived = 2;
        let refused = "a.jpg: state is rejected, not ready, type is none, not image/jpeg, width is none, not 1";
        let problems = [
            refused,
            "a.jpg: was not decided in time",
            "1 objects were left in the inbox",
            "2 changes were archived, not 3",
        ];
        assert_eq!(report.problems(), problems);
    }
}
