//! docs/OPERATIONS.md, read for what can be checked of it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use vestibule::checkout::Checkout;
use vestibule_domain::hall::{Class, INTERRUPTED, Next, UNREADABLE};

/// What a command line of the handbook begins with.
const PROGRAM: &str = "vestibule ";
/// Behind a command that must not end with 0.
const EXIT: &str = "  # exit ";
/// What may stand in a block: commands, what they print, and the policy.
const LANGUAGES: [&str; 3] = ["sh", "text", "json"];

/// The handbook.
pub(super) struct Handbook {
    text: String,
    blocks: Vec<(String, String)>,
}

/// A command, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// Its words behind `vestibule`.
    pub(super) words: Vec<String>,
    /// What it must exit with.
    pub(super) exit: i32,
}

/// Commands, and what they print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The commands.
    pub(super) commands: Vec<Shown>,
    /// Words of the output that is shown behind them, without their plural.
    pub(super) words: BTreeSet<String>,
}

impl Handbook {
    /// Reads it.
    ///
    /// # Errors
    /// When it is not there, or has a block that nobody would check.
    pub(super) fn read() -> anyhow::Result<Self> {
        let path = Checkout::find()?.root().join("docs/OPERATIONS.md");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let blocks = blocks(&text)?;
        Ok(Self { text, blocks })
    }

    /// Every block of commands, in the order in which it is shown, with what is printed behind it.
    ///
    /// # Errors
    /// When a line is no command of ours, so that nobody would run it.
    pub(super) fn steps(&self) -> anyhow::Result<Vec<Step>> {
        let mut steps = Vec::new();
        for (place, (language, block)) in self.blocks.iter().enumerate() {
            if language == "sh" {
                let commands = block.lines().map(shown).collect::<anyhow::Result<_>>()?;
                let behind = self.blocks.get(place + 1).filter(|(language, _)| language == "text");
                steps.push(Step { commands, words: behind.map(|(_, output)| words(output)).unwrap_or_default() });
            }
        }
        ensure!(!steps.is_empty(), "the handbook shows no command");
        Ok(steps)
    }

    /// The one policy.
    ///
    /// # Errors
    /// When there is none, or it is not JSON.
    pub(super) fn policy(&self) -> anyhow::Result<Value> {
        let block = self.blocks.iter().find(|(language, _)| language == "json").context("a block of JSON")?;
        Ok(serde_json::from_str(&block.1)?)
    }

    /// Which statements of the policy a command needs: the row of the table whose words are all in the command, the longest of them.
    ///
    /// # Errors
    /// When no row is of that command.
    pub(super) fn statements(&self, words: &[String]) -> anyhow::Result<(String, BTreeSet<String>)> {
        let rows = self.text.lines().filter_map(|line| line.strip_prefix("| `inbox ")).filter_map(|row| {
            let (command, sids) = row.split_once("` | ")?;
            let command: Vec<String> = command.split(' ').map(ToOwned::to_owned).collect();
            Some((command, quoted(sids).into_iter().collect()))
        });
        let found = rows.filter(|(command, _)| command.iter().all(|word| words.contains(word)));
        let (command, sids) = found.max_by_key(|(command, _)| command.len()).with_context(|| format!("{words:?}"))?;
        Ok((command.join("_").replace("--", ""), sids))
    }

    /// The codes that have a row.
    pub(super) fn codes(&self) -> BTreeSet<String> {
        let table = self.text.split("\n## Codes of failures\n").nth(1).and_then(|behind| behind.split("\n## ").next());
        let rows = table.into_iter().flat_map(str::lines).filter_map(|line| line.strip_prefix("| `"));
        rows.flat_map(|row| quoted(&format!("`{}", row.split(" | ").next().unwrap_or_default()))).collect()
    }

    /// The alarms that have a section.
    pub(super) fn alarms(&self) -> BTreeSet<String> {
        let titles = self.text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').map(str::trim));
        let is_heading = |title: &&str| self.text.contains(&format!("\n### {title}\n"));
        titles.filter(|title| title.ends_with("Alarm")).filter(is_heading).map(ToOwned::to_owned).collect()
    }

    /// What is written as `` `Name` (value) ``.
    pub(super) fn defaults(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let prose = self.text.replace('\n', " ");
        for (place, _) in prose.match_indices("` (") {
            let name = prose[..place].rsplit('`').next().unwrap_or_default();
            let behind = &prose[place + "` (".len()..];
            let value = match behind.strip_prefix('`') {
                Some(quoted) => quoted.split_once("`)").map(|(value, _)| value),
                None => behind.split_once(')').map(|(value, _)| value),
            };
            found.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        }
        found
    }
}

