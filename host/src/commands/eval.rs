//! `june eval`: grading code that a model wrote.

mod compare;
mod report;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{ArgGroup, Args, Subcommand};
use indicatif::ProgressBar;
use june_benchmarks::dataset::{self, Dataset};
use june_benchmarks::evaluation::{self, Settings};
use june_benchmarks::grading::Verdict;
use june_benchmarks::samples;
use june_sandbox::{Engine, Limits, Runner, engine};
use tokio::runtime::Runtime;

use super::dataset as datasets;
use super::journal::Recorded;
use super::run::runtime;
use super::{interrupted, progress_bar, workers};
use crate::agents::{Host, Overrides};
use crate::config::Config;
use crate::evaluations::{self, Asking, LEAST_MEMORY, Place, Plan, SECONDS, Source, Step};
use crate::exit::{Blame, Failure, print};
use crate::{paths, size};

/// Grade solutions to a benchmark, each in a sandbox of its own.
///
/// The solutions are the samples that a model wrote (--samples), the answers of an agent that is
/// asked now (--agent), or the benchmark's own (--reference). A sample passes when its program and
/// all of the task's tests run to their end within the fuel and memory allowed. Fuel counts
/// instructions, so the verdicts are the same on every machine, however busy.
///
/// Every sample's run is recorded in the journal, from which it can be replayed: see `june
/// journal --help`.
///
/// Every finished sample is on disk at once, in the run's folder: interrupt an evaluation and take
/// it up again with --resume. When all are graded, the folder also has results.jsonl (the samples
/// with `result` and `passed`, in HumanEval's format), summary.json and report.html.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_long_help = "Examples:\n  june eval humaneval --reference\n  \
        june eval humaneval --samples answers.jsonl -k 1,10\n  \
        june eval humaneval --agent coder --model qwen3 -n 5 -k 1,5\n  \
        june eval my-tasks.jsonl --samples answers.jsonl --workers 4 --json\n\n\
        A line of a samples file: {\"task_id\": \"HumanEval/0\", \"completion\": \"    return …\"}"
)]
pub(crate) struct Command {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    eval: Option<Eval>,
    // Here, for clap does not see that an optional group of options is given if there is a group in it.
    #[command(flatten)]
    recorded: Recorded,
}

/// What can be done with runs that are there.
#[derive(Subcommand)]
enum Action {
    Compare(compare::Compare),
    Report(report::Report),
}

#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).args(["samples", "reference", "agent"])))]
struct Eval {
    /// humaneval, mbpp, mbpp-sanitized, or a file in the format of one of them.
    dataset: String,
    /// Grade the samples in this file: JSON lines with task_id and completion, gzip or plain.
    #[arg(long, value_name = "FILE")]
    samples: Option<PathBuf>,
    /// Grade the benchmark's own solutions.
    #[arg(long)]
    reference: bool,
    /// Ask this agent, and grade what it answers: one of june.toml, or direct, deliberate, coder.
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// The model that the agent asks, by its name in june.toml.
    #[arg(long, value_name = "NAME", requires = "agent")]
    model: Option<String>,
    /// How many answers to ask for, for each task.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, requires = "agent",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    answers: u32,
    /// How many questions the agent works on at once.
    #[arg(long, value_name = "N", default_value_t = 8, requires = "agent",
        value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE", requires = "agent")]
    config: Option<PathBuf>,
    /// Answers written beforehand, instead of a model: for tests and demonstrations.
    #[arg(long, value_name = "FILE", requires = "agent")]
    script: Option<PathBuf>,
    /// Read the data set from this file instead of June's cache.
    #[arg(long, value_name = "FILE")]
    dataset_file: Option<PathBuf>,
    /// Samples graded at once [default: one for each processor].
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: Option<u16>,
    /// What pass@k to estimate; those that there are too few samples for are left out.
    #[arg(short, value_name = "K", value_delimiter = ',', default_value = "1,10,100",
        value_parser = clap::value_parser!(u32).range(1..))]
    k: Vec<u32>,
    /// Seconds that a program may take, converted to fuel (25G each): a budget, not a clock.
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds,
        allow_negative_numbers = true)]
    timeout: f64,
    /// Fuel that a program may use, instead of --timeout; for example 50G.
    #[arg(long, value_parser = fuel, conflicts_with = "timeout")]
    fuel: Option<u64>,
    /// Memory that a program may use, its interpreter included.
    #[arg(long, value_parser = memory, default_value = "256MiB")]
    memory: u64,
    /// A fuse for a machine that hangs: wall-clock time for one sample.
    #[arg(long, value_parser = size::duration, default_value = "10m")]
    wall: Duration,
    /// Seed of the programs' random numbers.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The run's folder [default: a new one in runs/].
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Complete the run in --output, which was interrupted.
    #[arg(long, requires = "output")]
    resume: bool,
    /// Add the journal's run to each line of results.jsonl, as `run_id`.
    #[arg(long, conflicts_with = "no_journal")]
    run_id: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if SECONDS.contains(&seconds) => Ok(seconds),
        _ => Err("not a number of seconds from 0.001 to 1000000".into()),
    }
}

fn fuel(text: &str) -> Result<u64, String> {
    match size::count(text)? {
        0 => Err("nothing runs without fuel".into()),
        fuel => Ok(fuel),
    }
}

