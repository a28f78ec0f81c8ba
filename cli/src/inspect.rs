//! `vestibule inspect FILE`: what would ingest say of this file? Offline, with the same probe, in the same kind of child.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::inspection::{Facts, Inspection, Thumbnail};
use vestibule_domain::policy::InspectPolicy;
use vestibule_domain::rejection::Rejection;
use vestibule_inspect::examine::{Claim, examine};
use vestibule_inspect::layers::hide_this_process;
use vestibule_inspect::sandbox::{Budget, Sandbox};
use vestibule_inspect::source::Source;
use vestibule_media::probe::Verdict;

use crate::args::Global;
use crate::outgoing::suggested;
use crate::{REFUSED, terminal};

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to examine
    file: PathBuf,
    /// Write the thumbnails into this folder, as 320.jpg and 1280.jpg (or .png, .webp)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The content type that a sender would declare [default: what the file's name suggests]
    #[arg(long = "type", value_name = "TYPE")]
    content_type: Option<ContentType>,
}

/// What is told of a file.
#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Report {
    Accepted {
        facts: Facts,
        thumbnails: Vec<Written>,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    Rejected {
        #[serde(flatten)]
        rejection: Rejection,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

/// A thumbnail without its bytes.
#[derive(Debug, Serialize)]
struct Written {
    name: String,
    #[serde(rename = "type")]
    content_type: ContentType,
    width: u32,
    height: u32,
    size: usize,
    /// Where it was written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

/// Examines the file and says what was found.
///
/// # Errors
/// When the file cannot be read, the examination cannot be run, or a thumbnail cannot be written.
pub async fn run(global: &Global, args: &Args) -> anyhow::Result<ExitCode> {
    let file = tokio::fs::File::open(&args.file).await.with_context(|| args.file.display().to_string())?;
    let about = file.metadata().await.with_context(|| args.file.display().to_string())?;
    anyhow::ensure!(about.is_file(), "{} is not a file", args.file.display());
    let declared = args.content_type.clone().unwrap_or_else(|| suggested(&args.file));
    let claim = Claim { size: about.len(), content_type: declared.clone(), sha256: None };
    hide_this_process()?;
    let sandbox = Sandbox::of_this_executable(Budget::default())?;
    let answered = examine(&sandbox, &mut Source::File(file), claim, &InspectPolicy::default())
        .await?
        .with_context(|| format!("{} has gone", args.file.display()))?;
    let detail = answered.examination.detail;
    let report = match answered.examination.verdict {
        Verdict::Accepted(found) => {
            let Inspection { facts, thumbnails } = *found;
            Report::Accepted { facts, thumbnails: write(thumbnails, args.out.as_deref()).await?, detail }
        }
        Verdict::Rejected(rejection) => Report::Rejected { rejection, detail },
    };
    if global.json {
        terminal::print_json(&report)?;
    } else {
        terminal::print(&told(&args.file, about.len(), &declared, &report))?;
    }
    Ok(match report {
        Report::Accepted { .. } => ExitCode::SUCCESS,
        Report::Rejected { .. } => ExitCode::from(REFUSED),
    })
}

async fn write(thumbnails: Vec<Thumbnail>, folder: Option<&Path>) -> anyhow::Result<Vec<Written>> {
    if let Some(folder) = folder {
        tokio::fs::create_dir_all(folder).await.with_context(|| folder.display().to_string())?;
    }
    let mut written = Vec::new();
    for Thumbnail { name, content_type, width, height, bytes } in thumbnails {
        let file = folder.map(|folder| folder.join(format!("{name}.{}", extension(&content_type))));
        if let Some(file) = &file {
            tokio::fs::write(file, &bytes.0).await.with_context(|| file.display().to_string())?;
        }
        written.push(Written { name, content_type, width, height, size: bytes.0.len(), file });
    }
    Ok(written)
}

fn extension(content_type: &ContentType) -> &str {
    match content_type.as_str() {
        "image/jpeg" => "jpg",
        other => other.split('/').next_back().unwrap_or("bin"),
    }
}

/// The report in words.
fn told(file: &Path, size: u64, declared: &ContentType, report: &Report) -> String {
    let mut text = format!("{}  {size} bytes, declared as {declared}\n", file.display());
    let lines = match report {
        Report::Rejected { rejection, .. } => {
            format!("refused: {}\n  {}\n", rejection.code.as_str(), rejection.message)
        }
        Report::Accepted { facts, thumbnails, .. } => {
            format!("accepted: {}{}", described(facts), thumbnails.iter().map(listed).collect::<String>())
        }
    };
    text.push_str(&lines);
    match report {
        Report::Accepted { detail: Some(detail), .. } | Report::Rejected { detail: Some(detail), .. } => {
            text.push_str("  ");
            text.push_str(detail);
        }
        Report::Accepted { .. } | Report::Rejected { .. } => {}
    }
    text.trim_end().to_owned()
}

fn described(facts: &Facts) -> String {
    let pixels = facts.width.zip(facts.height).map(|(width, height)| format!(", {width} × {height} pixels"));
    let frames = facts.frames.map(|frames| format!(", {frames} frames"));
    let digest = facts.sha256.map(|digest| format!("  SHA-256 {digest}\n"));
    let (pixels, frames, digest) = (pixels.unwrap_or_default(), frames.unwrap_or_default(), digest.unwrap_or_default());
    format!("{}{pixels}{frames}\n{digest}", facts.content_type)
}

fn listed(thumbnail: &Written) -> String {
    let Written { name, content_type, width, height, size, file } = thumbnail;
    let place = file.as_ref().map(|file| format!("  {}", file.display())).unwrap_or_default();
    format!("  {name:>4}  {width} × {height}  {content_type}  {size} bytes{place}\n")
}

#[cfg(test)]
mod tests {
    use vestibule_domain::rejection::RejectionCode;

    use super::*;

    #[test]
    fn the_name_suggests_what_a_browser_would_declare() {
        for (name, expected) in [
            ("a.JPG", "image/jpeg"),
            ("b.png", "image/png"),
            ("c.csv", "text/csv"),
            ("d", "application/octet-stream"),
            ("e.made-up", "application/octet-stream"),
        ] {
            assert_eq!(suggested(Path::new(name)).as_str(), expected);
        }
    }

    #[test]
    fn a_report_is_told_in_words() {
        let facts = Facts { width: Some(3), height: Some(2), ..Facts::of_type("image/png".parse().unwrap()) };
        let thumbnails = vec![Written {
            name: "320".to_owned(),
            content_type: "image/jpeg".parse().unwrap(),
            width: 3,
            height: 2,
            size: 700,
            file: Some("out/320.jpg".into()),
        }];
        let accepted = Report::Accepted { facts, thumbnails, detail: None };
        let declared = ContentType::octet_stream();
        assert_eq!(
            told(Path::new("a.png"), 99, &declared, &accepted),
            "a.png  99 bytes, declared as application/octet-stream\n\
             accepted: image/png, 3 × 2 pixels\n   320  3 × 2  image/jpeg  700 bytes  out/320.jpg"
        );
        let rejected =
            Report::Rejected { rejection: RejectionCode::Damaged.into(), detail: Some("no IEND".to_owned()) };
        assert_eq!(
            told(Path::new("a.png"), 99, &declared, &rejected),
            "a.png  99 bytes, declared as application/octet-stream\n\
             refused: damaged\n  This file is damaged or incomplete. Please try sending it again.\n  no IEND"
        );
        let json = serde_json::to_value(&rejected).unwrap();
        assert_eq!((&json["verdict"], &json["code"]), (&"rejected".into(), &"damaged".into()));
    }
}
