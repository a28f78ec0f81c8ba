//! Throw-away.
#![allow(warnings, clippy::all, clippy::pedantic)]
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use aws_sdk_dynamodb::types::*;
use axum::Router;
use axum::body::Body;
use http::Request;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use tower::ServiceExt;
use vestibule_api::{config::Settings, handler::router, world::World};
use vestibule_runtime::{clock::Clock, ids::Ids, sdk};

async fn call(app: &Router, user: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let groups = if user.starts_with("op") { "[operators x]" } else { "[x]" };
    let ctx = json!({"apiId":"id","stage":"$default","requestId":"r","http":{"method":"GET"},
      "authorizer":{"jwt":{"claims":{"token_use":"access","sub":user,"cognito:groups":groups}}}});
    let mut r = Request::builder().method(method).uri(path).header("content-type","application/json").header("accept","application/json");
    let mut r = r.body(body.map_or(Body::empty(), |b| Body::from(b.to_string()))).unwrap();
    r.extensions_mut().insert(RequestContext::ApiGatewayV2(serde_json::from_value(ctx).unwrap()));
    let resp = app.clone().oneshot(r).await.unwrap();
    let s = resp.status().as_u16();
    let b = axum::body::to_bytes(resp.into_body(), 10_000_000).await.unwrap();
    (s, serde_json::from_slice(&b).unwrap_or(Value::Null))
}

