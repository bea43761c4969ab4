//! Data sets: Python programming tasks with their tests.
//!
//! | format | file | source |
//! |---|---|---|
//! | HumanEval | JSONL, often gzip | Chen et al. 2021, <https://arxiv.org/abs/2107.03374> |
//! | MBPP | JSONL | Austin et al. 2021, <https://arxiv.org/abs/2108.07732> |
//! | MBPP, sanitized | JSON array | the same authors, tasks checked by hand |
//!
//! The format is recognised from the first record, never from the file's name, and records may
//! stand one on each line or in one JSON array.
//!
//! ```
//! let json = r#"[{"task_id": "Sum/0", "prompt": "def add(a, b):\n", "entry_point": "add",
//!     "canonical_solution": "    return a + b\n",
//!     "test": "def check(f):\n    assert f(1, 2) == 3\n"}]"#;
//! let dataset = june_benchmarks::dataset::Dataset::parse("sums", json.as_bytes())?;
//! let task = dataset.task("Sum/0").ok_or("no such task")?;
//! assert_eq!(task.source(&task.reference), "def add(a, b):\n    return a + b\n\n");
//! assert!(task.checks().ends_with("check(add)\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod humaneval;
mod mbpp;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::path::Path;

use thiserror::Error;

use crate::input::{InputError, Limits, Lines, Record, quoted};
use crate::json::{self, Object};

/// A data set as its authors publish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The name used on the command line.
    pub name: &'static str,
    /// The name of the published file.
    pub file: &'static str,
    /// SHA-256 of the file as published, compressed where it is, in lower-case hex.
    pub sha256: &'static str,
    /// Number of tasks.
    pub tasks: usize,
}

/// The data sets known by name.
pub fn known() -> &'static [Known] {
    &[
        Known {
            name: "humaneval",
            file: "HumanEval.jsonl.gz",
            sha256: "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
            tasks: 164,
        },
        Known {
            name: "mbpp",
            file: "mbpp.jsonl",
            sha256: "ccf64ceae9c5403bf50a044cb6d505bfd2a2963ee58338ba268fd65beab92a9f",
            tasks: 974,
        },
        Known {
            name: "mbpp-sanitized",
            file: "sanitized-mbpp.json",
            sha256: "ca95deaa9a01ef0a6f439f88bcf0dd3db3563d22f22aad6cae04ebb9a8d8c8e9",
            tasks: 427,
        },
    ]
}

/// The format of a data set's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A prompt to continue, and a function `check` that is given the entry point.
    HumanEval,
    /// A description in words, and assertions.
    Mbpp,
    /// MBPP's second edition, with imports for the tests in place of set-up code.
    MbppSanitized,
}

/// A task's identifier as the data set spells it; MBPP's integers are in decimal.
///
/// Never empty and without control characters, yet otherwise free text: not safe as a file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(String);

impl TaskId {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Borrow<str> for TaskId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// One programming task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Unique in its data set.
    pub id: TaskId,
    /// What the model is given: the start of a program (HumanEval) or a description (MBPP).
    pub prompt: String,
    /// The function under test, a Python identifier. `Some` exactly in HumanEval's format, where
    /// a completion continues the prompt.
    pub entry_point: Option<String>,
    /// The authors' own solution, in the form of a completion.
    pub reference: String,
    checks: String,
}

impl Task {
    /// The candidate program, run first: prompt and completion, or for MBPP the completion alone.
    pub fn source(&self, completion: &str) -> String {
        match self.entry_point {
            Some(_) => format!("{}{completion}\n", self.prompt),
            None => format!("{completion}\n"),
        }
    }

    /// The test program, run after [`source`](Task::source) in the same namespace.
    ///
    /// For MBPP that is the test imports, the set-up code and then the assertions, one on each
    /// line; the challenge tests are not used, as in the paper.
    pub fn checks(&self) -> String {
        self.checks.clone()
    }
}

/// Tasks of one format, never empty, each identifier once.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The file's name without its extensions, or the name given to [`Dataset::parse`].
    pub name: String,
    /// The format of the file.
    pub format: Format,
    /// The tasks in the file's order. Lookups by identifier go by this order: do not reorder.
    pub tasks: Vec<Task>,
    index: HashMap<TaskId, usize>,
}

