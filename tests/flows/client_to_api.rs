//! client ─ POST message ─▶ api ─▶ ChatTable: rooms, messages, and who may see them.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use vestibule::people;

use crate::support::chat::{Chat, File};
use crate::support::cloud::Cloud;
use crate::support::state::State;
use crate::support::wait::until;

/// Wants a problem document with this status and code.
fn problem(answer: &(u16, Value), status: u16, code: &str) -> anyhow::Result<()> {
    ensure!(answer.0 == status && answer.1["code"] == code && answer.1["status"] == status, "{answer:?}");
    ensure!(answer.1["title"].is_string() && answer.1["type"].is_string(), "{answer:?}");
    Ok(())
}

pub(crate) async fn a_customer_has_one_open_room_however_many_are_opened_at_once(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let (_, token) = cloud.customer("one-room").await?;
    let body = json!({});
    let opened = try_join_all((0..6).map(|_| cloud.call(&token, "POST", "/v1/rooms", Some(&body)))).await?;
    let rooms: BTreeSet<&str> = opened.iter().filter_map(|(_, room)| room["room"].as_str()).collect();
    ensure!(rooms.len() == 1, "{opened:?}");
    ensure!(opened.iter().filter(|(status, _)| *status == 201).count() == 1, "{opened:?}");
    let (_, listed) = cloud.call(&token, "GET", "/v1/rooms", None).await?;
    ensure!(listed["rooms"].as_array().is_some_and(|rooms| rooms.len() == 1), "{listed}");

    // An operator finds it waiting, and takes it; a second operator would come too late.
    let room = rooms.first().context("a room")?;
    let waits = async || -> anyhow::Result<bool> {
        let (_, waiting) = cloud.call(&cloud.operator, "GET", "/v1/rooms?waiting=true", None).await?;
        Ok(waiting["rooms"].as_array().is_some_and(|rooms| rooms.iter().any(|waiting| waiting["room"] == *room)))
    };
    ensure!(waits().await?);
    problem(&cloud.call(&cloud.operator, "GET", &format!("/v1/rooms/{room}"), None).await?, 404, "not-found")?;
    let (status, claimed) = cloud.call(&cloud.operator, "PUT", &format!("/v1/rooms/{room}/operator"), None).await?;
    ensure!(status == 200 && claimed["operator"].is_string(), "{claimed}");
    ensure!(!waits().await?);

    // Closed, it makes place for another one.
    let (status, closed) = cloud.call(&cloud.operator, "POST", &format!("/v1/rooms/{room}/close"), None).await?;
    ensure!(status == 200 && closed["status"] == "closed", "{closed}");
    let (status, _) = cloud.call(&cloud.operator, "POST", &format!("/v1/rooms/{room}/close"), None).await?;
    ensure!(status == 200, "closing twice is harmless");
    let send = json!({ "clientMessageId": "late", "text": "anybody there?" });
    problem(
        &cloud.call(&token, "POST", &format!("/v1/rooms/{room}/messages"), Some(&send)).await?,
        409,
        "room-closed",
    )?;
    let (status, next) = cloud.call(&token, "POST", "/v1/rooms", Some(&body)).await?;
    ensure!(status == 201 && next["room"] != *room, "{next}");
    Ok(())
}

pub(crate) async fn to_a_stranger_the_room_does_not_exist(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "private").await?;
    let file = File::text("between us");
    let (slot, _) = chat.send("one", &file).await?;
    chat.decided(&slot).await?;
    let (_, stranger) = cloud.customer("stranger-to-private").await?;
    let room = format!("/v1/rooms/{}", chat.room);
    let (message, attachment) = (chat.path(slot.key.message), chat.attachment_path(&slot));
    let before = State::of(&cloud, &chat.room).await?;
    let text = json!({ "clientMessageId": "x", "text": "hello" });
    for (method, path, body) in [
        ("GET", room.clone(), None),
        ("POST", format!("{room}/close"), None),
        ("GET", format!("{room}/messages"), None),
        ("POST", format!("{room}/messages"), Some(&text)),
        ("GET", message.clone(), None),
        ("PATCH", message.clone(), Some(&text)),
        ("DELETE", message.clone(), None),
        ("GET", attachment.clone(), None),
        ("GET", format!("{attachment}/variants/320"), None),
        ("DELETE", attachment.clone(), None),
        ("POST", format!("{attachment}/upload"), None),
        ("DELETE", format!("{attachment}/upload"), None),
    ] {
        let answer = cloud.call(&stranger, method, &path, body).await?;
        problem(&answer, 404, "not-found").with_context(|| format!("{method} {path}"))?;
        let nowhere = path.replace(chat.room.as_str(), "01jd3v8q0zk5w6x7y8z9abcdef");
        let absent = cloud.call(&stranger, method, &nowhere, body).await?;
        ensure!(answer == absent, "a foreign room looks exactly like none: {answer:?} {absent:?}");
    }
    ensure!(State::of(&cloud, &chat.room).await? == before);
    Ok(())
}

