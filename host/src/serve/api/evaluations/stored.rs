//! Evaluations as their folders have them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use june_benchmarks::answers::Asked;
use june_benchmarks::effort::Effort;
use june_benchmarks::grading::{Record, Verdict};
use june_benchmarks::run::{Manifest, Stored, is_at_work};
use june_benchmarks::summary::{Score, Summary};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::evaluations::Plan;
use crate::exit::said;
use crate::serve::Server;

/// The most bytes of a file that describes an evaluation.
const DESCRIPTION: u64 = 16 << 20;

/// The most characters of what a program said.
const WIDTH: usize = 300;

/// An evaluation.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(super) struct Evaluation {
    /// The name of its folder, which is also the session of its runs.
    pub(super) id: String,
    state: State,
    /// When it began, in milliseconds of Unix time.
    began: Option<u64>,
    /// The data set's name.
    dataset: String,
    /// Tasks, as far as they are known.
    tasks: usize,
    /// SHA-256 over the tasks, in hexadecimal digits; empty before anything is graded.
    tasks_digest: String,
    /// Samples to grade.
    samples: usize,
    /// Answers of the agent that are there; null where the samples are no agent's.
    answered: Option<usize>,
    /// Samples that have a verdict.
    graded: usize,
    /// Samples that passed.
    passed: usize,
    /// Samples of each verdict.
    verdicts: BTreeMap<String, usize>,
    /// By k, once it is complete.
    #[schema(value_type = BTreeMap<String, Score>)]
    pass_at_k: BTreeMap<usize, Score>,
    /// Fuel used by all samples.
    fuel: u64,
    /// The most bytes of memory that a sample held.
    peak_memory: u64,
    agent: Option<Agent>,
    /// Why the folder could not be read, or why it ended before its end.
    error: Option<String>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Somebody works on it.
    Running,
    /// Nobody works on it, and it is not complete.
    #[default]
    Interrupted,
    /// Every sample has a verdict.
    Complete,
}

/// Who was asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Agent {
    name: String,
    /// The model that it was granted; null where these are several.
    model: Option<String>,
    /// Answers for each task.
    answers: usize,
}

/// A task with its samples.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Task {
    task_id: String,
    samples: Vec<Sample>,
}

/// A sample that has a verdict.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Sample {
    /// Its place among those of its task.
    completion_id: usize,
    verdict: Verdict,
    /// The exception, the exit status or the limit; empty for a pass.
    detail: String,
    /// The assertion that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    assertion: Option<String>,
    /// Fuel used.
    fuel: u64,
    /// The most bytes of memory held.
    peak_memory: u64,
    /// The run in the journal.
    run: Option<u64>,
    /// What an agent spent on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<Effort>,
}

/// How a task fared in an evaluation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Attempt {
    /// The evaluation.
    id: String,
    /// When that began, in milliseconds of Unix time.
    began: Option<u64>,
    /// Samples of the task that have a verdict.
    samples: usize,
    /// Those that passed.
    passed: usize,
}

/// `summary.json`, as far as it is shown.
#[derive(Deserialize)]
struct Concluded {
    tasks: usize,
    samples: usize,
    passed: usize,
    verdicts: BTreeMap<String, usize>,
    pass_at_k: BTreeMap<usize, Score>,
    fuel: u64,
    peak_memory: u64,
}

impl Evaluation {
    /// One that has just begun, and whose folder says nothing yet.
    pub(super) fn begun(id: String, plan: &Plan) -> Self {
        Self {
            id,
            state: State::Running,
            dataset: plan.dataset.name.clone(),
            tasks: plan.dataset.tasks.len(),
            samples: plan.samples(),
            ..Self::default()
        }
    }
}

/// The folder of an evaluation, if its name is one and it is there.
pub(super) fn find(server: &Server, id: &str) -> Option<PathBuf> {
    // Nothing but the plain name of a folder leads anywhere.
    let plain = !id.is_empty() && !id.starts_with('.') && !id.contains(['/', '\\', '\0']);
    let folder = plain.then(|| server.evaluations_folder().join(id))?;
    is_evaluation(server, id, &folder).then_some(folder)
}

fn is_evaluation(server: &Server, id: &str, folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    has("run.json") || has("asked.json") || server.begun.running(id).is_some()
}

/// All evaluations, the newest first.
pub(super) fn all(server: &Server) -> Vec<Evaluation> {
    let mut all: Vec<Evaluation> =
        folders(server).into_iter().map(|(id, folder)| evaluation(server, &id, &folder)).collect();
    all.sort_by(|a, b| (b.began, &b.id).cmp(&(a.began, &a.id)));
    all
}

fn folders(server: &Server) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(server.evaluations_folder()).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|id| find(server, &id).map(|folder| (id, folder))).collect()
}

/// What is known of an evaluation.
pub(super) fn evaluation(server: &Server, id: &str, folder: &Path) -> Evaluation {
    // Whoever works on it may just have come to its end: so this is looked at first.
    let running = server.begun.running(id);
    let here = running.is_some();
    let at_work = here || is_at_work(folder);
    let mut evaluation =
        Evaluation { id: id.into(), began: began(folder), ..running.unwrap_or_default() };
    let read = fill(&mut evaluation, folder);
    // Until this server is done with all of it, it takes no other.
    if evaluation.state != State::Complete || here {
        evaluation.state = if at_work { State::Running } else { State::Interrupted };
    }
    evaluation.error = match read {
        Err(error) => Some(said(&error)),
        Ok(()) if evaluation.state == State::Interrupted => server.begun.failure(id),
        Ok(()) => None,
    };
    evaluation
}

