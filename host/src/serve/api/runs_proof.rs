//! Proof of what a run did: the journal is verified, the run is replayed.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;
use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use june_sandbox::journal::Error;
use june_sandbox::journal::verify::verify_while;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use utoipa::{IntoResponses, ToSchema};

use super::runs::no_run;
use crate::commands::journal::replay::{self, Replays};
use crate::commands::journal::verify::in_json;
use crate::index::Index;
use crate::serve::Server;
use crate::serve::refusal::Refusal;

/// A body that says nothing: `{}`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Why there is no proof.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes them")]
enum NoProof {
    /// That is no number, or no JSON.
    #[response(status = 400)]
    Unreadable(Refusal),
    /// There is no such run.
    #[response(status = 404)]
    Missing(Refusal),
    /// The body is not said to be JSON.
    #[response(status = 415)]
    Type(Refusal),
    /// The body is not `{}`, or no component ran that could be replayed.
    #[response(status = 422)]
    Nothing(Refusal),
    /// The server stops.
    #[response(status = 503)]
    Stopping(Refusal),
}

/// What became of replays, the run itself first.
#[derive(Serialize, ToSchema)]
pub(super) struct Replayed {
    /// Each as `june journal replay --json` prints it.
    #[schema(value_type = Vec<Object>)]
    replays: Vec<Value>,
}

/// Is the whole journal as it was written?
#[utoipa::path(
    post, path = "/api/runs/{run}/verify", tag = "runs", request_body = Nothing,
    params(("run" = u64, Path, description = "The run's number.")),
    responses(
        (status = 200, description = "What was found, whether the journal is sound or not.", body = Value),
        NoProof,
    )
)]
pub(super) async fn verify(
    State(server): State<Arc<Server>>,
    run: Result<Path<u64>, PathRejection>,
    body: Result<Json<Nothing>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let (Path(run), _) = (run?, body?);
    server.runs.ask(move |index| index.run(run)).await?.ok_or_else(|| no_run(run))?;
    let folder = server.folder.clone();
    let verify = move |stop: &AtomicBool| {
        let report = verify_while(&folder, None, |_records| match stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        match report {
            Ok(ControlFlow::Continue(report)) => Ok(in_json(&report)),
            Ok(ControlFlow::Break(())) => Err(stopped()),
            // A journal that cannot even be begun with is not as it was written.
            Err(error @ (Error::Damaged { .. } | Error::Key { .. })) => Ok(json!({
                "sound": false, "records": 0, "root": "", "checkpoints": 0, "runs": 0,
                "unfinished": 0, "blobs": 0, "tail": 0, "live": true,
                "problems": [error.to_string()], "problem_count": 1,
            })),
            Err(error) => Err(anyhow::Error::from(error).into()),
        }
    };
    at_length(&server, verify).await.map(Json)
}

/// Run a run again, and those that it made, and compare.
#[utoipa::path(
    post, path = "/api/runs/{run}/replay", tag = "runs", request_body = Nothing,
    params(("run" = u64, Path, description = "The run's number.")),
    responses(
        (status = 200, description = "What became of each, whether identical or not.", body = Replayed),
        NoProof,
    )
)]
pub(super) async fn replay(
    State(server): State<Arc<Server>>,
    run: Result<Path<u64>, PathRejection>,
    body: Result<Json<Nothing>, JsonRejection>,
) -> Result<Json<Replayed>, Refusal> {
    let (Path(run), _) = (run?, body?);
    let (loaded, folder) = (server.loaded(), server.folder.clone());
    let gather = move |index: &Index| {
        if index.run(run)?.is_none() {
            return Ok(None);
        }
        let replays = Replays::gather(&loaded.host.engine, &folder, index, vec![run]);
        replays.map(Some).map_err(|failure| failure.error)
    };
    let replays = server.runs.ask(gather).await?.ok_or_else(|| no_run(run))?;
    if replays.len() == 0 {
        let error = format!("there is nothing to replay in run {run}: no component ran");
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error));
    }
    let replay = move |stop: &AtomicBool| {
        let mut done = Vec::new();
        let ran = replays.run(1, stop, |run, result| {
            done.push(replay::in_json(run, &result));
            Ok(())
        });
        ran.map_err(|failure| Refusal::from(failure.error))?;
        match stop.load(Ordering::Relaxed) {
            true => Err(stopped()),
            false => Ok(Replayed { replays: done }),
        }
    };
    at_length(&server, replay).await.map(Json)
}

/// Does what takes long: not much of it at once, and only for as long as somebody waits for it and
/// the server is not told to stop.
async fn at_length<T: Send + 'static>(
    server: &Server,
    work: impl FnOnce(&AtomicBool) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let begin = async {
        let room = server.at_length.clone().acquire_owned().await;
        let room = room.map_err(|_closed| stopped())?;
        let stop = Stop(Arc::default());
        let told = stop.0.clone();
        let done = spawn_blocking(move || {
            let _room = room;
            work(&told)
        });
        done.await.map_err(|error| anyhow!(error))?
    };
    tokio::select! {
        done = begin => done,
        () = server.stop.cancelled() => Err(stopped()),
    }
}

/// Stops the work when nobody waits for it any more.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn stopped() -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server stops")
}
