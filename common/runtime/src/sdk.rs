//! AWS clients, set up alike everywhere.

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

/// How long a post to a connection may take. It takes milliseconds; one that hangs must not keep others from theirs.
const POST: Duration = Duration::from_secs(3);

/// Reads credentials and region the usual way. Three tries in all; a connection that does not come within 3 s is given up.
pub async fn load() -> SdkConfig {
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
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
