//! Deploys the template through CloudFormation and says why, when it fails.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{
    Capability, Parameter, ResourceStatus, Stack as Description, StackEvent, StackStatus,
};
use aws_sdk_s3::primitives::ByteStream;
use tokio::time::{Instant, sleep};

use crate::aws;
use crate::local::package::Package;
use crate::stack::Stack;

/// Takes about two seconds where nothing else runs.
const DEPLOY: Duration = Duration::from_mins(2);
/// Between two looks at the stack.
const LOOK: Duration = Duration::from_millis(100);
/// The bucket that the zip files and the template go to.
const ARTIFACTS: &str = "vestibule-artifacts";
/// Their prefix. A local stack is made once and never updated.
const PREFIX: &str = "local";
/// Where the template goes.
const TEMPLATE: &str = "local/template.yaml";

/// Uploads the packages and makes the stack `name` from `template`.
pub(crate) async fn deploy(
    endpoint: &str,
    name: &str,
    template: &str,
    packages: Vec<Package>,
    parameters: BTreeMap<String, String>,
) -> anyhow::Result<Stack> {
    upload(&aws::config(Some(endpoint)).await, packages, template).await?;
    again(endpoint, name, parameters).await
}

/// Makes the stack `name` of what was uploaded for another.
pub(crate) async fn again(
    endpoint: &str,
    name: &str,
    mut parameters: BTreeMap<String, String>,
) -> anyhow::Result<Stack> {
    let sdk = aws::config(Some(endpoint)).await;
    parameters.insert("ArtifactBucket".to_owned(), ARTIFACTS.to_owned());
    parameters.insert("ArtifactPrefix".to_owned(), PREFIX.to_owned());
    let client = Client::new(&sdk);
    let made = client
        .create_stack()
        .stack_name(name)
        .template_url(format!("{endpoint}/{ARTIFACTS}/{TEMPLATE}"))
        .capabilities(Capability::CapabilityIam)
        .capabilities(Capability::CapabilityAutoExpand)
        .set_parameters(Some(parameters.into_iter().map(parameter).collect()));
    made.send().await.map_err(aws::failed(format!("cannot make the stack {name}")))?;
    let description = finished(&client, name).await?;
    if description.stack_status() == Some(&StackStatus::CreateComplete) {
        return Ok(Stack::described(sdk, Some(endpoint), &description));
    }
    let reason = description.stack_status_reason().unwrap_or("no reason given").to_owned();
    let why = first_failure(&client, name).await?.unwrap_or(reason);
    anyhow::bail!("the stack {name} failed: {why}")
}

fn parameter((key, value): (String, String)) -> Parameter {
    Parameter::builder().parameter_key(key).parameter_value(value).build()
}

async fn upload(sdk: &SdkConfig, packages: Vec<Package>, template: &str) -> anyhow::Result<()> {
    let s3 = vestibule_runtime::sdk::s3(sdk);
    let made = s3.create_bucket().bucket(ARTIFACTS).send().await;
    made.map_err(aws::failed("cannot make the bucket for the functions"))?;
    for Package { function, zip } in packages {
        let put = s3.put_object().bucket(ARTIFACTS).key(format!("{PREFIX}/{function}.zip")).body(ByteStream::from(zip));
        put.send().await.map_err(aws::failed(format!("cannot upload the function {function}")))?;
    }
    // Inline a template may have 51,200 bytes, from a bucket a million.
    let put = s3.put_object().bucket(ARTIFACTS).key(TEMPLATE).body(ByteStream::from(template.as_bytes().to_vec()));
    put.send().await.map_err(aws::failed("cannot upload the template"))?;
    Ok(())
}

/// Waits until CloudFormation has done with the stack, well or not.
async fn finished(client: &Client, name: &str) -> anyhow::Result<Description> {
    let deadline = Instant::now() + DEPLOY;
    loop {
        let looked = client.describe_stacks().stack_name(name).send().await;
        let looked = looked.map_err(aws::failed(format!("cannot look up the stack {name}")))?;
        let stack = looked.stacks.unwrap_or_default().into_iter().next();
        let stack = stack.with_context(|| format!("the stack {name} went away"))?;
        let status = stack.stack_status().map(StackStatus::as_str).unwrap_or_default();
        if !status.ends_with("_IN_PROGRESS") {
            return Ok(stack);
        }
        anyhow::ensure!(Instant::now() < deadline, "the stack {name} was not ready within {} s", DEPLOY.as_secs());
        sleep(LOOK).await;
    }
}

/// The resource that failed first, and why. What failed after it was mostly cancelled because of it.
async fn first_failure(client: &Client, name: &str) -> anyhow::Result<Option<String>> {
    let events = client.describe_stack_events().stack_name(name).send().await;
    let events = events.map_err(aws::failed(format!("cannot look up the events of the stack {name}")))?;
    Ok(first_failed(events.stack_events()))
}

/// Events come newest first.
fn first_failed(events: &[StackEvent]) -> Option<String> {
    let failed = |event: &&StackEvent| event.resource_status() == Some(&ResourceStatus::CreateFailed);
    let event = events.iter().rev().find(failed)?;
    Some(format!(
        "{} ({}): {}",
        event.logical_resource_id().unwrap_or("?"),
        event.resource_type().unwrap_or("?"),
        event.resource_status_reason().unwrap_or("no reason given")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_that_failed_first_is_named_with_its_type_and_reason() {
        let event = |resource: &str, status, reason: &str| {
            let event = StackEvent::builder().logical_resource_id(resource).resource_status(status);
            event.resource_type("AWS::S3::Bucket").resource_status_reason(reason).build()
        };
        let events = [
            event("vestibule", ResourceStatus::RollbackComplete, ""),
            event("Processed", ResourceStatus::CreateFailed, "Resource creation cancelled"),
            event("Inbox", ResourceStatus::CreateFailed, "the name is taken"),
            event("Quarantine", ResourceStatus::CreateComplete, ""),
        ];
        assert_eq!(first_failed(&events).as_deref(), Some("Inbox (AWS::S3::Bucket): the name is taken"));
        assert_eq!(first_failed(&[]), None);
    }
}
