//! One request in, one reply out, one line in the log.

use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;
use vestibule_domain::inspection::{InspectReply, InspectRequest};
use vestibule_domain::policy::InspectPolicy;
use vestibule_media::probe::Verdict;
use vestibule_runtime::logs::chain;

use crate::config::Config;
use crate::ended::Ended;
use crate::error::InspectError;
use crate::examine::{Claim, examine};
use crate::layers::{Layers, is_hidden};
use crate::sandbox::{Answered, Sandbox};
use crate::source::Source;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest silence in the middle of a body.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// What every call needs.
pub struct Inspector {
    client: reqwest::Client,
    sandbox: Sandbox,
    policy: InspectPolicy,
}

impl Inspector {
    /// Children are this executable again.
    ///
    /// # Errors
    /// When no HTTP client can be made, or the path of this executable is not to be had.
    pub fn new(config: &Config) -> Result<Self, InspectError> {
        let sandbox = Sandbox::of_this_executable(config.budget).map_err(InspectError::Child)?;
        Self::with(sandbox, config.policy.clone())
    }

    /// Children are those of `sandbox`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn with(sandbox: Sandbox, policy: InspectPolicy) -> Result<Self, InspectError> {
        // A presigned URL leads to the object itself: a redirection would lead elsewhere.
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(InspectError::Fetch)?;
        Ok(Self { client, sandbox, policy })
    }

    /// Logs which layers are around children here, after a child that looks at nothing. Once, at a cold start: some milliseconds.
    ///
    /// A child that cannot say it is no reason not to start: the first file's child will fail in the same way, and that fault is answered.
    pub async fn tell_layers(&self) {
        match self.sandbox.layers().await {
            Ok(layers) => tell(layers),
            Err(fault) => tracing::error!(error = chain(&fault), "no child could say which layers are around it"),
        }
    }

    /// Examines one object version.
    ///
    /// # Errors
    /// When the object cannot be fetched or no child can be run: the same call may succeed later.
    pub async fn handle(&self, request: InspectRequest) -> Result<InspectReply, InspectError> {
        let span = tracing::info_span!("inspect", correlation.id = %request.correlation);
        let inspected = async {
            let reply = self.inspect(request).await;
            if let Err(fault) = &reply {
                tracing::error!(error = chain(fault), "could not inspect");
            }
            reply
        };
        inspected.instrument(span).await
    }

    async fn inspect(&self, request: InspectRequest) -> Result<InspectReply, InspectError> {
        let began = Instant::now();
        let promise = request.promise;
        let claim = Claim { size: promise.size, content_type: promise.declared_type, sha256: promise.declared_sha256 };
        let mut source = Source::object(self.client.clone(), request.url);
        let answered = match examine(&self.sandbox, &mut source, claim, &self.policy).await {
            Err(InspectError::MalformedVersion) => {
                tracing::info!(inspect.verdict = "unknown", "inspected");
                return Ok(InspectReply::Unknown);
            }
            answered => answered?,
        };
        let asked = source.asked();
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Some(Answered { examination, filtered, ended }) = answered else {
            tracing::info!(inspect.verdict = "gone", inspect.millis = millis, "inspected");
            return Ok(InspectReply::Gone);
        };
        let detail = examination.detail.as_deref();
        Ok(match examination.verdict {
            Verdict::Accepted(found) => {
                tracing::info!(
                    inspect.verdict = "accepted",
                    inspect.type = %found.facts.content_type,
                    inspect.thumbnails = found.thumbnails.len(),
                    inspect.ranges = asked.ranges,
                    inspect.bytes = asked.bytes,
                    inspect.received = asked.received,
                    inspect.millis = millis,
                    inspect.filtered = filtered,
                    inspect.detail = detail,
                    "inspected"
                );
                InspectReply::Accepted(found)
            }
            Verdict::Rejected(rejection) => {
                tracing::info!(
                    inspect.verdict = "rejected",
                    inspect.code = rejection.code.as_str(),
                    inspect.ended = ended.map(Ended::as_str),
                    inspect.ranges = asked.ranges,
                    inspect.bytes = asked.bytes,
                    inspect.received = asked.received,
                    inspect.millis = millis,
                    inspect.filtered = filtered,
                    inspect.detail = detail,
                    "inspected"
                );
                InspectReply::Rejected(rejection)
            }
        })
    }
}

fn tell(layers: Layers) {
    let Layers { filter, landlock, limits, no_new_privs, no_capabilities, undumpable, dies_with_parent } = layers;
    tracing::info!(
        inspect.layers.filter = filter,
        inspect.layers.landlock = landlock.as_str(),
        inspect.layers.limits = limits,
        inspect.layers.no_new_privs = no_new_privs,
        inspect.layers.no_capabilities = no_capabilities,
        inspect.layers.undumpable = undumpable,
        inspect.layers.dies_with_parent = dies_with_parent,
        inspect.layers.parent_undumpable = is_hidden(),
        "layers"
    );
    if !filter {
        tracing::warn!(
            "system calls of children are not filtered here: their limits and the function's role are the wall"
        );
    }
}
