//! `vestibule inspect PATH…`: what would ingest say of these files? Offline, with the same probe, in the same kind of child.

mod report;
mod totals;
mod walk;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use futures::StreamExt as _;
use tokio::time::Instant;
use vestibule_domain::content_type::ContentType;
use vestibule_domain::inspection::{Inspection, Thumbnail};
use vestibule_domain::policy::InspectPolicy;
use vestibule_inspect::ended::Ended;
use vestibule_inspect::examine::{Claim, examine};
use vestibule_inspect::layers::hide_this_process;
use vestibule_inspect::sandbox::{Budget, Sandbox};
use vestibule_inspect::source::Source;
use vestibule_media::probe::Verdict;

use self::report::{Report, Told, Written};
use self::totals::Totals;
use self::walk::{Unreadable, Walk};
use crate::args::Global;
use crate::outgoing::suggested;
use crate::terminal;

/// Longest part of a file's name in the name of its folder of thumbnails, in bytes: a name may have 255.
const MAX_FOLDER_NAME: usize = 100;

/// What to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Folders are walked in the order of their names; symbolic links in them are not followed, and what is no file is passed over. What is \
told comes in that order, with --json as one object a line, of a file that cannot be read too. For more than one file a line of totals \
ends it, with --json on standard error; its crashes are files at which the process that looks at them ended by a panic or a signal or \
broke its rules. Exit codes: 0 all are accepted, 3 one is refused, 1 one could not be examined.")]
pub struct Args {
    /// The files to examine, and folders with such files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write the thumbnails into this folder, as 320.jpg and 1280.jpg (or .png, .webp); of several files into a folder each,
    /// called after the file's place and name, as in 00001-photo.jpg
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The content type that a sender would declare [default: what the file's name suggests]
    #[arg(long = "type", value_name = "TYPE")]
    content_type: Option<ContentType>,
    /// How many files to examine at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// What holds for all files.
struct Examiner<'a> {
    sandbox: Sandbox,
    policy: InspectPolicy,
    content_type: Option<&'a ContentType>,
}

/// Examines the files and says what was found.
///
/// # Errors
/// When one file is asked for, without `--json`, and it cannot be read, the examination cannot be run or a thumbnail cannot be written. With
/// `--json`, and of several files, those that cannot be examined are told of and counted.
pub async fn run(global: &Global, args: &Args) -> anyhow::Result<ExitCode> {
    hide_this_process()?;
    let examiner = Examiner {
        sandbox: Sandbox::of_this_executable(Budget::default())?,
        policy: InspectPolicy::default(),
        content_type: args.content_type.as_ref(),
    };
    match &args.paths[..] {
        [file] if !file.is_dir() => one(global, &examiner, file, args.out.as_deref()).await,
        several => many(global, &examiner, several, args).await,
    }
}

/// One file, with all that is known of it.
async fn one(global: &Global, examiner: &Examiner<'_>, file: &Path, out: Option<&Path>) -> anyhow::Result<ExitCode> {
    let told = match examiner.examine(file, out).await {
        // Whoever reads JSON gets an object for each file.
        Err(error) if global.json => Told::failed(file, &error),
        told => told.with_context(|| file.display().to_string())?,
    };
    if global.json {
        terminal::print_json(&told)?;
    } else {
        terminal::print(&told.in_words())?;
    }
    let mut totals = Totals::default();
    totals.add(&told);
    Ok(totals.exit_code())
}

/// Several files, a line each, in the order of the walk.
async fn many(global: &Global, examiner: &Examiner<'_>, paths: &[PathBuf], args: &Args) -> anyhow::Result<ExitCode> {
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let at_once = args.jobs.unwrap_or(processors).get();
    let work = Walk::over(paths).zip(1_usize..).map(|(step, place)| async move {
        match step {
            Err(Unreadable { path, error }) => Told::failed(&path, &error.into()),
            Ok(path) => {
                let folder = args.out.as_ref().map(|out| out.join(folder_name(place, &path)));
                let told = examiner.examine(&path, folder.as_deref()).await;
                told.unwrap_or_else(|error| Told::failed(&path, &error))
            }
        }
    });
    let mut ends = std::pin::pin!(futures::stream::iter(work).buffered(at_once));
    let mut totals = Totals::default();
    while let Some(told) = ends.next().await {
        totals.add(&told);
        if global.json {
            terminal::print_json(&told)?;
        } else {
            terminal::print(&told.in_a_line())?;
        }
    }
    if global.json {
        eprintln!("{totals}");
    } else {
        terminal::print(&totals.to_string())?;
    }
    if totals == Totals::default() {
        eprintln!("vestibule: there was nothing to examine");
    }
    Ok(totals.exit_code())
}

impl Examiner<'_> {
    async fn examine(&self, path: &Path, out: Option<&Path>) -> anyhow::Result<Told> {
        // Opening what is no file may never end.
        let about = tokio::fs::metadata(path).await?;
        anyhow::ensure!(about.is_file(), "not a file");
        let file = tokio::fs::File::open(path).await?;
        let declared = self.content_type.cloned().unwrap_or_else(|| suggested(path));
        let claim = Claim { size: about.len(), content_type: declared.clone(), sha256: None };
        let began = Instant::now();
        let answered =
            examine(&self.sandbox, &mut Source::File(file), claim, &self.policy).await?.context("it has gone")?;
        let millis = began.elapsed().as_millis();
        let detail = answered.examination.detail;
        let report = match answered.examination.verdict {
            Verdict::Accepted(found) => {
                let Inspection { facts, thumbnails } = *found;
                Report::Accepted { facts: Box::new(facts), thumbnails: write(thumbnails, out).await?, detail }
            }
            Verdict::Rejected(rejection) => {
                Report::Rejected { ended: answered.ended.map(Ended::as_str), rejection, detail }
            }
        };
        let file = path.display().to_string();
        Ok(Told { file, size: Some(about.len()), declared: Some(declared), report, millis: Some(millis) })
    }
}

