//! What is asked again, and what never is.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use june_models::openai::OpenAi;
use june_models::types::Delta;
use june_models::{Model, ModelError, collect};

use crate::server::{Server, Step, chunk, end, good, head, reply, said};
use crate::{ask, question, refused, settings};

#[tokio::test]
async fn overload_passes() {
    let overloads =
        ["429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable"];
    for status in overloads {
        let busy = reply(status, "", br#"{"error": {"message": "busy"}}"#);
        let server = Server::start(vec![busy.clone(), busy, good("hi")]).await;
        assert_eq!(ask(&server).await.unwrap().message.to_text(), "hi");
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn retries_come_to_an_end() {
    let server = Server::start(vec![reply("502 Bad Gateway", "", b"down")]).await;
    let error = refused(&server).await;
    assert!(error.to_string().contains("error 502: \"down\""), "{error}");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn the_servers_pause_is_kept() {
    let busy = reply("429 Too Many Requests", "retry-after: 1\r\n", b"");
    let server = Server::start(vec![busy, good("hi")]).await;
    let start = Instant::now();
    ask(&server).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));

    let busy = reply("429 Too Many Requests", "retry-after: 3600\r\n", b"");
    let server = Server::start(vec![busy, good("hi")]).await;
    let error = refused(&server).await;
    assert!(matches!(error, ModelError::Unavailable(_)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_broken_connection_is_made_again() {
    let server =
        Server::start(vec![vec![Step::Reset], vec![head(), Step::Reset], good("hi")]).await;
    assert_eq!(ask(&server).await.unwrap().message.to_text(), "hi");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn errors_that_stay_are_not_asked_again() {
    for status in ["400 Bad Request", "401 Unauthorized", "404 Not Found", "501 Not Implemented"] {
        let server = Server::start(vec![reply(status, "", b"no"), good("hi")]).await;
        refused(&server).await;
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn nothing_is_asked_again_after_a_delta() {
    let busy = "data: {\"error\": {\"message\": \"busy\", \"code\": 503}}\n\n";
    for last in [vec![Step::Reset], vec![end()], vec![chunk(busy), end()], vec![Step::Wait]] {
        let half = [vec![head(), chunk(said("half"))], last].concat();
        let server = Server::start(vec![half, good("again")]).await;
        let mut deltas = OpenAi::new(settings(&server.base)).unwrap().stream(question());
        assert_eq!(deltas.next().await, Some(Ok(Delta::Text("half".into()))));
        assert!(matches!(deltas.next().await, Some(Err(ModelError::Unavailable(_)))));
        assert_eq!(deltas.next().await, None);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_delta_that_came_with_the_error_is_delivered_first() {
    let busy = "data: {\"error\": {\"message\": \"busy\", \"code\": 503}}\n\n";
    let server = Server::start(vec![vec![head(), chunk(said("half") + busy), end()]]).await;
    let deltas = OpenAi::new(settings(&server.base)).unwrap().stream(question());
    let deltas: Vec<_> = deltas.collect().await;
    assert_eq!(deltas[0], Ok(Delta::Text("half".into())));
    assert!(matches!(deltas[1..], [Err(ModelError::Unavailable(_))]));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_error_before_the_first_delta_is_asked_again() {
    let busy = "data: {\"error\": {\"message\": \"busy\", \"code\": 503}}\n\n";
    let server = Server::start(vec![vec![head(), chunk(busy), end()], good("hi")]).await;
    assert_eq!(ask(&server).await.unwrap().message.to_text(), "hi");
}

#[tokio::test]
async fn a_server_that_cannot_count_is_asked_without() {
    let no = br#"{"detail": "Unrecognized request argument supplied: stream_options"}"#;
    let server = Server::start(vec![reply("400 Bad Request", "", no), good("hi")]).await;
    let model = OpenAi::new(settings(&server.base)).unwrap();
    for _ in 0..2 {
        collect(model.stream(question())).await.unwrap();
    }
    let counted: Vec<bool> =
        server.requests().iter().map(|request| request.contains("stream_options")).collect();
    assert_eq!(counted, [true, false, false]);
}

#[tokio::test]
async fn a_server_that_objects_for_ever_is_given_up() {
    let no = br#"{"detail": "stream_options"}"#;
    let server = Server::start(vec![reply("400 Bad Request", "", no)]).await;
    let error = ask(&server).await.unwrap_err();
    assert!(matches!(error, ModelError::Invalid(_)), "{error}");
    assert_eq!(server.requests().len(), 2);
}
