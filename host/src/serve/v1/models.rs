//! The agents, as models.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::refused::{Refusals, Refused};
use crate::agents::Agent;
use crate::config::listed;
use crate::ready::Loaded;
use crate::serve::Server;
use crate::serve::refusal::Refusal;
use crate::words::one_line;

/// An agent.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Model)]
pub(super) struct Model {
    /// Its name.
    id: String,
    #[schema(example = "model")]
    object: &'static str,
    /// When it was made ready, in seconds of Unix time.
    created: u64,
    #[schema(example = "june")]
    owned_by: &'static str,
}

/// The agents that can be asked.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Models)]
pub(super) struct Models {
    #[schema(example = "list")]
    object: &'static str,
    data: Vec<Model>,
}

/// An agent that is offered.
pub(super) fn offered<'a>(loaded: &'a Loaded, name: &str) -> Result<&'a Arc<Agent>, Refusal> {
    let agent = loaded.agents.get(name).filter(|_| loaded.offered.iter().any(|it| it == name));
    agent.ok_or_else(|| {
        let error = format!("there is no agent `{}` to talk with", one_line(name, 100));
        let hint = format!("the agents are {}", listed(loaded.offered.iter()));
        Refusal::missing(error).hint(hint).about("model").code("model_not_found")
    })
}

fn model(loaded: &Loaded, name: &str) -> Model {
    Model { id: name.to_owned(), object: "model", created: loaded.since, owned_by: "june" }
}

/// The agents that can be asked
#[utoipa::path(
    get, path = "/v1/models", tag = "talk", operation_id = "agents",
    responses((status = 200, description = "The agents", body = Models), Refusals)
)]
pub(super) async fn list(State(server): State<Arc<Server>>) -> Json<Models> {
    let loaded = server.loaded();
    let data = loaded.offered.iter().map(|name| model(&loaded, name)).collect();
    Json(Models { object: "list", data })
}

/// One agent
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "talk", operation_id = "agent",
    params(("model" = String, Path, description = "The agent's name")),
    responses((status = 200, description = "The agent", body = Model), Refusals)
)]
pub(super) async fn one(
    State(server): State<Arc<Server>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Model>, Refused> {
    let Path(name) = name.map_err(|rejection| Refusal::bad(rejection.body_text()))?;
    let loaded = server.loaded();
    offered(&loaded, &name)?;
    Ok(Json(model(&loaded, &name)))
}
