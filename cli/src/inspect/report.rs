//! What is told of a file: as a line of JSON, in words, or as a line of a table.

use std::path::Path;

use serde::Serialize;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::inspection::Facts;
use vestibule_domain::rejection::Rejection;

use crate::{facts, terminal};

/// Letters of a type in a line of the table.
const TYPE_COLUMNS: usize = 26;

/// A file and what is told of it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// Its path as it was walked, in UTF-8 as far as it is that.
    pub(super) file: String,
    /// Its length, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<u64>,
    /// The type that it was examined as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) declared: Option<ContentType>,
    #[serde(flatten)]
    pub(super) report: Report,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) millis: Option<u128>,
}

/// What is told of a file.
#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub(super) enum Report {
    Accepted {
        facts: Box<Facts>,
        thumbnails: Vec<Written>,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    Rejected {
        #[serde(flatten)]
        rejection: Rejection,
        /// How its child ended, where it gave no answer to be used: as `inspect.ended` in the function's log.
        #[serde(skip_serializing_if = "Option::is_none")]
        ended: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// Nothing is known of it: it could not be read, or the child could not be run.
    Failed { error: String },
}

/// A thumbnail without its bytes.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) content_type: ContentType,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) size: usize,
    /// Where it was written to, in UTF-8 as far as it is that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
}

impl Told {
    /// A file of which nothing is known.
    pub(super) fn failed(path: &Path, error: &anyhow::Error) -> Self {
        let report = Report::Failed { error: terminal::one_line(error) };
        Self { file: path.display().to_string(), size: None, declared: None, report, millis: None }
    }

    /// All of it in words, for one file.
    pub(super) fn in_words(&self) -> String {
        let about = match (self.size, &self.declared) {
            (Some(size), Some(declared)) => format!("  {size} bytes, declared as {declared}"),
            (Some(_) | None, _) => String::new(),
        };
        let (found, detail) = match &self.report {
            Report::Rejected { rejection, detail, .. } => {
                (format!("refused: {}\n  {}\n", rejection.code.as_str(), rejection.message), detail.as_deref())
            }
            Report::Accepted { facts, thumbnails, detail } => {
                let listed = thumbnails.iter().map(listed).collect::<String>();
                (format!("accepted: {}{listed}", described(facts)), detail.as_deref())
            }
            Report::Failed { error } => ("not examined\n".to_owned(), Some(error.as_str())),
        };
        let lines = detail.unwrap_or_default().lines().map(|line| format!("  {}", terminal::shown(line)));
        let detail = lines.collect::<Vec<_>>().join("\n");
        format!("{}{about}\n{found}{detail}", terminal::shown(&self.file)).trim_end().to_owned()
    }

    /// One line of a table: what became of it, its type, its size, its time, its path, and why.
    pub(super) fn in_a_line(&self) -> String {
        let (became, found, why) = match &self.report {
            Report::Accepted { facts, detail, .. } => ("accepted", facts.content_type.as_str(), detail.as_deref()),
            Report::Rejected { rejection, detail, .. } => (rejection.code.as_str(), "", detail.as_deref()),
            Report::Failed { error } => ("not examined", "", Some(error.as_str())),
        };
        let found = terminal::ending(found, TYPE_COLUMNS);
        let size = self.size.unwrap_or_default();
        let millis = self.millis.unwrap_or_default();
        let file = terminal::shown(&self.file);
        let why = why.map(|why| format!(": {}", terminal::shown(why))).unwrap_or_default();
        format!("{became:<18}  {found:<TYPE_COLUMNS$}  {size:>10} bytes  {millis:>5} ms  {file}{why}")
    }
}

fn described(facts: &Facts) -> String {
    let mut lines = vec![facts::in_words(facts)];
    lines.append(&mut facts::pictured(facts));
    lines.extend(facts.sha256.map(|digest| format!("SHA-256 {digest}")));
    lines.join("\n  ") + "\n"
}

fn listed(thumbnail: &Written) -> String {
    let Written { name, content_type, width, height, size, file } = thumbnail;
    let place = file.as_ref().map(|file| format!("  {}", terminal::shown(file))).unwrap_or_default();
    format!("  {name:>4}  {width} × {height}  {content_type}  {size} bytes{place}\n")
}

#[cfg(test)]
mod tests {
    use vestibule_domain::rejection::RejectionCode;

    use super::*;

    fn told(report: Report) -> Told {
        let declared = Some(ContentType::octet_stream());
        Told { file: "a\u{1b}.png".to_owned(), size: Some(99), declared, report, millis: Some(7) }
    }

    fn accepted() -> Report {
        let facts = Facts { width: Some(3), height: Some(2), ..Facts::of_type("image/png".parse().unwrap()) };
        let thumbnails = vec![Written {
            name: "320".to_owned(),
            content_type: "image/jpeg".parse().unwrap(),
            width: 3,
            height: 2,
            size: 700,
            file: Some("out\u{1b}/320.jpg".to_owned()),
        }];
        Report::Accepted { facts: Box::new(facts), thumbnails, detail: None }
    }

    fn rejected(code: RejectionCode, ended: Option<&'static str>) -> Report {
        Report::Rejected { rejection: code.into(), ended, detail: Some("no IEND".to_owned()) }
    }

    #[test]
    fn a_report_is_told_in_words() {
        assert_eq!(
            told(accepted()).in_words(),
            "a.png  99 bytes, declared as application/octet-stream\n\
             accepted: image/png, 3 × 2 pixels\n   320  3 × 2  image/jpeg  700 bytes  out/320.jpg"
        );
        assert_eq!(
            told(rejected(RejectionCode::Damaged, None)).in_words(),
            "a.png  99 bytes, declared as application/octet-stream\n\
             refused: damaged\n  This file is damaged or incomplete. Please try sending it again.\n  no IEND"
        );
    }

    #[test]
    fn a_report_is_told_in_a_line() {
        let failed = Told::failed(Path::new("b"), &anyhow::anyhow!("no").context("cannot read"));
        for (told, expected) in [
            (told(accepted()), "accepted            image/png                           99 bytes      7 ms  a.png"),
            (
                told(rejected(RejectionCode::Damaged, None)),
                "damaged                                                 99 bytes      7 ms  a.png: no IEND",
            ),
            (failed, "not examined                                             0 bytes      0 ms  b: cannot read: no"),
        ] {
            assert_eq!(told.in_a_line(), expected);
        }
    }

    #[test]
    fn a_long_type_keeps_to_its_column() {
        let office = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let facts = Box::new(Facts::of_type(office.parse().unwrap()));
        let line = told(Report::Accepted { facts, thumbnails: Vec::new(), detail: None }).in_a_line();
        assert_eq!(line, "accepted            …wordprocessingml.document          99 bytes      7 ms  a.png");
    }

    #[test]
    fn a_report_is_told_in_json() {
        let json = |told: &Told| serde_json::to_value(told).unwrap();
        let told = json(&told(rejected(RejectionCode::InspectionFailed, Some("deadline"))));
        let expected = serde_json::json!({
            "file": "a\u{1b}.png", "size": 99, "declared": "application/octet-stream", "verdict": "rejected", "code": "inspection-failed",
            "message": RejectionCode::InspectionFailed.sentence(), "ended": "deadline", "detail": "no IEND", "millis": 7,
        });
        assert_eq!(told, expected);
        let failed = json(&Told::failed(Path::new("b"), &anyhow::anyhow!("no")));
        assert_eq!(failed, serde_json::json!({ "file": "b", "verdict": "failed", "error": "no" }));
    }
}
