//! Starts the function: settings, clients, runtime. With `worker` as its argument it is a process of its own that polls the queue.

use lambda_runtime::{LambdaEvent, run, service_fn};
use tokio::signal::unix::{SignalKind, signal};
use vestibule_ingest::config::Config;
use vestibule_ingest::handler::handle;
use vestibule_ingest::worker;
use vestibule_ingest::world::World;
use vestibule_runtime::{config, logs, sdk};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::read(&config::environment)?;
    logs::start(&config.log_level);
    let world = World::new(config, &sdk::load_patient().await);
    if std::env::args().nth(1).as_deref() == Some("worker") {
        let mut terminate = signal(SignalKind::terminate())?;
        worker::work(&world, async move {
            terminate.recv().await;
        })
        .await;
        return Ok(());
    }
    run(service_fn(|event: LambdaEvent<_>| handle(&world, event.payload))).await
}
