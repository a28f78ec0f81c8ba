//! The local cloud of the run, and the clients that look behind the API.

use std::collections::BTreeMap;

use anyhow::Context as _;
use aws_sdk_cognitoidentityprovider::types::{ExplicitAuthFlowsType, TimeUnitsType, TokenValidityUnitsType};
use serde_json::{Value, json};
use vestibule::local::{LocalCloud, Options};
use vestibule::people::{self, Person};
use vestibule::stack::Stack;
use vestibule_domain::key::InboxKey;
use vestibule_store::objects::InboxVersion;

/// Largest upload in the tests' stack, in bytes: as large as the largest file that a test sends.
pub(crate) const MAX_UPLOAD_BYTES: u64 = 256 * 1024 * 1024;

/// The page's origin, where nobody listens.
const ORIGIN: &str = "http://127.0.0.1:1";

/// The running stack.
pub(crate) struct Cloud {
    local: LocalCloud,
    /// Looks into the buckets as root.
    pub(crate) s3: aws_sdk_s3::Client,
    /// Looks into the table as root.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// Looks into the queues as root.
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// Calls functions as root.
    pub(crate) lambda: aws_sdk_lambda::Client,
    /// Reads the functions' logs as root.
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    /// Speaks to the API and to presigned URLs.
    pub(crate) http: reqwest::Client,
    /// The operator's access token.
    pub(crate) operator: String,
    /// An access token of the operator's that was good for a second.
    pub(crate) expired: String,
}

impl Cloud {
    /// Starts the local cloud and deploys the stack, with short times.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let parameters = [
            ("MaxUploadBytes", MAX_UPLOAD_BYTES.to_string()),
            ("IngestTimeoutSeconds", "30".to_owned()),
            ("IngestVisibilitySeconds", "180".to_owned()),
            ("InspectTimeoutSeconds", "25".to_owned()),
            ("ArchiveMaxRetries", "2".to_owned()),
            ("CollectDelaySeconds", "1".to_owned()),
        ];
        let options = Options {
            name: "tests".to_owned(),
            stack: "tests".to_owned(),
            port: None,
            origins: vec![ORIGIN.to_owned()],
            parameters: parameters.map(|(name, value)| (name.to_owned(), value)).into(),
        };
        let local = LocalCloud::start(options, &|note| eprintln!("    {note}")).await?;
        let sdk = local.stack().sdk().clone();
        let expired = token_for_a_second(local.stack(), &local.people().operator).await?;
        let operator = people::sign_in_person(local.stack(), &local.people().operator).await?.access;
        Ok(Self {
            s3: vestibule_runtime::sdk::s3(&sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            lambda: aws_sdk_lambda::Client::new(&sdk),
            logs: aws_sdk_cloudwatchlogs::Client::new(&sdk),
            http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?,
            operator,
            expired,
            local,
        })
    }

    /// Ends it, and every function that it started.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.local.stop().await
    }

    /// The stack.
    pub(crate) fn stack(&self) -> &Stack {
        self.local.stack()
    }

    /// Where the cloud answers.
    pub(crate) fn endpoint(&self) -> &str {
        self.local.endpoint()
    }

    /// An output of the stack.
    pub(crate) fn output(&self, name: &str) -> anyhow::Result<&str> {
        self.stack().output(name)
    }

    /// Makes a customer of one's own and signs them in.
    pub(crate) async fn customer(&self, name: &str) -> anyhow::Result<(Person, String)> {
        let person = people::create(self.stack(), name, false).await?;
        let token = people::sign_in_person(self.stack(), &person).await?.access;
        Ok((person, token))
    }

    /// Calls the API as the bearer of `token`; no answer's body is `null`.
    pub(crate) async fn call(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let url = format!("{}{path}", self.stack().api_url()?);
        let mut request =
            self.http.request(method.parse()?, url).bearer_auth(token).header("accept", "application/json");
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let body = response.json().await.unwrap_or(Value::Null);
        Ok((status, body))
    }

    /// Deploys the template once more, as a stack of one test's own.
    pub(crate) async fn another_stack(
        &self,
        name: &str,
        parameters: BTreeMap<String, String>,
    ) -> anyhow::Result<Stack> {
        self.local.deploy_another(name, &[ORIGIN.to_owned()], parameters).await
    }

    /// Stops a function's queue or stream from calling it.
    pub(crate) async fn take_off_its_queue(&self, stack: &Stack, function: &str) -> anyhow::Result<()> {
        let mappings = self.lambda.list_event_source_mappings().function_name(stack.output(function)?).send().await?;
        for mapping in mappings.event_source_mappings() {
            let id = mapping.uuid().context("a mapping has an id")?;
            self.lambda.update_event_source_mapping().uuid(id).enabled(false).send().await?;
        }
        Ok(())
    }

    /// Calls the deployed ingest function with an event and answers what it answered.
    pub(crate) async fn invoke_ingest(&self, event: &Value) -> anyhow::Result<Value> {
        self.invoke("IngestFunction", event).await
    }

    /// Calls the deployed function that an output names with an event and answers what it answered.
    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> anyhow::Result<Value> {
        self.invoke_of(self.stack(), function, event).await
    }

    /// The same with a function of another stack.
    pub(crate) async fn invoke_of(&self, stack: &Stack, function: &str, event: &Value) -> anyhow::Result<Value> {
        let payload = aws_sdk_lambda::primitives::Blob::new(serde_json::to_vec(event)?);
        let call = self.lambda.invoke().function_name(stack.output(function)?).payload(payload);
        let answer = call.send().await?;
        let payload = answer.payload.map(aws_sdk_lambda::primitives::Blob::into_inner).unwrap_or_default();
        anyhow::ensure!(answer.function_error.is_none(), "{function} failed: {}", String::from_utf8_lossy(&payload));
        Ok(serde_json::from_slice(&payload)?)
    }

    /// S3's event of one version, as it would bring it.
    pub(crate) fn s3_event(&self, upload: &InboxVersion) -> anyhow::Result<Value> {
        s3_event_of(self.stack(), upload)
    }

    /// Puts bytes into the inbox past the API, as only root can.
    pub(crate) async fn put_as_root(&self, key: &InboxKey, bytes: Vec<u8>) -> anyhow::Result<InboxVersion> {
        let size = bytes.len() as u64;
        let put = self
            .s3
            .put_object()
            .bucket(self.output("InboxBucket")?)
            .key(key.to_string())
            .body(bytes.into())
            .send()
            .await?;
        let version = put.version_id.context("the inbox is versioned")?.parse()?;
        Ok(InboxVersion { key: key.clone(), version, size })
    }
}

