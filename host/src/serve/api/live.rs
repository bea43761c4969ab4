//! `/api/live`: runs as they begin and end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::broadcast::Receiver;

use crate::serve::Server;
use crate::serve::runs::Change;
use crate::serve::token::{Caller, Role};

/// How often a watcher is told that it is still heard.
const HEARD: Duration = Duration::from_secs(15);

/// What is to come, who watches, and where.
type Watcher = (Receiver<Arc<Change>>, Caller, Arc<Server>);

/// Watch runs begin and end, as server-sent events `began` and `ended`, whose data is the run.
///
/// A watcher that is too slow is disconnected, as is one whose token was revoked, and all are when
/// the server stops.
#[utoipa::path(
    get, path = "/api/live", tag = "runs",
    responses(
        (status = 200, description = "Events, without an end.", body = String, content_type = "text/event-stream"),
    )
)]
pub(super) async fn live(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = server.runs.watch();
    let next = |(mut changes, caller, server): Watcher| async move {
        let change = tokio::select! {
            change = changes.recv() => change,
            () = server.stop.cancelled() => return None,
        };
        if !server.tokens.still(&caller, Role::Review).unwrap_or(false) {
            return None;
        }
        // An error: it was too slow, or there is nothing to come.
        let event = match &*change.ok()? {
            Change::Began(run) => Event::default().event("began").json_data(run),
            Change::Ended(run) => Event::default().event("ended").json_data(run),
        };
        Some((Ok(event.ok()?), (changes, caller, server)))
    };
    let events = stream::unfold((changes, caller, server), next);
    let begin = stream::iter([Ok(Event::default().comment("listening"))]);
    Sse::new(begin.chain(events)).keep_alive(KeepAlive::new().interval(HEARD).text("heard"))
}
