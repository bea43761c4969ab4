//! Connections: how many, how slow they may be, and how they end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::Server;

/// How long the head of a request may take to arrive, and a connection may wait for the next.
const HEAD: Duration = Duration::from_secs(15);

/// Serves until the server is told to stop; then each connection ends with the answer that is on
/// its way.
pub(crate) async fn listen(
    server: Arc<Server>,
    listener: TcpListener,
    routes: Router,
    connections: usize,
) {
    let room = Arc::new(Semaphore::new(connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = server.stop.cancelled() => return,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(_broken) => {
                // Most often there are no file descriptors left: the others have to end first.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // A failure only means that answers wait a little for more to send.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(routes.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let stop = server.stop.clone();
        server.tasks.spawn(async move {
            let _permit = permit;
            let mut connection = std::pin::pin!(connection);
            // A connection that breaks is its client's affair.
            let _ = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
        });
    }
}

/// A connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}
