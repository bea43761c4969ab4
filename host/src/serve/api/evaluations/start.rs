//! Starting an evaluation, and stopping it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, anyhow, ensure};
use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path as Named, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderName, LOCATION};
use june_benchmarks::dataset::Dataset;
use june_benchmarks::evaluation::{self, Settings};
use june_benchmarks::run::is_at_work;
use june_sandbox::{Limits, engine};
use serde::Deserialize;
use tokio::runtime::Handle;
use utoipa::ToSchema;

use super::begun::Turn;
use super::stored::{self, Evaluation};
use super::{OneEvaluation, folder, reading};
use crate::agents::Overrides;
use crate::commands::dataset as datasets;
use crate::commands::workers;
use crate::evaluations::{self, Asking, LEAST_MEMORY, Place, Plan, SECONDS, Source};
use crate::exit::{Kind, said};
use crate::log;
use crate::paths;
use crate::ready::Loaded;
use crate::serve::Server;
use crate::serve::refusal::Refusal;

/// What to evaluate, and how: as `june eval` has it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// `humaneval`, `mbpp`, `mbpp-sanitized`, or one of `datasets` of `[serve]`.
    dataset: String,
    /// Grade the benchmark's own solutions.
    #[serde(default)]
    reference: bool,
    /// Ask this agent instead, and grade what it answers.
    agent: Option<String>,
    /// The model that the agent asks, by its name in june.toml.
    model: Option<String>,
    /// How many answers to ask for, for each task; 1 if left out.
    #[schema(minimum = 1, maximum = 10_000)]
    n: Option<u32>,
    /// How many questions the agent works on at once; 8 if left out.
    #[schema(minimum = 1, maximum = 1024)]
    concurrency: Option<u16>,
    /// Samples graded at once; one for each processor if left out.
    #[schema(minimum = 1, maximum = 64)]
    workers: Option<u16>,
    /// What pass@k to estimate; 1, 10 and 100 if left out.
    #[schema(max_items = 100)]
    k: Option<Vec<u32>>,
    /// Seconds that a program may take, converted to fuel; 3 if left out.
    #[schema(minimum = 0.001, maximum = 1_000_000)]
    timeout: Option<f64>,
    /// Fuel that a program may use, instead of `timeout`.
    #[schema(minimum = 1)]
    fuel: Option<u64>,
    /// Bytes of memory that a program may use; 256 MiB if left out.
    #[schema(minimum = 50_331_648, maximum = 2_147_483_648.0)]
    memory: Option<u64>,
    /// Seed of the random numbers; 0 if left out.
    seed: Option<u64>,
    /// Complete this evaluation, which was interrupted. All else has to be as it was.
    resume: Option<String>,
}

/// Start an evaluation, or complete one that was interrupted.
#[utoipa::path(post, path = "/api/evaluations", operation_id = "start_evaluation",
    tag = "evaluations", request_body = Start,
    responses(
        (status = 202, description = "It has begun", body = OneEvaluation,
            headers(("location" = String, description = "Where to ask how far it is"))),
        (status = 400, description = "The request is wrong", body = Refusal),
        (status = 404, description = "There is no such evaluation to resume", body = Refusal),
        (status = 409, description = "Another one runs", body = Refusal),
        (status = 415, description = "The body is said to be no JSON", body = Refusal),
        (status = 422, description = "There is no such data set, agent or model here", body = Refusal),
        (status = 503, description = "The server stops", body = Refusal),
    ))]
pub(super) async fn start(
    State(server): State<Arc<Server>>,
    start: Result<Json<Start>, JsonRejection>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<OneEvaluation>), Refusal> {
    let Json(start) = start?;
    start.check().map_err(|error| Refusal::bad(error.to_string()))?;
    let handle = Handle::current();
    let evaluation = reading(move || begin(&server, start, handle)).await?;
    let at = format!("/api/evaluations/{}", evaluation.id);
    Ok((StatusCode::ACCEPTED, [(LOCATION, at)], Json(OneEvaluation { evaluation })))
}

