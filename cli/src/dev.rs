//! `vestibule dev`: everything on this machine, with a page to try it, until told to stop.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;

use crate::args::Global;
use crate::checkout::Checkout;
use crate::local::web::{Page, PagePort};
use crate::local::{LocalCloud, Options};
use crate::people::Person;
use crate::{terminal, told_to_stop, until_told};

/// The arguments of `dev`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port for AWS's calls
    #[arg(long, default_value_t = 4566, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// The port for the page
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    page_port: u16,
}

/// What a program wants to know of a running `dev`: `--json` prints it as one line when everything is up.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Addresses<'a> {
    endpoint_url: &'a str,
    stack: &'a str,
    page_url: &'a str,
    api_url: &'a str,
    people: &'a [Person],
    outputs: &'a BTreeMap<String, String>,
    server_log: &'a str,
}

/// Runs until Ctrl-C or SIGTERM.
///
/// # Errors
/// What keeps it from starting, or ends it.
pub async fn run(global: &Global, args: &Args) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(global.endpoint_url.is_none(), "dev starts a local cloud of its own and takes no --endpoint-url");
    let (mut cloud, page) = until_told(start(global, args)).await?;
    let told = told_to_stop()?;
    say(global, &cloud, &page)?;
    let ended = tokio::select! {
        () = told => None,
        error = cloud.ended() => Some(error),
    };
    if let Some(error) = ended {
        return Err(error);
    }
    cloud.stop().await?;
    Ok(ExitCode::SUCCESS)
}

async fn start(global: &Global, args: &Args) -> anyhow::Result<(LocalCloud, Page)> {
    let page = PagePort::take(Some(args.page_port)).await?;
    let options = Options {
        name: "dev".to_owned(),
        stack: global.stack().to_owned(),
        port: Some(args.port),
        origins: page.origins(),
        parameters: BTreeMap::new(),
    };
    let cloud = LocalCloud::start(options, &terminal::note).await?;
    let page = page.serve(&Checkout::find()?.web(), cloud.stack(), &cloud.people().all())?;
    Ok((cloud, page))
}

fn say(global: &Global, cloud: &LocalCloud, page: &Page) -> anyhow::Result<()> {
    let (people, api_url, log) = (cloud.people().all(), cloud.stack().api_url()?, cloud.log());
    let addresses = Addresses {
        endpoint_url: cloud.endpoint(),
        stack: cloud.stack().name(),
        page_url: page.url(),
        api_url: &api_url,
        people: &people,
        outputs: cloud.stack().outputs(),
        server_log: &log.display().to_string(),
    };
    if global.json { terminal::print_json(&addresses) } else { terminal::print(&text(&addresses)) }
}

fn text(addresses: &Addresses<'_>) -> String {
    let mut lines = vec![
        String::new(),
        format!("  page        {}", addresses.page_url),
        format!("  API         {}", addresses.api_url),
        format!("  AWS         {}  (credentials test / test)", addresses.endpoint_url),
        format!("  stack       {}", addresses.stack),
        format!("  server log  {}", addresses.server_log),
        String::new(),
        "  Sign in on the page, or with".to_owned(),
        format!("    vestibule --endpoint-url {} login --user NAME", addresses.endpoint_url),
    ];
    lines.extend(addresses.people.iter().map(|person| format!("    {:<9} {}", person.name, person.password)));
    lines.extend([String::new(), "  Ctrl-C ends it.".to_owned()]);
    lines.join("\n")
}
