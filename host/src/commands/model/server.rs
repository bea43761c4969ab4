//! `june model load|unload|status|ready`: the models of a Triton server.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use june_models::Secret;
use june_models::triton::{Entry, Repository, Settings, TritonError};

use crate::commands::run::runtime;
use crate::commands::until_interrupted;
use crate::exit::{Blame, Failure, print};
use crate::{paths, size};

/// A Triton server.
#[derive(Args)]
pub(crate) struct At {
    /// The server's address, such as http://127.0.0.1:8000.
    #[arg(long, value_name = "URL")]
    server: String,
    /// The environment variable that holds the server's key.
    #[arg(long, value_name = "VARIABLE")]
    key: Option<String>,
    /// How long loading or unloading may take.
    #[arg(long, value_name = "TIME", value_parser = size::duration)]
    within: Option<Duration>,
}

/// Load a model, and wait until it is ready.
#[derive(Args)]
pub(crate) struct Load {
    /// The model, by the server's name for it.
    model: String,
    #[command(flatten)]
    at: At,
    /// Unload the server's other models first: for a GPU that has room for one.
    #[arg(long)]
    switch: bool,
}

/// Unload a model, and wait until it is gone.
#[derive(Args)]
pub(crate) struct Unload {
    /// The model, by the server's name for it.
    model: String,
    #[command(flatten)]
    at: At,
}

/// Show a model's state, and why it is not loaded.
#[derive(Args)]
pub(crate) struct Status {
    /// The model, by the server's name for it.
    model: String,
    #[command(flatten)]
    at: At,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Tell by the exit status whether a model is ready: 0 it is, 1 it is not.
#[derive(Args)]
pub(crate) struct Ready {
    /// The model, by the server's name for it.
    model: String,
    #[command(flatten)]
    at: At,
}

impl At {
    /// A server, with nothing said but its address.
    pub(crate) fn plainly(server: &str) -> At {
        At { server: server.to_owned(), key: None, within: None }
    }

    fn repository(&self) -> Result<Repository, Failure> {
        let mut settings = Settings::new(&self.server);
        if let Some(variable) = &self.key {
            let key = paths::secret(variable)
                .with_context(|| format!("${variable} is not set\nhint: export it"))
                .input()?;
            settings.key = Some(Secret::new(key));
        }
        if let Some(within) = self.within {
            (settings.deadlines.load, settings.deadlines.unload) = (within, within);
        }
        Repository::new(&settings).input()
    }

    /// The server's models.
    pub(crate) fn list(&self) -> Result<Vec<Entry>, Failure> {
        let repository = self.repository()?;
        wait(repository.list())
    }
}

pub(crate) fn load(command: &Load) -> Result<ExitCode, Failure> {
    let (repository, model) = (command.at.repository()?, &command.model);
    match command.switch {
        true => wait(repository.switch(model))?,
        false => wait(repository.load(model))?,
    }
    print(&format!("{model} is ready\n"))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn unload(command: &Unload) -> Result<ExitCode, Failure> {
    let (repository, model) = (command.at.repository()?, &command.model);
    wait(repository.unload(model))?;
    print(&format!("{model} is unloaded\n"))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn status(command: &Status) -> Result<ExitCode, Failure> {
    let repository = command.at.repository()?;
    let entry = wait(repository.status(&command.model))?;
    if command.json {
        let text = serde_json::to_string_pretty(&entry).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        print(&row(&entry))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn ready(command: &Ready) -> Result<ExitCode, Failure> {
    let repository = command.at.repository()?;
    let ready = wait(repository.ready(&command.model))?;
    print(if ready { "ready\n" } else { "not ready\n" })?;
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// A model's state, in a line.
pub(crate) fn row(entry: &Entry) -> String {
    let Entry { name, version, state, reason } = entry;
    let version = version.as_deref().unwrap_or("-");
    let state = format!("{state:?}").to_lowercase();
    format!("{name}  {version}  {state}  {reason}").trim_end().to_owned() + "\n"
}

/// Waits for the server, or for Ctrl-C.
fn wait<T>(asked: impl Future<Output = Result<T, TritonError>>) -> Result<T, Failure> {
    let hint = Some("the server goes on with what it began");
    until_interrupted(&runtime()?, async { asked.await.environment() }, hint)
}
