//! A run: all samples of a file (or all reference solutions) graded by several workers, with
//! every finished record on disk.
//!
//! A run's folder holds:
//!
//! | file | what |
//! |---|---|
//! | `run.json` | what is graded, and how: see [`Manifest`] |
//! | `records.jsonl` | one [`Record`] a line, in the order in which they were finished |
//! | `results.jsonl` | the samples with their results, as HumanEval's harness writes them |
//! | `summary.json` | the tally and pass@k |
//! | `report.html` | all of it, for people: see [`report`](crate::report) |
//!
//! The last three are written, whole, when every sample has a record. A run that was killed is
//! completed by opening its folder again: a torn last line is cut off, and what has a record is
//! not graded again.

mod stored;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use june_sandbox::{Digest, Limits};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::dataset::Dataset;
use crate::grading::Record;
use crate::samples::Sample;

pub use stored::Stored;

/// What is graded, and how. Two runs of equal manifests have equal results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The data set's name.
    pub dataset: String,
    /// SHA-256 over the tasks, in hex.
    pub tasks: String,
    /// Number of samples.
    pub samples: usize,
    /// SHA-256 over the samples, in hex.
    pub completions: String,
    /// SHA-256 of the runner component, in hex.
    pub runner: String,
    /// Fuel for each sample.
    pub fuel: u64,
    /// Bytes of memory for each sample.
    pub memory: u64,
    /// The seed of each sample's random numbers.
    pub seed: u64,
}

impl Manifest {
    /// Describes a run.
    pub fn new(
        dataset: &Dataset,
        samples: &[Sample],
        runner: &Digest,
        limits: &Limits,
        seed: u64,
    ) -> Manifest {
        let tasks = dataset.tasks.iter().flat_map(|task| {
            [task.id.to_string(), task.source(""), task.reference.clone(), task.checks()]
        });
        let completions =
            samples.iter().flat_map(|sample| [sample.task.to_string(), sample.completion.clone()]);
        Manifest {
            dataset: dataset.name.clone(),
            tasks: Digest::of_parts(tasks).to_string(),
            samples: samples.len(),
            completions: Digest::of_parts(completions).to_string(),
            runner: runner.to_string(),
            fuel: limits.fuel,
            memory: limits.memory,
            seed,
        }
    }
}

/// Why a run's folder cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// Reading or writing failed.
    #[error("{}: {source}\nhint: what is finished is kept; make room or fix the cause, then run again with --resume", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder cannot be made or written.
    #[error("{}: {source}\nhint: name a folder that can be written with --output", path.display())]
    Create {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds a run already.
    #[error("{}: holds a run already\nhint: complete it with --resume, or name another --output", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// Somebody else works on the folder's run.
    #[error("{}: another June is at work on this run\nhint: wait for it, or stop it", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds no run.
    #[error("{}: holds no run to resume\nhint: leave out --resume to start one there", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The folder, or one of its files, cannot be read as a run.
    #[error("{}: {source}\nhint: name the folder of a run, as `june eval` prints it", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds a run of something else.
    #[error("{}: was started with another {what}\nhint: resume with the same data set, samples, limits and version of June, or name another --output", path.display())]
    Different {
        /// The folder.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A file of the folder is damaged.
    #[error("{}:{line}: not a record: {reason}\nhint: remove the line (its sample is graded again) or the folder", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// A run's folder, open for appending records.
#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    records: File,
    /// Length of the whole records in the file.
    length: u64,
    finished: BTreeMap<usize, Record>,
}

impl Run {
    /// Starts a run in a folder that holds none.
    ///
    /// # Errors
    ///
    /// The folder holds a run, or cannot be written.
    pub fn create(folder: &Path, manifest: &Manifest) -> Result<Run, RunError> {
        let path = folder.join("run.json");
        if path.exists() {
            return Err(RunError::Exists { path: folder.into() });
        }
        let created = fs::create_dir_all(folder)
            .map_err(|source| RunError::Io { path: folder.into(), source })
            .and_then(|()| write_json(&path, manifest))
            .and_then(|()| Run::open_records(folder));
        created.map_err(|error| match error {
            RunError::Io { path, source } => RunError::Create { path, source },
            other => other,
        })
    }

    /// Opens a run that was interrupted.
    ///
    /// # Errors
    ///
    /// The folder holds no run, one of something else, or a damaged one.
    pub fn resume(folder: &Path, manifest: &Manifest) -> Result<Run, RunError> {
        let path = folder.join("run.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(RunError::Missing { path: folder.into() });
            }
            Err(source) => return Err(RunError::Io { path, source }),
        };
        let found: Manifest = serde_json::from_slice(&text).map_err(|error| RunError::Damaged {
            path,
            line: error.line(),
            reason: error.to_string(),
        })?;
        let what = [
            ("data set", found.tasks != manifest.tasks),
            (
                "set of samples",
                found.completions != manifest.completions || found.samples != manifest.samples,
            ),
            ("runner", found.runner != manifest.runner),
            ("fuel limit", found.fuel != manifest.fuel),
            ("memory limit", found.memory != manifest.memory),
            ("seed", found.seed != manifest.seed),
        ];
        if let Some((what, _)) = what.into_iter().find(|(_, differs)| *differs) {
            return Err(RunError::Different { path: folder.into(), what });
        }
        let run = Run::open_records(folder)?;
        match run.finished.keys().next_back() {
            Some(last) if *last >= manifest.samples => Err(RunError::Damaged {
                path: folder.join("records.jsonl"),
                line: run.finished.len(),
                reason: format!("there is no sample {last}"),
            }),
            _ => Ok(run),
        }
    }

    fn open_records(folder: &Path) -> Result<Run, RunError> {
        let path = folder.join("records.jsonl");
        let io = |source| RunError::Io { path: path.clone(), source };
        let mut records = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        claim(&records, folder)?;
        let mut text = Vec::new();
        records.read_to_end(&mut text).map_err(io)?;
        let whole = whole_lines(&text);
        let finished = read_records(&path, whole)?;
        let length = whole.len() as u64;
        records.set_len(length).map_err(io)?;
        records.seek(SeekFrom::Start(length)).map_err(io)?;
        Ok(Run { folder: folder.into(), records, length, finished })
    }

    /// Whether this sample has a record.
    pub fn is_finished(&self, sample: usize) -> bool {
        self.finished.contains_key(&sample)
    }

    /// The records so far, in the order of the samples.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &Record> {
        self.finished.values()
    }

    /// Writes a record. After an error the file ends with the last whole record.
    ///
    /// # Errors
    ///
    /// The record could not be written.
    pub fn append(&mut self, record: Record) -> Result<(), RunError> {
        let path = || self.folder.join("records.jsonl");
        let io = |source| RunError::Io { path: path(), source };
        let mut line = serde_json::to_vec(&record).map_err(|error| io(error.into()))?;
        line.push(b'\n');
        if let Err(source) = self.records.write_all(&line) {
            // Should this fail as well, resuming cuts the torn line.
            let _ = self.records.set_len(self.length);
            let _ = self.records.seek(SeekFrom::Start(self.length));
            return Err(io(source));
        }
        self.length += line.len() as u64;
        self.finished.insert(record.sample, record);
        Ok(())
    }

    /// Writes the results and the summary of a finished run; with `run_ids`, each result with the
    /// number of its run in the journal.
    ///
    /// # Errors
    ///
    /// A file could not be written; the records are safe.
    pub fn conclude(
        &self,
        samples: &[Sample],
        summary: &impl Serialize,
        run_ids: bool,
    ) -> Result<(), RunError> {
        let path = self.folder.join("records.jsonl");
        self.records.sync_all().map_err(|source| RunError::Io { path, source })?;
        let path = self.folder.join("results.jsonl");
        write_whole(&path, |file| {
            samples
                .iter()
                .zip(self.records())
                .try_for_each(|(sample, record)| write_result(file, sample, record, run_ids))
        })?;
        write_json(&self.folder.join("summary.json"), summary)
    }
}

