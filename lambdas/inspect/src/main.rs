//! The inspect function, and in another process its child.

use std::process::ExitCode;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use vestibule_domain::inspection::InspectRequest;
use vestibule_inspect::child;
use vestibule_inspect::config::Config;
use vestibule_inspect::handler::Inspector;
use vestibule_inspect::layers::hide_this_process;
use vestibule_runtime::{config, logs};

fn main() -> Result<ExitCode, Error> {
    if let Some(code) = child::dispatch() {
        return Ok(code);
    }
    hide_this_process()?;
    serve().map(|()| ExitCode::SUCCESS)
}

#[tokio::main]
async fn serve() -> Result<(), Error> {
    let config = Config::read(&config::environment)?;
    logs::start(&config.log_level);
    let inspector = &Inspector::new(&config)?;
    inspector.tell_layers().await;
    let handle = async |event: LambdaEvent<InspectRequest>| inspector.handle(event.payload).await.map_err(Error::from);
    lambda_runtime::run(service_fn(handle)).await
}
