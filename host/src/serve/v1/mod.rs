//! `/v1`: agents, as OpenAI's clients ask models.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use super::Server;

/// What clients of OpenAI's API ask.
pub(super) fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
}
