//! Starts the function: settings, clients, runtime.

use lambda_runtime::{LambdaEvent, run, service_fn};
use vestibule_relay::config::Config;
use vestibule_relay::handler::handle;
use vestibule_relay::world::World;
use vestibule_runtime::{config, logs, sdk};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::read(&config::environment)?;
    logs::start(&config.log_level);
    let world = World::new(config, &sdk::load().await);
    run(service_fn(|event: LambdaEvent<_>| handle(&world, event.payload))).await
}
