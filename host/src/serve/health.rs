//! Whether the server lives, and whether it can do its work.

use std::sync::{Arc, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Server;

/// `/healthz` and `/readyz`, for whoever watches the server: they need no token and tell nothing
/// but what is wrong.
pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready))
}

/// Ready: what is asked now is answered and recorded.
async fn ready(State(server): State<Arc<Server>>) -> (StatusCode, Json<Value>) {
    let journal = server.journal.clone();
    // A journal that cannot be written takes no run, and says so here.
    let written = tokio::task::spawn_blocking(move || journal.flush()).await;
    let journal = match written {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    let stopping = server.stop.is_cancelled().then(|| "the server stops".to_owned());
    let troubles = server.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let troubles = troubles.into_iter().map(|(name, why)| format!("{name}: {why}"));
    let problems: Vec<String> = journal.into_iter().chain(stopping).chain(troubles).collect();
    let status = match problems.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({ "ready": problems.is_empty(), "problems": problems })))
}
