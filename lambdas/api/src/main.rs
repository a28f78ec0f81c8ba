//! Starts the HTTP API as a Lambda function.

use vestibule_api::config::Settings;
use vestibule_api::handler::router;
use vestibule_api::world::World;
use vestibule_runtime::clock::Clock;
use vestibule_runtime::config::environment;
use vestibule_runtime::ids::{Ids, Secrets};
use vestibule_runtime::{logs, sdk};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let settings = Settings::read(&environment)?;
    logs::start(&settings.log_level);
    let config = sdk::load().await;
    let table = aws_sdk_dynamodb::Client::new(&config);
    let (buckets, endpoint) = (sdk::s3(&config), config.endpoint_url());
    let world = World::new(table, &buckets, endpoint, settings, Clock::system(), Ids::random(), Secrets::random());
    lambda_http::run(router(world)).await
}
