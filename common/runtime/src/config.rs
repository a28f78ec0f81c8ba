//! Reads settings once, through a lookup function, and reports everything that is wrong with them together.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Everything that is wrong with the settings, by name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("settings: {}", .0.join("; "))]
pub struct ConfigError(Vec<String>);

/// A reader of settings that goes on after a problem, so that one start names them all.
pub struct Settings<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl<'a> Settings<'a> {
    /// Reads through `lookup`, which answers `None` for a setting that is not set.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// A text that must be there and not be blank. Answers an empty text after noting the problem.
    pub fn text(&mut self, name: &str) -> String {
        match (self.lookup)(name) {
            Some(value) if !value.trim().is_empty() => value,
            _ => {
                self.problems.push(format!("{name} is not set"));
                String::new()
            }
        }
    }

    /// The level of the logs (`LOG_LEVEL`, default `info`).
    pub fn log_level(&self) -> String {
        (self.lookup)("LOG_LEVEL").unwrap_or_else(|| "info".to_owned())
    }

    /// A number inside `range`, or `default` when it is not set.
    pub fn number<T: FromStr + PartialOrd + Display>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T {
        let Some(text) = (self.lookup)(name) else { return default };
        match text.parse::<T>() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                self.problems.push(format!("{name} must be from {} to {}, not {text:?}", range.start(), range.end()));
                default
            }
        }
    }

    /// A list of at most `most` entries, separated by commas; none when it is not set or blank.
    pub fn list<T: FromStr<Err: Display>>(&mut self, name: &str, most: usize) -> Vec<T> {
        let Some(text) = (self.lookup)(name).filter(|text| !text.trim().is_empty()) else { return Vec::new() };
        let mut entries = Vec::new();
        for entry in text.split(',') {
            match entry.trim().parse() {
                Ok(entry) if entries.len() < most => entries.push(entry),
                Ok(_) => {
                    self.problems.push(format!("{name} has more than {most} entries"));
                    break;
                }
                Err(error) => self.problems.push(format!("{name}: {error}")),
            }
        }
        entries
    }

    /// One of some words, the first of which is the default; an empty text counts as not set.
    pub fn choice<T: Copy + Default>(&mut self, name: &str, words: &[(&str, T)]) -> T {
        let text = (self.lookup)(name).unwrap_or_default();
        if text.is_empty() {
            return words.first().map_or_else(T::default, |(_, first)| *first);
        }
        if let Some((_, choice)) = words.iter().find(|(word, _)| *word == text) {
            return *choice;
        }
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.problems.push(format!("{name} must be {}, not {text:?}", words.join(" or ")));
        T::default()
    }

    /// The settings that `read` put together, unless something was wrong.
    ///
    /// # Errors
    /// Every problem that was noted, in the order of reading.
    pub fn finish<T>(self, read: T) -> Result<T, ConfigError> {
        if self.problems.is_empty() { Ok(read) } else { Err(ConfigError(self.problems)) }
    }
}

/// Looks a setting up in the environment. Text that is not UTF-8 counts as not set.
pub fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_reported_together_by_name() {
        let lookup = |name: &str| match name {
            "TABLE_NAME" => Some("  ".to_owned()),
            "SECONDS" => Some("abc".to_owned()),
            "BYTES" => Some("11".to_owned()),
            _ => None,
        };
        let mut settings = Settings::new(&lookup);
        settings.text("TABLE_NAME");
        settings.text("BUCKET");
        settings.number("SECONDS", 5_u64, 1..=10);
        settings.number("BYTES", 5_u64, 1..=10);
        assert_eq!(settings.number("UNSET", 5_u64, 1..=10), 5);
        assert_eq!(
            settings.finish(()).unwrap_err().to_string(),
            "settings: TABLE_NAME is not set; BUCKET is not set; SECONDS must be from 1 to 10, not \"abc\"; \
             BYTES must be from 1 to 10, not \"11\""
        );
    }

    #[test]
    fn bounds_are_inclusive() {
        let lookup = |name: &str| Some(name.to_owned());
        let mut settings = Settings::new(&lookup);
        assert_eq!(settings.number("1", 5_u64, 1..=10), 1);
        assert_eq!(settings.number("10", 5_u64, 1..=10), 10);
        assert!(settings.finish(()).is_ok());
    }
}