fn fill(evaluation: &mut Evaluation, folder: &Path) -> Result<()> {
    if let Some(asked) = description::<Asked>(folder, "asked.json")? {
        let mut models = asked.grants.iter().filter_map(|grant| grant.strip_prefix("model "));
        let model = models.next().filter(|_| models.next().is_none()).map(String::from);
        evaluation.dataset = asked.dataset;
        evaluation.agent = Some(Agent { name: asked.agent, model, answers: asked.answers });
        evaluation.answered = Some(lines(&folder.join("answers.jsonl"))?);
    }
    let Some(manifest) = description::<Manifest>(folder, "run.json")? else { return Ok(()) };
    evaluation.dataset = manifest.dataset.clone();
    evaluation.samples = manifest.samples;
    evaluation.tasks_digest = manifest.tasks;
    if let Some(summary) = description::<Concluded>(folder, "summary.json")? {
        evaluation.state = State::Complete;
        evaluation.tasks = summary.tasks;
        (evaluation.graded, evaluation.passed) = (summary.samples, summary.passed);
        (evaluation.verdicts, evaluation.pass_at_k) = (summary.verdicts, summary.pass_at_k);
        (evaluation.fuel, evaluation.peak_memory) = (summary.fuel, summary.peak_memory);
        return Ok(());
    }
    // It may have been begun this moment.
    if !folder.join("records.jsonl").exists() {
        return Ok(());
    }
    let records = Stored::verdicts(folder)?.records;
    let summary = Summary::new(&manifest.dataset, records.iter(), &[]);
    evaluation.tasks = evaluation.tasks.max(summary.tasks);
    (evaluation.graded, evaluation.passed) = (summary.samples, summary.passed);
    evaluation.verdicts =
        summary.verdicts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    (evaluation.fuel, evaluation.peak_memory) = (summary.fuel, summary.peak_memory);
    Ok(())
}

/// The tasks of an evaluation, with their samples.
pub(super) fn tasks(run: Stored) -> Vec<Task> {
    let sample = |record: &Record| Sample {
        completion_id: record.completion_id,
        verdict: record.verdict,
        detail: cut(&record.detail),
        assertion: record.assertion.as_deref().map(cut),
        fuel: record.fuel,
        peak_memory: record.peak_memory,
        run: record.run,
        effort: record.effort,
    };
    let task = |(id, records): (&str, Vec<&Record>)| Task {
        task_id: id.to_owned(),
        samples: records.into_iter().map(sample).collect(),
    };
    run.tasks().into_iter().map(task).collect()
}

/// How a task fared in each evaluation of these tasks, the newest first.
pub(super) fn history(server: &Server, tasks: &str, task_id: &str) -> Vec<Attempt> {
    let attempt = |(id, folder): (String, PathBuf)| {
        let manifest = description::<Manifest>(&folder, "run.json").ok()??;
        if manifest.tasks != tasks {
            return None;
        }
        let (samples, passed) = tally(&folder.join("records.jsonl"), task_id).ok()?;
        (samples > 0).then(|| Attempt { id, began: began(&folder), samples, passed })
    };
    let mut history: Vec<Attempt> = folders(server).into_iter().filter_map(attempt).collect();
    history.sort_by(|a, b| (b.began, &b.id).cmp(&(a.began, &a.id)));
    history
}

/// A task's samples among the records, and those of them that passed. A record that is being
/// written is passed over, and so is one that is damaged: the evaluation itself says so.
fn tally(records: &Path, task_id: &str) -> io::Result<(usize, usize)> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        task_id: std::borrow::Cow<'a, str>,
        verdict: Verdict,
    }
    let (mut samples, mut passed) = (0, 0);
    for line in BufReader::new(File::open(records)?).split(b'\n') {
        let line = line?;
        if let Ok(line) = serde_json::from_slice::<Line<'_>>(&line)
            && line.task_id == task_id
        {
            samples += 1;
            passed += usize::from(line.verdict == Verdict::Passed);
        }
    }
    Ok((samples, passed))
}

/// When an evaluation began: its first file is written then, and never again.
fn began(folder: &Path) -> Option<u64> {
    let file =
        ["asked.json", "run.json"].iter().find_map(|name| fs::metadata(folder.join(name)).ok());
    let since = file?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

/// A file that describes an evaluation; nothing where it is not there.
fn description<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>> {
    let path = folder.join(name);
    let wrong = || format!("cannot read {name}");
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.with_context(wrong)?,
    };
    let mut text = Vec::new();
    file.take(DESCRIPTION).read_to_end(&mut text).with_context(wrong)?;
    serde_json::from_slice(&text).with_context(wrong)
}

/// The whole lines of a file.
fn lines(path: &Path) -> Result<usize> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        text => text.context("cannot read answers.jsonl")?,
    };
    Ok(text.iter().filter(|byte| **byte == b'\n').count())
}

fn cut(text: &str) -> String {
    text.chars().take(WIDTH).collect()
}
