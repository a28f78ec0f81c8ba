//! ChatTable stream ─▶ relay ─▶ WebSocket clients: both people see every change, and nobody else sees any.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};
use vestibule::people;
use vestibule_domain::id::RoomId;
use vestibule_domain::live::Push;
use vestibule_domain::timestamp::Timestamp;
use vestibule_relay::relay::{ROOM, Told, relay};
use vestibule_relay::world::World;
use vestibule_runtime::clock::Clock;
use vestibule_store::connections::Connections;
use vestibule_store::queues::ReclaimQueue;
use vestibule_store::rooms::Rooms;

use crate::support::chat::{Chat, File};
use crate::support::cloud::Cloud;
use crate::support::gateway::Gateway;
use crate::support::socket::Socket;
use crate::support::wait::until;

pub(crate) async fn two_people_see_every_change_and_a_stranger_none(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let chat = Chat::open(&cloud, "pushed").await?;
    let stranger = Chat::open(&cloud, "not-pushed").await?;
    // The operator is in both rooms; each customer is a stranger to the other's.
    let mut operator = Socket::open(&cloud, &cloud.operator).await?;
    let mut customer = Socket::open(&cloud, &chat.customer).await?;
    let mut outsider = Socket::open(&cloud, &stranger.customer).await?;

    let (slot, _) = chat.send("one", &File::fixture("tiny.jpg", "image/jpeg")?).await?;
    ensure!(chat.decided(&slot).await?["state"] == "ready");
    chat.call("PATCH", &chat.path(slot.key.message), Some(&json!({ "text": "edited" }))).await?;
    let (lie, _) = chat.send("two", &File::fixture("text-named.png", "image/png")?).await?;
    ensure!(chat.decided(&lie).await?["state"] == "rejected");
    chat.call("DELETE", &chat.path(lie.key.message), None).await?;
    // The last of all, in each room: whatever came before it in the stream has been relayed.
    for room in [&chat, &stranger] {
        let body = json!({ "clientMessageId": "last", "text": "the last" });
        room.call("POST", &format!("/v1/rooms/{}/messages", room.room), Some(&body)).await?;
    }

    let room = chat.room.as_str();
    let expected = BTreeSet::from([(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1)]);
    let is_last = |push: &Value| push["room"] == room && push["seq"] == 3;
    for socket in [&mut operator, &mut customer] {
        let pushes = socket.pushes_until(is_last).await?;
        let of_room = pushes.iter().filter(|push| push["room"] == room);
        let seen: BTreeSet<_> =
            of_room.filter_map(|push| Some((push["seq"].as_u64()?, push["ver"].as_u64()?))).collect();
        ensure!(seen == expected, "{seen:?}");
    }
    // A repeat would be the same push: what a frame says is all that there is to it.
    let seen = outsider.pushes_until(|push| push["room"] == stranger.room.as_str()).await?;
    ensure!(seen == [json!({ "type": "message", "room": stranger.room, "seq": 1, "ver": 1 })], "{seen:?}");
    Ok(())
}

