//! `june component try`: running a component once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use june_models::scripted::Scripted;
use june_sandbox::capabilities::{Reply, ToolUse};
use june_sandbox::contract::{CallError, Role, Step, Turn};
use june_sandbox::strategy::Authority;
use june_sandbox::{
    Answered, Capabilities, Engine, GrantedTool, Grants, Journal, Limits, Origin, Outcome, Output,
    Recording, Spent, Strategy, Tool, Tree, World,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::journal::open_journal;
use super::super::run::{failed, runtime, whole};
use super::super::until_interrupted;
use super::{exports, load, world_of};
use crate::agents::said;
use crate::exit::{Blame, Failure, print};
use crate::llm::Models;
use crate::notes::Notes;
use crate::paths;
use crate::size::show_bytes;
use crate::terminal::Terminal;
use crate::words::{grouped, neutral, took};

/// The only model, where there is no script.
const DEFAULT_SCRIPT: &str = r#"
[[answer]]
repeat = true
text = "This is June's default script: it answers everything with these words, and --script takes others."
"#;

/// The name of the scripted model.
const MODEL: &str = "scripted";

/// Fuel of a strategy.
const FUEL: u64 = 100_000_000_000;

/// Run a component once.
///
/// A strategy is asked, and has a scripted model, notes and the tools named with --tool; a tool is
/// called. Neither is granted files, the network or programs: for these, describe an agent in
/// june.toml. Nothing is recorded unless --journal says where.
#[derive(Args)]
#[command(after_long_help = "Exit status: 0 it answered, 1 it did not, 2 wrong usage, \
                             3 the machine or the set-up.\n\nExamples:\n  \
                             june component try helper.wasm \"Good morning\" --script answers.toml\n  \
                             june component try words.wasm '{\"text\": \"one two\"}'")]
pub(crate) struct Try {
    /// The component's file.
    file: PathBuf,
    /// A strategy's request [default: Hello], or a tool's arguments, a JSON object [default: {}].
    input: Option<String>,
    /// What the model answers a strategy [default: always the same sentence].
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// A tool for the strategy: its file, or one of June's own by its name. May be repeated.
    #[arg(long = "tool", value_name = "TOOL")]
    tools: Vec<String>,
    /// Record the run in this journal.
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Serialize)]
struct Tried<'a> {
    file: &'a Path,
    world: World,
    answer: Option<String>,
    /// Why there is no answer.
    error: Option<String>,
    /// Notes of the strategy, and the tools it used, in order.
    steps: Vec<Value>,
    stdout: String,
    stderr: String,
    exit: &'static str,
    fuel: u64,
    peak_memory: u64,
    wall_ms: f64,
    spent: Spent,
    /// Its number in the journal.
    run: Option<u64>,
}