fn blocks(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(""), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                ensure!(LANGUAGES.contains(&language), "a block of {language:?} is not checked: {LANGUAGES:?}");
                open = Some((language.to_owned(), String::new()));
            }
            (Some(_), Some(_)) => bail!("a block in a block: {line}"),
            (None, Some((_, block))) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    ensure!(open.is_none(), "a block has no end");
    Ok(blocks)
}

fn shown(line: &str) -> anyhow::Result<Shown> {
    let command = line.strip_prefix(PROGRAM).with_context(|| format!("not run by the test: {line:?}"))?;
    let (command, exit) = command.split_once(EXIT).unwrap_or((command, "0"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_./@:".contains(c);
    ensure!(command.chars().all(is_plain), "a shell would not read this word by word: {line:?}");
    let words = command.split_whitespace().map(ToOwned::to_owned).collect();
    Ok(Shown { words, exit: exit.trim().parse().with_context(|| line.to_owned())? })
}

/// The words of an output that are the same every time: no ids, no numbers, and no classes or words of the sweep's, of which there are others
/// each time.
fn words(output: &str) -> BTreeSet<String> {
    let words = output.split(|c: char| c.is_whitespace() || ",:;".contains(c)).map(|word| word.trim_end_matches('s'));
    let is_steady = |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_ascii_lowercase());
    words
        .filter(is_steady)
        .filter(|word| word.parse::<Class>().is_err() && word.parse::<Next>().is_err())
        .map(ToOwned::to_owned)
        .collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The codes of failures that are words of ours: what stands in our sources where a code is made, outside of their tests.
///
/// # Errors
/// When the sources are not there, or look otherwise than they do today.
pub(super) fn our_codes() -> anyhow::Result<BTreeSet<String>> {
    let checkout = Checkout::find()?;
    let mut codes = BTreeSet::from([INTERRUPTED.to_owned(), UNREADABLE.to_owned()]);
    let mut folders: Vec<_> =
        ["common/store/src", "lambdas/ingest/src", "lambdas/sweep/src"].map(|name| checkout.root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            // The API alone writes messages and rooms, and tells its callers itself what went wrong.
            if path.is_dir() && (path.ends_with("messages") || path.ends_with("rooms")) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let source = std::fs::read_to_string(&path)?;
                codes.extend(codes_of(source.split("#[cfg(test)]").next().unwrap_or_default()));
            }
        }
    }
    for known in ["unknown-event", "unknown-version", "construction", "UnprocessedKeys", "out-of-time"] {
        ensure!(codes.contains(known), "codes are made elsewhere now: {codes:?}");
    }
    Ok(codes)
}

/// The words that become codes: those of a field `code`, those that a function of codes answers, and those that are noted as such.
fn codes_of(source: &str) -> Vec<String> {
    let mut codes = Vec::new();
    let mut is_inside = false;
    for line in source.lines() {
        let text = line.trim_start();
        let is_begin = ["pub fn code(", "fn on_the_way"].iter().any(|begin| text.starts_with(begin));
        is_inside = is_begin || (is_inside && line.trim_end() != "    }" && line != "}");
        let marks: &[&str] = if is_inside { &["=> \""] } else { &["code: \"", "self.note(world, upload, \""] };
        let words = marks.iter().filter_map(|mark| line.split_once(mark)?.1.split_once('"'));
        codes.extend(words.map(|(word, _)| word.to_owned()));
    }
    codes
}

/// What the template says, as far as the handbook speaks of it.
pub(super) struct Template {
    /// Its alarms.
    pub(super) alarms: BTreeSet<String>,
    /// Its parameters, each with its default.
    pub(super) parameters: BTreeMap<String, Option<String>>,
}

impl Template {
    /// Reads it, line by line.
    ///
    /// # Errors
    /// When it is not there, or looks otherwise than it does today.
    pub(super) fn read() -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(Checkout::find()?.template())?;
        let lines: Vec<&str> = text.lines().collect();
        let is_alarm = |pair: &&[&str]| pair[1] == "    Type: AWS::CloudWatch::Alarm";
        let alarms = lines.windows(2).filter(is_alarm).map(|pair| pair[0].trim().trim_end_matches(':').to_owned());
        let alarms: BTreeSet<String> = alarms.collect();
        let listed = lines.iter().skip_while(|line| **line != "Parameters:").skip(1);
        let mut parameters: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut last = String::new();
        for line in listed.take_while(|line| line.starts_with(' ') || line.is_empty()) {
            if let Some(default) = line.strip_prefix("    Default: ") {
                parameters.insert(last.clone(), Some(default.trim_matches('"').to_owned()));
            } else if let Some(name) = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':'))
                && !name.starts_with(' ')
            {
                name.clone_into(&mut last);
                parameters.insert(last.clone(), None);
            }
        }
        ensure!(alarms.len() > 5 && parameters.len() > 40, "{alarms:?}, {parameters:?}");
        Ok(Self { alarms, parameters })
    }
}
