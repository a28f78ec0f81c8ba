//! client ─▶ api ─▶ ChatTable: what happens when people do things at once, again, too late, or page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use serde_json::{Value, json};
use vestibule::people;
use vestibule_store::downloads::Downloads;
use vestibule_store::signed_urls::SignedUrls;

use crate::support::chat::{Chat, File};
use crate::support::cloud::Cloud;
use crate::support::state::State;

/// Wants an answer with this status and, for a problem, this code.
fn wants(answer: &(u16, Value), status: u16, code: Option<&str>) -> anyhow::Result<()> {
    ensure!(answer.0 == status && answer.1["code"].as_str() == code, "wanted {status} {code:?}: {answer:?}");
    Ok(())
}

/// An operator of the test's own, whose list no other test changes.
async fn operator(cloud: &Cloud, name: &str) -> anyhow::Result<String> {
    let person = people::create(cloud.stack(), name, true).await?;
    Ok(people::sign_in_person(cloud.stack(), &person).await?.access)
}

pub(crate) async fn pages_of_rooms_follow_one_another_and_a_closed_room_is_on_none(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let operator = operator(&cloud, "operator-of-many").await?;
    let mut opened = BTreeSet::new();
    for number in 0..5 {
        let body = json!({ "customer": format!("customer-of-many-{number}") });
        let (status, room) = cloud.call(&operator, "POST", "/v1/rooms", Some(&body)).await?;
        ensure!(status == 201, "{room}");
        opened.insert(room["room"].as_str().context("a room has an id")?.to_owned());
    }
    let closed = opened.pop_first().context("five were opened")?;
    wants(&cloud.call(&operator, "POST", &format!("/v1/rooms/{closed}/close"), None).await?, 200, None)?;

    let mut listed = Vec::new();
    let mut after = String::new();
    loop {
        let (status, page) = cloud.call(&operator, "GET", &format!("/v1/rooms?limit=2{after}"), None).await?;
        ensure!(status == 200, "{page}");
        let rooms = page["rooms"].as_array().context("a list of rooms")?;
        ensure!(rooms.len() <= 2, "{page}");
        listed.extend(rooms.iter().filter_map(|room| room["room"].as_str()).map(ToOwned::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    ensure!(listed.len() == 4 && listed.iter().cloned().collect::<BTreeSet<_>>() == opened, "{listed:?} {opened:?}");
    Ok(())
}

pub(crate) async fn of_two_operators_who_take_a_room_one_gets_it(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let (_, customer) = cloud.customer("contested").await?;
    let rival = operator(&cloud, "rival").await?;
    let (_, room) = cloud.call(&customer, "POST", "/v1/rooms", None).await?;
    let path = format!("/v1/rooms/{}", room["room"].as_str().context("a room has an id")?);
    let claim = format!("{path}/operator");
    wants(&cloud.call(&customer, "PUT", &claim, None).await?, 403, Some("operators-only"))?;
    let tokens = [&cloud.operator, &rival];
    let claims = try_join_all(tokens.map(|token| cloud.call(token, "PUT", &claim, None))).await?;
    let winner = claims.iter().position(|claim| claim.0 == 200).context("one gets it")?;
    wants(&claims[1 - winner], 409, Some("room-taken"))?;
    wants(&cloud.call(tokens[winner], "PUT", &claim, None).await?, 200, None)?;
    wants(&cloud.call(tokens[1 - winner], "GET", &path, None).await?, 404, Some("not-found"))?;
    let body = json!({ "customer": room["customer"] });
    wants(&cloud.call(tokens[winner], "POST", "/v1/rooms", Some(&body)).await?, 200, None)?;
    wants(&cloud.call(tokens[1 - winner], "POST", "/v1/rooms", Some(&body)).await?, 409, Some("customer-has-room"))?;
    wants(&cloud.call(&customer, "POST", "/v1/rooms", Some(&body)).await?, 403, Some("operators-only"))?;
    Ok(())
}

pub(crate) async fn a_room_is_handed_on_and_given_back_by_its_operator_alone(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let (customer, customer_token) = cloud.customer("handed-on").await?;
    let first = people::create(cloud.stack(), "first-operator", true).await?;
    let second = people::create(cloud.stack(), "second-operator", true).await?;
    let first_token = people::sign_in_person(cloud.stack(), &first).await?.access;
    let second_token = people::sign_in_person(cloud.stack(), &second).await?.access;
    let (_, room) = cloud.call(&customer_token, "POST", "/v1/rooms", None).await?;
    let path = format!("/v1/rooms/{}/operator", room["room"].as_str().context("a room")?);
    wants(&cloud.call(&first_token, "PUT", &path, None).await?, 200, None)?;

    let hand_on = async |token: &str, to: &str| cloud.call(token, "PUT", &path, Some(&json!({ "operator": to }))).await;
    // Who was never here as an operator is given nothing, and a customer even less.
    wants(&hand_on(&first_token, &second.id).await?, 409, Some("not-an-operator"))?;
    wants(&hand_on(&first_token, &customer.id).await?, 409, Some("not-an-operator"))?;
    wants(&hand_on(&first_token, "a#b").await?, 422, Some("invalid-request"))?;
    wants(&hand_on(&customer_token, &second.id).await?, 403, Some("operators-only"))?;
    wants(&cloud.call(&second_token, "POST", "/v1/connect-tickets", None).await?, 201, None)?;
    wants(&hand_on(&second_token, &second.id).await?, 404, Some("not-found"))?;
    let handed = hand_on(&first_token, &second.id).await?;
    wants(&handed, 200, None)?;
    ensure!(handed.1["operator"] == second.id, "{}", handed.1);
    // It is not in the first one's list any more, nor theirs to see.
    let (_, mine) = cloud.call(&first_token, "GET", "/v1/rooms", None).await?;
    ensure!(mine["rooms"].as_array().is_some_and(Vec::is_empty), "{mine}");
    let (_, theirs) = cloud.call(&second_token, "GET", "/v1/rooms", None).await?;
    ensure!(theirs["rooms"][0]["room"] == room["room"], "{theirs}");
    wants(&cloud.call(&first_token, "DELETE", &path, None).await?, 404, Some("not-found"))?;

    let given_back = cloud.call(&second_token, "DELETE", &path, None).await?;
    wants(&given_back, 200, None)?;
    ensure!(given_back.1["operator"].is_null(), "{}", given_back.1);
    wants(&cloud.call(&first_token, "PUT", &path, None).await?, 200, None)?;
    let close = path.replace("/operator", "/close");
    wants(&cloud.call(&first_token, "POST", &close, None).await?, 200, None)?;
    wants(&hand_on(&first_token, &second.id).await?, 409, Some("room-closed"))?;
    for person in [first, second] {
        people::remove(cloud.stack(), &person.name).await?;
    }
    Ok(())
}

pub(crate) async fn an_upload_is_cancelled_and_an_attachment_removed_once_and_for_all(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "second-thoughts").await?;
    let slots = chat.announce("one", &[&File::text("a"), &File::text("b")]).await?;
    let (first, second) = (chat.attachment_path(&slots[0]), chat.attachment_path(&slots[1]));
    let upload = format!("{first}/upload");
    for (method, path) in [("POST", &upload), ("DELETE", &upload), ("DELETE", &first)] {
        let answer = cloud.call(&cloud.operator, method, path, None).await?;
        wants(&answer, 403, Some("not-the-author"))?;
    }
    wants(&cloud.call(&chat.customer, "GET", &first, None).await?, 409, Some("attachment-not-ready"))?;

    let cancelled = chat.call("DELETE", &upload, None).await?;
    ensure!(cancelled["ver"] == 2 && cancelled["attachments"][0]["state"] == "cancelled", "{cancelled}");
    ensure!(chat.call("DELETE", &upload, None).await? == cancelled, "cancelling twice is harmless");
    wants(&cloud.call(&chat.customer, "POST", &upload, None).await?, 409, Some("attachment-decided"))?;
    wants(&cloud.call(&chat.customer, "GET", &first, None).await?, 410, Some("attachment-gone"))?;

    let removed = chat.call("DELETE", &first, None).await?;
    let id = slots[0].key.attachment.as_str();
    ensure!(removed["attachments"][0] == json!({ "id": id, "state": "removed" }), "{removed}");
    ensure!(removed["ver"] == 3 && removed["cause"] == "attachment-removed", "{removed}");
    ensure!(chat.call("DELETE", &first, None).await? == removed, "removing twice is harmless");
    wants(&cloud.call(&chat.customer, "DELETE", &upload, None).await?, 409, Some("attachment-decided"))?;

    // A tombstone has nothing to change or to load.
    chat.call("DELETE", &chat.path(slots[0].key.message), None).await?;
    for (method, path) in [
        ("GET", second.clone()),
        ("DELETE", second.clone()),
        ("POST", format!("{second}/upload")),
        ("DELETE", format!("{second}/upload")),
    ] {
        let answer = cloud.call(&chat.customer, method, &path, None).await?;
        wants(&answer, 410, Some("message-deleted")).with_context(|| format!("{method} {path}"))?;
    }
    Ok(())
}

pub(crate) async fn in_a_closed_room_nothing_is_written_but_what_was_sent_can_be_taken_back(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "closing").await?;
    let room = format!("/v1/rooms/{}", chat.room);
    let path = format!("{room}/messages");
    let body = json!({ "clientMessageId": "one", "text": "just in time" });
    let sent = chat.call("POST", &path, Some(&body)).await?;
    let tokens = [&chat.customer, &cloud.operator];
    let close = format!("{room}/close");
    let closed = try_join_all(tokens.map(|token| cloud.call(token, "POST", &close, None))).await?;
    ensure!(closed.iter().all(|answer| answer.0 == 200 && answer.1["status"] == "closed"), "{closed:?}");
    ensure!(closed[0] == closed[1], "it was closed once: {closed:?}");

    // The first answer was lost, say, and the sender asks again: the message is there.
    let again = cloud.call(&chat.customer, "POST", &path, Some(&body)).await?;
    ensure!(again.0 == 200 && again.1["message"] == sent["message"], "{again:?}");
    let late = json!({ "clientMessageId": "two", "text": "too late" });
    wants(&cloud.call(&chat.customer, "POST", &path, Some(&late)).await?, 409, Some("room-closed"))?;
    let message = format!("{path}/1");
    wants(&cloud.call(&chat.customer, "PATCH", &message, Some(&late)).await?, 409, Some("room-closed"))?;
    let deleted = chat.call("DELETE", &message, None).await?;
    ensure!(deleted["deleted"] == true && deleted["ver"] == 2, "{deleted}");
    Ok(())
}

pub(crate) async fn a_client_message_id_is_free_again_after_a_day(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "a-day-later").await?;
    let path = format!("/v1/rooms/{}/messages", chat.room);
    let send = async |text: &str| {
        let body = json!({ "clientMessageId": "same", "text": text });
        cloud.call(&chat.customer, "POST", &path, Some(&body)).await
    };
    ensure!(send("first").await?.0 == 201);
    wants(&send("second").await?, 409, Some("client-message-id-reused"))?;
    // DynamoDB may be days late to delete what its time to live is over for.
    cloud
        .dynamodb
        .update_item()
        .table_name(cloud.output("TableName")?)
        .key("PK", AttributeValue::S(format!("ROOM#{}", chat.room)))
        .key("SK", AttributeValue::S("CMID#same".to_owned()))
        .update_expression("SET #ttl = :past")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":past", AttributeValue::N("1000000000".to_owned()))
        .send()
        .await?;
    let (status, second) = send("second").await?;
    ensure!(status == 201 && second["message"]["seq"] == 2, "{second}");
    wants(&send("first").await?, 409, Some("client-message-id-reused"))?;
    Ok(())
}