/// The files that whoever works on a run has claimed.
const CLAIMED: [&str; 2] = ["records.jsonl", "answers.jsonl"];

/// Keeps all others from writing to a file of this folder, until it is closed.
pub(crate) fn claim(file: &File, folder: &Path) -> Result<(), RunError> {
    // Whoever looks with `is_at_work` has it for a moment.
    for _ in 0..20 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
            // A file system without locks is no reason not to work.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(()),
        }
    }
    Err(RunError::Busy { path: folder.into() })
}

/// Whether somebody works on the run in this folder now, in this process or in another.
pub fn is_at_work(folder: &Path) -> bool {
    let claimed = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    CLAIMED.iter().any(|name| File::open(folder.join(name)).is_ok_and(claimed))
}

/// The lines of a file that were written to their end: what follows the last line feed was being
/// written when the run died.
fn whole_lines(text: &[u8]) -> &[u8] {
    &text[..text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)]
}

/// The records in a file's lines, by their samples.
fn read_records(path: &Path, lines: &[u8]) -> Result<BTreeMap<usize, Record>, RunError> {
    let mut records = BTreeMap::new();
    for (index, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let record: Record = serde_json::from_slice(line).map_err(|error| RunError::Damaged {
            path: path.into(),
            line: index + 1,
            reason: error.to_string(),
        })?;
        records.insert(record.sample, record);
    }
    Ok(records)
}

/// The sample's own object, with `result` and `passed` as HumanEval's harness adds them, and what
/// June knows beside.
fn write_result(
    file: &mut impl Write,
    sample: &Sample,
    record: &Record,
    run_ids: bool,
) -> io::Result<()> {
    const ADDED: [&str; 7] =
        ["result", "passed", "completion_id", "verdict", "fuel", "peak_memory", "run_id"];
    let mut object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(sample.record.get())?;
    for key in ADDED {
        object.shift_remove(key);
    }
    let added: [serde_json::Value; 7] = [
        record.human_eval_result().into(),
        (record.verdict == crate::grading::Verdict::Passed).into(),
        record.completion_id.into(),
        record.verdict.name().into(),
        record.fuel.into(),
        record.peak_memory.into(),
        record.run.into(),
    ];
    let columns = ADDED.len() - usize::from(!run_ids);
    object.extend(ADDED.map(String::from).into_iter().zip(added).take(columns));
    serde_json::to_writer(&mut *file, &object)?;
    file.write_all(b"\n")
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    write_whole(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        file.write_all(b"\n")
    })
}

/// Writes a file so that it is there whole or not at all.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), RunError> {
    let partial = path.with_extension("partial");
    let written = File::create(&partial).and_then(|file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.into_inner()?.sync_all()?;
        fs::rename(&partial, path)
    });
    written.map_err(|source| {
        let _ = fs::remove_file(&partial);
        RunError::Io { path: path.into(), source }
    })
}