/// Writes the thumbnails into `folder`, which is made if there are any.
async fn write(thumbnails: Vec<Thumbnail>, folder: Option<&Path>) -> anyhow::Result<Vec<Written>> {
    if let Some(folder) = folder.filter(|_| !thumbnails.is_empty()) {
        tokio::fs::create_dir_all(folder).await.with_context(|| folder.display().to_string())?;
    }
    let mut written = Vec::new();
    for Thumbnail { name, content_type, width, height, bytes } in thumbnails {
        let file = folder.map(|folder| folder.join(format!("{name}.{}", extension(&content_type))));
        if let Some(file) = &file {
            tokio::fs::write(file, &bytes.0).await.with_context(|| file.display().to_string())?;
        }
        let file = file.map(|file| file.display().to_string());
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

/// The folder for the thumbnails of the file at this place of the walk. The place makes it the only one of its name.
fn folder_name(place: usize, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kept = |letter: char| if letter.is_ascii_alphanumeric() || ".-_".contains(letter) { letter } else { '_' };
    format!("{place:05}-{}", name.chars().take(MAX_FOLDER_NAME).map(kept).collect::<String>())
}

#[cfg(test)]
mod tests {
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
    fn a_folder_of_thumbnails_is_one_short_plain_name() {
        for (path, expected) in [
            ("x/photo.jpg", "00007-photo.jpg"),
            ("../..", "00007-"),
            ("a\n\u{202e}b c", "00007-a__b_c"),
            ("é", "00007-_"),
        ] {
            assert_eq!(folder_name(7, Path::new(path)), expected);
        }
        assert_eq!(folder_name(1, Path::new(&"ü".repeat(127))).len(), 6 + MAX_FOLDER_NAME);
    }
}