pub(super) fn run(command: &Try) -> Result<ExitCode, Failure> {
    let engine = Engine::new().environment()?;
    let component = load(&engine, &command.file)?;
    let tried = match world_of(&component, None)? {
        Some(World::Strategy) => ask(command, &engine)?,
        Some(World::Tool) => call(command, &engine)?,
        world => {
            let what =
                world.map_or_else(|| "is for no world".into(), |world| format!("is a {world}"));
            let error = anyhow!(
                "{} {what}\nhint: what can be tried exports {}; `june component check` says more",
                command.file.display(),
                exports()
            );
            return Err(error).input();
        }
    };
    report(&tried, command.json)?;
    Ok(if tried.error.is_none() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Asks a strategy.
fn ask<'a>(command: &'a Try, engine: &Engine) -> Result<Tried<'a>, Failure> {
    let cache = paths::compiled().environment()?;
    let strategy = Strategy::load(engine, &command.file, &cache).input()?;
    let model = match &command.script {
        Some(file) => Scripted::load(file).input()?,
        None => {
            if !command.json {
                eprintln!("june: no --script, so the model is June's default script");
            }
            Scripted::parse("default script", DEFAULT_SCRIPT).environment()?
        }
    };
    let runtime = runtime()?;
    let mut tools = BTreeMap::new();
    for reference in &command.tools {
        let path = paths::component_of(paths::Kind::Tool, reference, Path::new(".")).input()?;
        let tool = runtime.block_on(Tool::load(engine, &path, &cache)).input()?;
        let name = tool.spec().name.clone();
        let tool = GrantedTool::component(tool, &name, Grants::default(), Limits::default());
        tools.insert(name, tool.input()?);
    }
    let grants = Grants {
        models: [MODEL.to_owned()].into(),
        tools: tools.keys().cloned().collect(),
        memory: true,
        ..Grants::default()
    };
    let watch = Arc::new(Watch::new(!command.json));
    let capabilities = Capabilities {
        llm: Some(Arc::new(Models::only(&[MODEL.to_owned()], Box::new(model)))),
        tools: Arc::new(tools),
        memory: Some(Arc::new(Notes::default())),
        reply: Some(watch.clone()),
        ..Capabilities::default()
    };
    let limits = Limits { fuel: FUEL, ..Limits::default() };
    let authority =
        Authority { grants: Arc::new(grants), capabilities, limits, origin: Origin::default() };
    let request = command.input.as_deref().unwrap_or("Hello");
    let turn = Turn {
        messages: vec![said(Role::User, request)],
        models: vec![MODEL.into()],
        instructions: String::new(),
    };
    let journal = command.journal()?;
    let recording = recording(journal.as_ref());
    let answered = strategy.respond(&turn, &authority, recording.as_ref());
    let answered = until_interrupted(&runtime, async { answered.await.environment() }, None)?;
    watch.terminal.end();
    command.flush(journal)?;
    let (answer, error) = (whole(&answered), failed(&answered));
    if let (Some(Ok(rest)), false) = (&answered.answer, command.json)
        && !rest.text.is_empty()
    {
        print(&format!("{}\n", rest.text))?;
    }
    let Answered { outcome, spent, recorded, .. } = &answered;
    let run = recorded.map(|(run, _last)| run);
    Ok(Tried {
        steps: watch.steps(),
        ..command.tried(World::Strategy, answer, error, outcome, *spent, run)
    })
}

/// Calls a tool.
fn call<'a>(command: &'a Try, engine: &Engine) -> Result<Tried<'a>, Failure> {
    for (given, flag) in
        [(command.script.is_some(), "--script"), (!command.tools.is_empty(), "--tool")]
    {
        if given {
            return Err(anyhow!("{flag} is for strategies, and this is a tool")).input();
        }
    }
    let cache = paths::compiled().environment()?;
    let runtime = runtime()?;
    let tool = runtime.block_on(Tool::load(engine, &command.file, &cache)).input()?;
    let arguments = command.input.as_deref().unwrap_or("{}");
    let name = &tool.spec().name;
    let granted =
        GrantedTool::component(tool.clone(), name, Grants::default(), Limits::default()).input()?;
    granted
        .check(arguments)
        .map_err(|error| {
            let schema = &tool.spec().parameters;
            anyhow!(
                "the tool {name} does not take this: {}\nhint: its schema is {schema}",
                error.why()
            )
        })
        .input()?;
    let journal = command.journal()?;
    let (authority, files) = (Authority::default(), Tree::default());
    let recording = recording(journal.as_ref());
    let called = tool.call(arguments, &authority, &files, recording.as_ref());
    let called = until_interrupted(&runtime, async { called.await.environment() }, None)?;
    command.flush(journal)?;
    let (answer, error) = match called.answer {
        Some(Ok(text)) => (Some(text), None),
        Some(Err(CallError::InvalidArguments(why))) => {
            (None, Some(format!("the arguments are invalid: {why}")))
        }
        Some(Err(CallError::Failed(why))) => (None, Some(format!("the tool failed: {why}"))),
        None => {
            let exit = &called.outcome.exit;
            let why =
                format!("the tool ended without an answer: {} {}", exit.name(), exit.detail());
            (None, Some(why.trim_end().to_owned()))
        }
    };
    if let (Some(text), false) = (&answer, command.json) {
        print(&format!("{text}\n"))?;
    }
    let run = called.recorded.map(|(run, _last)| run);
    Ok(command.tried(World::Tool, answer, error, &called.outcome, called.spent, run))
}

