//! Starts the HTTP API as a Lambda function.

use vestibule_api::config::Settings;
use vestibule_api::handler::router;
use vestibule_api::world::{Clients, World};
use vestibule_runtime::clock::Clock;
use vestibule_runtime::config::environment;
use vestibule_runtime::ids::{Ids, Secrets};
use vestibule_runtime::{logs, sdk};
use vestibule_store::cloudfront::CloudFront;
use vestibule_store::upload_keys::{UploadKeys, secret};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let settings = Settings::read(&environment)?;
    logs::start(&settings.log_level);
    let config = sdk::load().await;
    let keys = aws_sdk_secretsmanager::Client::new(&config);
    let cloudfront = match &settings.cloudfront {
        Some(settings) => {
            let pem = secret(&keys, &settings.private_key_secret).await?;
            Some(CloudFront::new(settings.domain.clone(), settings.key_pair_id.clone(), &pem)?)
        }
        None => None,
    };
    let clients = Clients {
        table: aws_sdk_dynamodb::Client::new(&config),
        buckets: sdk::s3(&config),
        credentials: config.credentials_provider().ok_or("there are no credentials")?,
        upload_keys: UploadKeys::new(keys, settings.upload_keys_secret.clone()),
        cloudfront,
        endpoint: config.endpoint_url().map(ToOwned::to_owned),
    };
    let world = World::new(clients, settings, Clock::system(), Ids::random(), Secrets::random());
    lambda_http::run(router(world)).await
}
