//! Grading one sample: a candidate program, judged by its task's tests in a sandbox of its own.

use june_sandbox::{Error, Exit, Limits, Outcome, Output, Program, Recording, Runner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dataset::Task;
use crate::effort::Effort;

/// What the tests say of a sample. A budget in fuel decides what ran too long, so a sample has
/// the same verdict on every machine.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The candidate and all of its tests ran to their end.
    Passed,
    /// An assertion of the tests was false.
    Failed,
    /// Any other exception left the candidate or the tests, a syntax error included; or the
    /// candidate brought the interpreter down.
    Raised,
    /// The fuel was used up: what other graders call a timeout.
    OutOfFuel,
    /// More memory was asked for than the limit.
    OutOfMemory,
    /// The candidate left by way of `exit`, whatever its status.
    Exited,
}

impl Verdict {
    /// Every verdict, the best first.
    pub const ALL: [Verdict; 6] = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::Raised,
        Verdict::OutOfFuel,
        Verdict::OutOfMemory,
        Verdict::Exited,
    ];

    /// The verdict's name, as it stands in records.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Raised => "raised",
            Verdict::OutOfFuel => "out-of-fuel",
            Verdict::OutOfMemory => "out-of-memory",
            Verdict::Exited => "exited",
        }
    }
}

/// How a sample was graded. Everything but `wall_ms`, `run` and `effort` is the
/// same in every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The sample's place in its file, from 0.
    pub sample: usize,
    /// The task.
    pub task_id: String,
    /// The sample's place among those of its task, from 0.
    pub completion_id: usize,
    /// What the tests say.
    pub verdict: Verdict,
    /// The exception, the exit status or the limit, in words; empty for a pass.
    pub detail: String,
    /// The assertion that failed, as the tests write it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assertion: Option<String>,
    /// Fuel used.
    pub fuel: u64,
    /// The most bytes of memory held.
    pub peak_memory: u64,
    /// The last of what was written to standard output (of what the sandbox kept).
    pub stdout_tail: String,
    /// The last of what was written to standard error, likewise.
    pub stderr_tail: String,
    /// Wall-clock milliseconds.
    pub wall_ms: f64,
    /// The run in the journal; none where it was not recorded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<u64>,
    /// What an agent spent on the sample; none where no agent made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effort: Option<Effort>,
}

/// Why a sample has no verdict. None of these says anything of the sample.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GradingError {
    /// The sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] Error),
    /// The wall-clock fuse blew before the fuel was used up.
    #[error(
        "the machine was too slow: a sample of task {task} did not use up its fuel in {seconds} s\nhint: run again with --resume, with fewer workers, or with a higher --wall"
    )]
    TooSlow {
        /// The task.
        task: String,
        /// The fuse, in seconds.
        seconds: u64,
    },
}

/// Runs a completion and its task's tests in a fresh sandbox, and records the run where there is a
/// journal.
///
/// # Errors
///
/// When the machine, not the sample, is at fault.
pub async fn grade(
    runner: &Runner,
    task: &Task,
    completion: &str,
    limits: &Limits,
    seed: u64,
    recording: Option<&Recording<'_>>,
) -> Result<Judgement, GradingError> {
    let program = Program {
        source: task.source(completion),
        checks: Some(task.checks()),
        ..Program::default()
    };
    let (outcome, recorded) = match recording {
        None => (runner.run(&program, limits, seed).await?, None),
        Some(recording) => {
            let recorded = runner.record(&program, limits, seed, recording).await?;
            (recorded.outcome, Some((recorded.run, recorded.last)))
        }
    };
    if outcome.exit == Exit::TimedOut {
        let seconds = limits.wall.as_secs();
        return Err(GradingError::TooSlow { task: task.id.to_string(), seconds });
    }
    Ok(Judgement { outcome, recorded })
}

/// The outcome of a candidate and its tests.
#[derive(Debug, Clone)]
pub struct Judgement {
    outcome: Outcome,
    /// The run's number in the journal, and that of its last record.
    recorded: Option<(u64, u64)>,
}

impl Judgement {
    /// What it means for the sample.
    pub fn verdict(&self) -> Verdict {
        match &self.outcome.exit {
            Exit::Returned => Verdict::Passed,
            Exit::Raised(exception) if exception.statement.is_some() => Verdict::Failed,
            Exit::Raised(_) | Exit::Crashed(_) | Exit::TimedOut => Verdict::Raised,
            Exit::Exited(_) => Verdict::Exited,
            Exit::OutOfFuel => Verdict::OutOfFuel,
            Exit::OutOfMemory => Verdict::OutOfMemory,
        }
    }

    /// The number of the journal's last record of it.
    pub fn last(&self) -> Option<u64> {
        self.recorded.map(|(_run, last)| last)
    }

    /// The record of a sample.
    pub fn record(self, sample: usize, task: &Task, completion_id: usize) -> Record {
        let verdict = self.verdict();
        let Judgement { outcome, recorded } = self;
        let (detail, assertion) = match outcome.exit {
            Exit::Returned => (String::new(), None),
            Exit::Raised(exception) if exception.message.is_empty() => {
                (exception.kind, exception.statement)
            }
            Exit::Raised(exception) => {
                (format!("{}: {}", exception.kind, exception.message), exception.statement)
            }
            Exit::Exited(status) => (format!("exit status {status}"), None),
            Exit::OutOfFuel => ("out of fuel".into(), None),
            Exit::OutOfMemory => ("out of memory".into(), None),
            Exit::TimedOut => ("timed out".into(), None),
            Exit::Crashed(trap) => (format!("crashed: {trap}"), None),
        };
        Record {
            sample,
            task_id: task.id.to_string(),
            completion_id,
            verdict,
            detail,
            assertion,
            fuel: outcome.fuel,
            peak_memory: outcome.peak_memory,
            stdout_tail: tail(&outcome.stdout),
            stderr_tail: tail(&outcome.stderr),
            wall_ms: outcome.wall.as_secs_f64() * 1e3,
            run: recorded.map(|(run, _last)| run),
            effort: None,
        }
    }
}

impl Record {
    /// The verdict in the words of HumanEval's own harness.
    pub fn human_eval_result(&self) -> String {
        match self.verdict {
            Verdict::Passed => "passed".into(),
            Verdict::OutOfFuel => "timed out".into(),
            _ => format!("failed: {}", self.detail),
        }
    }
}

fn tail(output: &Output) -> String {
    const TAIL: usize = 1024;
    let start = output.bytes.len().saturating_sub(TAIL);
    let mut text = String::from_utf8_lossy(&output.bytes[start..]).into_owned();
    if output.truncated {
        text.push('…');
    }
    text
}
