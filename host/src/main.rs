//! `june`: the command line.

mod agents;
mod chats;
mod commands;
mod config;
mod disk;
mod evaluations;
mod exit;
mod http;
mod index;
mod lazy;
mod llm;
mod local;
mod log;
mod mcp;
mod notes;
mod paths;
mod pulled;
mod ready;
mod report;
mod scrub;
mod serve;
mod size;
mod telemetry;
mod terminal;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit::Failure;

/// A host for AI agents that nobody has to trust.
///
/// Code that a model wrote runs as an isolated WebAssembly component: it sees no file, no network
/// and no clock of this machine, and every instruction is counted.
///
/// Results go to standard output, talk to standard error.
#[derive(Parser)]
#[command(
    version,
    max_term_width = 100,
    after_long_help = "Exit status: 0 done, 1 the answer is no, 2 wrong usage or input, 3 the \
                       machine or the set-up is at fault, 130 interrupted.\n\n\
                       Start with:\n  june doctor\n  june dataset pull humaneval\n  \
                       june eval humaneval --reference"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(commands::run::Run),
    Chat(commands::chat::Chat),
    Code(commands::chat::Code),
    #[command(subcommand)]
    Config(commands::config::Command),
    Eval(commands::eval::Command),
    #[command(subcommand)]
    Dataset(commands::dataset::Dataset),
    #[command(subcommand)]
    Component(commands::component::Component),
    #[command(subcommand)]
    Journal(commands::journal::Command),
    #[command(subcommand)]
    Model(commands::model::Command),
    #[command(subcommand)]
    Mcp(commands::mcp::Command),
    Serve(commands::serve::Serve),
    Telegram(commands::bots::TelegramBot),
    Discord(commands::bots::DiscordBot),
    History(commands::history::History),
    #[command(subcommand)]
    Voice(commands::voice::Command),
    Doctor(commands::doctor::Doctor),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(command) => commands::run::run(&command),
        Command::Chat(command) => commands::chat::chat(&command),
        Command::Code(command) => commands::chat::code(&command),
        Command::Config(command) => commands::config::run(&command),
        Command::Eval(command) => commands::eval::run(&command),
        Command::Dataset(command) => commands::dataset::run(&command),
        Command::Component(command) => commands::component::run(&command),
        Command::Journal(command) => commands::journal::run(&command),
        Command::Model(command) => commands::model::run(&command),
        Command::Mcp(command) => commands::mcp::run(&command),
        Command::Serve(command) => commands::serve::run(&command),
        Command::Telegram(command) => commands::bots::telegram(&command),
        Command::Discord(command) => commands::bots::discord(&command),
        Command::History(command) => commands::history::run(&command),
        Command::Voice(command) => commands::voice::run(&command),
        Command::Doctor(command) => commands::doctor::run(&command),
    };
    match done {
        Ok(code) => code,
        Err(Failure { kind, error }) => {
            log::error(&exit::said(&error)).say();
            ExitCode::from(kind as u8)
        }
    }
}
