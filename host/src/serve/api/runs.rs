//! `/api/runs`: which runs there are, and what is in one.

#![allow(unused_qualifications, reason = "utoipa's macro writes them")]

use std::sync::Arc;

use anyhow::Result;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use june_sandbox::journal::Folder;
use june_sandbox::journal::record::{Data, Event, Record};
use june_sandbox::{Digest, Tree};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{live, runs_proof, runs_review};
use crate::commands::journal::export::record_in_json;
use crate::index::{Filter, Index, Outcome, Run};
use crate::serve::Server;
use crate::serve::refusal::Refusal;

/// How many runs are listed, if nothing is said, and at the most.
const LISTED: (u64, u64) = (100, 1000);
/// The most runs of a tree that are told.
const TREE: usize = 1000;
/// The largest time, and number of a run: what SQLite and other languages count with.
const MOST: u64 = i64::MAX as u64;
/// The most letters that are searched for.
const WORDS: usize = 1000;

pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(blob))
        .routes(routes!(runs_proof::verify))
        .routes(routes!(runs_proof::replay))
        .routes(routes!(runs_review::review))
        .routes(routes!(live::live))
}

/// What a component was to its host.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum World {
    Strategy,
    Tool,
    Runner,
    Chat,
}

impl World {
    fn name(self) -> &'static str {
        match self {
            World::Strategy => "strategy",
            World::Tool => "tool",
            World::Runner => "runner",
            World::Chat => crate::chats::WORLD,
        }
    }
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Words, separated by white space: all are found, in any case, in the name, the session, the
    /// world, the outcome or its detail; or a word is the beginning of the component's digest, or
    /// the number of the run.
    #[param(max_length = 1000)]
    q: Option<String>,
    /// In this world.
    #[param(inline)]
    world: Option<World>,
    /// That ended so.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// Of exactly this session.
    session: Option<String>,
    /// Of this component: its name, or the beginning of its SHA-256.
    component: Option<String>,
    /// With a call that was denied.
    denied: Option<bool>,
    /// That began then or later, in milliseconds of Unix time.
    since: Option<u64>,
    /// That began then or before.
    until: Option<u64>,
    /// Whose number is smaller: the last run of the page before.
    before: Option<u64>,
    /// How many at the most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u64>,
}

/// Runs, the newest first.
#[derive(Serialize, ToSchema)]
struct Listed {
    runs: Vec<Run>,
    /// Whether there are older ones.
    more: bool,
}

