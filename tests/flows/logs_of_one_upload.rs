//! The way of one file, as the functions' logs tell it.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::support::archive;
use crate::support::chat::{Chat, File};
use crate::support::cloud::Cloud;
use crate::support::socket::Socket;
use crate::support::wait::until;

pub(crate) async fn one_id_joins_the_lines_of_all_functions_and_no_line_holds_a_secret(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "logs").await?;
    let photo = File { name: "a-telling-name.jpg".to_owned(), ..File::fixture("progressive.jpg", "image/jpeg")? };
    let text = serde_json::json!({ "clientMessageId": "t", "text": "a-telling-text" });
    chat.call("POST", &format!("/v1/rooms/{}/messages", chat.room), Some(&text)).await?;
    let (slot, _) = chat.send("one", &photo).await?;
    chat.decided(&slot).await?;
    let id = slot.key.attachment.as_str();
    for group in ["ApiLogs", "IngestLogs", "InspectLogs"] {
        let mine = |line: &Value| line["correlation.id"] == id;
        let lines = until(&format!("a line about the upload in {group}"), async || {
            let lines = lines(&cloud, cloud.output(group)?).await?;
            Ok(lines.iter().any(|line| serde_json::from_str(line).is_ok_and(|line| mine(&line))).then_some(lines))
        })
        .await?;
        for line in &lines {
            for secret in [
                "X-Amz-Signature",
                "X-Amz-Security-Token",
                "a-telling-name",
                "a-telling-text",
                &chat.customer,
                &cloud.operator,
            ] {
                ensure!(!line.contains(secret), "{group}: {line}");
            }
            if line.starts_with('{') {
                let line: Value = serde_json::from_str(line)?;
                ensure!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
            }
        }
    }
    Ok(())
}

pub(crate) async fn the_inspector_says_at_its_start_which_layers_are_around_its_children(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "layers").await?;
    let (slot, _) = chat.send("one", &File::fixture("progressive.jpg", "image/jpeg")?).await?;
    chat.decided(&slot).await?;
    let said = until("a line about the layers in InspectLogs", async || {
        let lines = lines(&cloud, cloud.output("InspectLogs")?).await?;
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(lines.find(|line| line["message"] == "layers"))
    })
    .await?;
    for layer in ["limits", "no_new_privs", "no_capabilities", "undumpable", "dies_with_parent", "parent_undumpable"] {
        ensure!(said[format!("inspect.layers.{layer}")] == true, "{layer}: {said}");
    }
    Ok(())
}

pub(crate) async fn tickets_and_texts_are_in_no_line_of_what_is_live_or_archived(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "live-logs").await?;
    let (ticket, url) = Socket::ticket(&cloud, &chat.customer).await?;
    let mut socket = Socket::connect(&url, &format!("ticket={ticket}")).await?;
    ensure!(socket.ask(r#"{"action":"a-telling-action"}"#).await?["type"] == "error");
    let text = serde_json::json!({ "clientMessageId": "t", "text": "a-telling-remark" });
    chat.call("POST", &format!("/v1/rooms/{}/messages", chat.room), Some(&text)).await?;
    socket.pushes_until(|push| push["room"] == chat.room.as_str()).await?;
    until("the remark in the archive", async || {
        Ok((!archive::records(&cloud, &chat.room).await?.is_empty()).then_some(()))
    })
    .await?;
    for (group, word) in [
        ("ApiLogs", "/v1/connect-tickets"),
        ("ConnectLogs", "connected"),
        ("RelayLogs", "relayed"),
        ("ArchiveLogs", "archived"),
    ] {
        let lines = until(&format!("a line in {group}"), async || {
            let lines = lines(&cloud, cloud.output(group)?).await?;
            Ok(lines.iter().any(|line| line.contains(word)).then_some(lines))
        })
        .await?;
        for secret in [ticket.as_str(), "a-telling-remark", "a-telling-action", &chat.customer] {
            ensure!(!lines.iter().any(|line| line.contains(secret)), "{group} holds {secret}");
        }
    }
    Ok(())
}

/// A film of 64 MB, as a camera writes it: the pictures first, and where they are last.
pub(crate) async fn a_film_of_64_mb_costs_a_few_ranges(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    const SIZE: usize = 64_000_000;
    let chat = Chat::open(&cloud, "film").await?;
    let short = File::fixture("film-moov-last.mp4", "video/mp4")?;
    let at = |name: &[u8]| short.bytes.windows(4).position(|four| four == name).map(|at| at - 4);
    let (media, tables) = (at(b"mdat").context("an mdat")?, at(b"moov").context("a moov")?);
    // Behind the pictures that are known come others, so that what is known of places stays true.
    let more = SIZE - short.bytes.len();
    let mut bytes = short.bytes[..tables].to_vec();
    bytes[media..media + 4].copy_from_slice(&u32::try_from(tables - media + more)?.to_be_bytes());
    bytes.resize(tables + more, 0x5A);
    bytes.extend_from_slice(&short.bytes[tables..]);
    let (slot, _) = chat.send("film", &File { bytes, ..short }).await?;
    let shown = chat.decided(&slot).await?;
    ensure!(shown["state"] == "ready" && shown["facts"]["durationMillis"] == 2000, "{shown}");
    ensure!(shown["variants"]["1280"]["width"] == 320, "{shown}");
    let id = slot.key.attachment.as_str();
    let line = until("what the inspector says of the film", async || {
        let lines = lines(&cloud, cloud.output("InspectLogs")?).await?;
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        Ok(lines.find(|line| line["correlation.id"] == id && line["inspect.verdict"] == "accepted"))
    })
    .await?;
    let (bytes, ranges) = (line["inspect.bytes"].as_u64().unwrap_or(u64::MAX), &line["inspect.ranges"]);
    ensure!(bytes < SIZE as u64 / 50, "{bytes} bytes in {ranges} ranges");
    // What came is no such measure here: the local cloud answers a range of a version with all of it (S3 does not), and the inspector reads
    // up to the range's end. That no more comes than is asked for where ranges are kept to, `fetch` of the inspector tests.
    let received = line["inspect.received"].as_u64().unwrap_or_default();
    ensure!(received >= bytes, "{received} bytes of {bytes} came");
    Ok(())
}

async fn lines(cloud: &Cloud, group: &str) -> anyhow::Result<Vec<String>> {
    let mut pages = cloud.logs.filter_log_events().log_group_name(group).into_paginator().send();
    let mut lines = Vec::new();
    while let Some(page) = pages.next().await {
        lines.extend(page?.events().iter().filter_map(|event| event.message().map(|line| line.trim().to_owned())));
    }
    Ok(lines)
}
