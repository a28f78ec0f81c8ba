//! InboxBucket ─▶ ingest ⇄ inspect ─▶ ProcessedBucket and ChatTable: what is accepted.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use vestibule_domain::attachment::{Attachment, Ready};
use vestibule_domain::message::{Cause, Message};
use vestibule_store::objects::{Copied, CopyDigest, Destination, Objects};

use crate::support::chat::{Chat, File, Slot};
use crate::support::cloud::{Cloud, batch, failed_messages};
use crate::support::state::State;
use crate::support::wait::until;

/// The attachment's entry, which must be ready.
fn ready(message: &Message, slot: &Slot) -> anyhow::Result<Ready> {
    match message.attachment(&slot.key.attachment) {
        Some(Attachment::Ready(entry)) => Ok((**entry).clone()),
        other => anyhow::bail!("not ready: {other:?}"),
    }
}

pub(crate) async fn a_photo_comes_back_with_upright_thumbnails(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "photo").await?;
    let photo = File::fixture("phone-12mp.jpg", "image/jpeg")?;
    let (slot, version) = chat.send("one", &photo).await?;
    let shown = chat.decided(&slot).await?;
    ensure!(shown["state"] == "ready", "{shown}");

    let state = State::settled(&cloud, &chat.room).await?;
    let message = state.message(1)?;
    ensure!((message.ver, message.cause, message.by.as_str()) == (2, Cause::AttachmentReady, "ingest"), "{message:?}");
    let entry = ready(&message, &slot)?;
    ensure!(entry.inbox_version == version.version);
    // The camera was held upright: 4032 × 3024 are stored, sideways.
    ensure!((entry.facts.width, entry.facts.height) == (Some(3024), Some(4032)), "{:?}", entry.facts);
    ensure!(entry.facts.sha256.map(|digest| digest.to_string()) == Some(hex::encode(Sha256::digest(&photo.bytes))));
    let sizes: Vec<_> =
        entry.variants.iter().map(|(name, variant)| (name.as_str(), variant.width, variant.height)).collect();
    ensure!(sizes == [("1280", 960, 1280), ("320", 240, 320)], "{sizes:?}");
    let keys: Vec<&String> = entry.variants.values().map(|variant| &variant.key).chain([&entry.original.key]).collect();
    ensure!(state.processed.len() == 3 && keys.iter().all(|key| state.processed.contains_key(*key)), "{state:?}");
    ensure!(state.quarantine.is_empty());

    // What the API hands out opens, under the type that the bytes had.
    let thumbnail = cloud.http.get(shown["variants"]["320"]["url"].as_str().context("a URL")?).send().await?;
    ensure!(thumbnail.status() == 200 && thumbnail.headers()["content-type"] == "image/jpeg", "{thumbnail:?}");
    let original = chat.call("GET", &chat.attachment_path(&slot), None).await?;
    let original = cloud.http.get(original["url"].as_str().context("a URL")?).send().await?;
    ensure!(
        original.headers()["content-disposition"]
            == "inline; filename=\"phone-12mp.jpg\"; filename*=UTF-8''phone-12mp.jpg"
    );
    ensure!(original.bytes().await? == photo.bytes);
    Ok(())
}

pub(crate) async fn a_file_that_is_no_picture_passes_with_facts(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "no-picture").await?;
    let song = File::fixture("voice.ogg", "audio/opus")?;
    let note = File::text("Grüße\n");
    let slots = chat.announce("both", &[&song, &note]).await?;
    for (slot, file) in slots.iter().zip([&song, &note]) {
        chat.upload(slot, file).await?;
    }
    for (slot, file) in slots.iter().zip([&song, &note]) {
        let shown = chat.decided(slot).await?;
        ensure!(shown["state"] == "ready" && shown["facts"]["type"] == file.declared, "{shown}");
        ensure!(shown["facts"]["sha256"] == hex::encode(Sha256::digest(&file.bytes)), "{shown}");
    }
    let state = State::settled(&cloud, &chat.room).await?;
    // Two files of one message finish at once, and neither write is lost.
    ensure!(state.message(1)?.ver == 3);
    for slot in &slots {
        ensure!(ready(&state.message(1)?, slot)?.variants.is_empty());
    }
    let (heard, read) = (ready(&state.message(1)?, &slots[0])?.facts, ready(&state.message(1)?, &slots[1])?.facts);
    ensure!(heard.duration_millis == Some(3000) && heard.waveform.is_some() && heard.codecs == ["opus"], "{heard:?}");
    ensure!(read.encoding.as_deref() == Some("UTF-8") && read.excerpt.as_deref() == Some("Grüße"), "{read:?}");
    ensure!(state.processed.len() == 2, "{state:?}");
    Ok(())
}

