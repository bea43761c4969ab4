//! What `june serve` serves: the review page, the API for it, the API that OpenAI's clients speak,
//! and what says how it is.
//!
//! Every request passes [`guard`] first: who asks, from where, how often and how much.

mod api;
mod description;
mod guard;
mod health;
mod listen;
mod measure;
mod page;
mod refusal;
mod reviewers;
pub(crate) mod runs;
pub(crate) mod token;
mod v1;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow};
use axum::routing::get;
use axum::{Json, Router, middleware};
use june_sandbox::journal::{Folder, Journal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use api::Begun;
pub(crate) use health::Away;
pub(crate) use listen::listen;
pub(crate) use reviewers::Reviewers;

use crate::agents::{Host, Overrides};
use crate::chats::{self, speech::Speech};
use crate::config::Config;
use crate::ready::{Loaded, Ready};
use runs::Runs;
use token::{Role, Tokens};

/// How much of what takes long is done at once.
pub(crate) const AT_LENGTH: usize = 2;

/// What all routes share.
pub(crate) struct Server {
    /// The journal's folder.
    pub(crate) folder: Folder,
    /// What everything is recorded in.
    pub(crate) journal: Journal,
    /// What is in it.
    pub(crate) runs: Arc<Runs>,
    /// The keys that reviews are signed with.
    pub(crate) reviewers: Reviewers,
    /// Room for what takes long: verifying and replaying.
    pub(crate) at_length: Arc<Semaphore>,
    /// Who may ask.
    pub(crate) tokens: Tokens,
    /// Cancelled once the server is to stop: what would go on for ever ends then.
    pub(crate) stop: CancellationToken,
    /// What has to be waited for before the server ends.
    pub(crate) tasks: TaskTracker,
    /// The agents.
    pub(crate) ready: Ready,
    /// Ears and a voice.
    pub(crate) speech: Speech,
    /// The evaluations that were begun here.
    pub(crate) begun: Begun,
    /// A file of scripted answers, instead of all models.
    pub(crate) script: Option<PathBuf>,
    /// What does not work, by its name: the server is not ready then.
    pub(crate) troubles: Mutex<BTreeMap<&'static str, String>>,
    /// The models whose servers were away when somebody asked last.
    pub(crate) away: Away,
}

impl Server {
    /// The configuration, and its agents, as they are now.
    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        self.ready.now()
    }

    /// The folder that evaluations are in.
    pub(crate) fn evaluations_folder(&self) -> PathBuf {
        let loaded = self.loaded();
        loaded.host.config.folder().join(&loaded.host.config.tables.serve.runs)
    }

    /// Remembers what does not work, or that it does.
    pub(crate) fn trouble(&self, name: &'static str, why: Option<String>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => troubles.insert(name, why),
            None => troubles.remove(name),
        };
    }

    /// Reads the configuration anew. Either all of it holds from now on, or nothing of it.
    ///
    /// # Errors
    ///
    /// When it is wrong, or something changed that needs a restart.
    pub(crate) async fn reload(&self) -> Result<()> {
        let old = self.loaded();
        let config = Config::find(old.host.config.file.as_deref())?;
        let (was, is) = (&old.host.config.tables, &config.tables);
        let fixed = [
            ("serve", was.serve == is.serve),
            ("telegram", was.telegram == is.telegram),
            ("discord", was.discord == is.discord),
        ];
        if let Some((name, _)) = fixed.iter().find(|(_, same)| !same) {
            return Err(anyhow!("[{name}] changed\nhint: restart June for that"));
        }
        self.ready.replace(load(config, self.script.as_deref()).await?);
        Ok(())
    }
}

/// Makes all agents of a configuration ready that anybody may talk with.
pub(crate) async fn load(config: Config, script: Option<&Path>) -> Result<Loaded> {
    let overrides = Overrides { script, ..Overrides::default() };
    let spoken = chats::names(&config);
    let offered = config.tables.serve.agents.as_ref().map_or_else(
        || spoken.clone(),
        |names| names.iter().map(|name| name.get_ref().clone()).collect(),
    );
    Loaded::new(Host::new(config)?, spoken, offered, &overrides).await
}

/// The description of the API, but for its paths.
#[derive(OpenApi)]
#[openapi(info(
    title = "June",
    description = "Talk with agents, and review what they did. Every request needs a token with \
                   the role that its path asks for: `/v1` asks for talk, `/api` for review, and \
                   what changes anything but a review for admin."
))]
struct Described;

/// All routes.
pub(crate) fn routes(server: &Arc<Server>) -> Router {
    let needs = |role| middleware::from_fn_with_state((server.clone(), role), guard::token);
    let (api, mut described) = OpenApiRouter::with_openapi(Described::openapi())
        .merge(v1::routes(server).layer(needs(Role::Talk)))
        .merge(api::routes().layer(needs(Role::Review)))
        .merge(api::admin_routes().layer(needs(Role::Admin)))
        .split_for_parts();
    description::complete(&mut described);
    let described = Arc::new(described);
    api.route("/api/openapi.json", get(async move || Json(described)))
        .route(measure::METRICS, get(measure::text).layer(needs(Role::Review)))
        .merge(health::routes())
        .fallback(page::file)
        .layer(middleware::from_fn_with_state(server.clone(), guard::everyone))
        .layer(middleware::from_fn(measure::request))
        .with_state(server.clone())
}