pub(crate) async fn edits_and_sends_at_once_all_get_through(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "busy").await?;
    let path = format!("/v1/rooms/{}/messages", chat.room);
    let (message, nowhere) = (format!("{path}/1"), format!("{path}/99"));
    let text = |number: usize| json!({ "clientMessageId": format!("m-{number}"), "text": "hello" });
    chat.call("POST", &path, Some(&text(0))).await?;
    let edits = try_join_all((1..=6).map(async |number| {
        let edit = json!({ "text": format!("hello {number}") });
        let edited = cloud.call(&chat.customer, "PATCH", &message, Some(&edit)).await?;
        let sent = cloud.call(&cloud.operator, "POST", &path, Some(&text(number))).await?;
        ensure!(edited.0 == 200 && sent.0 == 201, "{edited:?} {sent:?}");
        Ok(edited.1["text"].clone())
    }))
    .await?;
    ensure!(edits.len() == 6);
    let state = State::of(&cloud, &chat.room).await?;
    ensure!(state.message(1)?.ver == 7, "every edit is a version: {state:?}");
    ensure!(state.message(7)?.ver == 1, "every send has a place: {state:?}");
    let blank = json!({ "text": " " });
    wants(&cloud.call(&chat.customer, "PATCH", &message, Some(&blank)).await?, 422, Some("invalid-request"))?;
    wants(&cloud.call(&chat.customer, "PATCH", &nowhere, Some(&blank)).await?, 404, Some("not-found"))?;
    Ok(())
}