pub(crate) async fn only_a_whole_access_token_opens_the_api(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let (person, token) = cloud.customer("tokens").await?;
    let (status, _) = cloud.call(&token, "GET", "/v1/rooms", None).await?;
    ensure!(status == 200);
    let (head, signature) = token.rsplit_once('.').context("a token has three parts")?;
    let (header, claims) = head.split_once('.').context("a token has three parts")?;
    let other: String = signature.chars().rev().collect();
    let expired = forge(claims, |claims| claims["exp"] = json!(1_000_000_000))?;
    let other_user = forge(claims, |claims| claims["sub"] = json!("00000000-0000-0000-0000-000000000000"))?;
    for (what, token) in [
        ("no token", String::new()),
        ("another signature", format!("{head}.{other}")),
        ("an expiry in the past, signed with the token's own signature", format!("{header}.{expired}.{signature}")),
        ("another user, signed with the token's own signature", format!("{header}.{other_user}.{signature}")),
        ("no signature", format!("{head}.")),
    ] {
        let (status, answer) = cloud.call(&token, "GET", "/v1/rooms", None).await?;
        ensure!(status == 401, "{what}: {status} {answer}");
    }
    until("the end of a token's second", async || {
        let (status, _) = cloud.call(&cloud.expired, "GET", "/v1/rooms", None).await?;
        Ok((status == 401).then_some(()))
    })
    .await?;
    // An ID token is for the page that shows who signed in: it has no scope, and is no key to the API.
    let id_token = id_token(&cloud, &person).await?;
    let (status, answer) = cloud.call(&id_token, "GET", "/v1/rooms", None).await?;
    ensure!(status == 401 || status == 403, "an ID token: {status} {answer}");
    Ok(())
}

fn forge(claims: &str, change: impl FnOnce(&mut Value)) -> anyhow::Result<String> {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut claims: Value = serde_json::from_slice(&base64.decode(claims)?)?;
    change(&mut claims);
    Ok(base64.encode(claims.to_string()))
}

async fn id_token(cloud: &Cloud, person: &people::Person) -> anyhow::Result<String> {
    use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
    let cognito = aws_sdk_cognitoidentityprovider::Client::new(cloud.stack().sdk());
    let asked =
        cognito.initiate_auth().client_id(cloud.output("UserPoolClientId")?).auth_flow(AuthFlowType::UserPasswordAuth);
    let asked = asked.auth_parameters("USERNAME", &person.name).auth_parameters("PASSWORD", &person.password);
    let answer = asked.send().await?;
    let tokens = answer.authentication_result().context("signed in")?;
    Ok(tokens.id_token().context("an ID token")?.to_owned())
}

pub(crate) async fn a_retried_send_returns_the_first_answer(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "retried").await?;
    let path = format!("/v1/rooms/{}/messages", chat.room);
    let body = json!({ "clientMessageId": "m-1", "text": "hello", "attachments": [{ "name": "a.txt", "size": 3, "type": "text/plain" }] });
    let sends = try_join_all((0..4).map(|_| cloud.call(&chat.customer, "POST", &path, Some(&body)))).await?;
    let messages: BTreeSet<String> = sends.iter().map(|(_, sent)| sent["message"].to_string()).collect();
    ensure!(messages.len() == 1, "{sends:?}");
    ensure!(sends.iter().filter(|(status, _)| *status == 201).count() == 1, "{sends:?}");
    ensure!(
        sends.iter().all(|(_, sent)| sent["uploads"].as_object().is_some_and(|uploads| uploads.len() == 1)),
        "{sends:?}"
    );
    let other = json!({ "clientMessageId": "m-1", "text": "something else" });
    let (status, answer) = cloud.call(&chat.customer, "POST", &path, Some(&other)).await?;
    ensure!((400..500).contains(&status) && answer["code"] == "client-message-id-reused", "{status} {answer}");
    ensure!(State::of(&cloud, &chat.room).await?.items.keys().filter(|key| key.starts_with("MSG#")).count() == 1);
    Ok(())
}

