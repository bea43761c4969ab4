//! `june journal`: what components did, proven, read and run again.

mod diff;
pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod replay;
pub(crate) mod review;
mod show;
pub(crate) mod verify;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use june_sandbox::Journal;
use june_sandbox::journal::note::SecretKey;
use june_sandbox::journal::record::Record;
use june_sandbox::journal::{Digest, Error, Folder};

use crate::exit::{Blame, Failure, print};
use crate::index::Index;
use crate::paths;

/// Prove, read and replay what components did.
///
/// Every run of a component is recorded in a journal: what it was given and granted, each call it
/// made into the host, what it wrote and how it ended. Over the records stands a Merkle log with
/// signed checkpoints. Keep one elsewhere (`june journal checkpoint`), and nobody can change, drop
/// or cut off a record unnoticed, the owner of the journal included.
#[derive(Subcommand)]
#[command(
    after_long_help = "Exit status: 0 done; 1 the answer is no: the journal is not as it was \
                       written, a replay diverged, two runs differ; 2 wrong usage; 3 the machine \
                       or the set-up.\n\nExamples:\n  june journal list --outcome out-of-fuel\n  \
                       june journal show 0\n  june journal replay 0\n  \
                       june journal checkpoint > kept; june journal verify --since kept"
)]
pub(crate) enum Command {
    Init(Init),
    List(list::List),
    Show(show::Show),
    Verify(verify::Verify),
    Checkpoint(verify::PrintCheckpoint),
    Replay(replay::Replay),
    Diff(diff::Diff),
    Export(export::Export),
    Review(review::Review),
}

/// Make an empty journal with a key of its own.
#[derive(Args)]
pub(crate) struct Init {
    #[command(flatten)]
    place: Place,
    /// The journal's name, by which its checkpoints are known: best a host name and a path
    /// [default: one that nobody else has].
    #[arg(long)]
    name: Option<String>,
}

/// Which journal.
#[derive(Args)]
pub(crate) struct Place {
    /// The journal's folder [default: $JUNE_JOURNAL, else june/journal in the user's folder for
    /// state].
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
}

impl Place {
    fn folder(&self) -> Result<Folder> {
        folder(self.journal.as_deref())
    }

    /// The journal's index, with all that is in the journal.
    fn index(&self, rebuild: bool) -> Result<(Folder, Index), Failure> {
        let folder = self.folder().environment()?;
        let bar = spinner("records read");
        let index = Index::open(&folder, rebuild, |records| bar.set_position(records));
        bar.finish_and_clear();
        let index = match index {
            Err(error) if is_missing(&error) => return Err(error).input(),
            index => index.environment()?,
        };
        if let Some(broken) = &index.broken {
            eprintln!("june: cannot read on: {broken}\nhint: `june journal verify`");
        }
        Ok((folder, index))
    }
}

/// The journal in this folder, or where journals are.
pub(crate) fn folder(named: Option<&Path>) -> Result<Folder> {
    Ok(Folder::new(named.map_or_else(paths::journal, |folder| Ok(folder.into()))?))
}

fn is_missing(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(Error::Missing(_)))
}

/// The records of a run that has to be there.
fn run_of(index: &Index, run: u64) -> Result<Vec<(u64, Record)>, Failure> {
    let records = index.records(run).environment()?;
    if records.is_empty() {
        let error = anyhow::anyhow!(
            "there is no run {run}\nhint: `june journal list` tells which there are"
        );
        return Err(error).input();
    }
    Ok(records)
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(command) => init(command),
        Command::List(command) => list::run(command),
        Command::Show(command) => show::run(command),
        Command::Verify(command) => verify::run(command),
        Command::Checkpoint(command) => verify::print_checkpoint(command),
        Command::Replay(command) => replay::run(command),
        Command::Diff(command) => diff::run(command),
        Command::Export(command) => export::run(command),
        Command::Review(command) => review::run(command),
    }
}

fn init(command: &Init) -> Result<ExitCode, Failure> {
    let folder = command.place.folder().environment()?;
    let name = command.name.clone().unwrap_or_else(new_name);
    let key = match folder.init(&name) {
        Err(error @ (Error::Exists(_) | Error::Key { .. })) => return Err(error).input(),
        key => key.environment()?,
    };
    print(&format!(
        "{}\npublic key: {key}\n\nGive the public key to whoever is to verify the journal, and keep a checkpoint\n\
         elsewhere now and then: june journal checkpoint\n",
        folder.path().display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A name for a journal that nobody else has.
fn new_name() -> String {
    let random =
        SecretKey::generate("name").map(|key| Digest::of(key.public().to_string().as_bytes()));
    let random = random.map_or_else(|_| String::new(), |digest| digest.to_string());
    format!("june.local/journal/{}", &random[..random.len().min(8)])
}

/// Milliseconds of Unix time.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Where runs are recorded.
#[derive(Args)]
pub(crate) struct Recorded {
    /// The journal that runs are recorded in, made if it is not there
    /// [default: $JUNE_JOURNAL, else june/journal in the user's folder for state].
    #[arg(long, value_name = "DIR", conflicts_with = "no_journal")]
    journal: Option<PathBuf>,
    /// Record nothing.
    #[arg(long)]
    no_journal: bool,
}

impl Recorded {
    /// The journal, unless nothing is to be recorded.
    pub(crate) fn open(&self) -> Result<Option<Journal>, Failure> {
        match self.no_journal {
            true => Ok(None),
            false => open_journal(self.journal.as_deref()).map(Some),
        }
    }
}

/// Opens a journal for writing, and makes it where there is none.
pub(crate) fn open_journal(named: Option<&Path>) -> Result<Journal, Failure> {
    let folder = folder(named).environment()?;
    if matches!(folder.read_public_key(), Err(Error::Missing(_))) {
        folder.init(&new_name()).environment()?;
        if std::io::stderr().is_terminal() {
            eprintln!("june: made the journal {}", folder.path().display());
        }
    }
    let (journal, tail) =
        Journal::open(&folder, now).context("cannot record what runs").environment()?;
    if let Some(tail) = tail {
        eprintln!(
            "june: cut {} bytes off {} ({} records): a June that died had begun to write them, and \
             nobody was told they were durable",
            tail.bytes,
            tail.path.display(),
            tail.records
        );
    }
    Ok(journal)
}

/// A count that goes up, on standard error; nothing where that is no terminal.
fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template(&format!("{{spinner}} {{human_pos}} {what}"));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}
