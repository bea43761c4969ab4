//! `june model`: the models that agents ask.

mod bench;
mod bench_report;
mod list;
mod pull;
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
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::List(command) => list::run(command),
        Command::Pull(command) => pull::run(command),
        Command::Bench(command) => bench::run(command),
        Command::Verify(command) => verify::run(command),
    }
}