pub(crate) async fn changes_are_paged_in_their_order(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "changes").await?;
    let path = format!("/v1/rooms/{}/messages", chat.room);
    for number in 1..=5 {
        let body = json!({ "clientMessageId": format!("m-{number}"), "text": "hello" });
        chat.call("POST", &path, Some(&body)).await?;
    }
    chat.call("PATCH", &format!("{path}/2"), Some(&json!({ "text": "changed" }))).await?;
    chat.call("DELETE", &format!("{path}/4"), None).await?;
    for limit in [1, 2, 5, 100] {
        let (mut seen, mut since) = (Vec::new(), "2020-01-01T00:00:00Z".to_owned());
        loop {
            let page = chat.call("GET", &format!("{path}?changedSince={since}&limit={limit}"), None).await?;
            let messages = page["messages"].as_array().context("a list of messages")?;
            seen.extend(
                messages.iter().filter_map(|message| Some((message["seq"].as_u64()?, message["ver"].as_u64()?))),
            );
            let Some(next) = page["next"].as_str() else { break };
            next.clone_into(&mut since);
        }
        ensure!(seen == [(1, 1), (3, 1), (5, 1), (2, 2), (4, 2)], "{limit}: {seen:?}");
    }
    let both = format!("{path}?changedSince=2020-01-01T00:00:00Z&afterSeq=1");
    wants(&cloud.call(&chat.customer, "GET", &both, None).await?, 422, Some("invalid-request"))?;
    Ok(())
}

