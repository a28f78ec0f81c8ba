//! InboxBucket ─▶ ingest ─▶ QuarantineBucket and ChatTable: what is refused, or comes too late.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::ensure;
use serde_json::json;
use vestibule_domain::attachment::Attachment;

use crate::support::chat::{Chat, File};
use crate::support::cloud::Cloud;
use crate::support::state::State;

/// The room must end with one refused file: the document says `code`, and the bytes are in quarantine only.
async fn refused_as(cloud: &Cloud, chat: &Chat, shown: &serde_json::Value, code: &str) -> anyhow::Result<()> {
    ensure!(shown["state"] == "rejected" && shown["rejection"]["code"] == code, "{shown}");
    ensure!(shown["rejection"]["message"].as_str().is_some_and(|sentence| sentence.ends_with('.')), "{shown}");
    let state = State::settled(cloud, &chat.room).await?;
    ensure!(state.processed.is_empty() && state.quarantine.len() == 1 && state.message(1)?.ver == 2, "{state:?}");
    Ok(())
}

pub(crate) async fn two_versions_of_one_key_end_in_one_published_and_one_quarantined(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "two-versions").await?;
    let file = File::text("the first");
    let (one, other) = (file.bytes.clone(), b"thesecond".to_vec());
    // The ticket's `if-none-match` keeps a second upload out while the first stands; only root can leave it away.
    let raced = chat.announce("raced", &[&file]).await?.remove(0);
    cloud.put_as_root(&raced.key, one.clone()).await?;
    cloud.put_as_root(&raced.key, other.clone()).await?;
    ensure!(chat.decided(&raced).await?["state"] == "ready");
    let queued = chat.announce("queued", &[&file]).await?.remove(0);
    cloud.put_as_root(&queued.key, one).await?;
    ensure!(chat.decided(&queued).await?["state"] == "ready");
    cloud.put_as_root(&queued.key, other).await?;

    let state = State::settled(&cloud, &chat.room).await?;
    for (seq, slot, most) in [(1, &raced, 2), (2, &queued, 1)] {
        let message = state.message(seq)?;
        let Some(Attachment::Ready(entry)) = message.attachment(&slot.key.attachment) else {
            anyhow::bail!("not ready: {message:?}")
        };
        let of_slot = |objects: &BTreeMap<String, String>| {
            let prefix = format!("{}/", slot.key);
            objects.iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(_, tag)| tag.clone()).collect::<Vec<_>>()
        };
        let published = state.processed.get(&entry.original.key);
        ensure!(message.ver == 2 && published.is_some(), "{message:?}");
        // Where both were examined at once, the loser's copy stays beside it: nothing points at it, and it harms nobody.
        ensure!(of_slot(&state.processed).len() <= most, "{state:?}");
        let quarantined = of_slot(&state.quarantine);
        ensure!(quarantined.len() == 1 && quarantined.first() != published, "{state:?}");
    }
    Ok(())
}

pub(crate) async fn a_cancelled_upload_that_arrives_all_the_same_is_quarantined(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "cancelled").await?;
    let file = File::text("too late");
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    chat.call("DELETE", &format!("{}/upload", chat.attachment_path(&slot)), None).await?;
    // S3 checks a URL's expiry when an upload begins: nothing can call it back.
    chat.upload(&slot, &file).await?;
    let state = State::settled(&cloud, &chat.room).await?;
    ensure!(chat.attachment(&slot).await?["state"] == "cancelled");
    ensure!(state.processed.is_empty() && state.quarantine.len() == 1 && state.message(1)?.ver == 2, "{state:?}");
    Ok(())
}

pub(crate) async fn bytes_of_another_length_are_refused(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "length").await?;
    let slot = chat.announce("one", &[&File::text("announced")]).await?.remove(0);
    cloud.put_as_root(&slot.key, b"something longer than announced".to_vec()).await?;
    let shown = chat.decided(&slot).await?;
    refused_as(&cloud, &chat, &shown, "size-mismatch").await
}

pub(crate) async fn bytes_of_another_digest_are_refused(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "digest").await?;
    let announced = json!([{ "name": "a.txt", "size": 3, "type": "text/plain", "sha256": "0".repeat(64) }]);
    let slot = chat.announce_as("one", &announced).await?.remove(0);
    cloud.put_as_root(&slot.key, b"abc".to_vec()).await?;
    let shown = chat.decided(&slot).await?;
    refused_as(&cloud, &chat, &shown, "checksum-mismatch").await
}

pub(crate) async fn a_truncated_photo_is_damaged(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "truncated").await?;
    let (slot, _) = chat.send("one", &File::fixture("truncated.jpg", "image/jpeg")?).await?;
    let shown = chat.decided(&slot).await?;
    refused_as(&cloud, &chat, &shown, "damaged").await
}

pub(crate) async fn an_empty_file_is_refused_as_empty(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "empty").await?;
    let (slot, _) = chat.send("one", &File::fixture("empty.jpg", "image/jpeg")?).await?;
    let shown = chat.decided(&slot).await?;
    refused_as(&cloud, &chat, &shown, "empty").await
}
