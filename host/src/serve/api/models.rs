//! The models that agents ask: what each is doing, and loading and unloading those that can be.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path as Named, State};
use axum::http::StatusCode;
use futures_util::future::join_all;
use june_models::guard::Machine;
use june_models::openai;
use june_models::triton::{self, Repository, TritonError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::commands::model::list::{Row, rows};
use crate::config::{Config, LocalTable, ModelTable, OpenAiTable, TritonTable};
use crate::lazy::{Lazy, Stage};
use crate::llm;
use crate::local;
use crate::ready::Loaded;
use crate::serve::Server;
use crate::serve::refusal::Refusal;

/// How long a server may take to say what it does.
const REPLY: Duration = Duration::from_millis(800);

/// What reviewers may see.
pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What changes models.
pub(super) fn admin_routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new().routes(routes!(load)).routes(routes!(unload))
}

/// All models.
#[derive(Serialize, ToSchema)]
struct Models {
    models: Vec<Model>,
}

/// A model.
#[derive(Serialize, ToSchema)]
struct OneModel {
    model: Model,
}

/// A model, and what it is doing.
#[derive(Serialize, ToSchema)]
struct Model {
    /// Its name in june.toml, or that of its file.
    name: String,
    /// The backend, or `file` for one that was pulled and is not in june.toml.
    backend: &'static str,
    /// Where it is: an address or a file.
    at: String,
    /// Bytes of its file, where that was pulled.
    bytes: Option<u64>,
    #[serde(flatten)]
    is: Is,
}

/// What a model is doing.
#[derive(Serialize, ToSchema)]
struct Is {
    state: Doing,
    /// Why, as far as that is to be said.
    reason: String,
    /// Whether it can be loaded and unloaded by hand.
    loadable: bool,
}

/// What a model is doing.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Doing {
    /// It answers now.
    Ready,
    /// It can answer, and is loaded when it is asked or told.
    Available,
    Loading,
    Unloading,
    Unavailable,
    /// Its server was not reached, or does not say.
    Unknown,
}

/// What to do with a model.
#[derive(Clone, Copy)]
enum Change {
    Load,
    Unload,
}

/// List the models, and what each is doing.
#[utoipa::path(get, path = "/api/models", operation_id = "list_models_here", tag = "models", responses(
    (status = 200, description = "All of june.toml, and those that were pulled", body = Models),
))]
async fn list(State(server): State<Arc<Server>>) -> Result<Json<Models>, Refusal> {
    let loaded = server.loaded();
    let models = join_all(known(&loaded)?.into_iter().map(|row| show(&loaded, row))).await;
    Ok(Json(Models { models }))
}

/// Load a model, and wait until it is ready.
#[utoipa::path(post, path = "/api/models/{name}/load", operation_id = "load_model", tag = "models",
    params(("name" = String, Path, description = "The model, by its name in june.toml")),
    responses(
        (status = 200, description = "It is ready", body = OneModel),
        (status = 400, description = "That is no name", body = Refusal),
        (status = 404, description = "There is no such model", body = Refusal),
        (status = 409, description = "It is not loaded by hand, or cannot be", body = Refusal),
        (status = 502, description = "Its server could not", body = Refusal),
    ))]
async fn load(
    State(server): State<Arc<Server>>,
    name: Result<Named<String>, PathRejection>,
) -> Result<Json<OneModel>, Refusal> {
    let Named(name) = name?;
    change(&server.loaded(), &name, Change::Load).await
}

/// Unload a model, and wait until it is gone.
#[utoipa::path(post, path = "/api/models/{name}/unload", operation_id = "unload_model", tag = "models",
    params(("name" = String, Path, description = "The model, by its name in june.toml")),
    responses(
        (status = 200, description = "It is unloaded", body = OneModel),
        (status = 400, description = "That is no name", body = Refusal),
        (status = 404, description = "There is no such model", body = Refusal),
        (status = 409, description = "It is not unloaded by hand", body = Refusal),
        (status = 502, description = "Its server could not", body = Refusal),
    ))]
async fn unload(
    State(server): State<Arc<Server>>,
    name: Result<Named<String>, PathRejection>,
) -> Result<Json<OneModel>, Refusal> {
    let Named(name) = name?;
    change(&server.loaded(), &name, Change::Unload).await
}

async fn change(loaded: &Loaded, name: &str, change: Change) -> Result<Json<OneModel>, Refusal> {
    let row = known(loaded)?.into_iter().find(|row| row.model == name);
    let row = row.ok_or_else(|| {
        let name = crate::words::one_line(name, 100);
        Refusal::missing(format!("there is no model `{name}`")).hint("GET /api/models")
    })?;
    let host = &loaded.host;
    if let Some(ModelTable::Triton(table)) = host.config.model(name) {
        let repository = repository(table, triton::Deadlines::default().reply)?;
        let model = table.model.as_deref().unwrap_or(name);
        let changed = match change {
            Change::Load => repository.load(model).await,
            Change::Unload => repository.unload(model).await,
        };
        changed.map_err(|error| {
            Refusal::from(anyhow::Error::from(error)).with_status(StatusCode::BAD_GATEWAY)
        })?;
    } else if let Some(lazy) = host.models.own(name) {
        match change {
            Change::Load => lazy.load().await.map(|_model| ()).map_err(|why| {
                Refusal::from(anyhow::Error::msg(why)).with_status(StatusCode::CONFLICT)
            })?,
            Change::Unload => lazy.unload().await,
        }
    } else {
        let error = format!("`{name}` is not loaded and unloaded by June");
        let hint = "that is for models of Triton, and of this process";
        return Err(Refusal::new(StatusCode::CONFLICT, error).hint(hint));
    }
    Ok(Json(OneModel { model: show(loaded, row).await }))
}