pub(crate) async fn messages_sent_at_once_are_numbered_without_a_gap(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "dense").await?;
    let path = format!("/v1/rooms/{}/messages", chat.room);
    let post = async |number: usize| {
        let token = if number.is_multiple_of(2) { &chat.customer } else { &cloud.operator };
        let body = json!({ "clientMessageId": format!("m-{number}"), "text": format!("message {number}") });
        cloud.call(token, "POST", &path, Some(&body)).await
    };
    let sent = try_join_all((0..10).map(post)).await?;
    let mut numbers: Vec<u64> = sent.iter().filter_map(|(_, sent)| sent["message"]["seq"].as_u64()).collect();
    numbers.sort_unstable();
    ensure!(numbers == (1..=10).collect::<Vec<_>>(), "{sent:?}");

    // Pages follow one another without a gap, too.
    let mut listed = Vec::new();
    let mut after = 0;
    loop {
        let (_, page) = cloud.call(&chat.customer, "GET", &format!("{path}?afterSeq={after}&limit=4"), None).await?;
        let page: Vec<u64> =
            page["messages"].as_array().into_iter().flatten().filter_map(|message| message["seq"].as_u64()).collect();
        let Some(last) = page.last() else { break };
        after = *last;
        listed.extend(page);
    }
    ensure!(listed == numbers, "{listed:?}");
    Ok(())
}

pub(crate) async fn an_author_edits_and_deletes_and_nobody_else(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "edits").await?;
    let path = format!("/v1/rooms/{}/messages", chat.room);
    let sent = chat.call("POST", &path, Some(&json!({ "clientMessageId": "a", "text": "helo" }))).await?;
    let since = sent["message"]["at"].as_str().context("a time")?.to_owned();
    let message = format!("{path}/1");
    let edited = chat.call("PATCH", &message, Some(&json!({ "text": "hello" }))).await?;
    ensure!(edited["ver"] == 2 && edited["text"] == "hello" && edited["cause"] == "edited", "{edited}");
    for (method, body) in [("PATCH", Some(json!({ "text": "bye" }))), ("DELETE", None)] {
        problem(&cloud.call(&cloud.operator, method, &message, body.as_ref()).await?, 403, "not-the-author")?;
    }
    let deleted = chat.call("DELETE", &message, None).await?;
    ensure!(deleted["ver"] == 3 && deleted["deleted"] == true && deleted["text"].is_null(), "{deleted}");
    ensure!(chat.call("DELETE", &message, None).await? == deleted, "deleting twice is harmless");
    problem(
        &cloud.call(&chat.customer, "PATCH", &message, Some(&json!({ "text": "again" }))).await?,
        410,
        "message-deleted",
    )?;

    // The other one asks what has changed, and is told of the tombstone.
    let (_, changed) = cloud.call(&cloud.operator, "GET", &format!("{path}?changedSince={since}"), None).await?;
    let changed = changed["messages"].as_array().cloned().unwrap_or_default();
    ensure!(changed.len() == 1 && changed[0]["seq"] == 1 && changed[0]["ver"] == 3, "{changed:?}");
    Ok(())
}

pub(crate) async fn a_bad_request_is_told_what_is_wrong(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "bad-requests").await?;
    let path = format!("/v1/rooms/{}/messages", chat.room);
    let file = |size: u64, kind: &str| json!({ "clientMessageId": "x", "attachments": [{ "name": "a", "size": size, "type": kind }] });
    let too_many: Vec<Value> = (0..21).map(|_| json!({ "name": "a", "size": 1, "type": "text/plain" })).collect();
    for body in [
        json!({}),
        json!([]),
        json!({ "clientMessageId": "x" }),
        json!({ "clientMessageId": "a b", "text": "hello" }),
        json!({ "clientMessageId": "x", "text": "a".repeat(32 * 1024 + 1) }),
        file(1, "no type"),
        json!({ "clientMessageId": "x", "attachments": too_many }),
        json!({ "clientMessageId": "x", "attachments": [{ "name": "n".repeat(256), "size": 1, "type": "text/plain" }] }),
    ] {
        let (status, answer) = cloud.call(&chat.customer, "POST", &path, Some(&body)).await?;
        ensure!((400..500).contains(&status) && answer["code"].is_string(), "{body}: {status} {answer}");
    }
    let (status, answer) = cloud
        .call(&chat.customer, "POST", &path, Some(&file(crate::support::cloud::MAX_UPLOAD_BYTES + 1, "text/plain")))
        .await?;
    ensure!((400..500).contains(&status) && answer["code"] == "too-large", "{status} {answer}");
    let (status, _) = cloud
        .call(&chat.customer, "POST", &path, Some(&file(crate::support::cloud::MAX_UPLOAD_BYTES, "text/plain")))
        .await?;
    ensure!(status == 201, "the limit is inclusive");
    problem(&cloud.call(&chat.customer, "GET", "/v1/nothing", None).await?, 404, "not-found")?;
    Ok(())
}