/// The local cloud closes a handshake that is refused; AWS answers it with 401.
pub(crate) async fn a_ticket_opens_one_connection_and_only_for_a_while(cloud: Arc<Cloud>) -> anyhow::Result<()> {
    let (person, token) = cloud.customer("ticket").await?;
    let (ticket, url) = Socket::ticket(&cloud, &token).await?;
    for query in
        ["", "ticket=", "ticket=half", &format!("other={ticket}"), &format!("ticket={}", ticket.replace(|_| true, "A"))]
    {
        ensure!(Socket::connect(&url, query).await.is_err(), "{query}");
    }
    let mut socket = Socket::connect(&url, &format!("ticket={ticket}")).await?;
    ensure!(Socket::connect(&url, &format!("ticket={ticket}")).await.is_err(), "a ticket was taken twice");
    // At the same moment.
    let (another, url) = Socket::ticket(&cloud, &token).await?;
    let query = format!("ticket={another}");
    let four = [(); 4].map(|()| Socket::connect(&url, &query));
    let opened = futures::future::join_all(four).await.iter().filter(|opened| opened.is_ok()).count();
    ensure!(opened == 1, "a ticket opened {opened} connections");
    let before = Clock::system().now();
    let sync = socket.ask(&json!({ "action": "hello" }).to_string()).await?;
    let moment = |name: &str| anyhow::Ok(sync[name].as_str().context("a time")?.parse::<Timestamp>()?.millis());
    ensure!(sync["type"] == "sync" && (moment("at")? - before.millis()).abs() < 60_000, "{sync}");
    ensure!((7_700_000..=7_800_000).contains(&(moment("until")? - moment("at")?)), "{sync}");

    // One whose time is over, which the local cloud deletes as late as AWS does: never, in a test.
    let (ticket, url) = Socket::ticket(&cloud, &token).await?;
    let digest = ticket.parse::<vestibule_domain::live::Ticket>()?.digest();
    let expire = cloud.dynamodb.update_item().table_name(cloud.output("TableName")?);
    let expire =
        expire.key("PK", AttributeValue::S(format!("TICKET#{digest}"))).key("SK", AttributeValue::S("T".into()));
    let expire = expire.update_expression("SET #ttl = :past").condition_expression("#user = :user");
    let expire = expire.expression_attribute_names("#ttl", "ttl").expression_attribute_names("#user", "user");
    let expire = expire.expression_attribute_values(":past", AttributeValue::N("1".into()));
    expire.expression_attribute_values(":user", AttributeValue::S(person.id)).send().await?;
    ensure!(Socket::connect(&url, &format!("ticket={ticket}")).await.is_err(), "an expired ticket was taken");
    Ok(())
}