/// All models that can be asked, each once.
fn known(loaded: &Loaded) -> anyhow::Result<Vec<Row>> {
    let config: &Config = &loaded.host.config;
    let mut rows = rows(config)?;
    // One that was pulled since is there from when the configuration is read anew.
    rows.retain(|row| match row.backend {
        "file" => {
            config.pulled.contains_key(&row.model) && !config.tables.model.contains_key(&row.model)
        }
        _ => true,
    });
    Ok(rows)
}

async fn show(loaded: &Loaded, row: Row) -> Model {
    let Row { model: name, backend, at, bytes } = row;
    let host = &loaded.host;
    let is = match (host.config.model(&name), host.models.own(&name)) {
        (Some(ModelTable::Triton(table)), _) => of_triton(&name, table).await,
        (Some(ModelTable::OpenAi(table)), _) => of_openai(&name, table).await,
        (Some(ModelTable::Local(table)), Some(lazy)) => of_file(&host.config, &name, table, lazy),
        (_, Some(lazy)) => staged(lazy.stage()),
        // A transcript.
        (_, None) => Is { state: Doing::Ready, reason: String::new(), loadable: false },
    };
    Model { name, backend, at, bytes, is }
}

/// A model of this process.
fn staged(stage: Stage) -> Is {
    let state = match stage {
        Stage::Unloaded => Doing::Available,
        Stage::Changing => Doing::Loading,
        Stage::Loaded => Doing::Ready,
    };
    Is { state, reason: String::new(), loadable: true }
}

fn of_file(config: &Config, name: &str, table: &LocalTable, lazy: &Lazy) -> Is {
    let is = staged(lazy.stage());
    if !matches!(is.state, Doing::Available) {
        return is;
    }
    let placed = table.path(name, &config.folder()).map_err(|error| error.to_string());
    let placed = placed.and_then(|path| local::placed(&path, &table.settings(), &Machine::here()));
    match placed {
        Ok(_) => is,
        Err(why) => Is { state: Doing::Unavailable, reason: first(&why), ..is },
    }
}

async fn of_triton(name: &str, table: &TritonTable) -> Is {
    let asked = async {
        let repository = repository(table, REPLY)?;
        Ok::<_, anyhow::Error>(repository.status(table.model.as_deref().unwrap_or(name)).await?)
    };
    let (state, reason) = match asked.await {
        Ok(entry) => match entry.state {
            triton::State::Ready => (Doing::Ready, entry.reason),
            triton::State::Loading => (Doing::Loading, entry.reason),
            triton::State::Unloading => (Doing::Unloading, entry.reason),
            triton::State::Unloaded => (Doing::Available, entry.reason),
            // So it says of one that it was told to unload.
            triton::State::Unavailable if entry.reason == "unloaded" => {
                (Doing::Available, String::new())
            }
            triton::State::Unavailable => (Doing::Unavailable, entry.reason),
            triton::State::Unknown => (Doing::Unknown, entry.reason),
        },
        Err(error) => match error.downcast_ref() {
            Some(TritonError::Unknown { .. }) => (Doing::Unavailable, first(&error.to_string())),
            _ => (Doing::Unknown, first(&error.to_string())),
        },
    };
    Is { state, reason, loadable: true }
}

async fn of_openai(name: &str, table: &OpenAiTable) -> Is {
    let asked = async {
        let mut settings = llm::server(name, table)?;
        (settings.deadlines.connect, settings.deadlines.first) = (REPLY, REPLY);
        let listed = openai::list(&settings).await?;
        // A server with one model answers by any name.
        let there = listed.len() == 1 || listed.iter().any(|model| model.id == settings.model);
        Ok::<_, anyhow::Error>((there, settings.model))
    };
    let (state, reason) = match asked.await {
        Ok((true, _)) => (Doing::Ready, String::new()),
        Ok((false, model)) => (Doing::Unavailable, format!("the server has no model `{model}`")),
        Err(error) => (Doing::Unknown, first(&error.to_string())),
    };
    Is { state, reason, loadable: false }
}

fn repository(table: &TritonTable, reply: Duration) -> anyhow::Result<Repository> {
    let mut settings = triton::Settings::new(&table.url);
    settings.key = table.key.as_deref().map(llm::key).transpose()?;
    settings.deadlines.reply = reply;
    Ok(Repository::new(&settings)?)
}

/// What is wrong, without what to do about it.
fn first(error: &str) -> String {
    error.split("\nhint: ").next().unwrap_or_default().to_owned()
}
