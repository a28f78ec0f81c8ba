//! The way of one file, as the functions' logs tell it.

use std::sync::Arc;

use anyhow::ensure;
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
    for layer in ["limits", "no_new_privs", "undumpable", "dies_with_parent", "parent_undumpable"] {
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

async fn lines(cloud: &Cloud, group: &str) -> anyhow::Result<Vec<String>> {
    let mut pages = cloud.logs.filter_log_events().log_group_name(group).into_paginator().send();
    let mut lines = Vec::new();
    while let Some(page) = pages.next().await {
        lines.extend(page?.events().iter().filter_map(|event| event.message().map(|line| line.trim().to_owned())));
    }
    Ok(lines)
}
