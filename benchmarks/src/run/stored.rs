//! A run's folder, read.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Manifest, RunError, read_records, whole_lines};
use crate::grading::Record;
use crate::input::Limits;

/// What a run's folder holds, be the run complete or not. Nothing in the folder is changed.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The folder.
    pub folder: PathBuf,
    /// What was graded, and how.
    pub manifest: Manifest,
    /// The records, in the order of the samples.
    pub records: Vec<Record>,
    /// The completions, in the order of the samples; empty where the run is not complete.
    pub completions: Vec<String>,
    /// Which pass@k the run was asked for; 1, 10 and 100 where it is not complete.
    pub ks: Vec<usize>,
}

impl Stored {
    /// Reads a run's folder.
    ///
    /// # Errors
    ///
    /// The folder holds no run, or a damaged one.
    pub fn read(folder: &Path) -> Result<Stored, RunError> {
        let run = Stored::verdicts(folder)?;
        Ok(match folder.join("summary.json").exists() {
            true => Stored { completions: completions(&folder.join("results.jsonl"))?, ..run },
            false => run,
        })
    }

    /// Reads a run's folder, but for the completions, which are most of it.
    ///
    /// # Errors
    ///
    /// As [`read`](Stored::read).
    pub fn verdicts(folder: &Path) -> Result<Stored, RunError> {
        let manifest: Manifest = read_json(&folder.join("run.json"))?;
        let path = folder.join("records.jsonl");
        let records = read_records(&path, whole_lines(&read_file(&path)?))?;
        if let Some(last) = records.keys().next_back().filter(|last| **last >= manifest.samples) {
            let reason = format!("there is no sample {last}");
            return Err(RunError::Damaged { path, line: records.len(), reason });
        }
        let summary = folder.join("summary.json");
        Ok(Stored {
            folder: folder.into(),
            manifest,
            records: records.into_values().collect(),
            completions: Vec::new(),
            ks: if summary.exists() { ks(&summary)? } else { vec![1, 10, 100] },
        })
    }
}

impl Stored {
    /// The tasks that have records, with these, in the order of their first samples.
    pub fn tasks(&self) -> Vec<(&str, Vec<&Record>)> {
        let mut places = HashMap::new();
        let mut tasks: Vec<(&str, Vec<&Record>)> = Vec::new();
        for record in &self.records {
            let place = *places.entry(record.task_id.as_str()).or_insert(tasks.len());
            match tasks.get_mut(place) {
                Some((_, records)) => records.push(record),
                None => tasks.push((&record.task_id, vec![record])),
            }
        }
        tasks
    }
}

fn completions(path: &Path) -> Result<Vec<String>, RunError> {
    #[derive(Deserialize)]
    struct Line {
        completion: String,
    }
    let text = read_file(path)?;
    let lines = whole_lines(&text).split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let line = |(index, line)| match serde_json::from_slice::<Line>(line) {
        Ok(line) => Ok(line.completion),
        Err(error) => Err(damaged(path, index + 1, &error)),
    };
    lines.enumerate().map(line).collect()
}

fn ks(path: &Path) -> Result<Vec<usize>, RunError> {
    #[derive(Deserialize)]
    struct Summary {
        pass_at_k: std::collections::BTreeMap<usize, serde::de::IgnoredAny>,
    }
    let summary: Summary = read_json(path)?;
    Ok(summary.pass_at_k.into_keys().collect())
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, RunError> {
    let text = read_file(path)?;
    serde_json::from_slice(&text).map_err(|error| damaged(path, error.line(), &error))
}

fn damaged(path: &Path, line: usize, error: &serde_json::Error) -> RunError {
    RunError::Damaged { path: path.into(), line, reason: error.to_string() }
}

/// A whole file, as far as one that June wrote may go.
fn read_file(path: &Path) -> Result<Vec<u8>, RunError> {
    const LIMIT: u64 = Limits::SAMPLES.file_bytes;
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut text));
    match read {
        Ok(_) if text.len() as u64 <= LIMIT => Ok(text),
        Ok(_) => Err(io::Error::from(io::ErrorKind::FileTooLarge)),
        Err(error) => Err(error),
    }
    .map_err(|source| RunError::Unreadable { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const MANIFEST: &str = r#"{"dataset": "d", "tasks": "t", "samples": 2, "completions": "c", "runner": "r", "fuel": 1, "memory": 2, "seed": 3}"#;
    const RECORD: &str = r#"{"sample": 1, "task_id": "x", "completion_id": 0, "verdict": "passed", "detail": "", "fuel": 1, "peak_memory": 1, "stdout_tail": "", "stderr_tail": "", "wall_ms": 1.0}"#;

    #[test]
    fn a_run_that_is_not_complete() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let error = || Stored::read(folder.path()).unwrap_err().to_string();
        assert!(error().contains("run.json: "), "{}", error());
        assert!(error().ends_with("hint: name the folder of a run, as `june eval` prints it"));
        write("run.json", MANIFEST);
        write("records.jsonl", &format!("{RECORD}\n{{\"sample\": 0"));
        let run = Stored::read(folder.path()).unwrap();
        assert_eq!((run.records.len(), run.records[0].effort), (1, None));
        write("records.jsonl", &format!("{RECORD}\nnone\n"));
        assert!(error().contains("records.jsonl:2: not a record"), "{}", error());
        write("records.jsonl", &RECORD.replace("\"sample\": 1", "\"sample\": 2"));
        assert!(Stored::read(folder.path()).unwrap().records.is_empty(), "torn");
        write("records.jsonl", &(RECORD.replace("\"sample\": 1", "\"sample\": 2") + "\n"));
        assert!(error().contains("there is no sample 2"), "{}", error());
        write("run.json", "[]");
        assert!(error().contains("run.json:1: "), "{}", error());
    }
}
