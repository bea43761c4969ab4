//! June's tools, served over streamable HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use june_sandbox::Digest;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::server::{Handler, Served};

/// The path at which tools are served.
pub(crate) const PATH: &str = "/mcp";

/// The most connections at once; more wait.
const CONNECTIONS: usize = 256;

/// How long a client may take to say what it asks for.
const HEAD: Duration = Duration::from_secs(10);

/// How long calls may go on after the server was told to end.
const GRACE: Duration = Duration::from_secs(2);

/// Who is let in.
pub(crate) struct Doors {
    /// The token that a request must carry.
    pub(crate) token: Option<String>,
    /// The names by which clients may reach the server. Whoever reaches it by another one was led
    /// there by a page in a browser (DNS rebinding).
    pub(crate) hosts: Vec<String>,
    /// The pages in browsers that may ask, as `scheme://host:port`.
    pub(crate) origins: Vec<String>,
}

type Service = StreamableHttpService<Handler, NeverSessionManager>;
type Answer = Response<BoxBody<Bytes, Infallible>>;

/// The listener for an address.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let cannot = || format!("cannot listen on {address}");
    let listener = TcpListener::bind(address).await.with_context(cannot)?;
    let address = listener.local_addr().with_context(cannot)?;
    Ok((listener, address))
}

/// Serves clients until `stop` is done, and their last calls for a moment longer.
pub(crate) async fn serve(
    served: Arc<Served>,
    listener: TcpListener,
    doors: Doors,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    // Without sessions there is nothing that a client could guess, take over or pile up.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_allowed_hosts(doors.hosts)
        .with_allowed_origins(doors.origins)
        .enforce_origin_validation();
    let handler = Handler(served);
    let service: Service =
        StreamableHttpService::new(move || Ok(handler.clone()), Arc::default(), config);
    let token = doors.token.map(|token| Digest::of(token.as_bytes()));
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let (running, ended) = watch::channel(());
    let mut connections = tokio::task::JoinSet::new();
    tokio::pin!(stop);
    loop {
        let connection = tokio::select! {
            () = &mut stop => break,
            connection = connect(&listener, &room) => connection?,
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, permit)) = connection else { continue };
        let (service, mut ended) = (service.clone(), ended.clone());
        connections.spawn(async move {
            let _permit = permit;
            let answer = service_fn(move |request| answer(service.clone(), token, request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(64 << 10)
                .serve_connection(TokioIo::new(stream), answer);
            tokio::pin!(connection);
            // A connection that breaks is its client's to notice.
            tokio::select! {
                _ = &mut connection => return,
                _ = ended.changed() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
    drop(running);
    let last = async { while connections.join_next().await.is_some() {} };
    // What goes on for longer is cut off.
    let _ = tokio::time::timeout(GRACE, last).await;
    Ok(())
}

type Connection = (tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit);

/// The next connection, as soon as there is room for it.
async fn connect(listener: &TcpListener, room: &Arc<Semaphore>) -> Result<Option<Connection>> {
    let permit = room.clone().acquire_owned().await?;
    match listener.accept().await {
        Ok((stream, _peer)) => Ok(Some((stream, permit))),
        // As when too many files are open: others may close theirs.
        Err(_) => {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(None)
        }
    }
}

async fn answer(
    service: Service,
    token: Option<Digest>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    if request.uri().path() != PATH {
        return Ok(plain(StatusCode::NOT_FOUND, "the tools are at /mcp\n"));
    }
    if token.is_some_and(|token| !carries(request.headers(), &token)) {
        let mut answer = plain(StatusCode::UNAUTHORIZED, "a bearer token is needed\n");
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return Ok(answer);
    }
    Ok(service.handle(request).await)
}

/// Whether a request has the token. Digests are compared, so that how long it takes tells nothing.
fn carries(headers: &HeaderMap, token: &Digest) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, given) = value.and_then(|value| value.split_once(' ')).unwrap_or_default();
    scheme.eq_ignore_ascii_case("bearer") && Digest::of(given.trim().as_bytes()) == *token
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *answer.status_mut() = status;
    answer
}
