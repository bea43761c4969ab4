//! Samples: the completions that a model gave, in the format that HumanEval's own harness reads.
//!
//! One JSON object on each line with `task_id` (a string, or an integer as in MBPP) and
//! `completion`; further keys are kept. Blank lines are passed over, gzip is taken as well. All
//! of a file is checked before the first sample is graded, so that a broken line at the end does
//! not cost an hour.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use serde_json::value::RawValue;
use thiserror::Error;

use crate::dataset::{Dataset, Task};
use crate::effort::Effort;
use crate::input::{InputError, Limits, Lines, quoted};
use crate::json::Object;

/// One completion for one task.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The place among the file's samples, from 0; blank lines do not count.
    pub line: usize,
    /// The place of its task in [`Dataset::tasks`].
    pub task: usize,
    /// What the model wrote, to be given to [`Task::source`](crate::dataset::Task::source).
    pub completion: String,
    /// The place among the samples of the same task, from 0, in the file's order.
    pub completion_id: usize,
    /// The object as it stands in the file, with all of its keys in their order.
    pub record: Box<RawValue>,
    /// What an agent spent on it, where an agent made it.
    pub effort: Option<Effort>,
}

impl Sample {
    /// A sample that comes from no file: the place among all samples, the place of its task, the
    /// task itself and the completion.
    pub fn new(line: usize, index: usize, task: &Task, completion: String) -> Sample {
        let record = serde_json::json!({"task_id": task.id.as_str(), "completion": completion});
        let record = serde_json::value::to_raw_value(&record).unwrap_or_default();
        Sample { line, task: index, completion, completion_id: 0, record, effort: None }
    }
}

/// Why a file of samples cannot be graded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SamplesError {
    /// The file cannot be read as records, or a record's field is missing or wrong.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A sample is for a task that the data set does not have.
    #[error(
        "{file}:{line}: task {id} is not in {dataset}\nhint: name the data set that the samples were made for, or remove the line"
    )]
    UnknownTask {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The identifier as given, quoted.
        id: String,
        /// The data set's name, size, first and last identifier.
        dataset: String,
    },
}

/// Reads the samples of a file; [`Limits::SAMPLES`] suits most.
///
/// # Errors
///
/// The file cannot be read, is empty or over the limits, or one of its lines is not a sample for
/// a task of the data set.
pub fn load(
    path: impl AsRef<Path>,
    dataset: &Dataset,
    limits: Limits,
) -> Result<Vec<Sample>, SamplesError> {
    read(Lines::open(path.as_ref(), limits)?, dataset)
}

/// Reads samples from memory or from any other reader, as [`load`] does; `file` stands for the
/// file in errors.
///
/// # Errors
///
/// As for [`load`].
pub fn parse(
    file: &str,
    reader: impl Read,
    dataset: &Dataset,
    limits: Limits,
) -> Result<Vec<Sample>, SamplesError> {
    read(Lines::new(file.to_owned(), reader, limits)?, dataset)
}

const HINT: &str =
    "a sample has \"task_id\" (a string or an integer) and \"completion\" (a string)";

fn read(mut lines: Lines, dataset: &Dataset) -> Result<Vec<Sample>, SamplesError> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut counts: HashMap<usize, usize> = HashMap::new();
    while let Some(record) = lines.next_line()? {
        let object = Object::read(record, &["task_id", "completion"])?;
        let id = task_id(&object)?;
        let task = dataset.position(&id);
        let task = task.ok_or_else(|| SamplesError::UnknownTask {
            file: record.file.to_owned(),
            line: record.line,
            id: quoted(&id),
            dataset: described(dataset),
        })?;
        let completion = object.get("completion", HINT)?;
        let count = counts.entry(task).or_default();
        samples.push(Sample {
            line: samples.len(),
            task,
            completion,
            completion_id: *count,
            record: object.to_raw()?,
            effort: None,
        });
        *count += 1;
    }
    if samples.is_empty() {
        return Err(InputError::Empty { file: lines.file().to_owned() }.into());
    }
    Ok(samples)
}

fn task_id(object: &Object) -> Result<String, InputError> {
    let is_number =
        |text: &str| text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    match object.raw("task_id") {
        Some(id) if is_number(id.get()) => {
            let id: i64 = object.get("task_id", HINT)?;
            Ok(id.to_string())
        }
        _ => object.get("task_id", HINT),
    }
}

fn described(dataset: &Dataset) -> String {
    let Dataset { name, tasks, .. } = dataset;
    let id = |task: Option<&Task>| task.map(|task| quoted(task.id.as_str()));
    match (id(tasks.first()), id(tasks.last())) {
        (Some(first), Some(last)) => format!("{name} ({} tasks, {first} to {last})", tasks.len()),
        _ => format!("{name}, which has no tasks"),
    }
}

#[cfg(test)]
mod tests;