/// The parts' digests are AWS's: the local cloud answers none, and ingest then hashes by reading.
pub(crate) async fn a_large_version_is_copied_in_parts(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "parts").await?;
    let slot = chat.announce("late", &[&File::text("x")]).await?.pop().context("one attachment")?;
    let buckets = vestibule_store::objects::Buckets {
        inbox: cloud.output("InboxBucket")?.to_owned(),
        processed: cloud.output("ProcessedBucket")?.to_owned(),
        quarantine: cloud.output("QuarantineBucket")?.to_owned(),
    };
    let objects = Objects::new(cloud.s3.clone(), buckets, 5 * 1024 * 1024);
    let bytes: Vec<u8> = (0..11_u32 * 1024 * 1024).map(|n| n.to_le_bytes()[(n % 3) as usize]).collect();
    // Nothing in this room waits for a version of this length, so ingest refuses it while we copy: both may happen at once.
    let upload = cloud.put_as_root(&slot.key, bytes.clone()).await?;
    let to = Destination {
        bucket: &objects.buckets().processed,
        key: format!("{}/in-parts", chat.room),
        content_type: "application/octet-stream".parse()?,
        disposition: "attachment".to_owned(),
    };
    match objects.copy(&upload, &to).await? {
        Copied::Whole(CopyDigest::Unsaid | CopyDigest::Parts(_)) => {}
        other @ (Copied::Whole(CopyDigest::Whole(_)) | Copied::SourceGone) => anyhow::bail!("{other:?}"),
    }
    let copied = cloud.s3.get_object().bucket(to.bucket).key(&to.key).send().await?;
    ensure!(copied.body.collect().await?.to_vec() == bytes);
    Ok(())
}

pub(crate) async fn every_event_again_and_in_reverse_changes_nothing(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "again").await?;
    let good = File::fixture("png-alpha.png", "image/png")?;
    let bad = File::fixture("truncated.png", "image/png")?;
    let note = File::text("twice");
    let mut events = Vec::new();
    let mut slots = Vec::new();
    for (id, file) in [("good", &good), ("bad", &bad), ("note", &note)] {
        let (slot, upload) = chat.send(id, file).await?;
        events.push(cloud.s3_event(&upload)?);
        slots.push(slot);
    }
    for slot in &slots {
        chat.decided(slot).await?;
    }
    let before = State::settled(&cloud, &chat.room).await?;
    for again in [events.clone(), events.clone(), events.iter().rev().cloned().collect()] {
        let answer = cloud.invoke_ingest(&batch(&again)).await?;
        ensure!(failed_messages(&answer).is_empty(), "{answer}");
    }
    ensure!(State::of(&cloud, &chat.room).await? == before);
    ensure!(before.quarantine.len() == 1 && before.processed.len() == 4, "{before:?}");
    Ok(())
}

pub(crate) async fn duplicates_in_flight_publish_once(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "duplicates").await?;
    let (slot, upload) = chat.send("one", &File::fixture("screenshot-4k.png", "image/png")?).await?;
    let event = batch(&vec![cloud.s3_event(&upload)?; 3]);
    // Who comes second is put back, until whoever is at work on it has ended.
    let until_done = async || {
        until("the duplicates to be done with", async || {
            let answer = cloud.invoke_ingest(&event).await?;
            Ok(failed_messages(&answer).is_empty().then_some(()))
        })
        .await
    };
    futures::future::try_join(until_done(), until_done()).await?;
    chat.decided(&slot).await?;
    let state = State::settled(&cloud, &chat.room).await?;
    let hints: Vec<_> = state.items.iter().filter(|(key, _)| key.starts_with("WORK#")).collect();
    ensure!(
        hints.len() == 1 && hints.iter().all(|(_, hint)| hint["tries"] == 1),
        "one of them did the work: {hints:?}"
    );
    ensure!(state.message(1)?.ver == 2 && state.processed.len() == 3 && state.quarantine.is_empty(), "{state:?}");
    Ok(())
}
