//! Runs one child process per file: starts it, feeds it, limits its time, and always ends and reaps it.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};
use vestibule_domain::policy::{InspectLimits, InspectPolicy};
use vestibule_domain::rejection::RejectionCode;
use vestibule_media::VARIANTS;
use vestibule_media::probe::{Examination, MAX_RANGES, Subject, Verdict, longest_range};

use crate::child::{ARGUMENT, NOT_CONFINED};
use crate::error::InspectError;
use crate::frame::{self, Answer, Job, MAX_ANSWER_BYTES};
use crate::source::Source;

/// What of a child's standard error is kept for the logs, in bytes.
const MAX_STDERR_BYTES: u64 = 2048;
/// How long a child may take to end after it closed its output, and its standard error to close after that.
const LAST_BREATH: Duration = Duration::from_secs(2);
/// The types a thumbnail may have.
const THUMBNAIL_TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// What one file may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Address space, in bytes (`INSPECT_MEMORY_BYTES`).
    pub memory_bytes: u64,
    /// Processor time, in seconds (`INSPECT_CPU_SECONDS`).
    pub cpu_seconds: u64,
    /// Wall-clock time, not counting what is spent waiting for the file's bytes (`INSPECT_WALL_SECONDS`).
    pub wall: Duration,
}

impl Default for Budget {
    /// 2 GiB, 30 s, 45 s: the template's.
    fn default() -> Self {
        Self { memory_bytes: 2 * 1024 * 1024 * 1024, cpu_seconds: 30, wall: Duration::from_secs(45) }
    }
}

/// Starts children of one executable under one budget.
#[derive(Debug, Clone)]
pub struct Sandbox {
    program: PathBuf,
    arguments: Vec<OsString>,
    budget: Budget,
}

/// How a conversation with a child ended.
enum Ending {
    /// It answered.
    Answered { examination: Box<Examination>, filtered: bool },
    /// The file is no longer there.
    Gone,
    /// It closed its output without an answer: a panic, an abort, a limit.
    Silent,
    /// It broke the rules of the conversation.
    Misbehaved(String),
    /// It took too long.
    TimeUp,
}

/// A child's answer, judged.
#[derive(Debug)]
pub struct Answered {
    /// What it found, or the refusal that its failure means.
    pub examination: Examination,
    /// Whether it ran behind a system call filter; `None` when it did not get so far as to say.
    pub filtered: Option<bool>,
}

impl Sandbox {
    /// Children are this executable again, whose `main` must call [`crate::child::dispatch`] first.
    ///
    /// # Errors
    /// When the path of this executable is not to be had.
    pub fn of_this_executable(budget: Budget) -> io::Result<Self> {
        Ok(Self::of(std::env::current_exe()?, vec![ARGUMENT.into()], budget))
    }

    /// Children are `program` with `arguments`.
    pub fn of(program: PathBuf, arguments: Vec<OsString>, budget: Budget) -> Self {
        Self { program, arguments, budget }
    }

    /// Has a child examine `source`; `None` when the file is no longer there.
    ///
    /// # Errors
    /// When the source fails, or the child could not be started or confined. Whatever else goes wrong in the child is the
    /// file's fault, and refuses it.
    pub async fn examine(
        &self,
        source: &mut Source,
        subject: Subject,
        policy: &InspectPolicy,
    ) -> Result<Option<Answered>, InspectError> {
        let mut child = self.start().map_err(InspectError::Child)?;
        let stderr = tokio::spawn(last_words(child.stderr.take()));
        let ending = self.converse(&mut child, source, subject, policy).await;
        let breath = if matches!(ending, Ok(Ending::Silent)) { LAST_BREATH } else { Duration::ZERO };
        let status = end(&mut child, breath).await.map_err(InspectError::Child)?;
        let words = match timeout(LAST_BREATH, stderr).await {
            Ok(Ok(words)) => words,
            Ok(Err(_)) | Err(_) => String::new(),
        };
        let failure = match ending? {
            Ending::Gone => return Ok(None),
            Ending::Answered { examination, filtered } => match implausible(&examination) {
                None => return Ok(Some(Answered { examination: *examination, filtered: Some(filtered) })),
                Some(why) => why,
            },
            Ending::Silent if status.code() == Some(NOT_CONFINED.into()) => {
                return Err(InspectError::Confinement(words));
            }
            Ending::Silent => format!("the child ended with {status}"),
            Ending::Misbehaved(why) => why,
            Ending::TimeUp => format!("the child took more than {} s", self.budget.wall.as_secs_f32()),
        };
        let detail = if words.is_empty() { failure } else { format!("{failure}: {words}") };
        let verdict = Verdict::Rejected(RejectionCode::InspectionFailed.into());
        Ok(Some(Answered { examination: Examination { verdict, detail: Some(detail) }, filtered: None }))
    }

