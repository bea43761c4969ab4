//! Whether the server lives, and whether it can do its work.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::future::join_all;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::Server;
use crate::config::ModelTable;
use crate::paths;
use crate::ready::Loaded;

/// The least room that the journal's disk has to have: what waits to be written fits several times.
const ROOM: u64 = 64 << 20;
/// How long it may take to reach a model's server.
const REACH: Duration = Duration::from_secs(2);
/// How long it is known who was away: whoever asks more often asks no more servers.
const KNOWN: Duration = Duration::from_secs(5);

/// The models whose servers were away, and when that was.
#[derive(Default)]
pub(crate) struct Away(Mutex<Option<(Instant, Vec<String>)>>);

/// `/healthz` and `/readyz`, for whoever watches the server: they need no token and tell nothing
/// but what is wrong.
pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready))
}

/// Ready: what is asked now is answered and recorded.
async fn ready(State(server): State<Arc<Server>>) -> (StatusCode, Json<Value>) {
    let problems = problems(&server).await;
    let status = match problems.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({ "ready": problems.is_empty(), "problems": problems })))
}

/// Why the server could not do its work now.
pub(super) async fn problems(server: &Server) -> Vec<String> {
    let journal = server.journal.clone();
    // A journal that cannot be written takes no run, and says so here.
    let written = tokio::task::spawn_blocking(move || journal.flush()).await;
    let journal = match written {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    let full = full(server.folder.path());
    let away = match server.script {
        Some(_) => Vec::new(),
        None => server.away.now(&server.loaded()).await,
    };
    let stopping = server.stop.is_cancelled().then(|| "the server stops".to_owned());
    let troubles = server.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let troubles = troubles.into_iter().map(|(name, why)| format!("{name}: {why}"));
    journal.into_iter().chain(full).chain(stopping).chain(away).chain(troubles).collect()
}

/// Says so where a disk is almost full.
fn full(folder: &Path) -> Option<String> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    (free < ROOM).then(|| format!("the journal's disk is full but for {free} bytes"))
}

impl Away {
    /// Says which models' servers cannot be reached, of those that agents ask.
    async fn now(&self, loaded: &Loaded) -> Vec<String> {
        let mut known = self.0.lock().await;
        if let Some((when, away)) = &*known
            && when.elapsed() < KNOWN
        {
            return away.clone();
        }
        let models = loaded.agents.values().flat_map(|agent| &agent.models);
        let models: BTreeSet<&String> = models.collect();
        let asked = models.into_iter().filter_map(|name| {
            let url = address(loaded.host.config.model(name)?)?;
            Some(async move {
                // Who is away is told, not where: whoever reads this has no token.
                let there = reachable(&url).await;
                (!there).then(|| format!("model {name}: its server cannot be reached"))
            })
        });
        let away: Vec<String> = join_all(asked).await.into_iter().flatten().collect();
        *known = Some((Instant::now(), away.clone()));
        away
    }
}

/// Where a model's server is; nothing where it is asked by way of a proxy, or there is none.
fn address(table: &ModelTable) -> Option<Url> {
    let (url, proxy) = match table {
        ModelTable::OpenAi(table) => (&table.url, table.proxy.is_some()),
        ModelTable::Triton(table) => (&table.url, false),
        ModelTable::Scripted(_) | ModelTable::Local(_) | ModelTable::Trtllm(_) => return None,
    };
    let url = Url::parse(url).ok()?;
    let here = url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    let proxies = ["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"];
    let proxy = proxy || (!here && proxies.iter().any(|name| paths::variable(name).is_some()));
    (!proxy).then_some(url)
}

/// Whether something listens at an address.
async fn reachable(url: &Url) -> bool {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return false;
    };
    let address = (host.trim_matches(['[', ']']), port);
    matches!(tokio::time::timeout(REACH, TcpStream::connect(address)).await, Ok(Ok(_)))
}
