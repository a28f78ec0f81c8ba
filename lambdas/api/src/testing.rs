//! A world for unit tests: keys that sign, nobody at the other end, and a clock that stands still.

use std::io::Write;
use std::sync::{Arc, Mutex};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use vestibule_domain::upload_ticket::Keyring;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::ids::{Ids, Secrets};
use vestibule_store::upload_keys::UploadKeys;

use crate::config::Settings;
use crate::world::{Clients, World};

/// A room's id.
pub(crate) const ROOM: &str = "01jd3v8q0zk5w6x7y8z9abcdef";

/// A world whose calls are refused before they leave the machine: port 9 of loopback is nobody's.
pub(crate) fn world() -> World {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let region = Region::new("eu-central-1");
    let nowhere = "http://127.0.0.1:9";
    let table = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        .region(region.clone())
        .endpoint_url(nowhere)
        .credentials_provider(credentials.clone())
        .build();
    let buckets = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .endpoint_url(nowhere)
        .force_path_style(true)
        .credentials_provider(credentials.clone())
        .build();
    let keyring = r#"{"current":"k1","k1":"a key for tests of thirty-two bytes"}"#;
    let settings = |name: &str| match name {
        "TABLE_NAME" => Some("table".to_owned()),
        "INBOX_BUCKET" => Some("inbox".to_owned()),
        "PROCESSED_BUCKET" => Some("processed".to_owned()),
        "UPLOAD_KEYS_SECRET" => Some("none".to_owned()),
        "WEBSOCKET_API_ID" | "WEBSOCKET_STAGE" | "WEBSOCKET_DOMAIN" => Some("socket".to_owned()),
        _ => None,
    };
    let clients = Clients {
        table: aws_sdk_dynamodb::Client::from_conf(table),
        buckets: aws_sdk_s3::Client::from_conf(buckets),
        credentials: SharedCredentialsProvider::new(credentials),
        upload_keys: UploadKeys::fixed(Keyring::parse(keyring).unwrap()),
        cloudfront: None,
        endpoint: None,
    };
    World::new(
        clients,
        Settings::read(&settings).unwrap(),
        Clock::new(|| "2026-11-22T22:35:14.000Z".parse().unwrap()),
        Ids::random(),
        Secrets::random(),
    )
}

/// The gateway's word on a request with these claims.
pub(crate) fn context(claims: &Value) -> RequestContext {
    let context = json!({
        "apiId": "id", "stage": "$default", "requestId": "request-1", "http": { "method": "GET" },
        "authorizer": { "jwt": { "claims": claims } },
    });
    RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap())
}

/// Log lines, kept.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// For `vestibule_runtime::logs::into`.
    pub(crate) fn writer(&self) -> impl Fn() -> Self + Send + Sync + 'static {
        let lines = self.clone();
        move || lines.clone()
    }

    /// What was written.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
