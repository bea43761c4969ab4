//! `/v1`: agents, as OpenAI's clients ask models.
//!
//! The models that a client sees are the agents that the configuration offers. A chat completion is
//! a turn of an agent: a run in the journal, whose session is `api/` and the name of the client's
//! token. A client that hangs up ends the run.
//!
//! An agent has tools of its own, which it calls without its client. The tools that a client offers
//! are the agent's for this turn, too. When it calls them, the answer that is on its way ends with
//! these calls, and the run waits; the client's next request brings what its tools said, and the
//! run goes on from there. So a turn is one run, whatever its client did in between, and can be
//! replayed as a whole. [`waiting`] says what happens when the client never comes back, or comes
//! back with another conversation.
//!
//! Nothing that would change what an answer means is silently left out: it is refused by its name.

mod answer;
mod completions;
mod messages;
mod models;
mod refused;
mod request;
mod sound;
mod speech;
mod talk;
mod tools;
mod transcriptions;
mod waiting;

use std::sync::Arc;

use axum::Extension;
use axum::extract::DefaultBodyLimit;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Server;
use sound::Sound;
use waiting::Waiting;

/// What is described beside the paths, which name it without having it.
#[derive(OpenApi)]
#[openapi(components(schemas(refused::ErrorBody, refused::Error)))]
struct Described;

/// What clients of OpenAI's API ask.
pub(super) fn routes(server: &Server) -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(models::list))
        .routes(routes!(models::one))
        .routes(routes!(completions::create))
        .routes(routes!(transcriptions::create))
        .routes(routes!(speech::create))
        .layer(Extension(Arc::new(Waiting::default())))
        .layer(Extension(Arc::new(Sound::new(server.journal.clone()))))
        // The guard before all routes knows how long a body may be.
        .layer(DefaultBodyLimit::disable())
}