pub(crate) async fn nothing_is_said_before_hello_and_what_is_not_understood_is_said(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let (_, token) = cloud.customer("hello").await?;
    let (ticket, url) = Socket::ticket(&cloud, &token).await?;
    let mut socket = Socket::connect(&url, &format!("ticket={ticket}")).await?;
    // Had anything been said before, it would be the first frame.
    let answer = socket.ask(r#"{"action":"dance"}"#).await?;
    ensure!(answer == json!({ "type": "error", "code": "unknown-action" }), "{answer}");
    ensure!(socket.ask("not JSON").await?["code"] == "unknown-action");
    ensure!(socket.ask(r#"{"action":"hello"}"#).await?["type"] == "sync");
    ensure!(socket.ask(r#"{"action":"hello"}"#).await?["type"] == "sync");
    Ok(())
}

pub(crate) async fn a_connection_that_is_gone_is_forgotten_and_keeps_no_other_from_its_pushes(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let (person, token) = cloud.customer("gone").await?;
    let room = json!({ "customer": person.id });
    let (status, room) = cloud.call(&cloud.operator, "POST", "/v1/rooms", Some(&room)).await?;
    ensure!(status == 201, "{room}");
    let room = room["room"].as_str().context("a room has an id")?;
    let mut socket = Socket::open(&cloud, &token).await?;
    let open = connections(&cloud, &person.id).await?;
    let [item] = open.as_slice() else { anyhow::bail!("one connection is open: {open:?}") };
    let ttl: i64 = item["ttl"].as_n().ok().context("a connection has a ttl")?.parse()?;
    let left = ttl - Clock::system().now().seconds();
    ensure!((7_700..=7_800).contains(&left), "{left} s");

    // Before the real one in the order of ids, and after it.
    for id in ["0-nobody", "z-nobody"] {
        let mut ghost = item.clone();
        // What was noted just now may not be let in yet, and stays.
        ghost.insert("connectedAt".to_owned(), AttributeValue::S("2026-11-22T22:00:00.000Z".to_owned()));
        let id = AttributeValue::S(format!("CONN#{id}"));
        ghost.insert("SK".to_owned(), id.clone());
        ghost.insert("GSI1PK".to_owned(), id);
        cloud.dynamodb.put_item().table_name(cloud.output("TableName")?).set_item(Some(ghost)).send().await?;
    }
    let body = json!({ "clientMessageId": "one", "text": "is anybody there?" });
    let (status, sent) = cloud.call(&token, "POST", &format!("/v1/rooms/{room}/messages"), Some(&body)).await?;
    ensure!(status == 201, "{sent}");
    ensure!(socket.next().await? == json!({ "type": "message", "room": room, "seq": 1, "ver": 1 }));
    until(
        "the gone connections forgotten",
        async || Ok((connections(&cloud, &person.id).await? == open).then_some(())),
    )
    .await?;
    socket.close().await?;
    until("the closed connection forgotten", async || {
        Ok(connections(&cloud, &person.id).await?.is_empty().then_some(()))
    })
    .await?;
    people::remove(cloud.stack(), &person.name).await
}

/// The handler in this process, on the stack's table and connections of our making.
pub(crate) async fn a_connection_that_fails_is_closed_and_keeps_no_other_from_its_pushes(
    cloud: Arc<Cloud>,
) -> anyhow::Result<()> {
    let (person, token) = cloud.customer("failing").await?;
    let (status, room) = cloud.call(&token, "POST", "/v1/rooms", Some(&json!({}))).await?;
    ensure!(status == 201, "{room}");
    let room: RoomId = room["room"].as_str().context("a room has an id")?.parse()?;
    let gateway = Gateway::start().await?;
    let sdk = cloud.stack().sdk();
    let table = cloud.output("TableName")?.to_owned();
    let posts = vestibule_runtime::sdk::connections(sdk, gateway.url.clone());
    let world = World {
        rooms: Rooms::new(cloud.dynamodb.clone(), table.clone()),
        connections: Connections::new(cloud.dynamodb.clone(), table, posts),
        reclaim: ReclaimQueue::new(cloud.sqs.clone(), cloud.output("ReclaimQueueUrl")?.to_owned()),
        collect_delay_seconds: 0,
        clock: Clock::system(),
    };
    let user = person.id.parse()?;
    let now = world.clock.now();
    let open = async |name: &str, seconds_ago: i64| {
        let noted = now.plus_seconds(-seconds_ago);
        world.connections.open(&name.parse()?, &user, noted, now.plus_seconds(600)).await?;
        anyhow::Ok(())
    };
    // Their fifty newest, and one too many. What has just been noted may not be let in yet.
    for (name, seconds_ago) in [("good-1", 1), ("refusing", 50), ("hanging", 50), ("gone-old", 50), ("gone-young", 2)] {
        open(name, seconds_ago).await?;
    }
    for number in 2..=46 {
        open(&format!("good-{number}"), 10).await?;
    }
    open("good-left", 100).await?;

    let push = |seq: u64| anyhow::Ok(Push { room: room.clone(), seq: seq.try_into()?, ver: 1 });
    let started = Instant::now();
    let told = relay(&world, &room, &[push(1)?, push(2)?]).await?;
    ensure!(told == Told { sent: 92, gone: 2, failed: 3 }, "{told:?}");
    ensure!(started.elapsed() < ROOM + Duration::from_secs(5), "{:?}", started.elapsed());
    // The first of them was told to come again.
    let closed: BTreeSet<_> = gateway.asked("DELETE").into_iter().collect();
    ensure!(closed == ["good-left", "hanging", "refusing"].map(str::to_owned).into(), "{closed:?}");
    ensure!(gateway.asked("DELETE").len() == 4, "{:?}", gateway.asked("DELETE"));
    ensure!(gateway.asked("POST").iter().filter(|name| *name == "good-1").count() == 2);
    let left = world.connections.of(&user, now).await?;
    let left: BTreeSet<_> = left.into_iter().map(|connection| connection.to_string()).collect();
    let mut expected: BTreeSet<_> = (1..=46).map(|number| format!("good-{number}")).collect();
    expected.insert("gone-young".to_owned());
    ensure!(left == expected, "{left:?}");
    gateway.stop().await;
    Ok(())
}

type Item = std::collections::HashMap<String, AttributeValue>;

async fn connections(cloud: &Cloud, user: &str) -> anyhow::Result<Vec<Item>> {
    let query = cloud.dynamodb.query().table_name(cloud.output("TableName")?).consistent_read(true);
    let query = query.key_condition_expression("PK = :user AND begins_with(SK, :connection)");
    let query = query.expression_attribute_values(":user", AttributeValue::S(format!("USER#{user}")));
    let query = query.expression_attribute_values(":connection", AttributeValue::S("CONN#".to_owned()));
    Ok(query.send().await?.items.unwrap_or_default())
}
