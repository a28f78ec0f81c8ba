//! What must hold of a run's whole state: the properties of docs/ARCHITECTURE.md, looked for in what there really is.
//!
//! It is a small reference of its own: it knows what was uploaded and what its bytes are worth, and nothing of how ingest works.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// A version that was uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// Its key in the inbox.
    pub(crate) key: String,
    /// Its length and its bytes' `ETag`, as the inbox has it.
    pub(crate) tag: String,
    /// Whether its bytes are what was announced, and whole.
    pub(crate) is_good: bool,
}

/// The state of the run's message: `None` for a tombstone's attachments.
pub(crate) fn entry<'a>(state: &'a Value, key: &str) -> Option<&'a Value> {
    let attachment = key.rsplit('/').next()?;
    state.get("table")?.get("MSG#000000000001")?.get("attachments")?.get(attachment)
}

fn objects(state: &Value, bucket: &str) -> anyhow::Result<BTreeMap<String, String>> {
    Ok(serde_json::from_value(state["buckets"][bucket]["objects"].clone())?)
}

/// What holds at any moment, also in the middle of a run: a ready attachment is whole, what is not decided is in the inbox, and only what was
/// examined has left it.
pub(crate) fn at_any_time(state: &Value, versions: &[Version]) -> anyhow::Result<()> {
    let (inbox, processed, quarantine) =
        (objects(state, "inbox")?, objects(state, "processed")?, objects(state, "quarantine")?);
    let is_deleted = state["table"]["MSG#000000000001"]["deleted"] == true;
    for (number, version) in versions.iter().enumerate() {
        let entry = entry(state, &version.key);
        let fate =
            if is_deleted { "deleted" } else { entry.context("an entry")?["state"].as_str().unwrap_or_default() };
        let is_mine = entry.is_some_and(|entry| entry["inboxVersion"] == format!("version-{number}"));
        let judged = match fate {
            "ready" if is_mine => is_whole(entry.context("an entry")?, number, version, &processed),
            "rejected" if is_mine && version.is_good => Err(anyhow::anyhow!("a good file was refused")),
            _ => Ok(()),
        };
        judged.with_context(|| format!("version {number}: {version:?}"))?;
        let in_inbox = inbox.contains_key(&format!("{}@version-{number}", version.key));
        let kept = quarantine.get(&format!("{}/tag-{number}/original", version.key));
        let in_quarantine = kept.is_some_and(|bytes| same(bytes, version));
        match fate {
            "pending" => ensure!(in_inbox, "version {number} is not decided, and not in the inbox"),
            "ready" if is_mine => ensure!(kept.is_none(), "version {number} is published, and in quarantine as well"),
            "ready" | "rejected" | "cancelled" => {
                ensure!(in_inbox || in_quarantine, "version {number} left the inbox, and is not in quarantine");
            }
            "deleted" | "removed" => {}
            other => anyhow::bail!("version {number}: what is {other:?}?"),
        }
    }
    ensure!(state["buckets"]["inbox"]["markers"] == serde_json::json!([]), "a delete marker in the inbox");
    Ok(())
}

/// A ready attachment points at the bytes that were uploaded, and at thumbnails of them that are there; a picture has some.
fn is_whole(
    entry: &Value,
    number: usize,
    version: &Version,
    processed: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    ensure!(version.is_good, "a bad file was published");
    let original = entry["original"]["key"].as_str().context("a ready entry has an original")?;
    let bytes = processed.get(original).context("the original is not there")?;
    ensure!(same(bytes, version), "the original has other bytes: {bytes}");
    let variants: Vec<_> =
        entry["variants"].as_object().into_iter().flatten().map(|(_, variant)| &variant["key"]).collect();
    let is_picture = entry["facts"]["type"].as_str().is_some_and(|kind| kind.starts_with("image/"));
    ensure!(!is_picture || !variants.is_empty(), "a picture without thumbnails");
    for key in variants.into_iter().chain([&entry["original"]["key"]]) {
        let key = key.as_str().context("an object has a key")?;
        ensure!(processed.contains_key(key), "{key} is not there");
        ensure!(key.starts_with(&format!("{}/tag-{number}/", version.key)), "{key} is of another version");
    }
    Ok(())
}

/// Whether an object has a version's bytes. Of a copy in parts the `ETag` is another, and the length must do.
fn same(bytes: &str, version: &Version) -> bool {
    let length = |bytes: &str| bytes.split(' ').next().map(ToOwned::to_owned);
    bytes == version.tag || (bytes.contains('-') && length(bytes) == length(&version.tag))
}

/// What holds in the end, when everything has healed: the inbox is empty, what came is decided, nothing is left that nothing points at, and
/// the queue is empty.
pub(crate) fn in_the_end(state: &Value, versions: &[Version]) -> anyhow::Result<()> {
    at_any_time(state, versions)?;
    for (bucket, what) in state["buckets"].as_object().context("buckets")? {
        ensure!(what["begun"] == serde_json::json!([]), "copies that were begun and never ended in {bucket}");
    }
    ensure!(state["buckets"]["inbox"]["objects"] == serde_json::json!({}), "the inbox is not empty");
    for count in state["queue"].as_object().context("a queue")?.values() {
        ensure!(count == "0", "the queue is not empty");
    }
    let is_deleted = state["table"]["MSG#000000000001"]["deleted"] == true;
    let (processed, quarantine) = (objects(state, "processed")?, objects(state, "quarantine")?);
    for version in versions {
        ensure!(
            entry(state, &version.key).is_none_or(|entry| entry["state"] != "pending"),
            "{version:?} is not decided"
        );
    }
    for key in processed.keys() {
        let referenced = state["table"].to_string().contains(&format!("\"{key}\""));
        ensure!(referenced && !is_deleted, "nothing points at {key}");
    }
    for key in quarantine.keys() {
        let owner = key.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let entry = entry(state, &owner).with_context(|| format!("{key} is of nothing"))?;
        ensure!(
            entry["state"] != "removed" && entry["state"] != "pending",
            "{key} is kept of what is {}",
            entry["state"]
        );
    }
    Ok(())
}
