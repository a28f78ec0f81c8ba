//! AWS as the command line reaches it: the account of the shell, or an endpoint such as the local cloud's.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// The region of the local cloud.
pub const LOCAL_REGION: &str = "us-east-1";

/// The local cloud's root, name and secret alike.
const LOCAL_ROOT: &str = "test";

/// Credentials, region and endpoint. On an endpoint of this machine these are the local cloud's root and region; otherwise
/// they come from the shell and the usual files.
pub async fn config(endpoint: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if endpoint.is_some_and(is_loopback) {
        loader = loader.region(Region::from_static(LOCAL_REGION)).credentials_provider(Credentials::new(
            LOCAL_ROOT,
            LOCAL_ROOT,
            None,
            None,
            "local cloud",
        ));
    }
    loader.load().await
}

/// Whether an endpoint's address is this machine's.
pub fn is_loopback(endpoint: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(endpoint) else { return false };
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// Says in one line what a call was for and why it failed.
pub(crate) fn failed<E, R>(what: impl Into<String>) -> impl FnOnce(SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let what = what.into();
    move |error| match error.code() {
        Some(code) => anyhow::anyhow!("{what}: {code}: {}", error.message().unwrap_or("no message")),
        None => anyhow::Error::new(error).context(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_addresses_get_the_local_clouds_credentials() {
        for local in ["http://127.0.0.1:4566", "http://localhost:4566", "http://[::1]:4566/"] {
            assert!(is_loopback(local), "{local}");
        }
        for other in ["https://s3.amazonaws.com", "http://localhost.example.org", "http://10.0.0.1", "127.0.0.1", ""] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
