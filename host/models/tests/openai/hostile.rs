//! Servers that err or mean harm: each ends in a clear error, soon and within bounds.

use std::time::{Duration, Instant};

use june_models::ModelError;

use crate::server::{Server, Step, chunk, end, head, reply, said, stop};
use crate::{ask, ask_with, refused, settings};

/// The error of a server that replies with these events.
async fn events(events: &str) -> String {
    let server = Server::start(vec![vec![head(), chunk(events), end()]]).await;
    refused(&server).await.to_string()
}

#[tokio::test]
async fn malformed_json() {
    let error = events("data: {\"choices\": [}\n\n").await;
    assert!(error.contains("sent what is no answer: \"{\"choices\": [}\""), "{error}");
    let error = events("data: NaN\n\n").await;
    assert!(error.contains("no answer: \"NaN\""), "{error}");
    let deep = "[".repeat(100_000);
    let error = events(&format!("data: {deep}\n\n")).await;
    assert!(error.contains("no answer: \"[[["), "{error}");
    assert!(error.len() < 500, "{error}");
}

#[tokio::test]
async fn wrong_types() {
    for (sent, why) in [
        (r#"{"choices": 7}"#, "a number where an array belongs, choices"),
        (r#"{"choices": [{"delta": {"content": {}}}]}"#, "an object where text belongs, content"),
        (
            r#"{"choices": [{"delta": {"tool_calls": "x"}}]}"#,
            "text where an array belongs, tool_calls",
        ),
        (r#"[]"#, "an array where an object belongs"),
        (r#"{}"#, "nothing where an array belongs, choices"),
    ] {
        let error = events(&format!("data: {sent}\n\n")).await;
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_tool_without_a_name() {
    let call = r#"{"choices": [{"delta": {"tool_calls": [{"index": 4000000000, "id": "a"}]}}]}"#;
    let error = events(&format!("data: {call}\n\n{}", stop())).await;
    assert!(error.contains("asked for a tool and did not name it"), "{error}");
}

#[tokio::test]
async fn a_line_of_ten_megabytes() {
    let long = "x".repeat(10 << 20);
    let error = events(&format!("data: {{\"choices\": \"{long}\"}}\n\n")).await;
    assert!(error.contains("sent an event of more than 1048576 bytes"), "{error}");
    assert!(error.len() < 500, "{error}");
}

#[tokio::test]
async fn endless_streams() {
    let end = |bytes: &str| vec![head(), Step::Endless(chunked(bytes))];
    let megabyte = said(&"x".repeat(1 << 19));
    for (steps, why) in [
        (end(&megabyte), "sent more than 8388608 bytes"),
        (end(&": ping\n".repeat(1 << 14)), "sent more than 8388608 bytes"),
        (end(&"x".repeat(1 << 16)), "sent an event of more than 1048576 bytes"),
        (end(&" ".repeat(1 << 16)), "sent more than 8388608 bytes"),
        (end(&format!("{{{}", "\"a\":{".repeat(1 << 12))), "sent more than 4194304 bytes"),
    ] {
        let server = Server::start(vec![steps]).await;
        let error = refused(&server).await.to_string();
        assert!(error.contains(why), "{error}");
    }
}

fn chunked(bytes: &str) -> Vec<u8> {
    match chunk(bytes) {
        Step::Send(bytes) => bytes,
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn a_server_that_drips_for_ever_meets_the_total_deadline() {
    let drip = [chunk(": ping\n\n"), Step::Pause(Duration::from_millis(100))];
    let steps = [vec![head()], vec![drip; 200].concat()].concat();
    let server = Server::start(vec![steps]).await;
    let mut settings = settings(&server.base);
    settings.deadlines.total = Duration::from_millis(1500);
    let start = Instant::now();
    let error = ask_with(settings).await.unwrap_err().to_string();
    assert!(error.contains("took longer than its 1.5s"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn silence_meets_the_deadlines() {
    let slow = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\n{".to_vec();
    let silences = [
        (vec![Step::Wait], "began no answer within 2s"),
        (vec![head(), Step::Wait], "began no answer within 2s"),
        (vec![Step::Send(slow), Step::Wait], "began no answer within 2s"),
        (vec![head(), chunk(said("hi")), Step::Wait], "sent nothing for 1s"),
    ];
    let ends = silences.map(|(steps, why)| async move {
        let server = Server::start(vec![steps]).await;
        let error = refused(&server).await.to_string();
        assert!(error.contains(why), "{error}");
        assert_eq!(server.requests().len(), 1);
    });
    futures_util::future::join_all(ends).await;
}

#[tokio::test]
async fn an_answer_that_is_cut() {
    let cut = said("hello").split_at(20).0.to_owned();
    for last in [end(), Step::Reset] {
        let server = Server::start(vec![vec![head(), chunk(said("hi")), chunk(&cut), last]]).await;
        let error = ask(&server).await.unwrap_err();
        assert!(matches!(error, ModelError::Unavailable(_)), "{error}");
    }
    let server = Server::start(vec![vec![head(), chunk(said("hi")), end()]]).await;
    assert!(refused(&server).await.to_string().contains("broke off its answer\n"));
    let half =
        b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nconnection: close\r\n\r\n{\"choices\":".to_vec();
    let server = Server::start(vec![vec![Step::Send(half), Step::Reset]]).await;
    assert!(refused(&server).await.to_string().contains("broke off its answer: "));
}

#[tokio::test]
async fn nothing_at_all() {
    let server = Server::start(vec![reply("200 OK", "", b"")]).await;
    assert!(refused(&server).await.to_string().contains("broke off its answer, which was empty"));
    assert_eq!(server.requests().len(), 3);
    let server = Server::start(vec![reply("200 OK", "", b"data: \n\n\n")]).await;
    assert!(refused(&server).await.to_string().contains("which was empty"));
}

#[tokio::test]
async fn what_is_no_server_for_models() {
    let page = b"<!DOCTYPE html><html>\x1b[31mWelcome</html>";
    let server = Server::start(vec![reply("200 OK", "content-type: text/html\r\n", page)]).await;
    let error = refused(&server).await.to_string();
    assert!(error.contains("no answer: \"<!DOCTYPE html><html>[31mWelcome</html>\""), "{error}");
    let server = Server::start(vec![vec![Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())]]).await;
    assert!(refused(&server).await.to_string().contains("cannot be reached"));
    let server = Server::start(vec![reply("404 Not Found", "", page)]).await;
    let error = refused(&server).await.to_string();
    assert!(error.contains("error 404") && error.contains("check the address"), "{error}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Server::start(vec![crate::server::good("hi")]).await;
    let headers = format!("location: {}/chat/completions\r\n", other.base);
    for status in ["301 Moved Permanently", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = Server::start(vec![reply(status, &headers, b"")]).await;
        let error = refused(&server).await.to_string();
        assert!(error.contains(&format!("wants to be asked at \"{}", other.base)), "{error}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn errors_within_the_stream() {
    let overflow = r#"{"error": {"message": "x", "code": "context_length_exceeded"}}"#;
    let server = Server::start(vec![vec![
        head(),
        chunk(said("a")),
        chunk(format!("data: {overflow}\n\n")),
        end(),
    ]])
    .await;
    assert!(matches!(refused(&server).await, ModelError::ContextOverflow(_)));
    let error =
        events("error: {\"code\":400,\"message\":\"no such sampler\",\"type\":\"x\"}\n\n").await;
    assert!(error.contains("error 400: \"no such sampler\""), "{error}");
}

#[tokio::test]
async fn a_conversation_that_is_too_long() {
    let body = br#"{"error":{"code":400,"message":"request (1200 tokens) exceeds the available context size (1024 tokens)","type":"exceed_context_size_error"}}"#;
    let server = Server::start(vec![reply("400 Bad Request", "", body)]).await;
    assert!(matches!(refused(&server).await, ModelError::ContextOverflow(_)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_error_page_without_end() {
    let head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\r\n".to_vec();
    let steps = vec![Step::Send(head), Step::Endless(vec![b'x'; 1 << 16])];
    let server = Server::start(vec![steps]).await;
    let error = refused(&server).await;
    assert!(matches!(&error, ModelError::Invalid(text) if text.len() < 1000), "{error}");
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let error = ask_with(settings(&base)).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached") && error.contains("\nhint: "), "{error}");
}
