//! AWS clients, set up alike everywhere.

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

/// How long a post to a connection may take. It takes milliseconds; one that hangs must not keep others from theirs.
const POST: Duration = Duration::from_secs(3);

/// Reads credentials and region the usual way, for those whom somebody waits for. Three tries in all; a connection that does not come
/// within 3 s is given up.
pub async fn load() -> SdkConfig {
    load_with(3).await
}

/// The same for those whom only a queue waits for: six tries in all, so that throttling may last for some seconds. Between tries lies a
/// random share of a second, which doubles with every one.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
pub async fn load_patient() -> SdkConfig {
    load_with(6).await
}

async fn load_with(tries: u32) -> SdkConfig {
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(tries))
        .timeout_config(TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).build())
        .load()
        .await
}

/// A client that posts to the connections of a WebSocket API, at `url`. It tries once: whoever posts knows better whether and
/// when to try again.
pub fn connections(config: &SdkConfig, url: String) -> aws_sdk_apigatewaymanagement::Client {
    let patience = TimeoutConfig::builder().connect_timeout(POST).operation_timeout(POST).build();
    let config = aws_sdk_apigatewaymanagement::config::Builder::from(config).endpoint_url(url);
    let config = config.retry_config(RetryConfig::disabled()).timeout_config(patience);
    aws_sdk_apigatewaymanagement::Client::from_conf(config.build())
}

/// An S3 client. Behind an endpoint of one's own there is no DNS for bucket names, so it addresses buckets by path.
pub fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let path_style = config.endpoint_url().is_some();
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(path_style).build())
}