#[tokio::main]
async fn main() {
    vestibule_runtime::logs::start("info");
    let config = sdk::load().await;
    let ddb = aws_sdk_dynamodb::Client::new(&config);
    let s3 = sdk::s3(&config);
    let table = format!("t{}", std::process::id());
    let attr = |n: &str| AttributeDefinition::builder().attribute_name(n).attribute_type(ScalarAttributeType::S).build().unwrap();
    let key = |n: &str, t| KeySchemaElement::builder().attribute_name(n).key_type(t).build().unwrap();
    ddb.create_table().table_name(&table).billing_mode(BillingMode::PayPerRequest)
      .set_attribute_definitions(Some(["PK","SK","GSI1PK","GSI1SK"].iter().map(|n| attr(n)).collect()))
      .key_schema(key("PK", KeyType::Hash)).key_schema(key("SK", KeyType::Range))
      .global_secondary_indexes(GlobalSecondaryIndex::builder().index_name("GSI1").key_schema(key("GSI1PK", KeyType::Hash)).key_schema(key("GSI1SK", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::Include).non_key_attributes("ver").build()).build().unwrap())
      .send().await.unwrap();
    let (inbox, processed) = (format!("inbox-{table}"), format!("processed-{table}"));
    for b in [&inbox, &processed] { s3.create_bucket().bucket(b).send().await.unwrap(); }
    let t2 = table.clone();
    let (i2, p2) = (inbox.clone(), processed.clone());
    let settings = Settings::read(&move |n: &str| match n { "TABLE_NAME" => Some(t2.clone()), "INBOX_BUCKET" => Some(i2.clone()), "PROCESSED_BUCKET" => Some(p2.clone()), _ => None }).unwrap();
    let offset = Arc::new(AtomicI64::new(0));
    let o2 = offset.clone();
    let system = Clock::system();
    let clock = Clock::new(move || system.now().plus_seconds(o2.load(Ordering::SeqCst)));
    let app = router(World::new(ddb.clone(), &s3, settings, clock, Ids::random()));

    // rooms
    let (s, room) = call(&app, "cust1", "POST", "/v1/rooms", None).await; assert_eq!(s, 201, "{room}");
    let id = room["room"].as_str().unwrap().to_owned();
    let (s, again) = call(&app, "cust1", "POST", "/v1/rooms", Some(json!({}))).await; assert_eq!((s, &again["room"]), (200, &room["room"]), "{again}");
    let (s, p) = call(&app, "op1", "POST", "/v1/rooms", Some(json!({"customer":"cust1"}))).await; assert_eq!((s, p["code"].as_str().unwrap()), (409, "customer-has-room"));
    let (s, l) = call(&app, "op1", "GET", "/v1/rooms?waiting=true", None).await; assert_eq!((s, l["rooms"].as_array().unwrap().len()), (200, 1), "{l}");
    let claims = futures_join(vec![call(&app, "op1", "PUT", &format!("/v1/rooms/{id}/operator"), None), call(&app, "op2", "PUT", &format!("/v1/rooms/{id}/operator"), None)]).await;
    println!("{claims:?}");
    let winner = if claims[0].0 == 200 { "op1" } else { "op2" };
    assert!(claims.iter().any(|c| c.0 == 409 && c.1["code"] == "room-taken"));
    let (s, _) = call(&app, winner, "PUT", &format!("/v1/rooms/{id}/operator"), None).await; assert_eq!(s, 200);
    let (s, r) = call(&app, winner, "POST", "/v1/rooms", Some(json!({"customer":"cust1"}))).await; assert_eq!(s, 200, "{r}");
    let (s, p) = call(&app, "op1", "PUT", "/v1/rooms/01jd3v8q0zk5w6x7y8z9abcdef/operator", None).await; assert_eq!(s, 404, "{p}");
    // many rooms, paging
    let mut opened = vec![];
    for i in 0..7 { let (s, r) = call(&app, winner, "POST", "/v1/rooms", Some(json!({"customer": format!("c{i}")}))).await; assert_eq!(s, 201); opened.push(r["room"].clone()); }
    let mut seen = vec![]; let mut after = String::new();
    loop { let (s, l) = call(&app, winner, "GET", &format!("/v1/rooms?limit=3{after}"), None).await; assert_eq!(s, 200, "{l}");
      seen.extend(l["rooms"].as_array().unwrap().iter().map(|r| r["room"].clone()));
      match l["next"].as_str() { Some(n) => after = format!("&after={n}"), None => break } }
    assert_eq!(seen.len(), 8); assert!(opened.iter().all(|r| seen.contains(r)));
    // sends, 12 at once
    let mp = format!("/v1/rooms/{id}/messages");
    let sends = futures_join((0..12).map(|i| { let app=app.clone(); let mp=mp.clone(); async move { call(&app, "cust1", "POST", &mp, Some(json!({"clientMessageId": format!("m{i}"), "text":"hi"}))).await } }).collect()).await;
    let mut seqs: Vec<u64> = sends.iter().map(|(s, m)| { assert_eq!(*s, 201, "{m}"); m["message"]["seq"].as_u64().unwrap() }).collect(); seqs.sort();
    assert_eq!(seqs, (1..=12).collect::<Vec<_>>());
    // same cmid at once
    let body = json!({"clientMessageId":"same","attachments":[{"name":"a","size":3,"type":"text/plain","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},{"name":"b","size":0,"type":"text/plain"}]});
    let sends = futures_join((0..5).map(|_| { let (app,mp,body)=(app.clone(),mp.clone(),body.clone()); async move { call(&app, "cust1", "POST", &mp, Some(body)).await } }).collect()).await;
    assert_eq!(sends.iter().filter(|s| s.0 == 201).count(), 1, "{sends:?}"); assert!(sends.iter().all(|s| s.1["message"]["seq"] == 13), "{sends:?}");
    let sent = sends.iter().find(|s| s.0 == 201).unwrap().1.clone();
    println!("{}", sent["uploads"].to_string().replace("X-Amz-Signature","SIG"));
    let (s, p) = call(&app, winner, "POST", &mp, Some(body.clone())).await; assert_eq!((s, p["code"].as_str().unwrap()), (409, "client-message-id-reused"));
    // a day later it is another message
    offset.store(86_400 + 5, Ordering::SeqCst);
    let (s, m) = call(&app, "cust1", "POST", &mp, Some(body.clone())).await; assert_eq!((s, m["message"]["seq"].as_u64()), (201, Some(14)), "{m}");
    offset.store(0, Ordering::SeqCst);
    // changes
    let at = format!("{mp}/13");
    let (a0, a1) = (sent["message"]["attachments"][0]["id"].as_str().unwrap().to_owned(), sent["message"]["attachments"][1]["id"].as_str().unwrap().to_owned());
    let (s, u) = call(&app, "cust1", "POST", &format!("{at}/attachments/{a0}/upload"), None).await; assert_eq!(s, 200, "{u}");
    let (s, p) = call(&app, winner, "POST", &format!("{at}/attachments/{a0}/upload"), None).await; assert_eq!(s, 403, "{p}");
    let (s, p) = call(&app, winner, "DELETE", &format!("{at}/attachments/{a0}/upload"), None).await; assert_eq!(s, 403, "{p}");
    let (s, c) = call(&app, "cust1", "DELETE", &format!("{at}/attachments/{a0}/upload"), None).await; assert_eq!((s, c["ver"].as_u64()), (200, Some(2)), "{c}");
    assert_eq!(c["attachments"][0]["state"], "cancelled"); assert!(c["attachments"][0]["decidedAt"].is_string());
    let (s, c2) = call(&app, "cust1", "DELETE", &format!("{at}/attachments/{a0}/upload"), None).await; assert_eq!((s, &c2), (200, &c));
    let (s, p) = call(&app, "cust1", "POST", &format!("{at}/attachments/{a0}/upload"), None).await; assert_eq!((s, p["code"].as_str().unwrap()), (409,"attachment-decided"));
    let (s, p) = call(&app, "cust1", "GET", &format!("{at}/attachments/{a0}"), None).await; assert_eq!((s, p["code"].as_str().unwrap()), (410,"attachment-gone"));
    let (s, p) = call(&app, "cust1", "GET", &format!("{at}/attachments/{a1}"), None).await; assert_eq!((s, p["code"].as_str().unwrap()), (409,"attachment-not-ready"));
    let (s, p) = call(&app, "cust1", "DELETE", &format!("{at}/attachments/01jd3v8q0zk5w6x7y8z9abcdef"), None).await; assert_eq!(s, 404, "{p}");
    let (s, p) = call(&app, "cust1", "DELETE", &format!("{at}/attachments/01jd3v8q0zk5w6x7y8z9abcdef/upload"), None).await; assert_eq!(s, 404, "{p}");
    let (s, c) = call(&app, "cust1", "DELETE", &format!("{at}/attachments/{a0}"), None).await; assert_eq!((s, &c["attachments"][0]), (200, &json!({"id": a0, "state":"removed"})), "{c}");
    let (s, c2) = call(&app, "cust1", "DELETE", &format!("{at}/attachments/{a0}"), None).await; assert_eq!((s, &c2), (200, &c));
    let (s, p) = call(&app, "cust1", "DELETE", &format!("{at}/attachments/{a0}/upload"), None).await; assert_eq!((s, p["code"].as_str().unwrap()), (409,"attachment-decided"));
    let (s, e) = call(&app, "cust1", "PATCH", &at, Some(json!({"text":" "}))).await; assert_eq!(s, 200, "{e}");
    let (s, p) = call(&app, "cust1", "PATCH", &format!("{mp}/1"), Some(json!({"text":" "}))).await; assert_eq!(s, 422, "{p}");
    let (s, e) = call(&app, "cust1", "PATCH", &format!("{mp}/1"), Some(json!({"text":"new"}))).await; assert_eq!((s, e["ver"].as_u64(), e["text"].as_str()), (200, Some(2), Some("new")), "{e}"); assert!(e["editedAt"].is_string());
    let (s, p) = call(&app, winner, "PATCH", &format!("{mp}/1"), Some(json!({"text":"new"}))).await; assert_eq!((s, p["code"].as_str().unwrap()), (403, "not-the-author"));
    let (s, p) = call(&app, "cust1", "PATCH", &format!("{mp}/999"), Some(json!({"text":"new"}))).await; assert_eq!(s, 404, "{p}");
    let (s, d) = call(&app, "cust1", "DELETE", &at, None).await; assert_eq!((s, d["deleted"].as_bool()), (200, Some(true)), "{d}"); println!("{d}");
    let (s, d2) = call(&app, "cust1", "DELETE", &at, None).await; assert_eq!((s, &d2), (200, &d));
    for (m, path, b) in [("PATCH", at.clone(), Some(json!({"text":"x"}))), ("DELETE", format!("{at}/attachments/{a1}"), None), ("DELETE", format!("{at}/attachments/{a1}/upload"), None), ("POST", format!("{at}/attachments/{a1}/upload"), None), ("GET", format!("{at}/attachments/{a1}"), None)] {
      let (s, p) = call(&app, "cust1", m, &path, b).await; assert_eq!((s, p["code"].as_str().unwrap()), (410, "message-deleted"), "{m} {path} {p}"); }
    let (s, r) = call(&app, "cust1", "POST", &mp, Some(body.clone())).await; println!("resend of deleted: {s} {r}");
    // lists
    for limit in [1, 5, 13, 14, 100] {
      let mut seqs = vec![]; let mut from = "0".to_owned(); let mut pages = 0;
      loop { pages += 1; let (s, l) = call(&app, "cust1", "GET", &format!("{mp}?afterSeq={from}&limit={limit}"), None).await; assert_eq!(s, 200, "{l}");
        seqs.extend(l["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_u64().unwrap()));
        match l["next"].as_str() { Some(n) => from = n.to_owned(), None => break } }
      assert_eq!(seqs, (1..=14).collect::<Vec<_>>()); println!("limit {limit}: {pages} pages");
      let mut seqs = vec![]; let mut from = "2020-01-01T00:00:00Z".to_owned(); let mut ats = vec![];
      loop { let (s, l) = call(&app, "cust1", "GET", &format!("{mp}?changedSince={from}&limit={limit}"), None).await; assert_eq!(s, 200, "{l}");
        for m in l["messages"].as_array().unwrap() { seqs.push(m["seq"].as_u64().unwrap()); ats.push(m["at"].as_str().unwrap().to_owned()); }
        match l["next"].as_str() { Some(n) => from = n.to_owned(), None => break } }
      let mut sorted = ats.clone(); sorted.sort(); assert_eq!(ats, sorted);
      seqs.sort(); assert_eq!(seqs, (1..=14).collect::<Vec<_>>());
    }
    let since = d["at"].as_str().unwrap();
    let (s, l) = call(&app, "cust1", "GET", &format!("{mp}?changedSince={since}"), None).await; assert_eq!(l["messages"][0]["seq"], 13, "{l}");
    // large messages: > 1 MB query pages
    let big = "x".repeat(32*1024);
    for i in 0..45 { let (s, m) = call(&app, "cust1", "POST", &mp, Some(json!({"clientMessageId": format!("big{i}"), "text": big}))).await; assert_eq!(s, 201, "{m}"); }
    let (s, l) = call(&app, "cust1", "GET", &format!("{mp}?afterSeq=14&limit=100"), None).await; println!("big: {s} {} next {:?}", l["messages"].as_array().unwrap().len(), l["next"]);
    assert_eq!(l["messages"].as_array().unwrap().len(), 45);
    // upload for real
    let (s, m) = call(&app, "cust1", "POST", &mp, Some(json!({"clientMessageId":"up","attachments":[{"name":"a","size":3,"type":"text/plain","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]}))).await; assert_eq!(s, 201);
    let up = m["uploads"].as_object().unwrap().values().next().unwrap().clone();
    std::fs::write("/tmp/api-ms/upload.json", up.to_string()).unwrap();
    // concurrent edit + send + cancel conflicts
    let (a, b) = (format!("{mp}/2"), format!("{mp}/3"));
    let mixed = futures_join((0..16).map(|i| { let (app, mp, a) = (app.clone(), mp.clone(), a.clone()); async move { if i % 2 == 0 { call(&app, "cust1", "PATCH", &a, Some(json!({"text": format!("v{i}")}))).await } else { call(&app, "cust1", "POST", &mp, Some(json!({"clientMessageId": format!("x{i}"), "text":"y"}))).await } } }).collect()).await;
    assert!(mixed.iter().all(|m| m.0 < 300), "{mixed:?}");
    let (_, m2) = call(&app, "cust1", "GET", &a, None).await; assert_eq!(m2["ver"], 9, "{m2}");
    // close
    let closes = futures_join(vec![call(&app, "cust1", "POST", &format!("/v1/rooms/{id}/close"), None), call(&app, winner, "POST", &format!("/v1/rooms/{id}/close"), None)]).await;
    assert!(closes.iter().all(|c| c.0 == 200 && c.1["status"] == "closed"), "{closes:?}"); assert_eq!(closes[0].1, closes[1].1);
    let (s, p) = call(&app, "cust1", "POST", &mp, Some(json!({"clientMessageId":"late","text":"x"}))).await; assert_eq!((s, p["code"].as_str().unwrap()), (409, "room-closed"));
    let (s, p) = call(&app, "cust1", "POST", &mp, Some(json!({"clientMessageId":"m1","text":"hi"}))).await; assert_eq!(s, 200, "{p}");
    let (s, p) = call(&app, "cust1", "PATCH", &format!("{mp}/2"), Some(json!({"text":"x"}))).await; assert_eq!((s, p["code"].as_str().unwrap()), (409, "room-closed"));
    let (s, p) = call(&app, "cust1", "DELETE", &format!("{mp}/2"), None).await; assert_eq!(s, 200, "{p}");
    let (s, l) = call(&app, winner, "GET", "/v1/rooms?limit=100", None).await; assert_eq!(l["rooms"].as_array().unwrap().len(), 7, "{l}");
    let (s, l) = call(&app, "cust1", "GET", "/v1/rooms", None).await; assert_eq!(l, json!({"rooms":[]}));
    let (s, r) = call(&app, "cust1", "POST", "/v1/rooms", None).await; assert_eq!(s, 201); assert_ne!(r["room"], id.as_str());
    let (s, r2) = call(&app, "cust1", "POST", &format!("/v1/rooms/{id}/close"), None).await; assert_eq!(s, 200);
    let (s, r3) = call(&app, "cust1", "GET", "/v1/rooms", None).await; assert_eq!(r3["rooms"][0]["room"], r["room"], "closing the old again leaves the new one");
    let (s, p) = call(&app, "op1", "PUT", &format!("/v1/rooms/{}/operator", r["room"].as_str().unwrap()), None).await; assert_eq!(s, 200);
    // many opens at once
    let opens = futures_join((0..6).map(|_| { let app = app.clone(); async move { call(&app, "race", "POST", "/v1/rooms", None).await } }).collect()).await;
    assert_eq!(opens.iter().filter(|o| o.0 == 201).count(), 1, "{opens:?}"); assert!(opens.iter().all(|o| o.1["room"] == opens[0].1["room"]), "{opens:?}");
    // claim of a room closed while waiting, and of one's own
    let (_, w) = call(&app, "opx", "POST", "/v1/rooms", Some(json!({"customer":"opx"}))).await; assert_eq!(w["code"], "two-people-needed");
    let rid = opens[0].1["room"].as_str().unwrap().to_owned();
    call(&app, "race", "POST", &format!("/v1/rooms/{rid}/close"), None).await;
    let (s, p) = call(&app, "op1", "PUT", &format!("/v1/rooms/{rid}/operator"), None).await; assert_eq!((s, p["code"].as_str().unwrap()), (409, "room-closed"));
    // item shapes
    let items = ddb.query().table_name(&table).key_condition_expression("PK = :p").expression_attribute_values(":p", AttributeValue::S(format!("ROOM#{id}"))).send().await.unwrap();
    for i in items.items().iter().filter(|i| !i["SK"].as_s().unwrap().starts_with("MSG#0000000000") ).take(3) { println!("{i:?}"); }
    for i in items.items().iter().filter(|i| i["SK"].as_s().unwrap() == "MSG#000000000013" ) { println!("{i:?}"); }
    println!("ALL WELL");
}

async fn futures_join<F: std::future::Future + Send>(f: Vec<F>) -> Vec<F::Output> where F::Output: Send {
    futures::future::join_all(f).await
}