    fn start(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    async fn converse(
        &self,
        child: &mut Child,
        source: &mut Source,
        subject: Subject,
        policy: &InspectPolicy,
    ) -> Result<Ending, InspectError> {
        let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(InspectError::Child(io::Error::other("a child without pipes")));
        };
        let size = subject.size;
        let job = Job {
            subject,
            policy: policy.clone(),
            memory_bytes: self.budget.memory_bytes,
            cpu_seconds: self.budget.cpu_seconds,
        };
        let mut next = serde_json::to_vec(&job).map_err(|error| InspectError::Child(error.into()))?;
        let mut clock = Clock(self.budget.wall);
        for _ in 0..=MAX_RANGES + 1 {
            // A child that closed its input says more by its end than by the broken pipe.
            if clock.run(frame::send(&mut input, &next)).await.is_none() {
                return Ok(Ending::TimeUp);
            }
            let answer = match clock.run(frame::receive(&mut output, MAX_ANSWER_BYTES)).await {
                None => return Ok(Ending::TimeUp),
                Some(Ok(Some(frame))) => frame,
                Some(Ok(None)) => return Ok(Ending::Silent),
                Some(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Ending::Silent),
                Some(Err(error)) => return Ok(Ending::Misbehaved(error.to_string())),
            };
            match serde_json::from_slice(&answer) {
                Ok(Answer::Need { start, end }) if is_reasonable(&(start..end), size, &policy.limits) => {
                    match source.read(start..end).await? {
                        Some(bytes) => next = bytes,
                        None => return Ok(Ending::Gone),
                    }
                }
                Ok(Answer::Need { start, end }) => {
                    return Ok(Ending::Misbehaved(format!("it asked for {start}..{end} of {size} bytes")));
                }
                Ok(Answer::Done { examination, filtered }) => return Ok(Ending::Answered { examination, filtered }),
                Err(error) => return Ok(Ending::Misbehaved(format!("it spoke nonsense: {error}"))),
            }
        }
        Ok(Ending::Misbehaved("it asks for ever".to_owned()))
    }
}

/// The time a child has left. It runs only while the child computes or is fed, never while its bytes are fetched.
struct Clock(Duration);

impl Clock {
    async fn run<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let began = Instant::now();
        let done = timeout(self.0, work).await;
        self.0 = self.0.saturating_sub(began.elapsed());
        done.ok()
    }
}

/// Gives the child `breath` to end by itself, then kills it; reaps it either way.
async fn end(child: &mut Child, breath: Duration) -> io::Result<ExitStatus> {
    if !breath.is_zero()
        && let Ok(status) = timeout(breath, child.wait()).await
    {
        return status;
    }
    if let Some(status) = child.try_wait()? {
        return Ok(status);
    }
    child.start_kill()?;
    child.wait().await
}

/// Reads what the child complains about, up to the cap, and lets the rest go.
async fn last_words(stderr: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let mut words = Vec::new();
    let kept = (&mut stderr).take(MAX_STDERR_BYTES).read_to_end(&mut words).await;
    let rest = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    // A pipe that breaks has said all it will say.
    match (kept, rest) {
        (Ok(_) | Err(_), Ok(_) | Err(_)) => String::from_utf8_lossy(&words).trim().to_owned(),
    }
}

/// Whether a child may ask for this: inside the file, and no longer than the longest it has any use for.
fn is_reasonable(range: &Range<u64>, size: u64, limits: &InspectLimits) -> bool {
    range.start < range.end && range.end <= size && range.end - range.start <= longest_range(limits)
}

/// What of an answer no honest child would say.
fn implausible(examination: &Examination) -> Option<String> {
    let Verdict::Accepted(found) = &examination.verdict else { return None };
    let bad = found.thumbnails.iter().find(|made| {
        let known = VARIANTS.iter().any(|(name, side)| *name == made.name && made.width.max(made.height) <= *side);
        !known || !THUMBNAIL_TYPES.contains(&made.content_type.as_str())
    });
    match bad {
        Some(made) => Some(format!("it made a thumbnail {:?} of {}", made.name, made.content_type)),
        None if found.thumbnails.len() > VARIANTS.len() => Some("it made too many thumbnails".to_owned()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_runs_only_while_the_child_is_waited_for() {
        let mut clock = Clock(Duration::from_mins(1));
        assert_eq!(clock.run(std::future::ready(7)).await, Some(7));
        let left = clock.0;
        // The network's time.
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_millis(5) {
            tokio::task::yield_now().await;
        }
        assert_eq!(clock.0, left);
        let mut clock = Clock(Duration::from_millis(5));
        assert_eq!(clock.run(std::future::pending::<()>()).await, None);
        assert_eq!(clock.0, Duration::ZERO);
    }

    #[test]
    fn a_child_may_ask_for_a_range_inside_the_file_up_to_the_longest_it_needs() {
        let limits = InspectLimits { max_image_bytes: 10_000_000, ..InspectLimits::default() };
        for (range, size, expected) in [
            (0..1, 1, true),
            (0..2, 1, false),
            (1..1, 9, false),
            (Range { start: 5, end: 4 }, 9, false),
            (0..10_000_000, 20_000_000, true),
            (0..10_000_001, 20_000_000, false),
            (19_999_999..20_000_000, 20_000_000, true),
        ] {
            assert_eq!(is_reasonable(&range, size, &limits), expected, "{range:?} of {size}");
        }
    }
}
