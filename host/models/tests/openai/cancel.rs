//! Dropping a stream closes its connection.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use june_models::Model;
use june_models::openai::OpenAi;
use june_models::types::Delta;

use crate::server::{Server, Step, chunk, head, reply, said};
use crate::{question, settings};

#[tokio::test]
async fn while_the_answer_comes_in() {
    let mut server = Server::start(vec![vec![head(), chunk(said("hi")), Step::Wait]]).await;
    let mut deltas = OpenAi::new(settings(&server.base)).unwrap().stream(question());
    assert_eq!(deltas.next().await, Some(Ok(Delta::Text("hi".into()))));
    drop(deltas);
    server.closed().await;
}

#[tokio::test]
async fn before_the_answer_begins() {
    let mut server = Server::start(vec![vec![Step::Wait]]).await;
    let mut deltas = OpenAi::new(settings(&server.base)).unwrap().stream(question());
    let waited = tokio::time::timeout(Duration::from_millis(200), deltas.next()).await;
    assert!(waited.is_err());
    drop(deltas);
    server.closed().await;
}

#[tokio::test]
async fn between_two_attempts_nothing_more_is_asked() {
    let server =
        Server::start(vec![reply("503 Service Unavailable", "retry-after: 1\r\n", b"")]).await;
    let mut deltas = OpenAi::new(settings(&server.base)).unwrap().stream(question());
    let waited = tokio::time::timeout(Duration::from_millis(200), deltas.next()).await;
    assert!(waited.is_err());
    drop(deltas);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn nothing_is_asked_before_the_first_poll() {
    let server = Server::start(vec![vec![Step::Wait]]).await;
    let mut deltas = OpenAi::new(settings(&server.base)).unwrap().stream(question());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(server.requests().is_empty());
    assert_eq!(deltas.next().now_or_never(), None);
}