impl Try {
    fn journal(&self) -> Result<Option<Journal>, Failure> {
        self.journal.as_deref().map(|folder| open_journal(Some(folder))).transpose()
    }

    /// Waits until what was recorded is durable.
    fn flush(&self, journal: Option<Journal>) -> Result<(), Failure> {
        journal.map_or(Ok(()), |journal| journal.flush()).environment()
    }

    fn tried(
        &self,
        world: World,
        answer: Option<String>,
        error: Option<String>,
        outcome: &Outcome,
        spent: Spent,
        run: Option<u64>,
    ) -> Tried<'_> {
        let text = |output: &Output| String::from_utf8_lossy(&output.bytes).into_owned();
        Tried {
            file: &self.file,
            world,
            answer,
            error,
            steps: Vec::new(),
            stdout: text(&outcome.stdout),
            stderr: text(&outcome.stderr),
            exit: outcome.exit.name(),
            fuel: outcome.fuel,
            peak_memory: outcome.peak_memory,
            wall_ms: outcome.wall.as_secs_f64() * 1e3,
            spent,
            run,
        }
    }
}

fn recording(journal: Option<&Journal>) -> Option<Recording<'_>> {
    journal.map(|journal| Recording { journal, session: "try", parent: None })
}

/// What is told apart from the answer, which has been printed.
fn report(tried: &Tried<'_>, json: bool) -> Result<(), Failure> {
    if json {
        let text =
            serde_json::to_string_pretty(tried).context("cannot write JSON").environment()?;
        return print(&format!("{text}\n"));
    }
    for (name, text) in [("stdout", &tried.stdout), ("stderr", &tried.stderr)] {
        if !text.is_empty() {
            eprintln!("its {name}:\n{}", neutral(text.trim_end(), true));
        }
    }
    if let Some(why) = &tried.error {
        eprintln!("june: {}", neutral(why, true));
    }
    let run = tried.run.map_or_else(String::new, |run| format!("run {run}: "));
    let Spent { input_tokens, output_tokens, rounds, tools, .. } = tried.spent;
    let models = match tried.world {
        World::Strategy => format!(
            ", {rounds} answers of the model ({input_tokens} tokens read, {output_tokens} written), {tools} tools"
        ),
        _ => String::new(),
    };
    eprintln!(
        "{run}fuel {}, memory {}, {}{models}",
        grouped(tried.fuel),
        show_bytes(tried.peak_memory),
        took((tried.wall_ms * 1e3) as u64)
    );
    Ok(())
}

/// Shows what a strategy does, and keeps it.
struct Watch {
    terminal: Terminal,
    steps: Mutex<Vec<Value>>,
}

impl Watch {
    fn new(shown: bool) -> Self {
        Self { terminal: Terminal::new(shown, shown), steps: Mutex::default() }
    }

    fn keep(&self, step: Value) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }

    fn steps(&self) -> Vec<Value> {
        std::mem::take(&mut self.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reply for Watch {
    fn say(&self, text: &str) {
        self.terminal.say(text);
    }

    fn note(&self, step: &Step) {
        self.keep(json!({"note": step.text, "stage": step.stage.name()}));
        self.terminal.note(step);
    }

    fn used(&self, use_: &ToolUse<'_>) {
        self.keep(match use_ {
            ToolUse::Called { name, arguments } => json!({"called": name, "arguments": arguments}),
            ToolUse::Answered { name, result: Ok(text) } => json!({"answered": name, "text": text}),
            ToolUse::Answered { name, result: Err(why) } => json!({"failed": name, "why": why}),
        });
        self.terminal.used(use_);
    }
}