impl Dataset {
    /// Reads a file, gzip or plain, within [`Limits::DATASET`].
    ///
    /// # Errors
    ///
    /// The file cannot be read, is over the limits, is in no known format, or repeats a task.
    pub fn load(path: impl AsRef<Path>) -> Result<Dataset, DatasetError> {
        let path = path.as_ref();
        let file_name = path.file_name().unwrap_or(path.as_os_str());
        let mut name = &*file_name.to_string_lossy();
        for extension in [".gz", ".jsonl", ".json"] {
            name = name.strip_suffix(extension).unwrap_or(name);
        }
        read(&mut Lines::open(path, Limits::DATASET)?, name)
    }

    /// Reads a data set from memory or from any other reader, as [`Dataset::load`] does. `name`
    /// becomes the data set's name and stands for the file in errors.
    ///
    /// # Errors
    ///
    /// As for [`Dataset::load`].
    pub fn parse(name: &str, reader: impl Read) -> Result<Dataset, DatasetError> {
        read(&mut Lines::new(name.to_owned(), reader, Limits::DATASET)?, name)
    }

    /// The place in `tasks` of a task. MBPP's identifiers may also be written `MBPP/1` or `Mbpp/1`.
    pub fn position(&self, id: &str) -> Option<usize> {
        let id = match self.format {
            Format::HumanEval => id,
            Format::Mbpp | Format::MbppSanitized => {
                id.strip_prefix("MBPP/").or_else(|| id.strip_prefix("Mbpp/")).unwrap_or(id)
            }
        };
        self.index.get(id).copied()
    }

    /// A task by its identifier, in the spellings that [`Dataset::position`] takes.
    pub fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.get(self.position(id)?)
    }
}

/// Why a file is not a data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file cannot be read as records, or a record's field is missing or wrong.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The first record is in none of the formats.
    #[error(
        "{file}:{line}: neither a HumanEval nor an MBPP task\nhint: HumanEval's format has \"entry_point\" and \"canonical_solution\", MBPP's has \"code\" and \"test_list\""
    )]
    UnknownFormat {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// Two tasks have the same identifier.
    #[error("{file}:{line}: task {id} was given before\nhint: give each task an id of its own")]
    DuplicateTask {
        /// The file.
        file: String,
        /// The line of the second of them, from 1.
        line: usize,
        /// The identifier, quoted.
        id: String,
    },
}

fn read(lines: &mut Lines, name: &str) -> Result<Dataset, DatasetError> {
    let mut dataset = None;
    while let Some(record) = lines.next_line()? {
        if dataset.is_none() && record.text.trim_start().starts_with('[') {
            json::each_element(lines.whole_text()?, |record| add(&mut dataset, name, record))?;
            break;
        }
        add(&mut dataset, name, record)?;
    }
    let file = || lines.file().to_owned();
    Ok(dataset.ok_or_else(|| InputError::Empty { file: file() })?)
}

/// The fields of all formats; others are passed over.
const FIELDS: &[&str] = &[
    "task_id",
    "prompt",
    "entry_point",
    "canonical_solution",
    "test",
    "text",
    "code",
    "test_imports",
    "test_setup_code",
    "test_list",
];

/// Adds a record's task; the first record also settles the format.
fn add(dataset: &mut Option<Dataset>, name: &str, record: Record) -> Result<(), DatasetError> {
    let object = Object::read(record, FIELDS)?;
    let format = match dataset {
        Some(dataset) => dataset.format,
        None => format_of(&object).ok_or_else(|| DatasetError::UnknownFormat {
            file: record.file.to_owned(),
            line: record.line,
        })?,
    };
    let task = match format {
        Format::HumanEval => humaneval::task(&object)?,
        Format::Mbpp => mbpp::full(&object)?,
        Format::MbppSanitized => mbpp::sanitized(&object)?,
    };
    let dataset = dataset.get_or_insert_with(|| Dataset {
        name: name.to_owned(),
        format,
        tasks: Vec::new(),
        index: HashMap::new(),
    });
    let place = dataset.tasks.len();
    if dataset.index.insert(task.id.clone(), place).is_some() {
        return Err(DatasetError::DuplicateTask {
            file: record.file.to_owned(),
            line: record.line,
            id: quoted(task.id.as_str()),
        });
    }
    dataset.tasks.push(task);
    Ok(())
}

/// Goes by the fields that no other format has. `test` is not one of them: the sanitized MBPP
/// with added tests has it, too.
fn format_of(object: &Object) -> Option<Format> {
    let has = |name| object.raw(name).is_some();
    if has("entry_point") || has("canonical_solution") {
        Some(Format::HumanEval)
    } else if has("text") || has("test_setup_code") {
        Some(Format::Mbpp)
    } else if has("test_imports") || has("test_list") || has("code") {
        Some(Format::MbppSanitized)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
