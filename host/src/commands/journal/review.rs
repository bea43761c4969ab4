//! `june journal review`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use june_sandbox::Journal;
use june_sandbox::journal::Folder;
use june_sandbox::journal::note::SecretKey;
use june_sandbox::journal::record::{self, Event, Opinion};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Place, now, run_of};
use crate::exit::{Blame, Failure, print};
use crate::paths;

/// Sign off a run: add a reviewer's verdict to the journal, signed with the reviewer's key.
#[derive(Args)]
pub(crate) struct Review {
    #[command(flatten)]
    place: Place,
    /// The run.
    run: u64,
    /// What you think of it.
    #[arg(long, value_enum)]
    verdict: Verdict,
    /// Why, in your words.
    #[arg(long, default_value = "")]
    comment: String,
    /// The file of your key, made if it is not there [default: june/reviewer.key in the user's
    /// folder for configuration].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The name of the key, when it is made [default: the user's].
    #[arg(long, value_name = "NAME")]
    reviewer: Option<String>,
}

/// What a reviewer thinks of a run.
#[derive(Clone, Copy, ValueEnum, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Nothing to object to.
    Ok,
    /// Somebody has to look at this.
    Flag,
}

impl Verdict {
    fn opinion(self) -> Opinion {
        match self {
            Verdict::Ok => Opinion::Ok,
            Verdict::Flag => Opinion::Flag,
        }
    }
}

pub(crate) fn run(command: &Review) -> Result<ExitCode, Failure> {
    let (folder, index) = command.place.index(false)?;
    run_of(&index, command.run)?;
    drop(index);
    let path = match &command.key {
        Some(path) => path.clone(),
        None => paths::reviewer_key().environment()?,
    };
    let name = command.reviewer.clone().unwrap_or_else(paths::user);
    let key = reviewer_key(&path, &name).environment()?;
    let review = sign(&folder, &key, command.run, command.verdict, &command.comment).input()?;
    let (journal, _) = Journal::open(&folder, now).environment()?;
    let number = journal.append(command.run, Event::Review(review)).environment()?;
    journal.close().environment()?;
    print(&format!(
        "record {number}: run {} is reviewed, {}, by {}\n",
        command.run,
        command.verdict.opinion().name(),
        key.public()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A verdict on a run of this journal, signed.
pub(crate) fn sign(
    folder: &Folder,
    key: &SecretKey,
    run: u64,
    verdict: Verdict,
    comment: &str,
) -> Result<record::Review> {
    let journal = folder.read_public_key()?;
    record::Review::sign(key, journal.name(), run, verdict.opinion(), comment)
        .context("cannot sign this comment; write it without control characters")
}

/// Reads the reviewer's key, two lines: the secret one and the public one. Makes it where there is
/// none.
pub(crate) fn reviewer_key(path: &Path, name: &str) -> Result<SecretKey> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let (secret, public) = text.trim_end().split_once('\n').unwrap_or_default();
            SecretKey::parse(secret, public)
                .with_context(|| format!("{} is no reviewer's key", path.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = SecretKey::generate(name)?;
            let text = format!("{}\n{}\n", key.secret_text(), key.public());
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            eprintln!("june: made the reviewer's key {}", path.display());
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
