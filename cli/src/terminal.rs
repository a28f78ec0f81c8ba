//! What goes to the person at the terminal: results to standard output, all else to standard error.

use std::fmt;
use std::io::{ErrorKind, Write};

use anyhow::Context;
use serde::Serialize;
use vestibule_domain::disposition::visible;

/// Lets what may be wrong, but ends nothing, go to standard error. The libraries are silent: their errors come back to us.
pub(crate) fn start_log() {
    let ours = tracing_subscriber::EnvFilter::new("off,vestibule=warn");
    tracing_subscriber::fmt()
        .with_env_filter(ours)
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false)
        .init();
}

/// Whoever reads our standard output has read enough, as `head` does. That ends the command, and is no failure.
#[derive(Debug)]
pub(crate) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output is closed")
    }
}

impl std::error::Error for Closed {}

/// Prints a line of the result.
///
/// # Errors
/// [`Closed`], or when standard output cannot be written.
pub(crate) fn print(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Closed.into()),
        written => written.context("cannot write to standard output"),
    }
}

/// Prints the result as one line of JSON.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn print_json(result: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string(result)?)
}

/// A stranger's text for the terminal: as in a header, and without the joiners, which terminals do not draw.
pub(crate) fn shown(text: &str) -> String {
    visible(text).replace(['\u{200c}', '\u{200d}'], "")
}

/// A text's last letters where it is longer than a column is wide: of a long content type they tell more than its first.
pub(crate) fn ending(text: &str, columns: usize) -> String {
    let length = text.chars().count();
    if length <= columns {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(length + 1 - columns)).collect()
}

/// Says what is being done.
pub(crate) fn note(text: &str) {
    eprintln!("{text} …");
}

/// An error and all its causes in one line, fit for the terminal whatever names stand in it.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain() {
        let cause = shown(&cause.to_string().split_whitespace().collect::<Vec<_>>().join(" "));
        // Many errors repeat their cause in their own text.
        if !said.iter().any(|earlier| earlier.ends_with(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_that_says_each_cause_once() {
        let error =
            anyhow::anyhow!("connection\n  refused").context("dispatch: connection refused").context("cannot look");
        assert_eq!(one_line(&error), "cannot look: dispatch: connection refused");
    }

    #[test]
    fn a_long_type_is_shortened_to_what_tells_it_apart() {
        for (text, expected) in [("abc", "abc"), ("abcd", "abcd"), ("abcde", "…cde")] {
            assert_eq!(ending(text, 4), expected);
        }
        let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        assert_eq!(ending(sheet, 28), "…ocument.spreadsheetml.sheet");
    }

    #[test]
    fn a_name_in_an_error_cannot_write_on_the_terminal() {
        let error = anyhow::anyhow!("no such file").context("a\u{1b}]0;title\u{7}\u{9b}2J\u{202e}b\u{200d}");
        assert_eq!(one_line(&error), "a]0;title2Jb: no such file");
    }
}