/// Signs someone in while the pool's tokens are good for one second. AWS takes no less than five minutes; the local cloud does.
async fn token_for_a_second(stack: &Stack, person: &Person) -> anyhow::Result<String> {
    let cognito = aws_sdk_cognitoidentityprovider::Client::new(stack.sdk());
    let valid_for = async |number: i32, unit: TimeUnitsType| -> anyhow::Result<()> {
        let units = TokenValidityUnitsType::builder().access_token(unit).build();
        let update = cognito.update_user_pool_client().user_pool_id(stack.output("UserPoolId")?);
        let update = update.client_id(stack.output("UserPoolClientId")?).access_token_validity(number);
        update
            .token_validity_units(units)
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserPasswordAuth)
            .send()
            .await?;
        Ok(())
    };
    valid_for(1, TimeUnitsType::Seconds).await?;
    let token = people::sign_in_person(stack, person).await?.access;
    valid_for(60, TimeUnitsType::Minutes).await?;
    Ok(token)
}

/// S3's event of one version in the inbox of `stack`, as it would bring it.
pub(crate) fn s3_event_of(stack: &Stack, upload: &InboxVersion) -> anyhow::Result<Value> {
    Ok(json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-11-22T22:00:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": { "principalId": "A" }, "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": {}, "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "inbox", "bucket": { "name": stack.output("InboxBucket")? },
            "object": { "key": upload.key.to_string(), "size": upload.size, "versionId": upload.version.as_str(), "sequencer": "0055AED6DCD90281E5" },
        },
    }] }))
}

/// A batch as SQS brings it to Lambda, one message for each body.
pub(crate) fn batch(bodies: &[Value]) -> Value {
    let records = bodies.iter().enumerate().map(|(number, body)| {
        let body = body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned);
        json!({
            "messageId": format!("message-{number}"), "receiptHandle": "none", "body": body, "eventSource": "aws:sqs",
            "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {},
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:ingest", "awsRegion": "us-east-1",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// The messages of a batch that its answer puts back.
pub(crate) fn failed_messages(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().map(Vec::as_slice).unwrap_or_default();
    failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str()).collect()
}
