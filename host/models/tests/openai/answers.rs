//! Right answers, however a server forms and cuts them.

use std::time::{Duration, Instant};

use june_models::openai::{OpenAi, Reasoning, Settings};
use june_models::types::{FinishReason, Part, Usage};
use june_models::{Model, Secret, collect};

use crate::server::{Server, Step, chunk, end, good, head, reply, said, stop};
use crate::{ask, ask_with, question, settings};

fn text(text: &str) -> Vec<Part> {
    vec![Part::Text(text.into())]
}

#[tokio::test]
async fn a_stream() {
    let server = Server::start(vec![good("hi")]).await;
    let answer = ask(&server).await.unwrap();
    assert_eq!(answer.message.parts, text("hi"));
    let usage = Usage { input_tokens: 3, output_tokens: 2, approximate: false };
    assert_eq!((answer.finish, answer.usage), (FinishReason::Stop, usage));
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(r#""stream_options":{"include_usage":true}"#), "{request}");
}

#[tokio::test]
async fn bytes_cut_anywhere() {
    let events = format!(": ping\r\n\r\n{}{}{}", said("né"), said("日本"), stop());
    let mut steps = vec![head()];
    for byte in events.replace("\n\n", "\r\n\r\n").into_bytes() {
        steps.push(chunk([byte]));
    }
    steps.push(end());
    let server = Server::start(vec![steps]).await;
    assert_eq!(ask(&server).await.unwrap().message.parts, text("né日本"));
}

#[tokio::test]
async fn a_character_cut_in_two_with_a_pause() {
    let event = said("日");
    let (first, second) = event.as_bytes().split_at(event.find('日').unwrap() + 1);
    let pause = Step::Pause(Duration::from_millis(50));
    let steps = vec![head(), chunk(first), pause, chunk(second), chunk(stop()), end()];
    let server = Server::start(vec![steps]).await;
    assert_eq!(ask(&server).await.unwrap().message.parts, text("日"));
}

#[tokio::test]
async fn a_server_that_does_not_stream() {
    let body = r#"{"choices": [{"message": {"role": "assistant", "content": [{"type": "text", "text": "hi"}],
        "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}"#;
    for kind in ["content-type: application/json\r\n", "content-type: text/plain\r\n", ""] {
        let server = Server::start(vec![reply("200 OK", kind, body.as_bytes())]).await;
        let answer = ask(&server).await.unwrap();
        assert_eq!(answer.message.to_text(), "hi");
        let calls: Vec<_> = answer.message.calls().map(|call| call.arguments.as_str()).collect();
        assert_eq!((calls, answer.finish), (vec![r#"{"a":1}"#], FinishReason::ToolCalls));
    }
}

#[tokio::test]
async fn a_wrong_content_type() {
    let events = said("hi") + &stop();
    let html = "content-type: text/html\r\n";
    let server = Server::start(vec![reply("200 OK", html, events.as_bytes())]).await;
    assert_eq!(ask(&server).await.unwrap().message.parts, text("hi"));
}

#[tokio::test]
async fn done_or_a_finish_is_enough() {
    let finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    for (last, reason) in [
        ("data: [DONE]\n\n", FinishReason::Stop),
        (finish, FinishReason::Length),
        ("data: [DONE]", FinishReason::Stop),
    ] {
        let server = Server::start(vec![vec![head(), chunk(said("hi") + last), end()]]).await;
        let answer = ask(&server).await.unwrap();
        assert_eq!((answer.message.parts, answer.finish), (text("hi"), reason));
        assert!(answer.usage.approximate && answer.usage.input_tokens > 0);
    }
}

/// As `transformers serve` 5.23 sends it.
#[tokio::test]
async fn a_stream_of_transformers() {
    let event = |choice: &str, more: &str| {
        format!(
            "data: {{\"id\":\"c\",\"choices\":[{{{choice},\"index\":0}}],\"created\":1,\"model\":\"m@main\",\
             \"object\":\"chat.completion.chunk\",\"system_fingerprint\":\"\"{more}}}\n\n"
        )
    };
    let call = r#"{"index":0,"id":"c_tool_call_0","function":{"arguments":"{\"city\": \"Oslo\"}","name":"get_weather"},"type":"function"}"#;
    let usage = r#","usage":{"completion_tokens":33,"prompt_tokens":210,"total_tokens":243}"#;
    let events = [
        event(r#""delta":{"role":"assistant"}"#, ""),
        event(r#""delta":{"reasoning_content":"the"}"#, ""),
        event(r#""delta":{"reasoning_content":" user"}"#, ""),
        event(r#""delta":{"content":"\n\nyes"}"#, ""),
        event(&format!(r#""delta":{{"tool_calls":[{call}]}}"#), ""),
        event(r#""delta":{},"finish_reason":"tool_calls""#, usage),
    ];
    let steps = [vec![head()], events.map(chunk).to_vec(), vec![end()]].concat();
    let answer = ask(&Server::start(vec![steps]).await).await.unwrap();
    let told = [Part::Reasoning("the user".into()), Part::Text("yes".into())];
    assert_eq!(answer.message.parts[..2], told);
    let call = answer.message.calls().next().unwrap();
    assert_eq!(
        (call.id.as_str(), call.arguments.as_str()),
        ("c_tool_call_0", r#"{"city": "Oslo"}"#)
    );
    let usage = Usage { input_tokens: 210, output_tokens: 33, approximate: false };
    assert_eq!((answer.finish, answer.usage), (FinishReason::ToolCalls, usage));
}

#[tokio::test]
async fn a_connection_that_stays_open_or_breaks_after_the_finish() {
    let finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    for last in [Step::Wait, Step::Reset] {
        let server = Server::start(vec![vec![head(), chunk(said("hi") + finish), last]]).await;
        let mut settings = settings(&server.base);
        settings.deadlines.between = Duration::from_secs(10);
        let start = Instant::now();
        assert_eq!(ask_with(settings).await.unwrap().message.parts, text("hi"));
        assert!(start.elapsed() < Duration::from_secs(8));
    }
}

#[tokio::test]
async fn broken_arguments_are_the_models_matter() {
    let call = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"a\": oops"}}]}}]}"#;
    let server =
        Server::start(vec![vec![head(), chunk(format!("{call}\n\n")), chunk(stop()), end()]]).await;
    let answer = ask(&server).await.unwrap();
    let calls: Vec<_> = answer.message.calls().map(|call| call.arguments.as_str()).collect();
    assert_eq!((calls, answer.finish), (vec!["{\"a\": oops"], FinishReason::ToolCalls));
}

#[tokio::test]
async fn reasoning_is_kept_apart() {
    let events = said("<th") + &said("ink>so\n</thi") + &said("nk>\n\nyes") + &stop();
    let server = Server::start(vec![vec![head(), chunk(events), end()]]).await;
    let parts = vec![Part::Reasoning("so".into()), Part::Text("yes".into())];
    assert_eq!(ask(&server).await.unwrap().message.parts, parts);

    let events = said("so</think>yes") + &stop();
    let server = Server::start(vec![vec![head(), chunk(events), end()]]).await;
    let opened = Settings { reasoning: Reasoning::Opened, ..settings(&server.base) };
    assert_eq!(ask_with(opened).await.unwrap().message.parts, parts);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(vec![good("hi")]).await;
    let model = OpenAi::new(settings(&server.base)).unwrap();
    for _ in 0..3 {
        collect(model.stream(question())).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_key_goes_to_the_server_and_nowhere_else() {
    let body = br#"{"error": {"message": "Incorrect API key provided: sk-secret"}}"#;
    let server = Server::start(vec![reply("401 Unauthorized", "", body)]).await;
    let key = Some(Secret::new("sk-secret\n"));
    let error = ask_with(Settings { key, ..settings(&server.base) }).await.unwrap_err();
    assert!(server.requests()[0].contains("authorization: Bearer sk-secret\r\n"));
    let text = format!("{error} {error:?}");
    assert!(text.contains("[key]") && !text.contains("sk-secret"), "{text}");
}

#[tokio::test]
async fn a_proxy_is_used() {
    let server = Server::start(vec![good("hi")]).await;
    let proxy = server.base.replace("/v1", "").replace("http://", "http://user:word@");
    let mut settings = settings("http://model.example/v1");
    settings.proxy = june_models::openai::Proxy::Url(proxy);
    assert_eq!(ask_with(settings).await.unwrap().message.parts, text("hi"));
    let request = server.requests().remove(0);
    let line = "POST http://model.example/v1/chat/completions HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
    assert!(request.contains("proxy-authorization: Basic dXNlcjp3b3Jk\r\n"), "{request}");
}