/// Stop an evaluation that this server works on; it can be resumed.
#[utoipa::path(post, path = "/api/evaluations/{id}/stop", operation_id = "stop_evaluation",
    tag = "evaluations",
    params(("id" = String, Path, description = "The evaluation: its folder's name")),
    responses(
        (status = 200, description = "It has stopped", body = OneEvaluation),
        (status = 400, description = "That is no name", body = Refusal),
        (status = 404, description = "There is none of this name", body = Refusal),
        (status = 409, description = "This server does not work on it", body = Refusal),
    ))]
pub(super) async fn stop(
    State(server): State<Arc<Server>>,
    id: Result<Named<String>, PathRejection>,
) -> Result<Json<OneEvaluation>, Refusal> {
    let Named(id) = id?;
    let folder = folder(&server, &id)?;
    let Some(work) = server.begun.stop(&id) else {
        let error = format!("this server does not work on `{id}`");
        return Err(Refusal::new(StatusCode::CONFLICT, error));
    };
    work.ended.cancelled().await;
    let evaluation = reading(move || Ok(stored::evaluation(&server, &id, &folder))).await?;
    Ok(Json(OneEvaluation { evaluation }))
}

impl Start {
    /// What no evaluation could be.
    fn check(&self) -> anyhow::Result<()> {
        let Self { agent, model, n, concurrency, workers, k, timeout, fuel, memory, .. } = self;
        ensure!(
            self.reference != agent.is_some(),
            "either `reference` is true, or `agent` names one"
        );
        let asks = model.is_some() || n.is_some() || concurrency.is_some();
        ensure!(agent.is_some() || !asks, "`model`, `n` and `concurrency` are for an `agent`");
        ensure!(n.is_none_or(|n| (1..=10_000).contains(&n)), "`n` is from 1 to 10000");
        ensure!(
            concurrency.is_none_or(|at_once| (1..=1024).contains(&at_once)),
            "`concurrency` is from 1 to 1024"
        );
        ensure!(
            workers.is_none_or(|workers| (1..=64).contains(&workers)),
            "`workers` is from 1 to 64"
        );
        let ks = k.iter().flatten();
        ensure!(
            ks.clone().all(|k| *k > 0) && ks.count() <= 100,
            "`k` has at most 100 counts from 1"
        );
        ensure!(timeout.is_none() || fuel.is_none(), "`timeout` or `fuel`, not both");
        ensure!(
            timeout.is_none_or(|seconds| SECONDS.contains(&seconds)),
            "`timeout` is a number of seconds from 0.001 to 1000000"
        );
        ensure!(*fuel != Some(0), "nothing runs without fuel");
        ensure!(
            memory.is_none_or(|bytes| (LEAST_MEMORY..=engine::MAX_MEMORY).contains(&bytes)),
            "`memory` is from {LEAST_MEMORY} to {} bytes",
            engine::MAX_MEMORY
        );
        Ok(())
    }

    /// The data set.
    fn dataset(&self, loaded: &Loaded) -> anyhow::Result<Dataset> {
        let config = &loaded.host.config;
        if let Some(file) = config.tables.serve.datasets.get(&self.dataset) {
            let mut dataset = Dataset::load(config.folder().join(file))?;
            dataset.name.clone_from(&self.dataset);
            return Ok(dataset);
        }
        let known = datasets::by_name(&self.dataset).with_context(|| {
            format!("`{}` is none of `datasets` of [serve] either", self.dataset)
        })?;
        evaluations::pulled(known).map_err(|failure| failure.error)
    }

    /// Where the samples come from.
    fn source(
        &self,
        server: &Server,
        dataset: &Dataset,
        runtime: Handle,
    ) -> anyhow::Result<Source> {
        let Some(name) = &self.agent else {
            return Ok(Source::Samples(evaluation::references(dataset)));
        };
        // A client names what is here, and leads June to no other file.
        ensure!(!paths::is_place(name), "`{name}` is no name of an agent");
        let host = &server.loaded().host;
        let overrides = Overrides {
            model: self.model.as_deref(),
            script: server.script.as_deref(),
            ..Overrides::default()
        };
        let agent = runtime.block_on(host.agent(name, &overrides))?;
        let settings = agent.settings(&host.config);
        let answers = self.n.unwrap_or(1) as usize;
        let concurrency = self.concurrency.unwrap_or(8).into();
        Ok(Source::Agent(Box::new(Asking { agent, settings, answers, concurrency, runtime })))
    }