pub(crate) async fn a_download_is_a_redirect_or_a_document(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "downloads").await?;
    let file = File::text("worth keeping");
    let (slot, _) = chat.send("one", &file).await?;
    chat.decided(&slot).await?;
    let path = chat.attachment_path(&slot);
    let document = chat.call("GET", &path, None).await?;
    let url = format!("{}{path}", cloud.stack().api_url()?);
    let redirect = cloud.http.get(url).bearer_auth(&chat.customer).header("accept", "*/*").send().await?;
    ensure!(redirect.status() == 302, "{}", redirect.status());
    ensure!(redirect.headers()["cache-control"] == "private, no-store");
    let location = redirect.headers()["location"].to_str()?.to_owned();
    for url in [document["url"].as_str().context("a URL")?, &location] {
        let mut download = cloud.http.get(url).send().await?;
        ensure!(download.status() == 200, "{}", download.status());
        let mut bytes = Vec::new();
        while let Some(piece) = download.chunk().await? {
            bytes.extend_from_slice(&piece);
        }
        ensure!(bytes == file.bytes);
    }
    let variant = cloud.call(&chat.customer, "GET", &format!("{path}/variants/320"), None).await?;
    wants(&variant, 404, Some("not-found"))
}

/// S3's URLs hold the signer's session, and each function has another.
pub(crate) async fn within_a_window_everybody_gets_the_same_url_whoever_signs_it(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "same-urls").await?;
    let (slot, _) = chat.send("one", &File::fixture("tiny.jpg", "image/jpeg")?).await?;
    chat.decided(&slot).await?;
    // Both people of the room, through whichever functions answer them.
    let path = format!("/v1/rooms/{}/messages", chat.room);
    let (_, theirs) = cloud.call(&cloud.operator, "GET", &path, None).await?;
    let mine = chat.call("GET", &path, None).await?;
    let variant = |list: &Value| list["messages"][0]["attachments"][0]["variants"]["320"].clone();
    ensure!(variant(&mine)["url"].is_string() && variant(&mine) == variant(&theirs), "{mine} {theirs}");
    let direct = chat.call("GET", &format!("{}/variants/320", chat.attachment_path(&slot)), None).await?;
    ensure!(direct["url"] == variant(&mine)["url"], "{direct}");
    let thumbnail = cloud.http.get(direct["url"].as_str().context("a URL")?).send().await?;
    ensure!(thumbnail.status() == 200);
    let cached = thumbnail.headers()["cache-control"].to_str()?;
    ensure!(cached == "private, max-age=31536000, immutable", "{cached}");

    // Two signers whose sessions differ, as two functions have them.
    let signer = |token: Option<&str>| -> anyhow::Result<Downloads> {
        let credentials = Credentials::new("test", "test", token.map(str::to_owned), None, "test");
        let s3 = cloud.s3.config().to_builder().credentials_provider(credentials.clone()).build();
        let (inbox, processed) = (cloud.output("InboxBucket")?.to_owned(), cloud.output("ProcessedBucket")?.to_owned());
        let credentials = SharedCredentialsProvider::new(credentials);
        let urls = SignedUrls::new(&aws_sdk_s3::Client::from_conf(s3), credentials, inbox, processed, 900);
        let table = cloud.output("TableName")?.to_owned();
        Ok(Downloads::through_s3(urls, cloud.dynamodb.clone(), table, 600, 60))
    };
    let (first, second) = (signer(None)?, signer(Some("another-session"))?);
    let key = format!("{}/original", slot.key);
    let url = async |downloads: &Downloads, at: &str| -> anyhow::Result<String> {
        let mut urls = downloads.urls(&[&key, &key], at.parse()?).await?;
        Ok(urls.remove(&key).context("a URL")?.url)
    };
    let (early, late, next) = ("2026-11-22T22:30:00.000Z", "2026-11-22T22:39:59.999Z", "2026-11-22T22:40:00.000Z");
    let of_first = url(&first, early).await?;
    ensure!(!of_first.contains("another-session"));
    ensure!(url(&second, late).await? == of_first, "the second signer makes another in the same window");
    // Whoever is first in the next window decides again; at once, one of them.
    let (one, other) = tokio::join!(url(&second, next), url(&first, next));
    let one = one?;
    ensure!(one == other? && one != of_first, "{one}");
    ensure!(url(&signer(Some("a-third"))?, next).await? == one);
    // One whose session ends soon is replaced.
    let end = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_388_430);
    let credentials = Credentials::new("test", "test", Some("ending".to_owned()), Some(end), "test");
    let s3 = cloud.s3.config().to_builder().credentials_provider(credentials.clone()).build();
    let (inbox, processed) = (cloud.output("InboxBucket")?.to_owned(), cloud.output("ProcessedBucket")?.to_owned());
    let provider = SharedCredentialsProvider::new(credentials);
    let urls = SignedUrls::new(&aws_sdk_s3::Client::from_conf(s3), provider, inbox, processed, 900);
    let ending = Downloads::through_s3(urls, cloud.dynamodb.clone(), cloud.output("TableName")?.to_owned(), 600, 60);
    let of_ending = url(&ending, "2026-11-22T23:00:00.000Z").await?;
    ensure!(of_ending.contains("ending"));
    ensure!(url(&first, "2026-11-22T23:00:01.000Z").await? != of_ending, "it works for 29 seconds yet");
    Ok(())
}
