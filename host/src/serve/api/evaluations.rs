//! Evaluations: those that are there, one with its tasks, a task over time, and two against each
//! other. The folders are those that `june eval` makes.

#![allow(unused_qualifications, reason = "what utoipa makes of `params`")]

mod begun;
mod start;
mod stored;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path as Named, Query, State};
use axum::http::StatusCode;
use june_benchmarks::comparison::{self, Comparison};
use june_benchmarks::run::Stored;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use begun::Begun;

use crate::serve::Server;
use crate::serve::refusal::Refusal;
use stored::{Attempt, Evaluation, Task};

/// What reviewers may see.
pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(history))
        .routes(routes!(compare))
}

/// What starts and stops them.
pub(super) fn admin_routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new().routes(routes!(start::start)).routes(routes!(start::stop))
}

/// All evaluations.
#[derive(Serialize, ToSchema)]
struct Evaluations {
    /// The newest first.
    evaluations: Vec<Evaluation>,
}

/// An evaluation.
#[derive(Serialize, ToSchema)]
struct OneEvaluation {
    evaluation: Evaluation,
}

/// An evaluation, task by task.
#[derive(Serialize, ToSchema)]
struct Whole {
    evaluation: Evaluation,
    /// Those with a verdict, in the order of the samples.
    tasks: Vec<Task>,
}

/// A task in every evaluation of the same tasks.
#[derive(Serialize, ToSchema)]
struct History {
    /// The newest first.
    history: Vec<Attempt>,
}

/// Which task.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfTask {
    /// The digest of the tasks, `tasks_digest`.
    tasks: String,
    /// The task.
    task_id: String,
}

/// Which two.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Two {
    /// The first.
    a: String,
    /// The second.
    b: String,
    /// Compare the tasks that both have, matched by name, whatever else they have.
    #[serde(default)]
    common: bool,
}

/// List the evaluations.
#[utoipa::path(get, path = "/api/evaluations", operation_id = "list_evaluations", tag = "evaluations", responses(
    (status = 200, description = "All that there are", body = Evaluations),
))]
async fn list(State(server): State<Arc<Server>>) -> Result<Json<Evaluations>, Refusal> {
    let evaluations = reading(move || Ok(stored::all(&server))).await?;
    Ok(Json(Evaluations { evaluations }))
}

/// Show an evaluation with its tasks and samples.
#[utoipa::path(get, path = "/api/evaluations/{id}", operation_id = "show_evaluation", tag = "evaluations",
    params(("id" = String, Path, description = "The evaluation: its folder's name")),
    responses(
        (status = 200, description = "The evaluation", body = Whole),
        (status = 400, description = "That is no name", body = Refusal),
        (status = 404, description = "There is none of this name", body = Refusal),
    ))]
async fn one(
    State(server): State<Arc<Server>>,
    id: Result<Named<String>, PathRejection>,
) -> Result<Json<Whole>, Refusal> {
    let Named(id) = id?;
    let whole = move || {
        let folder = folder(&server, &id)?;
        let evaluation = stored::evaluation(&server, &id, &folder);
        // Why it cannot be read is said in the evaluation.
        let tasks = Stored::verdicts(&folder).map_or_else(|_| Vec::new(), stored::tasks);
        Ok(Whole { evaluation, tasks })
    };
    Ok(Json(reading(whole).await?))
}

/// Show how a task fared in every evaluation of the same tasks.
#[utoipa::path(get, path = "/api/evaluations/history", operation_id = "show_history", tag = "evaluations", params(OfTask),
    responses(
        (status = 200, description = "Each evaluation that has the task", body = History),
        (status = 400, description = "The request is wrong", body = Refusal),
    ))]
async fn history(
    State(server): State<Arc<Server>>,
    of: Result<Query<OfTask>, QueryRejection>,
) -> Result<Json<History>, Refusal> {
    let Query(OfTask { tasks, task_id }) = of?;
    let history = reading(move || Ok(stored::history(&server, &tasks, &task_id))).await?;
    Ok(Json(History { history }))
}

/// Compare two evaluations over the same tasks.
#[utoipa::path(get, path = "/api/evaluations/compare", operation_id = "compare_evaluations", tag = "evaluations", params(Two),
    responses(
        (status = 200, description = "Which is better, where, and may it be chance", body = Comparison),
        (status = 400, description = "The request is wrong", body = Refusal),
        (status = 404, description = "There is none of this name", body = Refusal),
        (status = 422, description = "They cannot be compared", body = Refusal),
    ))]
async fn compare(
    State(server): State<Arc<Server>>,
    two: Result<Query<Two>, QueryRejection>,
) -> Result<Json<Comparison>, Refusal> {
    let Query(Two { a, b, common }) = two?;
    let compared = move || {
        let (a, b) = (folder(&server, &a)?, folder(&server, &b)?);
        let cannot = |error: anyhow::Error| {
            Refusal::from(error).with_status(StatusCode::UNPROCESSABLE_ENTITY)
        };
        let read = |folder: &Path| Stored::verdicts(folder).map_err(|error| cannot(error.into()));
        comparison::compare(&read(&a)?, &read(&b)?, common).map_err(|error| cannot(error.into()))
    };
    Ok(Json(reading(compared).await?))
}

/// The folder of an evaluation.
fn folder(server: &Server, id: &str) -> Result<PathBuf, Refusal> {
    stored::find(server, id).ok_or_else(|| {
        let id = crate::words::one_line(id, 100);
        Refusal::missing(format!("there is no evaluation `{id}`")).hint("GET /api/evaluations")
    })
}

/// Reads files, and counts, where that keeps nobody else waiting.
async fn reading<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Refusal::from(anyhow::Error::from(error)))?
}