    /// All that the evaluation needs.
    fn plan(&self, server: &Server, runtime: Handle) -> anyhow::Result<Plan> {
        let dataset = self.dataset(&server.loaded())?;
        let source = self.source(server, &dataset, runtime)?;
        let runner = server.loaded().host.runner()?;
        let seconds = self.timeout.unwrap_or(evaluations::USUAL_SECONDS);
        let limits = Limits {
            fuel: self.fuel.unwrap_or_else(|| evaluations::fuel_of(seconds)),
            memory: self.memory.unwrap_or(evaluations::USUAL_MEMORY),
            wall: evaluations::USUAL_WALL,
            ..Limits::default()
        };
        let (seed, workers) = (self.seed.unwrap_or_default(), workers(self.workers));
        let settings = Settings { limits, seed, workers, journal: None };
        let ks = match &self.k {
            Some(ks) => ks.iter().map(|k| *k as usize).collect(),
            None => evaluations::USUAL_KS.to_vec(),
        };
        Ok(Plan { dataset, source, runner, settings, ks, run_ids: false })
    }
}

/// Prepares an evaluation and begins to work on it: what is known of it then. That nobody waits
/// for the answer any more changes nothing.
fn begin(server: &Arc<Server>, start: Start, runtime: Handle) -> Result<Evaluation, Refusal> {
    let conflict = |error: String| Refusal::new(StatusCode::CONFLICT, error);
    if server.stop.is_cancelled() {
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server stops"));
    }
    let turn = Turn::take(server).map_err(|id| {
        let what = if id.is_empty() { "another".into() } else { format!("`{id}`") };
        conflict(format!("this server evaluates {what}, and only one at a time"))
            .hint("wait for its end, or POST /api/evaluations/ID/stop")
    })?;
    let resumed = start.resume.as_deref().map(|id| folder(server, id)).transpose()?;
    if let Some(folder) = &resumed
        && is_at_work(folder)
    {
        return Err(conflict("another June is at work on this evaluation".into()));
    }
    let plan = start.plan(server, runtime.clone());
    let plan =
        plan.map_err(|error| Refusal::from(error).with_status(StatusCode::UNPROCESSABLE_ENTITY))?;
    let resume = resumed.is_some();
    let folder = match resumed {
        Some(folder) => folder,
        None => {
            let what = start.agent.as_deref().unwrap_or("reference");
            let made = evaluations::new_folder(&server.evaluations_folder(), &plan.dataset, what);
            made.context("cannot make a folder for the evaluation")?
        }
    };
    turn.name(Evaluation::begun(evaluations::session_of(&folder), &plan));
    let begun = stored::evaluation(server, &evaluations::session_of(&folder), &folder);
    let _in_runtime = runtime.enter();
    server.tasks.spawn(work(server.clone(), turn, plan, folder, resume));
    Ok(begun)
}

/// Works on an evaluation until it is complete, or is to stop.
async fn work(server: Arc<Server>, turn: Turn, plan: Plan, folder: PathBuf, resume: bool) {
    let id = evaluations::session_of(&folder);
    let (stop, journal) = (turn.work.stop.clone(), server.journal.clone());
    let flag = stop.clone();
    let mut worked = tokio::task::spawn_blocking(move || {
        let place = Place { folder: &folder, resume, journal: Some(journal) };
        plan.carry_out(place, &flag, |_step| {}).map(|(_run, _summary)| ())
    });
    let ended = tokio::select! {
        ended = &mut worked => ended,
        () = server.stop.cancelled() => {
            stop.store(true, Ordering::Relaxed);
            worked.await
        }
    };
    let failure = match ended {
        Ok(Ok(())) => None,
        Ok(Err(failure)) if failure.kind == Kind::Interrupted => None,
        Ok(Err(failure)) => Some(failure.error),
        Err(panicked) => Some(anyhow!(panicked)),
    };
    if let Some(error) = failure {
        let why = said(&error);
        log::warn(&format!("the evaluation {id} ended before its end: {why}")).say();
        turn.failed(why);
    }
}
