//! Runs one child process per file: starts it, feeds it, limits its time, and always ends and reaps it.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use vestibule_domain::policy::{InspectLimits, InspectPolicy};
use vestibule_media::probe::{Examination, MAX_RANGES, Subject, Verdict, longest_range};

use crate::child::{ARGUMENT, NOT_CONFINED};
use crate::ended::Ended;
use crate::error::InspectError;
use crate::frame::{self, Answer, Errand, Job, MAX_ANSWER_BYTES};
use crate::layers::Layers;
use crate::plausible::implausible;
use crate::source::Source;

/// What of a child's standard error is kept for the logs, in bytes.
const MAX_STDERR_BYTES: u64 = 2048;
/// How long a child may take to end after it closed its output, and its standard error to close after that.
const LAST_BREATH: Duration = Duration::from_secs(2);
/// What is kept of a child's reasons, in characters.
const MAX_DETAIL_CHARS: usize = 2048;
/// How long a child may take that only says which layers are on. A cold start waits for it.
const REPORT_WALL: Duration = Duration::from_secs(2);

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
    /// It closed its output without an answer: a panic, an abort, a limit. `began` when it had been given bytes before, and so was confined.
    /// One that had not was not told what is in the file, and did not end because of that.
    Silent { began: bool },
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
    /// How it ended when it gave no answer to be used; `None` when it did, or none was needed.
    pub ended: Option<Ended>,
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
    /// When the source fails, or the child could not be started or confined, or ended by itself before it was given a byte, or was killed
    /// from outside. Whatever else goes wrong in the child is the file's fault, and refuses it.
    pub async fn examine(
        &self,
        source: &mut Source,
        subject: Subject,
        policy: &InspectPolicy,
    ) -> Result<Option<Answered>, InspectError> {
        let computed_before = computed_by_children()?;
        let mut child = self.start().map_err(InspectError::Child)?;
        let stderr = tokio::spawn(last_words(child.stderr.take()));
        let ending = self.converse(&mut child, source, subject, policy).await;
        let breath = if matches!(ending, Ok(Ending::Silent { .. })) { LAST_BREATH } else { Duration::ZERO };
        let end = end(&mut child, breath).await.map_err(InspectError::Child)?;
        let computed = computed_by_children()?.saturating_sub(computed_before);
        let words = all_of(stderr).await;
        let (ended, failure) = match ending? {
            Ending::Gone => return Ok(None),
            Ending::Answered { examination, filtered } => match implausible(&examination.verdict, policy) {
                None => {
                    let detail = examination.detail.as_deref().map(harmless);
                    let examination = Examination { detail, ..*examination };
                    return Ok(Some(Answered { examination, filtered: Some(filtered), ended: None }));
                }
                Some(why) => (Ended::Rules, why),
            },
            Ending::Misbehaved(why) => (Ended::Rules, why),
            Ending::TimeUp => {
                (Ended::Deadline, format!("the child took more than {} s", self.budget.wall.as_secs_f32()))
            }
            Ending::Silent { began } => self.why_silent(began, &end, computed, &words)?,
        };
        let detail = if words.is_empty() { failure } else { format!("{failure}: {words}") };
        let verdict = Verdict::Rejected(ended.code().into());
        let examination = Examination { verdict, detail: Some(harmless(&detail)) };
        Ok(Some(Answered { examination, filtered: None, ended: Some(ended) }))
    }

    /// Has a child say which layers are on, and look at nothing.
    ///
    /// # Errors
    /// When the child could not be started or confined, or does not say it within [`REPORT_WALL`].
    pub async fn layers(&self) -> Result<Layers, InspectError> {
        let mut child = self.start().map_err(InspectError::Child)?;
        let stderr = tokio::spawn(last_words(child.stderr.take()));
        let said = timeout(REPORT_WALL, self.ask_for_layers(&mut child)).await;
        end(&mut child, Duration::ZERO).await.map_err(InspectError::Child)?;
        match said {
            Ok(Ok(Answer::Layers(layers))) => Ok(layers),
            Ok(Ok(Answer::Need { .. } | Answer::Done { .. }) | Err(_)) | Err(_) => {
                Err(InspectError::Confinement(harmless(&all_of(stderr).await)))
            }
        }
    }

    async fn ask_for_layers(&self, child: &mut Child) -> io::Result<Answer> {
        let (mut input, mut output) = pipes(child)?;
        frame::send(&mut input, &self.job(Errand::Report)?).await?;
        let answer = frame::receive(&mut output, MAX_ANSWER_BYTES).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        serde_json::from_slice(&answer).map_err(io::Error::other)
    }

    /// What it means that a child closed its output without an answer.
    fn why_silent(
        &self,
        began: bool,
        end: &End,
        computed: Duration,
        words: &str,
    ) -> Result<(Ended, String), InspectError> {
        let status = match end {
            End::Killed => return Ok((Ended::Rules, "the child fell silent and did not end".to_owned())),
            End::ByItself(status) => *status,
        };
        // One that has begun is confined; it may have been taken over, and say anything.
        if !began && status.code() == Some(NOT_CONFINED.into()) {
            return Err(InspectError::Confinement(harmless(words)));
        }
        match Ended::of(status, words, computed, Duration::from_secs(self.budget.cpu_seconds)) {
            // A program that cannot be loaded, a job that is not understood: no other file would fare better.
            Ok(Ended::Panic | Ended::Crash | Ended::Rules) if !began => {
                Err(InspectError::EndedEarly { status, words: harmless(words) })
            }
            Ok(ended) => Ok((ended, format!("the child ended with {status}"))),
            Err(signal) => Err(InspectError::Killed { signal, words: harmless(words) }),
        }
    }

    /// The first frame.
    fn job(&self, errand: Errand) -> io::Result<Vec<u8>> {
        let Budget { memory_bytes, cpu_seconds, .. } = self.budget;
        Ok(serde_json::to_vec(&Job { errand, memory_bytes, cpu_seconds })?)
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
        let (mut input, mut output) = pipes(child).map_err(InspectError::Child)?;
        let size = subject.size;
        let errand = Errand::Examine { subject, policy: policy.clone() };
        let mut next = self.job(errand).map_err(InspectError::Child)?;
        let mut began = false;
        let mut clock = Clock(self.budget.wall);
        for _ in 0..=MAX_RANGES + 1 {
            // A child that closed its input says more by its end than by the broken pipe.
            if clock.run(frame::send(&mut input, &next)).await.is_none() {
                return Ok(Ending::TimeUp);
            }
            let answer = match clock.run(frame::receive(&mut output, MAX_ANSWER_BYTES)).await {
                None => return Ok(Ending::TimeUp),
                Some(Ok(Some(frame))) => frame,
                Some(Ok(None)) => return Ok(Ending::Silent { began }),
                Some(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(Ending::Silent { began });
                }
                Some(Err(error)) => return Ok(Ending::Misbehaved(error.to_string())),
            };
            match serde_json::from_slice(&answer) {
                Ok(Answer::Need { start, end }) if is_reasonable(&(start..end), size, &policy.limits) => {
                    match source.read(start..end).await? {
                        Some(bytes) => (next, began) = (bytes, true),
                        None => return Ok(Ending::Gone),
                    }
                }
                Ok(Answer::Need { start, end }) => {
                    return Ok(Ending::Misbehaved(format!("it asked for {start}..{end} of {size} bytes")));
                }
                Ok(Answer::Layers(_)) => return Ok(Ending::Misbehaved("it spoke of itself".to_owned())),
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

/// How a child came to its end.
enum End {
    /// By itself, or by somebody else.
    ByItself(ExitStatus),
    /// We killed it.
    Killed,
}

/// Gives the child `breath` to end by itself, then kills it; reaps it either way.
async fn end(child: &mut Child, breath: Duration) -> io::Result<End> {
    if !breath.is_zero()
        && let Ok(status) = timeout(breath, child.wait()).await
    {
        return status.map(End::ByItself);
    }
    if let Some(status) = child.try_wait()? {
        return Ok(End::ByItself(status));
    }
    child.start_kill()?;
    child.wait().await.map(|_| End::Killed)
}

/// A child's ends to speak to and to hear from.
fn pipes(child: &mut Child) -> io::Result<(ChildStdin, ChildStdout)> {
    child.stdin.take().zip(child.stdout.take()).ok_or_else(|| io::Error::other("a child without pipes"))
}

/// The processor time of all children that have been reaped. Where several are examined at once, it grows by theirs too.
fn computed_by_children() -> Result<Duration, InspectError> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| InspectError::Child(error.into()))?;
    let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap_or_default();
    Ok(Duration::from_micros(micros(usage.user_time()).saturating_add(micros(usage.system_time()))))
}

/// What [`last_words`] heard, once the child has ended.
async fn all_of(stderr: JoinHandle<String>) -> String {
    match timeout(LAST_BREATH, stderr).await {
        Ok(Ok(words)) => words,
        Ok(Err(_)) | Err(_) => String::new(),
    }
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

/// A text of a child's as it may stand in a log or on a terminal: its beginning, and no control characters but line breaks and tabs.
fn harmless(text: &str) -> String {
    let seen = |c: char| if c.is_control() && !"\n\t".contains(c) { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(MAX_DETAIL_CHARS).map(seen).collect()
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
        let limits = InspectLimits { max_image_bytes: 50_000_000, ..InspectLimits::default() };
        for (range, size, expected) in [
            (0..1, 1, true),
            (0..2, 1, false),
            (1..1, 9, false),
            (Range { start: 5, end: 4 }, 9, false),
            (0..50_000_000, 90_000_000, true),
            (0..50_000_001, 90_000_000, false),
            (89_999_999..90_000_000, 90_000_000, true),
        ] {
            assert_eq!(is_reasonable(&range, size, &limits), expected, "{range:?} of {size}");
        }
    }
}
