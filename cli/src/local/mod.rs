//! The whole system on one machine: a local cloud, the template deployed to it, and people to try it with.
//!
//! The same template and the same executables as on AWS, with IAM enforced. `vestibule dev`, `vestibule demo` and the tests
//! start one each; they share the pinned virtual environment and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use crate::checkout::Checkout;
use crate::people::{self, Person};
use crate::stack::Stack;

mod deploy;
pub mod package;
mod run_folder;
mod server;
mod venv;
pub mod web;

/// Told what is being done, where that takes a while.
pub type Note<'a> = &'a (dyn Fn(&str) + Sync);

/// How to start a local cloud.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the run is called in `target/local/<name>-<port>/`.
    pub name: String,
    /// The stack's name.
    pub stack: String,
    /// The port that AWS's calls go to; any free one when there is none.
    pub port: Option<u16>,
    /// The origins of the pages that may call it.
    pub origins: Vec<String>,
    /// The template's parameters that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
}

/// The people that every local cloud has.
#[derive(Debug, Clone)]
pub struct DemoPeople {
    /// Answers customers.
    pub operator: Person,
    /// Has a question.
    pub customer: Person,
    /// Is in none of the others' rooms.
    pub stranger: Person,
}

/// A running local cloud with the stack deployed. Dropping it ends it too, but does not wait until it has ended.
pub struct LocalCloud {
    server: server::Server,
    stack: Stack,
    people: DemoPeople,
}

impl LocalCloud {
    /// Starts one. A run that fails or is dropped half-way leaves no process behind.
    ///
    /// # Errors
    /// Each with its cause in one line: a port in use, a missing tool or executable, a server that does not start, a resource
    /// that cannot be made.
    pub async fn start(options: Options, note: Note<'_>) -> anyhow::Result<Self> {
        // The SDK's futures are large.
        Box::pin(Self::started(options, note)).await
    }

    async fn started(options: Options, note: Note<'_>) -> anyhow::Result<Self> {
        let checkout = Checkout::find()?;
        let template = fs::read_to_string(checkout.template()).context("cannot read the template")?;
        // Before anything that takes long: this is what fails most often.
        let port = server::free_port(options.port)?;
        for function in package::FUNCTIONS {
            checkout.function(function)?;
        }
        let python = venv::python(&checkout, note).await?;
        note("starting the local cloud");
        let folder = run_folder::RunFolder::create(&checkout.local(), &options.name, port)?;
        let server = server::Server::start(&python, &checkout.server_script(), folder, port).await?;
        note("packing the functions");
        let packages = package::packages(&checkout).await?;
        note("deploying the template");
        let parameters = parameters(options.parameters, &options.origins);
        let stack = deploy::deploy(server.endpoint(), &options.stack, &template, packages, parameters).await?;
        let people = DemoPeople {
            operator: people::create(&stack, "operator", true).await?,
            customer: people::create(&stack, "customer", false).await?,
            stranger: people::create(&stack, "stranger", false).await?,
        };
        Ok(Self { server, stack, people })
    }

    /// Deploys the same template once more, as another stack beside the first.
    ///
    /// # Errors
    /// When a resource cannot be made.
    pub async fn deploy_another(
        &self,
        stack: &str,
        origins: &[String],
        changed: BTreeMap<String, String>,
    ) -> anyhow::Result<Stack> {
        Box::pin(deploy::again(self.server.endpoint(), stack, parameters(changed, origins))).await
    }

    /// Where AWS's calls go. The root's credentials are `test` and `test`.
    pub fn endpoint(&self) -> &str {
        self.server.endpoint()
    }

    /// The deployed stack.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Who can sign in.
    pub fn people(&self) -> &DemoPeople {
        &self.people
    }

    /// What the server says goes here.
    pub fn log(&self) -> PathBuf {
        self.server.log()
    }

    /// Waits until the server has ended by itself, which it should not.
    pub async fn ended(&mut self) -> anyhow::Error {
        self.server.ended().await
    }

    /// Ends the server and every function that it started.
    ///
    /// # Errors
    /// When they do not end in time.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.server.stop().await
    }
}

/// The template's parameters, with what is so on every local cloud.
fn parameters(mut changed: BTreeMap<String, String>, origins: &[String]) -> BTreeMap<String, String> {
    changed.insert("AllowedOrigins".to_owned(), origins.join(","));
    // There is no CloudFront here.
    changed.insert("Delivery".to_owned(), "S3".to_owned());
    changed
}

impl DemoPeople {
    /// All of them.
    pub fn all(&self) -> Vec<Person> {
        vec![self.operator.clone(), self.customer.clone(), self.stranger.clone()]
    }
}
