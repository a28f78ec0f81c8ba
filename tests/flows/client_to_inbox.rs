//! client ─ PUT, presigned ─▶ InboxBucket: S3 itself holds the sender to the promise.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::chat::{Chat, File, put};
use crate::support::cloud::Cloud;
use crate::support::state::State;

pub(crate) async fn what_was_not_promised_is_refused_by_s3(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "promises").await?;
    let slot = chat.announce("one", &[&File::text("12345")]).await?.remove(0);
    let before = State::of(&cloud, &chat.room).await?;
    for (what, bytes, headers) in [
        ("over-size", "123456", json!({})),
        ("under-size", "1234", json!({})),
        ("another type", "12345", json!({ "content-type": "text/html" })),
        ("no condition", "12345", json!({ "if-none-match": null })),
    ] {
        let mut ticket = slot.ticket.clone();
        for (name, value) in headers.as_object().context("headers")? {
            let sent = ticket["headers"].as_object_mut().context("a ticket has headers")?;
            sent.remove(name);
            if !value.is_null() {
                sent.insert(name.clone(), value.clone());
            }
        }
        let response = put(&cloud, &ticket, bytes.as_bytes().to_vec()).await?;
        let status = response.status();
        let answer = response.text().await?;
        ensure!(status == 403 && answer.contains("SignatureDoesNotMatch"), "{what}: {status} {answer}");
    }
    ensure!(State::of(&cloud, &chat.room).await? == before, "nothing came in");
    Ok(())
}

pub(crate) async fn the_signature_covers_what_the_sender_promised(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "signed").await?;
    let digest = hex::encode(Sha256::digest(b"abc"));
    let announced = json!([{ "name": "a.txt", "size": 3, "type": "text/plain", "sha256": digest }]);
    let slot = chat.announce_as("one", &announced).await?.remove(0);
    let url: reqwest::Url = slot.ticket["url"].as_str().context("a URL")?.parse()?;
    let signed =
        url.query_pairs().find(|(name, _)| name == "X-Amz-SignedHeaders").context("signed headers")?.1.into_owned();
    let signed: Vec<&str> = signed.split(';').collect();
    for header in ["content-length", "content-type", "host", "if-none-match", "x-amz-checksum-sha256"] {
        ensure!(signed.contains(&header), "{header} in {signed:?}");
    }
    ensure!(!url.query_pairs().any(|(name, _)| name.to_lowercase().contains("tagging")), "never a tag");
    // S3 checks the digest of what it is sent. The local cloud does so too.
    let response = put(&cloud, &slot.ticket, b"abd".to_vec()).await?;
    let (status, answer) = (response.status(), response.text().await?);
    ensure!(status == 400, "{status} {answer}");
    let response = put(&cloud, &slot.ticket, b"abc".to_vec()).await?;
    ensure!(response.status() == 200);
    ensure!(chat.decided(&slot).await?["facts"]["sha256"] == digest);
    Ok(())
}

pub(crate) async fn a_second_upload_does_not_replace_the_first(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "second").await?;
    let file = File::fixture("phone-12mp.jpg", "image/jpeg")?;
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    let uploads = futures::future::try_join(
        put(&cloud, &slot.ticket, file.bytes.clone()),
        put(&cloud, &slot.ticket, file.bytes.clone()),
    );
    let (one, other) = uploads.await?;
    // Both may come in, when the second begins after the first was published and retired: it then goes to quarantine.
    let statuses = [one.status().as_u16(), other.status().as_u16()];
    ensure!(statuses.contains(&200) && statuses.iter().all(|status| [200, 409, 412].contains(status)), "{statuses:?}");
    ensure!(chat.decided(&slot).await?["state"] == "ready");
    let state = State::settled(&cloud, &chat.room).await?;
    ensure!(state.message(1)?.ver == 2 && state.processed.len() == 3, "{state:?}");
    Ok(())
}

pub(crate) async fn an_upload_can_be_issued_again_until_it_is_decided(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "again-issued").await?;
    let file = File::text("second try");
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    let path = format!("{}/upload", chat.attachment_path(&slot));
    let ticket = chat.call("POST", &path, None).await?;
    ensure!(
        ticket["method"] == "PUT" && ticket["headers"] == slot.ticket["headers"] && ticket["expires"].is_string(),
        "{ticket}"
    );
    ensure!(put(&cloud, &ticket, file.bytes).await?.status() == 200);
    chat.decided(&slot).await?;
    for method in ["POST", "DELETE"] {
        let (status, answer) = cloud.call(&chat.customer, method, &path, None).await?;
        ensure!(status == 409 && answer["code"].is_string(), "{method}: {status} {answer}");
    }
    Ok(())
}

pub(crate) async fn an_expired_ticket_is_refused_by_s3(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "expired").await?;
    let file = File::text("too late");
    let slot = chat.announce("one", &[&file]).await?.remove(0);
    // As good as waiting: a ticket from last year. Its date is signed, so S3 answers before it looks at the signature.
    let url = slot.ticket["url"].as_str().context("a URL")?;
    let (before, date) = url.split_once("X-Amz-Date=").context("a date")?;
    let mut ticket = slot.ticket.clone();
    ticket["url"] = Value::from(format!("{before}X-Amz-Date=2025{}", &date[4..]));
    let response = put(&cloud, &ticket, file.bytes).await?;
    let (status, answer) = (response.status(), response.text().await?);
    ensure!(status == 403, "{status} {answer}");
    ensure!(State::of(&cloud, &chat.room).await?.inbox.is_empty());
    Ok(())
}

/// Its time is over: nobody is told any more how to upload it, and its sender can only give it up.
pub(crate) async fn an_upload_that_has_lapsed_is_not_issued_again(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "lapsed").await?;
    let slot = chat.announce("one", &[&File::text("12345")]).await?.remove(0);
    let before = chat.attachment(&slot).await?;
    let (created, lapses) = (&before["createdAt"], &before["lapsesAt"]);
    ensure!(created.as_str() < lapses.as_str() && lapses == &slot.ticket["companion"]["expires"], "{before}");
    let text = |text: String| AttributeValue::S(text);
    let update = cloud.dynamodb.update_item().table_name(cloud.output("TableName")?);
    let update = update.key("PK", text(format!("ROOM#{}", chat.room)));
    let update = update.key("SK", text(format!("MSG#{}", slot.key.message.digits())));
    let update = update.update_expression("SET attachments.#id.createdAt = :past");
    let update = update.expression_attribute_names("#id", slot.key.attachment.as_str());
    update.expression_attribute_values(":past", text("2026-01-01T00:00:00.000Z".to_owned())).send().await?;
    let path = format!("{}/upload", chat.attachment_path(&slot));
    let (status, refused) = cloud.call(&chat.customer, "POST", &path, None).await?;
    ensure!(status == 410 && refused["code"] == "upload-lapsed", "{status} {refused}");
    ensure!(chat.attachment(&slot).await?["state"] == "pending");
    chat.call("DELETE", &path, None).await?;
    ensure!(chat.attachment(&slot).await?["state"] == "cancelled");
    Ok(())
}
