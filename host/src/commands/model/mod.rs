//! `june model`: the models that agents ask.

mod bandwidth;
mod bench;
mod bench_report;
pub(crate) mod list;
mod pull;
mod repository;
mod server;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::exit::Failure;

/// Get models, and see what they do.
#[derive(Subcommand)]
pub(crate) enum Command {
    List(list::List),
    Pull(pull::Pull),
    Bench(bench::Bench),
    Verify(verify::Verify),
    Load(server::Load),
    Unload(server::Unload),
    Status(server::Status),
    Ready(server::Ready),
    #[command(subcommand)]
    Repository(repository::Command),
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::List(command) => list::run(command),
        Command::Pull(command) => pull::run(command),
        Command::Bench(command) => bench::run(command),
        Command::Verify(command) => verify::run(command),
        Command::Load(command) => server::load(command),
        Command::Unload(command) => server::unload(command),
        Command::Status(command) => server::status(command),
        Command::Ready(command) => server::ready(command),
        Command::Repository(command) => repository::run(command),
    }
}
