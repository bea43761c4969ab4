//! `june journal verify` and `june journal checkpoint`.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use june_sandbox::journal::Error;
use june_sandbox::journal::note::Checkpoint;
use june_sandbox::journal::verify::{Report, verify};
use serde_json::{Value, json};

use super::{Place, spinner};
use crate::exit::{Blame, Failure, print};
use crate::words::{grouped, neutral};

/// Is every byte of the journal as it was written?
///
/// Looks at each record, blob, hash, checkpoint and signature. What no look at the journal alone
/// can tell is whether its owner put an older or a wholly new one in its place: for that, keep a
/// checkpoint elsewhere and name it with --since.
#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,
    /// A checkpoint that was kept: the journal must still begin with what it was then.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Print the newest signed checkpoint, to be kept elsewhere.
#[derive(Args)]
pub(crate) struct PrintCheckpoint {
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(command: &Verify) -> Result<ExitCode, Failure> {
    let folder = command.place.folder().environment()?;
    let since = command.since.as_deref().map(read).transpose()?;
    let bar = spinner("records verified");
    let report = verify(&folder, since.as_deref(), |records| bar.set_position(records));
    bar.finish_and_clear();
    let report = match report {
        Err(error @ Error::Missing(_)) => return Err(error).input(),
        // A journal that cannot even be begun with is not as it was written.
        Err(error @ (Error::Damaged { .. } | Error::Key { .. })) => {
            eprintln!("june: {error}");
            return Ok(ExitCode::from(1));
        }
        report => report.environment()?,
    };
    let sound = report.is_sound();
    if command.json {
        print(&format!("{:#}\n", in_json(&report)))?;
    } else {
        print(&told(&report))?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What was found, as JSON.
pub(crate) fn in_json(report: &Report) -> Value {
    json!({
        "sound": report.is_sound(), "records": report.records, "root": report.root.to_string(),
        "checkpoints": report.checkpoints, "runs": report.runs,
        "unfinished": report.unfinished, "blobs": report.blobs, "tail": report.tail,
        "live": report.live, "problems": report.problems,
        "problem_count": report.problem_count,
    })
}

/// A short file, `-` for standard input.
fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(1 << 16).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(1 << 16).read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read {}", path.display())).input()?;
    Ok(text)
}

fn told(report: &Report) -> String {
    let mut text = format!(
        "{}\n  records      {}\n  root         {}\n  checkpoints  {}\n  runs         {}{}\n  blobs        {}\n",
        if report.is_sound() { "sound: everything is as it was written" } else { "NOT SOUND" },
        grouped(report.records),
        report.root,
        grouped(report.checkpoints),
        grouped(report.runs),
        match report.unfinished {
            0 => String::new(),
            unfinished => format!(", {} without an end", grouped(unfinished)),
        },
        grouped(report.blobs),
    );
    match (report.tail, report.live) {
        (0, _) => {}
        (bytes, true) => text += &format!("  being written {bytes} bytes, not yet part of it\n"),
        (bytes, false) => {
            text += &format!(
                "  unfinished   {bytes} bytes after the last checkpoint, from a June that died; \
                 the next one cuts them off\n"
            );
        }
    }
    for problem in &report.problems {
        text += &format!("problem: {}\n", neutral(problem, false));
    }
    if report.problem_count > report.problems.len() {
        text += &format!("… and {} more\n", report.problem_count - report.problems.len());
    }
    text
}

pub(crate) fn print_checkpoint(command: &PrintCheckpoint) -> Result<ExitCode, Failure> {
    let folder = command.place.folder().environment()?;
    let key = match folder.read_public_key() {
        Err(error @ Error::Missing(_)) => return Err(error).input(),
        key => key.environment()?,
    };
    let path = folder.checkpoint();
    let note =
        fs::read_to_string(&path).with_context(|| path.display().to_string()).environment()?;
    Checkpoint::open(&note, &key)
        .with_context(|| {
            format!(
                "{}: is not signed by the journal's key\nhint: `june journal verify`",
                path.display()
            )
        })
        .environment()?;
    print(&note)?;
    Ok(ExitCode::SUCCESS)
}
