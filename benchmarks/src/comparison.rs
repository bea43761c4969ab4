//! Two runs over the same tasks: which of them is better, where, and whether it may be chance.

use std::collections::HashMap;

use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

use crate::grading::Record;
use crate::run::Stored;
use crate::significance::{mcnemar, permutation};
use crate::statistics::{Bootstrap, Tally, mean};
use crate::summary::Score;

/// Two runs, A and B, task by task. Differences are B less A.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Comparison {
    /// The first run.
    pub a: Side,
    /// The second run.
    pub b: Side,
    /// Tasks compared.
    pub tasks: usize,
    /// Tasks that only one of the runs has.
    pub left_out: usize,
    /// Whether the runs' tasks are the same to the byte; else they are matched by their names.
    pub same_tasks: bool,
    /// The difference in pass@1, with a paired bootstrap interval over tasks: see
    /// [`statistics`](crate::statistics).
    pub difference: Score,
    /// How the p-value was found.
    pub test: Test,
    /// How often a difference at least as large would be chance, if neither run were better.
    pub p_value: f64,
    /// Tasks of which B passes more samples, the largest difference first.
    pub gained: Vec<Change>,
    /// Tasks of which A passes more samples, the largest difference first.
    pub lost: Vec<Change>,
}

/// One of the runs, over the tasks compared.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Side {
    /// The data set's name.
    pub dataset: String,
    /// Samples.
    pub samples: usize,
    /// Samples that passed.
    pub passed: usize,
    /// The mean over tasks of the share of samples that passed.
    pub pass_at_1: f64,
}

/// A test of [`significance`](crate::significance).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// The exact one, where both runs have one sample for each task.
    Mcnemar,
    /// A permutation test over tasks, where a task has several samples.
    Permutation,
}

/// A task with which the runs did not fare alike.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// The task.
    pub task_id: String,
    /// The share of A's samples that passed.
    pub a: f64,
    /// The share of B's samples that passed.
    pub b: f64,
}

/// Why two runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// A run has not been completed.
    #[error(
        "{folder}: {done} of {all} samples are graded\nhint: complete the run with --resume, or compare what is there with --common"
    )]
    Unfinished {
        /// The run's folder.
        folder: String,
        /// Samples graded.
        done: usize,
        /// Samples to grade.
        all: usize,
    },
    /// The runs have different tasks.
    #[error(
        "the runs are over different tasks: {how}\nhint: compare those that both have, matched by name, with --common"
    )]
    DifferentTasks {
        /// In what they differ.
        how: String,
    },
    /// The runs have no task in common.
    #[error("the runs have no task in common\nhint: name two runs over the same data set")]
    NothingInCommon,
}

/// Compares two runs over the same tasks; with `common`, over those that both have.
///
/// # Errors
///
/// The runs are over different tasks, or one of them is not complete, and `common` was not asked
/// for; or they have no task in common.
pub fn compare<'a>(
    a: &'a Stored,
    b: &'a Stored,
    common: bool,
) -> Result<Comparison, ComparisonError> {
    let same_tasks = a.manifest.tasks == b.manifest.tasks;
    let (left, right) = (a.tasks(), b.tasks());
    let theirs: HashMap<&str, Tally> =
        right.iter().map(|(id, records)| (*id, Tally::of(records))).collect();
    let pair = |(id, records): &(&'a str, Vec<&'a Record>)| {
        Some((*id, Tally::of(records), *theirs.get(id)?))
    };
    let pairs: Vec<(&str, Tally, Tally)> = left.iter().filter_map(pair).collect();
    let all = left.len() + right.len() - pairs.len();
    if !common {
        for run in [a, b] {
            if run.records.len() < run.manifest.samples {
                return Err(ComparisonError::Unfinished {
                    folder: run.folder.display().to_string(),
                    done: run.records.len(),
                    all: run.manifest.samples,
                });
            }
        }
        if !same_tasks || pairs.len() < all {
            let how = match pairs.len() {
                both if both < all => format!(
                    "{} ({} tasks) and {} ({} tasks) have {both} in common",
                    a.manifest.dataset,
                    left.len(),
                    b.manifest.dataset,
                    right.len(),
                ),
                _ => format!(
                    "those of {} and of {} have the same names, and differ in their text or tests",
                    a.manifest.dataset, b.manifest.dataset
                ),
            };
            return Err(ComparisonError::DifferentTasks { how });
        }
    }
    let rates: Vec<(f64, f64)> = pairs.iter().map(|(_, a, b)| (rate(*a), rate(*b))).collect();
    let differences: Vec<f64> = rates.iter().map(|(a, b)| b - a).collect();
    let difference =
        mean(&differences, Bootstrap::default()).ok_or(ComparisonError::NothingInCommon)?;
    let single = pairs.iter().all(|(_, a, b)| a.samples == 1 && b.samples == 1);
    let (test, p_value) = if single {
        let count = |sign: f64| differences.iter().filter(|one| **one == sign).count();
        (Test::Mcnemar, mcnemar(count(-1.0), count(1.0)))
    } else {
        (Test::Permutation, permutation(&differences, Bootstrap::default().seed))
    };
    let changes = |sign: f64| {
        let mut changes: Vec<Change> = pairs
            .iter()
            .zip(&rates)
            .filter(|(_, (a, b))| (b - a) * sign > 0.0)
            .map(|((id, ..), (a, b))| Change { task_id: (*id).to_owned(), a: *a, b: *b })
            .collect();
        // Stable, so that equal ones stay in the order of the samples.
        changes.sort_by(|x, y| ((y.b - y.a) * sign).total_cmp(&((x.b - x.a) * sign)));
        changes
    };
    Ok(Comparison {
        a: side(a, pairs.iter().map(|(_, a, _)| *a)),
        b: side(b, pairs.iter().map(|(.., b)| *b)),
        tasks: pairs.len(),
        left_out: all - pairs.len(),
        same_tasks,
        difference: Score { value: difference.value, low: difference.low, high: difference.high },
        test,
        p_value,
        gained: changes(1.0),
        lost: changes(-1.0),
    })
}

fn rate(tally: Tally) -> f64 {
    tally.pass_at_k(1).unwrap_or(0.0)
}

fn side(run: &Stored, tallies: impl ExactSizeIterator<Item = Tally> + Clone) -> Side {
    let count = tallies.len().max(1) as f64;
    Side {
        dataset: run.manifest.dataset.clone(),
        samples: tallies.clone().map(|tally| tally.samples).sum(),
        passed: tallies.clone().map(|tally| tally.passed).sum(),
        pass_at_1: tallies.map(rate).sum::<f64>() / count,
    }
}

#[cfg(test)]
mod tests;
