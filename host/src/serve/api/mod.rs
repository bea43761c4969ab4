//! `/api`: runs, evaluations and models, for the review page and for programs.

mod evaluations;
mod live;
mod models;
mod runs;
mod runs_proof;
mod runs_review;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

pub(crate) use evaluations::Begun;

use super::Server;

/// What reviewers need.
pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new().merge(evaluations::routes()).merge(models::routes()).merge(runs::routes())
}

/// What changes something that is no review.
pub(super) fn admin_routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new().merge(evaluations::admin_routes()).merge(models::admin_routes())
}
