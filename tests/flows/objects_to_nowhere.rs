//! ChatTable ─▶ relay ─▶ ReclaimQueue ─▶ reclaim: what is removed or deleted takes its objects with it, and nothing else goes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;
use vestibule_domain::attachment::Attachment;

use crate::support::chat::{Chat, File};
use crate::support::cloud::{Cloud, batch};
use crate::support::state::State;
use crate::support::wait::until;

pub(crate) async fn a_deleted_message_and_a_removed_attachment_take_their_objects_with_them(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "reclaim").await?;
    let (photo, bad) = (File::fixture("png-palette.png", "image/png")?, File::fixture("truncated.jpg", "image/jpeg")?);
    let kept = chat.send("kept", &photo).await?.0;
    let deleted = chat.announce("deleted", &[&photo, &bad]).await?;
    for (slot, file) in deleted.iter().zip([&photo, &bad]) {
        chat.upload(slot, file).await?;
    }
    let removed = chat.send("removed", &photo).await?.0;
    for slot in deleted.iter().chain([&kept, &removed]) {
        chat.decided(slot).await?;
    }
    let before = State::settled(&cloud, &chat.room).await?;
    ensure!(before.quarantine.len() == 1 && before.processed.len() > 6, "{before:?}");
    chat.call("DELETE", &chat.path(deleted.first().context("two")?.key.message), None).await?;
    chat.call("DELETE", &chat.attachment_path(&removed), None).await?;
    let state = until("their objects to go", async || {
        let state = State::of(&cloud, &chat.room).await?;
        Ok((state.quarantine.is_empty() && state.processed.len() * 3 == before.processed.len()).then_some(state))
    })
    .await?;
    ensure!(state.processed.keys().all(|key| key.starts_with(&kept.key.to_string())), "{state:?}");
    ensure!(state.message(2)?.deleted && state.message(2)?.ver == before.message(2)?.ver + 1, "the tombstone stays");
    let removed = state.message(3)?.attachment(&removed.key.attachment).cloned();
    ensure!(removed == Some(Attachment::Removed), "{removed:?}");
    Ok(())
}

/// The message is deleted while its file is worked on: whatever ingest was about to write, nothing of it stays.
pub(crate) async fn nothing_stays_of_a_message_that_is_deleted_while_its_file_is_worked_on(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "reclaim-race").await?;
    let file = File::fixture("phone-12mp.jpg", "image/jpeg")?;
    let mut slots = Vec::new();
    for number in 0..4 {
        slots.push(chat.send(&format!("race-{number}"), &file).await?.0);
    }
    futures::future::try_join_all(
        slots.iter().map(async |slot| chat.call("DELETE", &chat.path(slot.key.message), None).await),
    )
    .await?;
    let is_empty = async || Ok(State::of(&cloud, &chat.room).await?.has_no_objects().then_some(()));
    until("nothing of it", is_empty).await?;
    // And nothing comes after it: a worker that was still at it has ended, and what it left was collected once more.
    tokio::time::sleep(Duration::from_secs(3)).await;
    until("nothing of it, still", is_empty).await
}

/// What nothing points at goes a while after the decision; of what is pending or unknown nothing is touched.
pub(crate) async fn only_what_nothing_points_at_is_collected(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "collect").await?;
    let file = File::text("with a stray copy beside it");
    let slots = chat.announce("one", &[&file, &file]).await?;
    let [decided, pending] = slots.as_slice() else { anyhow::bail!("two were announced") };
    let bucket = cloud.output("ProcessedBucket")?;
    let unknown = format!("{}/000000000077/{}", chat.room, decided.key.attachment);
    for key in [decided.key.to_string(), pending.key.to_string(), unknown.clone()] {
        let put = cloud.s3.put_object().bucket(bucket).key(format!("{key}/0123456789abcdef/original"));
        put.body(b"stray".to_vec().into()).send().await?;
    }
    chat.upload(decided, &file).await?;
    chat.decided(decided).await?;
    let stray = format!("{}/0123456789abcdef/original", decided.key);
    let state = until("the stray copy to go", async || {
        let state = State::settled(&cloud, &chat.room).await?;
        Ok((!state.processed.contains_key(&stray)).then_some(state))
    })
    .await?;
    for key in [pending.key.to_string(), unknown] {
        let request = json!({ "key": key, "why": "audited" });
        cloud.invoke("ReclaimFunction", &batch(&[request])).await?;
    }
    ensure!(State::of(&cloud, &chat.room).await? == state && state.processed.len() == 3, "{state:?}");
    Ok(())
}
