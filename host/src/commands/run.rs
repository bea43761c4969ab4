//! `june run`: asking an agent once.

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use june_sandbox::workspace::Change;
use june_sandbox::{Answered, Exit, Recording};
use serde_json::json;

use super::journal::Recorded;
use super::until_interrupted;
use crate::agents::{Agent, Host, Overrides};
use crate::config::Config;
use crate::disk;
use crate::exit::{Blame, Failure, print};
use crate::terminal::Terminal;
use crate::words::grouped;

/// Ask an agent once.
///
/// The answer goes to standard output as it comes; what the agent does on the way, to standard
/// error. Files that it changed are shown as a diff, and applied only when you say so.
#[derive(Args)]
#[command(after_long_help = "Exit status: 0 the agent answered, 1 it did not, 2 wrong usage or \
                             configuration, 3 the machine or the set-up, 130 interrupted.\n\n\
                             Examples:\n  june run direct \"Why is the sky blue?\"\n  \
                             june run coder \"Write a function that…\" --model qwen3\n  \
                             git diff | june run reviewer -")]
pub(crate) struct Run {
    /// The agent: one of june.toml, or direct, deliberate, coder.
    agent: String,
    /// What to ask; `-` reads it from standard input.
    request: String,
    #[command(flatten)]
    with: With,
    /// Apply the changes to files without asking.
    #[arg(long)]
    apply: bool,
    /// Print JSON: the answer, what it took, and the changes.
    #[arg(long)]
    json: bool,
}

/// What an agent is made of and where it is recorded.
#[derive(Args)]
pub(crate) struct With {
    /// The model to ask, by its name in june.toml.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Answers written beforehand, instead of a model: for tests and demonstrations.
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) recorded: Recorded,
}

impl With {
    /// The host that this configuration describes.
    pub(crate) fn host(&self) -> Result<Host, Failure> {
        let config = Config::find(self.config.as_deref()).input()?;
        Host::new(config).input()
    }

    /// What the command line says of the agent.
    pub(crate) fn overrides(&self) -> Overrides<'_> {
        let (model, script) = (self.model.as_deref(), self.script.as_deref());
        Overrides { model, script, ..Overrides::default() }
    }
}

/// A runtime for talking to models.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().environment()
}

pub(crate) fn run(command: &Run) -> Result<ExitCode, Failure> {
    let request = match command.request.as_str() {
        "-" => {
            let mut text = String::new();
            let read = io::stdin().read_to_string(&mut text);
            read.context("cannot read the request from standard input").input()?;
            text
        }
        text => text.to_owned(),
    };
    let host = command.with.host()?;
    let runtime = runtime()?;
    let mut agent =
        runtime.block_on(host.agent(&command.agent, &command.with.overrides())).input()?;
    let journal = command.with.recorded.open()?;
    let terminal = Arc::new(Terminal::new(!command.json, !command.json));
    agent.authority.capabilities.reply = Some(terminal.clone());
    let turn = agent.turn(Vec::new(), &request);

    let recording = journal.as_ref().map(|journal| Recording {
        journal,
        session: &command.agent,
        parent: None,
    });
    let authority = agent.now();
    let answered =
        async { agent.respond(&turn, &authority, recording.as_ref()).await.environment() };
    let answered = until_interrupted(&runtime, answered, None);
    terminal.end();
    let answered = answered?;
    if let Some(journal) = &journal {
        journal.flush().environment()?;
    }
    let changes = agent.before.changes(&runtime.block_on(agent.files()));
    report(command, &agent, &answered, &changes)?;
    Ok(match answered.answer {
        Some(Ok(_)) => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    })
}

fn report(
    command: &Run,
    agent: &Agent,
    answered: &Answered,
    changes: &[Change],
) -> Result<(), Failure> {
    if command.json {
        let applied = if command.apply { keep(agent, changes)?.done } else { 0 };
        let value = json!({
            "agent": agent.name,
            "answer": whole(answered),
            "error": failed(answered),
            "run": answered.recorded.map(|(run, _last)| run),
            "fuel": answered.outcome.fuel,
            "spent": answered.spent,
            "wall_ms": answered.outcome.wall.as_secs_f64() * 1e3,
            "diff": disk::diff(changes),
            "applied": applied,
        });
        let text = serde_json::to_string_pretty(&value).environment()?;
        return print(&format!("{text}\n"));
    }
    if let Some(Ok(answer)) = &answered.answer
        && !answer.text.is_empty()
    {
        print(&format!("{}\n", answer.text))?;
    }
    if let Some(why) = failed(answered) {
        eprintln!("june: {why}");
    }
    eprintln!("{}", cost(answered));
    if changes.is_empty() {
        return Ok(());
    }
    eprint!("{}", disk::diff(changes));
    if command.apply || asked("Apply these changes?") {
        let applied = keep(agent, changes)?.done;
        eprintln!("june: applied {applied} changes");
    } else {
        eprintln!("june: nothing was applied\nhint: --apply does so");
    }
    Ok(())
}

/// Applies changes, and says which could not be.
pub(crate) fn keep(agent: &Agent, changes: &[Change]) -> Result<disk::Applied, Failure> {
    let root = agent.root.clone().unwrap_or_else(|| ".".into());
    let applied = disk::apply(&root, changes).environment()?;
    for (path, why) in &applied.refused {
        eprintln!("june: left {path} as it is: {why}");
    }
    Ok(applied)
}

/// Asks the person; no, where nobody can be asked.
pub(crate) fn asked(question: &str) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    eprint!("{question} [y/N] ");
    let _ = io::stderr().flush();
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

/// All that the agent answered.
pub(crate) fn whole(answered: &Answered) -> Option<String> {
    match &answered.answer {
        Some(Ok(answer)) => Some(format!("{}{}", answered.said, answer.text)),
        _ => None,
    }
}

/// Why there is no answer.
pub(crate) fn failed(answered: &Answered) -> Option<String> {
    match (&answered.answer, &answered.outcome.exit) {
        (Some(Ok(_)), _) => None,
        (Some(Err(error)), _) => Some(error.why()),
        (None, Exit::OutOfFuel) => Some("the agent used up its fuel".into()),
        (None, Exit::OutOfMemory) => Some("the agent used up its memory".into()),
        (None, Exit::TimedOut) => Some("the agent used up its time".into()),
        (None, exit) => {
            Some(format!("the strategy ended without an answer: {} {}", exit.name(), exit.detail()))
        }
    }
}

/// What a turn took.
pub(crate) fn cost(answered: &Answered) -> String {
    let spent = &answered.spent;
    let run = answered.recorded.map_or_else(String::new, |(run, _)| format!("run {run}: "));
    format!(
        "{run}{} tokens read, {} written, {} tools, {} programs, fuel {}, {:.1} s",
        grouped(spent.input_tokens),
        grouped(spent.output_tokens),
        spent.tools,
        spent.programs,
        grouped(answered.outcome.fuel),
        answered.outcome.wall.as_secs_f64()
    )
}
