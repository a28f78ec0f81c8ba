//! Metrics, written as log lines that CloudWatch turns into numbers: the embedded metric format.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use vestibule_domain::timestamp::Timestamp;

/// What a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::Bytes => "Bytes",
        }
    }
}

/// Writes `metrics` of `namespace` as one line, under `dimension` (its name and value) if there is one.
///
/// # Errors
/// When `to` cannot be written.
pub fn emit(
    mut to: impl Write,
    namespace: &str,
    dimension: Option<(&str, &str)>,
    metrics: &[(&str, Unit, u64)],
    at: Timestamp,
) -> io::Result<()> {
    let names: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit.as_str() })).collect();
    let dimensions: Vec<&str> = dimension.iter().map(|(name, _)| *name).collect();
    let mut line: Map<String, Value> =
        metrics.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))).collect();
    if let Some((name, value)) = dimension {
        line.insert(name.to_owned(), json!(value));
    }
    let described = json!([{ "Namespace": namespace, "Dimensions": [dimensions], "Metrics": names }]);
    line.insert("_aws".to_owned(), json!({ "Timestamp": at.millis(), "CloudWatchMetrics": described }));
    writeln!(to, "{}", Value::Object(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(dimension: Option<(&str, &str)>) -> Value {
        let mut bytes = Vec::new();
        emit(&mut bytes, "Vestibule/x", dimension, &[("Versions", Unit::Count, 7)], Timestamp::from_millis(5)).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().count(), 1);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_metric_is_named_described_and_given() {
        assert_eq!(
            line(Some(("Class", "failed"))),
            json!({
                "_aws": { "Timestamp": 5, "CloudWatchMetrics": [{
                    "Namespace": "Vestibule/x", "Dimensions": [["Class"]], "Metrics": [{ "Name": "Versions", "Unit": "Count" }],
                }] },
                "Class": "failed", "Versions": 7,
            })
        );
        assert_eq!(line(None)["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
    }
}
