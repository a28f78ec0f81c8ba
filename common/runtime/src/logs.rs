//! Logs: JSON lines on standard output with dotted field names, one level, and no time of their own making beyond the line's.
//!
//! A line holds the fields of its event and of the spans around it, flat, so that `correlation.id` set once on a span is in
//! every line below it. Nothing logs a URL that S3 signed, a token, a file's name or a message's text.

use json_subscriber::JsonLayer;
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

/// The crates whose lines the level is for.
const OURS: &[&str] = &[
    "vestibule",
    "vestibule_api",
    "vestibule_archive",
    "vestibule_connect",
    "vestibule_ingest",
    "vestibule_inspect",
    "vestibule_reclaim",
    "vestibule_relay",
    "vestibule_store",
    "vestibule_sweep",
];

/// Turns the logs on, at `level` for Vestibule's own code (`error`, `warn`, `info`, `debug` or `trace`; anything else counts
/// as `info`) and `warn` for the libraries. Called once, at start-up.
pub fn start(level: &str) {
    Registry::default().with(lines(std::io::stdout).with_filter(filter(level))).init();
}

/// The same lines into `writer`: for tests that read them, with `tracing::subscriber::with_default` or the like.
pub fn into<W>(level: &str, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    Registry::default().with(lines(writer).with_filter(filter(level)))
}

fn lines<S, W>(writer: W) -> JsonLayer<S, W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let mut lines = JsonLayer::new(writer);
    lines.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
    lines.with_level("level").with_target("target").with_top_level_flattened_span_list().with_flattened_event();
    lines
}

fn filter(level: &str) -> EnvFilter {
    let level = match level.to_ascii_lowercase().as_str() {
        known @ ("error" | "warn" | "info" | "debug" | "trace") => known.to_owned(),
        _ => "info".to_owned(),
    };
    let ours: Vec<String> = OURS.iter().map(|name| format!("{name}={level}")).collect();
    EnvFilter::new(format!("warn,{}", ours.join(",")))
}

/// An error and its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_flat_json_object_with_the_fields_of_its_spans() {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(into("info", move || writer.clone()), || {
            let span = tracing::info_span!(target: "vestibule_ingest", "upload", correlation.id = "abc");
            span.in_scope(|| tracing::info!(target: "vestibule_ingest", { attachment.size = 7 }, "decided"));
            tracing::debug!(target: "vestibule_ingest", "below the level");
            tracing::info!(target: "hyper", "a library's");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in
            ["\"correlation.id\":\"abc\"", "\"attachment.size\":7", "\"message\":\"decided\"", "\"level\":\"INFO\""]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
