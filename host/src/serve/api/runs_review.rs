//! Reviews: what a person thinks of a run, signed and put on record.

use std::sync::Arc;

use anyhow::Context;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use june_sandbox::journal::record::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::runs::no_run;
use crate::commands::journal::export::record_in_json;
use crate::commands::journal::review::{Verdict, sign};
use crate::index::Index;
use crate::serve::Server;
use crate::serve::refusal::Refusal;
use crate::serve::token::Caller;

/// The most characters of a comment.
const COMMENT: usize = 4000;

/// What a reviewer thinks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Opinion {
    #[schema(inline)]
    verdict: Verdict,
    /// Why, in the reviewer's words, without control characters.
    #[serde(default)]
    #[schema(max_length = 4000)]
    comment: String,
}

/// The record that was appended.
#[derive(Serialize, ToSchema)]
pub(super) struct Appended {
    /// As it stands among the run's records.
    #[schema(value_type = Object)]
    record: Value,
}

/// Sign off a run. The review is signed with the key that the server keeps for the token's name.
#[utoipa::path(
    post, path = "/api/runs/{run}/reviews", tag = "runs", request_body = Opinion,
    params(("run" = u64, Path, description = "The run's number.")),
    responses(
        (status = 201, description = "It is on record.", body = Appended),
        (status = 400, description = "That is no number, or no JSON.", body = Refusal),
        (status = 404, description = "There is no such run.", body = Refusal),
        (status = 415, description = "The body is not said to be JSON.", body = Refusal),
        (status = 422, description = "That is no verdict, or no such comment.", body = Refusal),
    )
)]
pub(super) async fn review(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    run: Result<Path<u64>, PathRejection>,
    opinion: Result<Json<Opinion>, JsonRejection>,
) -> Result<(StatusCode, Json<Appended>), Refusal> {
    let (Path(run), Json(Opinion { verdict, comment })) = (run?, opinion?);
    let wrong = |error: String| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error);
    if comment.chars().count() > COMMENT {
        return Err(wrong(format!("the comment has more than {COMMENT} characters")));
    }
    if comment.chars().any(char::is_control) {
        return Err(wrong("the comment has control characters".into()).hint("write it on one line"));
    }
    server.runs.ask(move |index| index.run(run)).await?.ok_or_else(|| no_run(run))?;
    let (folder, blobs) = (server.folder.clone(), server.folder.blobs());
    let journal = server.journal.clone();
    // Once it is begun it is done, whether its reviewer waits for it or not.
    let append = server.clone();
    let append = spawn_blocking(move || {
        let key = append.reviewers.key(&caller)?;
        let review = sign(&folder, &key, run, verdict, &comment)?;
        let number = journal.append(run, Event::Review(review))?;
        journal.wait(number)?;
        anyhow::Ok(number)
    });
    let number = append.await.map_err(anyhow::Error::from)??;
    let find = move |index: &Index| {
        let records = index.records(run)?;
        let record = records.iter().find(|(found, _)| *found == number);
        let (number, record) = record.context("the review is not where it was written")?;
        Ok(record_in_json(*number, record, &blobs, false))
    };
    let record = server.runs.ask(find).await?;
    Ok((StatusCode::CREATED, Json(Appended { record })))
}
