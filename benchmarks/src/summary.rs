//! What an evaluation comes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::effort::{Average, averages};
use crate::grading::{Record, Verdict};
use crate::statistics::{Bootstrap, Tally, pass_at_k};

/// The tally of a run. But for what an agent spent, it does not differ from run to run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The data set's name.
    pub dataset: String,
    /// Tasks that have at least one sample.
    pub tasks: usize,
    /// Samples graded.
    pub samples: usize,
    /// Samples that passed.
    pub passed: usize,
    /// Samples of each verdict.
    pub verdicts: BTreeMap<&'static str, usize>,
    /// pass@k for each k that every task has samples for.
    pub pass_at_k: BTreeMap<usize, Score>,
    /// Fuel used by all samples.
    pub fuel: u64,
    /// The most bytes of memory that a sample held.
    pub peak_memory: u64,
    /// What an agent spent on a sample, where one made them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub effort: BTreeMap<&'static str, Average>,
}

/// An estimate with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Score {
    /// The estimate, 0 to 1.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Summary {
    /// Adds up the records.
    pub fn new<'a>(
        dataset: &str,
        records: impl Iterator<Item = &'a Record>,
        ks: &[usize],
    ) -> Summary {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut efforts = Vec::new();
        let (mut samples, mut passed, mut fuel, mut peak_memory) = (0, 0, 0, 0);
        for record in records {
            let pass = usize::from(record.verdict == Verdict::Passed);
            let tally = tallies.entry(&record.task_id).or_insert(Tally { samples: 0, passed: 0 });
            tally.samples += 1;
            tally.passed += pass;
            *verdicts.entry(record.verdict.name()).or_default() += 1;
            samples += 1;
            passed += pass;
            efforts.extend(record.effort.as_ref());
            fuel = u64::saturating_add(fuel, record.fuel);
            peak_memory = peak_memory.max(record.peak_memory);
        }
        let tallies: Vec<Tally> = tallies.into_values().collect();
        let scores = ks.iter().filter_map(|&k| {
            let estimate = pass_at_k(&tallies, k, Bootstrap::default())?;
            Some((k, Score { value: estimate.value, low: estimate.low, high: estimate.high }))
        });
        Summary {
            dataset: dataset.into(),
            tasks: tallies.len(),
            samples,
            passed,
            verdicts,
            pass_at_k: scores.collect(),
            fuel,
            peak_memory,
            effort: averages(efforts.into_iter()),
        }
    }
}
