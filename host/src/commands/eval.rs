//! `june eval`: grading code that a model wrote.

mod agent;
mod compare;
mod report;

use std::fs;
use std::io::{self};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{ArgGroup, Args, Subcommand};
use indicatif::ProgressBar;
use june_benchmarks::dataset::{self, Dataset};
use june_benchmarks::evaluation::{self, EvaluationError, Settings};
use june_benchmarks::grading::{Record, Verdict};
use june_benchmarks::run::{Manifest, Run, RunError, Stored};
use june_benchmarks::samples::{self, Sample};
use june_benchmarks::summary::Summary;
use june_sandbox::{Engine, Limits, Runner, engine};

use super::dataset as datasets;
use super::journal::Recorded;
use super::{interrupted, progress_bar, session_of, workers};
use crate::exit::{Blame, Failure, Kind, print};
use crate::telemetry::metrics::{Evaluation, metrics};
use crate::{paths, size};

/// Fuel that stands for one second of `--timeout`: about what CPython in the sandbox burns for
/// what native CPython does in a second on the machine that docs/evaluate.md describes.
const FUEL_PER_SECOND: f64 = 25e9;

/// The least memory in which the Python runner starts, with some to spare.
const LEAST_MEMORY: u64 = 48 << 20;

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
        Ok(seconds) if (1e-3..=1e6).contains(&seconds) => Ok(seconds),
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

/// Where the samples come from.
enum Source<'a> {
    Samples(Vec<Sample>),
    Agent(Box<agent::Asking<'a>>),
}

fn evaluate(command: &Eval, recorded: &Recorded) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let dataset = load_dataset(command)?;
    let stop = interrupted()?;
    let mut settings = settings(command)?;
    let runner = load_runner()?;
    // Nothing is made before all that was given is known to be good.
    let source = match (&command.samples, &command.agent) {
        (_, Some(agent)) => Source::Agent(Box::new(agent::Asking::new(agent, command)?)),
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
    let samples = match source {
        Source::Samples(samples) => samples,
        Source::Agent(asking) => {
            let (resume, seed, journal) = (command.resume, command.seed, journal.as_ref());
            let (dataset, folder) = (&dataset, folder.as_path());
            asking.ask(&agent::Questions { dataset, folder, resume, seed, journal }, &stop)?
        }
    };
    let digest = runner.component().digest();
    let manifest = Manifest::new(&dataset, &samples, &digest, &settings.limits, settings.seed);
    // An agent's answers may all be there, and none of them graded.
    let graded = command.agent.is_none() || folder.join("run.json").exists();
    let mut run = if command.resume && graded {
        match Run::resume(&folder, &manifest) {
            Err(error @ RunError::Io { .. }) => return Err(error).environment(),
            resumed => resumed.input()?,
        }
    } else {
        match Run::create(&folder, &manifest) {
            Err(error @ RunError::Exists { .. }) => return Err(error).input(),
            created => created.environment()?,
        }
    };

    settings.journal = journal.map(|journal| (journal, session_of(&folder)));

    let progress = Progress::new(samples.len(), run.records());
    let evaluation = Evaluation::begin();
    let ended =
        evaluation::evaluate(&runner, &dataset, &samples, &settings, &mut run, &stop, |record| {
            metrics().graded(record.verdict.name());
            progress.add(record);
        });
    evaluation.end(ended.is_ok());
    progress.end();
    if let Err(error) = ended {
        let kind = match error {
            EvaluationError::Interrupted => Kind::Interrupted,
            _ => Kind::Environment,
        };
        let (done, all) = (run.records().len(), samples.len());
        let again = format!(
            "{done} of {all} samples are graded; go on with --resume --output {}",
            folder.display()
        );
        return Err(Failure { kind, error: anyhow::Error::from(error).context(again) });
    }

    let ks: Vec<usize> = command.k.iter().map(|&k| k as usize).collect();
    let summary = Summary::new(&dataset.name, run.records(), &ks);
    run.conclude(&samples, &summary, command.run_id).environment()?;
    if let Some((journal, _)) = settings.journal.take() {
        journal.close().environment()?;
    }
    let page = folder.join(report::FILE);
    june_benchmarks::report::write(&Stored::read(&folder).environment()?, &page).environment()?;
    if command.json {
        let text = serde_json::to_string_pretty(&summary).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        print(&crate::report::table(&summary, run.records(), start.elapsed(), &folder))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn load_dataset(command: &Eval) -> Result<Dataset, Failure> {
    let known = dataset::known().iter().find(|known| known.name == command.dataset);
    let mut dataset = match (&command.dataset_file, known) {
        (Some(path), _) => Dataset::load(path).input()?,
        (None, Some(known)) => Dataset::load(datasets::find(known).environment()?).input()?,
        (None, None) if Path::new(&command.dataset).exists() => {
            Dataset::load(&command.dataset).input()?
        }
        // Neither a name nor a file: say which names there are.
        (None, None) => {
            Dataset::load(datasets::by_name(&command.dataset).and_then(datasets::find).input()?)
                .input()?
        }
    };
    if let Some(known) = known {
        dataset.name = known.name.to_owned();
    }
    Ok(dataset)
}

fn settings(command: &Eval) -> Result<Settings, Failure> {
    let workers = workers(command.workers);
    let limits = Limits {
        fuel: command.fuel.unwrap_or((command.timeout * FUEL_PER_SECOND) as u64),
        memory: command.memory,
        wall: command.wall,
        ..Limits::default()
    };
    Ok(Settings { limits, seed: command.seed, workers, journal: None })
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
    let agent = command.agent.as_deref().map(|agent| agent.replace('/', "-"));
    let what = match (stem, agent) {
        (Some(stem), _) => stem.to_string_lossy().into_owned(),
        (None, Some(agent)) => agent,
        (None, None) => "reference".into(),
    };
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
    let name = format!("{}-{what}-{now}", dataset.name);
    fs::create_dir_all("runs")?;
    let mut folder = Path::new("runs").join(&name);
    let mut number = 1;
    while let Err(error) = fs::create_dir(&folder) {
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error);
        }
        number += 1;
        folder.set_file_name(format!("{name}-{number}"));
    }
    Ok(folder)
}

/// A progress bar on standard error; nothing where that is no terminal.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new<'a>(samples: usize, finished: impl Iterator<Item = &'a Record>) -> Self {
        let bar = progress_bar(samples as u64, "{pos}/{len} graded, {msg}{per_sec}, {eta} left");
        let progress = Self { bar };
        finished.for_each(|record| progress.add(record));
        progress.bar.reset_eta();
        progress
    }

    fn add(&self, record: &Record) {
        self.bar.inc(1);
        if record.verdict != Verdict::Passed {
            self.bar.set_message(format!("last {} {}, ", record.verdict.name(), record.task_id));
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