/// List runs, the newest first.
#[utoipa::path(
    get, path = "/api/runs", tag = "runs", params(Which),
    responses(
        (status = 200, description = "Runs, the newest first.", body = Listed),
        (status = 400, description = "A parameter is wrong.", body = Refusal),
    )
)]
async fn list(
    State(server): State<Arc<Server>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Listed>, Refusal> {
    let Query(which) = which?;
    let limit = which.limit.unwrap_or(LISTED.0);
    if limit == 0 || limit > LISTED.1 {
        return Err(Refusal::bad(format!("`limit` is {limit}; it is from 1 to {}", LISTED.1)));
    }
    let bounds = [("since", which.since), ("until", which.until), ("before", which.before)];
    if let Some((name, _)) = bounds.iter().find(|(_, at)| at.is_some_and(|at| at > MOST)) {
        return Err(Refusal::bad(format!("`{name}` is larger than {MOST}")));
    }
    let words = which.q.unwrap_or_default();
    if words.chars().count() > WORDS {
        return Err(Refusal::bad(format!("`q` has more than {WORDS} characters")));
    }
    let filter = Filter {
        words: words.split_whitespace().map(str::to_owned).collect(),
        since: which.since,
        until: which.until,
        component: which.component,
        session: which.session,
        world: which.world.map(|world| world.name().to_owned()),
        outcome: which.outcome,
        denied: which.denied.filter(|denied| *denied),
        before: which.before,
        // One more tells whether there are more.
        limit: Some(limit + 1),
    };
    let mut runs = server.runs.ask(move |index| index.runs(&filter)).await?;
    let more = runs.len() as u64 > limit;
    runs.truncate(limit as usize);
    Ok(Json(Listed { runs, more }))
}

/// A run, and what is known of it.
#[derive(Serialize, ToSchema)]
struct Shown {
    run: Run,
    /// Its records, as `june journal show --json` prints them.
    #[schema(value_type = Vec<Object>)]
    records: Vec<Value>,
    /// The runs of the tree that it is of, from the run that nobody made.
    tree: Vec<Run>,
    /// Whether some of the tree were left out.
    tree_more: bool,
}

/// The error that says that there is no run of this number.
pub(super) fn no_run(run: u64) -> Refusal {
    Refusal::missing(format!("there is no run {run}")).hint("GET /api/runs lists them")
}

/// Show a run: all of its records.
#[utoipa::path(
    get, path = "/api/runs/{run}", tag = "runs",
    params(("run" = u64, Path, description = "The run's number.")),
    responses(
        (status = 200, description = "The run.", body = Shown),
        (status = 400, description = "That is no number.", body = Refusal),
        (status = 404, description = "There is no such run.", body = Refusal),
    )
)]
async fn show(
    State(server): State<Arc<Server>>,
    number: Result<Path<u64>, PathRejection>,
) -> Result<Json<Shown>, Refusal> {
    let Path(number) = number?;
    let blobs = server.folder.blobs();
    let question = move |index: &Index| {
        let Some(run) = index.run(number)? else { return Ok(None) };
        let records = index.records(number)?;
        let records = records.iter();
        let records =
            records.map(|(number, record)| record_in_json(*number, record, &blobs, false));
        let records = records.collect();
        let (tree, tree_more) = index.tree(run.clone(), TREE)?;
        Ok(Some(Shown { run, records, tree, tree_more }))
    };
    server.runs.ask(question).await?.map(Json).ok_or_else(|| no_run(number))
}

/// The bytes of a long value that a record of the run names, or the map of its files.
#[utoipa::path(
    get, path = "/api/runs/{run}/blobs/{sha256}", tag = "runs",
    params(
        ("run" = u64, Path, description = "The run's number."),
        ("sha256" = String, Path, description = "The value's SHA-256.", pattern = "^[0-9a-f]{64}$"),
    ),
    responses(
        (status = 200, description = "The value.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, description = "That is no number.", body = Refusal),
        (status = 404, description = "No record of the run names it.", body = Refusal),
    )
)]
async fn blob(
    State(server): State<Arc<Server>>,
    asked: Result<Path<(u64, String)>, PathRejection>,
) -> Result<Response, Refusal> {
    let Path((number, sha256)) = asked?;
    let missing = || Refusal::missing(format!("run {number} names no such value"));
    let digest: Digest = sha256.parse().map_err(|_not_one| missing())?;
    let folder = server.folder.clone();
    let question = move |index: &Index| {
        let records = index.records(number)?;
        let Some(length) = named(&folder, &records, &digest)? else { return Ok(None) };
        Ok(Some(folder.blobs().get(&digest, length)?))
    };
    let bytes = server.runs.ask(question).await?.ok_or_else(missing)?;
    let head = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((head, bytes).into_response())
}

/// The length of a value that one of these records names.
fn named(folder: &Folder, records: &[(u64, Record)], digest: &Digest) -> Result<Option<u64>> {
    let length = |data: &Data| match data {
        Data::Blob { digest: found, length } if found == digest => Some(*length),
        Data::Blob { .. } | Data::Inline(_) => None,
    };
    for (_, record) in records {
        if let Some(length) = record.data().find_map(length) {
            return Ok(Some(length));
        }
        let Event::Start(start) = &record.event else { continue };
        let Some(files) = start.input.get("files") else { continue };
        let files = Tree::manifest(files, &folder.blobs())?.unwrap_or_default();
        if let Some(length) = files.values().flatten().find_map(length) {
            return Ok(Some(length));
        }
    }
    Ok(None)
}
