//! Grading many samples at once.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use june_sandbox::{Journal, Limits, Recording, Runner};
use thiserror::Error;

use crate::dataset::{Dataset, Task};
use crate::grading::{GradingError, Record, grade};
use crate::run::{Run, RunError};
use crate::samples::Sample;

/// How often it is looked whether the journal has made a run durable.
const DURABLE_CHECK: Duration = Duration::from_millis(5);

/// How often a worker looks whether it should stop.
const STOP_CHECK: Duration = Duration::from_millis(50);

/// Why an evaluation ended before its end. What was finished is in the run's folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A sample could not be graded.
    #[error(transparent)]
    Grading(#[from] GradingError),
    /// A record could not be written.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A sample's run could not be made durable.
    #[error(transparent)]
    Journal(#[from] june_sandbox::journal::Error),
    /// A worker could not be started.
    #[error("cannot start a worker: {0}\nhint: use fewer --workers")]
    Worker(#[from] std::io::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// How to grade.
#[derive(Clone)]
pub struct Settings {
    /// What each sample may use.
    pub limits: Limits,
    /// The seed of each sample's random numbers.
    pub seed: u64,
    /// How many samples are graded at once, at least 1.
    pub workers: usize,
    /// Where the samples' runs are recorded, and under the name of which session.
    pub journal: Option<(Journal, String)>,
}

/// The authors' own solutions, as samples.
pub fn references(dataset: &Dataset) -> Vec<Sample> {
    let tasks = dataset.tasks.iter().enumerate();
    tasks.map(|(index, task)| Sample::new(index, index, task, task.reference.clone())).collect()
}

/// Grades every sample that has no record yet. `finished` sees each new record, after it was
/// written; `stop` ends the evaluation within a fraction of a second.
///
/// # Errors
///
/// The first thing that went wrong. The evaluation can be taken up again from `run`.
pub fn evaluate(
    runner: &Runner,
    dataset: &Dataset,
    samples: &[Sample],
    settings: &Settings,
    run: &mut Run,
    stop: &AtomicBool,
    mut finished: impl FnMut(&Record),
) -> Result<(), EvaluationError> {
    let mut pending: Vec<&Sample> =
        samples.iter().filter(|sample| !run.is_finished(sample.line)).collect();
    // Longest first, so that no worker is left with a long one at the end.
    pending.sort_by_key(|sample| Reverse(loop_depth(&sample.completion)));
    let (next, halt) = (AtomicUsize::new(0), AtomicBool::new(false));
    let stopped = || halt.load(Ordering::Relaxed) || stop.load(Ordering::Relaxed);
    thread::scope(|scope| {
        // Bounded, so that a slow disk slows the workers down instead of filling the memory.
        let (sender, records) = mpsc::sync_channel(settings.workers * 4);
        for number in 0..settings.workers.min(pending.len()) {
            let (sender, pending, next, stopped) = (sender.clone(), &pending, &next, &stopped);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            let worker = move || {
                while !stopped() {
                    let Some(sample) = pending.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        break;
                    };
                    let task = &dataset.tasks[sample.task];
                    let graded = runtime.block_on(async {
                        tokio::select! {
                            graded = grade_sample(runner, task, sample, settings) => Some(graded),
                            () = wait_for(stopped) => None,
                        }
                    });
                    let Some(graded) = graded else { break };
                    if sender.send(graded).is_err() {
                        break;
                    }
                }
            };
            thread::Builder::new()
                .name(format!("june-worker-{number}"))
                .spawn_scoped(scope, worker)?;
        }
        drop(sender);
        let mut result = Ok(());
        // Records whose runs are not yet durable.
        let mut held: VecDeque<Graded> = VecDeque::new();
        loop {
            let next = match held.is_empty() {
                true => records.recv().map_err(|_closed| RecvTimeoutError::Disconnected),
                false => records.recv_timeout(DURABLE_CHECK),
            };
            let mut written = match next {
                Ok(graded) => graded.map(|graded| held.push_back(graded)).map_err(Into::into),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) if held.is_empty() => break,
                Err(RecvTimeoutError::Disconnected) => settings
                    .journal
                    .as_ref()
                    .map_or(Ok(()), |(journal, _)| journal.flush())
                    .map_err(Into::into),
            };
            let durable = settings.journal.as_ref().map_or(0, |(journal, _)| journal.durable());
            while written.is_ok()
                && let Some(graded) = held.pop_front_if(|graded| graded.last < Some(durable))
            {
                written = run.append(graded.record.clone()).map_err(Into::into);
                finished(&graded.record);
            }
            if written.is_err() {
                held.clear();
                halt.store(true, Ordering::Relaxed);
                result = result.and(written);
            }
        }
        match result {
            Ok(()) if stop.load(Ordering::Relaxed) => Err(EvaluationError::Interrupted),
            result => result,
        }
    })
}

/// A sample's record, which may be written once the journal has its own `last` one.
struct Graded {
    record: Record,
    last: Option<u64>,
}

async fn grade_sample(
    runner: &Runner,
    task: &Task,
    sample: &Sample,
    settings: &Settings,
) -> Result<Graded, GradingError> {
    let Settings { limits, seed, journal, .. } = settings;
    let recording =
        journal.as_ref().map(|(journal, session)| Recording { journal, session, parent: None });
    let judgement =
        grade(runner, task, &sample.completion, limits, *seed, recording.as_ref()).await?;
    let last = judgement.last();
    let record = judgement.record(sample.line, task, sample.completion_id);
    Ok(Graded { record: Record { effort: sample.effort, ..record }, last })
}

/// How deeply a Python program's loops are nested: a guess at which programs take long.
fn loop_depth(source: &str) -> usize {
    let mut open: Vec<usize> = Vec::new();
    let mut deepest = 0;
    for line in source.lines() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if code.is_empty() {
            continue;
        }
        while open.last().is_some_and(|outer| *outer >= indent) {
            open.pop();
        }
        if code.starts_with("for ") || code.starts_with("while ") {
            open.push(indent);
            deepest = deepest.max(open.len());
        }
    }
    deepest
}

async fn wait_for(stopped: impl Fn() -> bool) {
    while !stopped() {
        tokio::time::sleep(STOP_CHECK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_count_where_they_are_nested() {
        assert_eq!(loop_depth("    return 1\n"), 0);
        assert_eq!(loop_depth("    for a in b:\n        pass\n    for c in d:\n        pass\n"), 1);
        assert_eq!(loop_depth("    for a in b:\n        if a:\n            while a:\n"), 2);
    }
}
