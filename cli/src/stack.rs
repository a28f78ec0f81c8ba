//! A deployed stack, found by its name: everything else the command line needs to know is in the stack's outputs.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::Stack as Description;
use vestibule_domain::hall::Patience;
use vestibule_domain::policy::DEFAULT_MAX_UPLOAD_BYTES;

use crate::aws;

/// The template's defaults, for stacks that were made before it had these parameters.
const DEFAULT_SWEEP_AFTER_SECONDS: i64 = 900;
const DEFAULT_SWEEP_MAX_TRIES: u32 = 25;

/// A stack and how to reach it.
#[derive(Debug, Clone)]
pub struct Stack {
    name: String,
    endpoint: Option<String>,
    sdk: SdkConfig,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// Finds the stack `name` in the account of the shell, or at `endpoint`.
    ///
    /// # Errors
    /// When nobody answers, the caller may not look, or there is no such stack.
    pub async fn find(name: &str, endpoint: Option<&str>) -> anyhow::Result<Self> {
        let sdk = aws::config(endpoint).await;
        let looked = aws_sdk_cloudformation::Client::new(&sdk).describe_stacks().stack_name(name).send().await;
        let found = looked.map_err(aws::failed(format!("cannot look up the stack {name}")))?;
        let description = found.stacks().first().with_context(|| format!("there is no stack {name}"))?;
        Ok(Self::described(sdk, endpoint, description))
    }

    /// The stack that a description is of.
    pub(crate) fn described(sdk: SdkConfig, endpoint: Option<&str>, description: &Description) -> Self {
        let pair = |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
        Self {
            name: description.stack_name().unwrap_or_default().to_owned(),
            endpoint: endpoint.map(|url| url.trim_end_matches('/').to_owned()),
            sdk,
            outputs: description.outputs().iter().filter_map(|o| pair(o.output_key(), o.output_value())).collect(),
            parameters: description
                .parameters()
                .iter()
                .filter_map(|p| pair(p.parameter_key(), p.parameter_value()))
                .collect(),
        }
    }

    /// The stack's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where AWS's calls go, unless to AWS.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Credentials, region and endpoint for AWS clients.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// An output of the template, such as `InboxBucket`.
    ///
    /// # Errors
    /// When the stack has no such output, so is not one of Vestibule's.
    pub fn output(&self, name: &str) -> anyhow::Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the stack {} has no output {name}", self.name))
    }

    /// All outputs of the template.
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }

    /// The HTTP API's address, without a slash at its end. At an endpoint there is no DNS for it, only a path.
    ///
    /// # Errors
    /// When the stack has no such output.
    pub fn api_url(&self) -> anyhow::Result<String> {
        match &self.endpoint {
            Some(endpoint) => Ok(format!("{endpoint}/_aws/execute-api/{}", self.output("ApiId")?)),
            None => Ok(self.output("ApiUrl")?.trim_end_matches('/').to_owned()),
        }
    }

    /// The largest file that the stack takes, in bytes, inclusive.
    pub fn max_upload_bytes(&self) -> u64 {
        self.parameter("MaxUploadBytes", DEFAULT_MAX_UPLOAD_BYTES)
    }

    /// How long things in the inbox may take before the stack's sweep takes them for stuck.
    pub fn patience(&self) -> Patience {
        Patience {
            fresh_seconds: self.parameter("SweepAfterSeconds", DEFAULT_SWEEP_AFTER_SECONDS),
            max_tries: self.parameter("SweepMaxTries", DEFAULT_SWEEP_MAX_TRIES),
        }
    }

    fn parameter<T: FromStr>(&self, name: &str, default: T) -> T {
        self.parameters.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }
}
