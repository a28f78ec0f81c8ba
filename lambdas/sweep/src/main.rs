//! Starts the function: settings, clients, runtime.

use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;
use vestibule_runtime::{config, logs, sdk};
use vestibule_sweep::config::Config;
use vestibule_sweep::handler::handle;
use vestibule_sweep::world::World;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::read(&config::environment)?;
    logs::start(&config.log_level);
    let world = World::new(config, &sdk::load_patient().await);
    run(service_fn(|_: LambdaEvent<Value>| handle(&world, std::io::stdout()))).await
}
