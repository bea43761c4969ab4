//! `/api`: runs, evaluations and models, for the review page and for programs.

mod live;
mod runs;
mod runs_proof;
mod runs_review;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use super::Server;

/// What reviewers need.
pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new().merge(runs::routes())
}

/// What changes something that is no review.
pub(super) fn admin_routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
}
