//! A file's name is its sender's text: it stands in the document as it came, and in nothing else as it came.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::support::chat::{Chat, File};
use crate::support::cloud::Cloud;
use crate::support::state::State;

pub(crate) async fn a_hostile_name_survives_as_text_and_reaches_no_key_or_header(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let emoji = format!("{}abc", "🦀".repeat(63));
    ensure!(emoji.len() == 255);
    let names = [
        emoji.as_str(),
        "../../etc/passwd",
        "a\r\nSet-Cookie: x=1",
        "nul\0byte.txt",
        "\u{202e}gpj.exe",
        "CON",
        ".htaccess",
        "C:\\Windows\\a\"b'.txt",
        "%2e%2e%2fx+y&z=1?#.txt",
    ];
    let chat = Chat::open(&cloud, "names").await?;
    let text = File::text("whatever it is called");
    let announced: Vec<_> =
        names.iter().map(|name| json!({ "name": name, "size": text.bytes.len(), "type": "text/plain" })).collect();
    let slots = chat.announce_as("one", &json!(announced)).await?;
    for slot in &slots {
        chat.upload(slot, &text).await?;
    }
    for (slot, name) in slots.iter().zip(names) {
        let decided = chat.decided(slot).await?;
        ensure!(decided["state"] == "ready" && decided["name"] == name, "{name:?}: {decided}");
    }
    let state = State::settled(&cloud, &chat.room).await?;
    let message = state.message(1)?;
    for (slot, name) in slots.iter().zip(names) {
        let entry = message.attachment(&slot.key.attachment).context("the entry is there")?;
        ensure!(entry.promise().is_some_and(|promise| promise.name == name), "{entry:?}");
    }
    ensure!(state.processed.len() == names.len());
    let is_ours = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '/';
    for key in state.processed.keys() {
        ensure!(key.chars().all(is_ours), "{key}");
        let head = cloud.s3.head_object().bucket(cloud.output("ProcessedBucket")?).key(key).send().await?;
        let disposition = head.content_disposition().context("an original has a disposition")?;
        ensure!(disposition.starts_with("attachment; filename=\""), "{disposition}");
        ensure!(disposition.bytes().all(|byte| (0x20..0x7F).contains(&byte)), "{disposition}");
        for bad in ["%0D", "%0A", "%00", "%E2%80%AE", "..%2F", "/", "\\", "''CON", "''."] {
            ensure!(!disposition.contains(bad), "{bad} in {disposition}");
        }
    }
    Ok(())
}