fn memory(text: &str) -> Result<u64, String> {
    match size::bytes(text)? {
        bytes if bytes > engine::MAX_MEMORY => Err("June grants 2 GiB at the most".into()),
        bytes if bytes < LEAST_MEMORY => Err("the interpreter alone needs 48 MiB".into()),
        bytes => Ok(bytes),
    }
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command { action: Some(Action::Compare(command)), .. } => compare::run(command),
        Command { action: Some(Action::Report(command)), .. } => report::run(command),
        Command { eval: Some(command), recorded, .. } => evaluate(command, recorded),
        Command { action: None, eval: None, .. } => {
            Err(anyhow::anyhow!("no data set is named")).input()
        }
    }
}

fn evaluate(command: &Eval, recorded: &Recorded) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let dataset = load_dataset(command)?;
    let stop = interrupted()?;
    let settings = settings(command);
    let runner = load_runner()?;
    // Nothing is made before all that was given is known to be good.
    let runtime = runtime()?;
    let source = match (&command.samples, &command.agent) {
        (_, Some(agent)) => Source::Agent(Box::new(ask(agent, command, &runtime)?)),
        (Some(path), None) => Source::Samples(
            samples::load(path, &dataset, june_benchmarks::Limits::SAMPLES).input()?,
        ),
        (None, None) => Source::Samples(evaluation::references(&dataset)),
    };
    let journal = recorded.open()?;
    let folder = match &command.output {
        Some(folder) => folder.clone(),
        None => new_folder(&dataset, command)
            .context(
                "cannot make a folder in runs/\nhint: name one that can be written with --output",
            )
            .environment()?,
    };
    let ks = command.k.iter().map(|&k| k as usize).collect();
    let plan = Plan { dataset, source, runner, settings, ks, run_ids: command.run_id };
    let place = Place { folder: &folder, resume: command.resume, journal: journal.clone() };
    let mut progress = Progress::default();
    let ended = plan.carry_out(place, &stop, |step| progress.see(&step));
    progress.end();
    let (run, summary) = ended?;
    if let Some(journal) = journal {
        journal.close().environment()?;
    }
    if command.json {
        let text = serde_json::to_string_pretty(&summary).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        print(&crate::report::table(&summary, run.records(), start.elapsed(), &folder))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes an agent ready to be asked.
fn ask(name: &str, command: &Eval, runtime: &Runtime) -> Result<Asking, Failure> {
    let host = Host::new(Config::find(command.config.as_deref()).input()?).input()?;
    let overrides = Overrides {
        model: command.model.as_deref(),
        script: command.script.as_deref(),
        ..Overrides::default()
    };
    let agent = runtime.block_on(host.agent(name, &overrides)).input()?;
    let settings = agent.settings(&host.config);
    let (answers, concurrency) = (command.answers as usize, command.concurrency.into());
    Ok(Asking { agent, settings, answers, concurrency, runtime: runtime.handle().clone() })
}

fn load_dataset(command: &Eval) -> Result<Dataset, Failure> {
    let known = dataset::known().iter().find(|known| known.name == command.dataset);
    match (&command.dataset_file, known) {
        (Some(path), known) => {
            let mut dataset = Dataset::load(path).input()?;
            if let Some(known) = known {
                known.name.clone_into(&mut dataset.name);
            }
            Ok(dataset)
        }
        (None, Some(known)) => evaluations::pulled(known),
        (None, None) if Path::new(&command.dataset).exists() => {
            Dataset::load(&command.dataset).input()
        }
        // Neither a name nor a file: say which names there are.
        (None, None) => evaluations::pulled(datasets::by_name(&command.dataset).input()?),
    }
}

fn settings(command: &Eval) -> Settings {
    let limits = Limits {
        fuel: command.fuel.unwrap_or_else(|| evaluations::fuel_of(command.timeout)),
        memory: command.memory,
        wall: command.wall,
        ..Limits::default()
    };
    let workers = workers(command.workers);
    Settings { limits, seed: command.seed, workers, journal: None }
}

pub(crate) fn load_runner() -> Result<Runner, Failure> {
    let path = paths::component("python").environment()?;
    let cache = paths::compiled().environment()?;
    let engine = Engine::new().environment()?;
    Runner::load(&engine, &path, &cache).environment()
}

/// Makes a folder in runs/ that nobody else has.
fn new_folder(dataset: &Dataset, command: &Eval) -> io::Result<PathBuf> {
    let stem = command.samples.as_deref().and_then(Path::file_stem);
    let what = match (stem, &command.agent) {
        (Some(stem), _) => stem.to_string_lossy().into_owned(),
        (None, Some(agent)) => agent.clone(),
        (None, None) => "reference".into(),
    };
    evaluations::new_folder(Path::new("runs"), dataset, &what)
}

/// A progress bar on standard error; nothing where that is no terminal.
#[derive(Default)]
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn see(&mut self, step: &Step<'_>) {
        match step {
            Step::Asking { all, there } => {
                self.begin(*all, "{pos}/{len} answered, {eta} left", *there);
            }
            Step::Answered => self.advance(),
            Step::Grading { all, run } => {
                let style = "{pos}/{len} graded, {msg}{per_sec}, {eta} left";
                self.begin(*all, style, run.records().len());
            }
            Step::Graded(record) => {
                self.advance();
                if let (Some(bar), true) = (&self.bar, record.verdict != Verdict::Passed) {
                    bar.set_message(format!("last {} {}, ", record.verdict.name(), record.task_id));
                }
            }
        }
    }

    fn begin(&mut self, all: usize, style: &str, there: usize) {
        self.end();
        let bar = progress_bar(all as u64, style);
        bar.set_position(there as u64);
        bar.reset_eta();
        self.bar = Some(bar);
    }

    fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
