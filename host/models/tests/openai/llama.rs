//! A real server: llama.cpp's.

use futures_util::StreamExt;
use june_models::types::{Delta, FinishReason, Message, Request, ResponseFormat, Role};
use june_models::{Model, ModelError};

use crate::peers::{Peer, request, weather};

#[tokio::test]
async fn a_tool_is_asked_for_and_its_result_answered() {
    let Some(llama) = Peer::llama("a_tool_is_asked_for_and_its_result_answered") else { return };
    llama.round_trip().await;
}

#[tokio::test]
async fn limits_and_forms_reach_the_server() {
    let Some(llama) = Peer::llama("limits_and_forms_reach_the_server") else { return };
    let short = Request { max_tokens: Some(4), ..request(weather()) };
    let answer = llama.ask(short).await.unwrap();
    assert_eq!((answer.finish, answer.usage.output_tokens), (FinishReason::Length, 4));

    let grammar = ResponseFormat::Grammar("root ::= \"yes\" | \"no\"".into());
    let bound = Request { response_format: grammar, tools: Vec::new(), ..request(weather()) };
    let answer = llama.ask(bound).await.unwrap();
    assert!(["yes", "no"].contains(&answer.message.to_text().as_str()), "{answer:?}");

    let schema = r#"{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"],"additionalProperties":false}"#;
    let schema = ResponseFormat::JsonSchema(schema.into());
    let bound = Request { response_format: schema, tools: Vec::new(), ..request(weather()) };
    let answer = llama.ask(bound).await.unwrap().message.to_text();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["a"].is_boolean(), "{answer}");
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_told_as_that() {
    let Some(llama) = Peer::llama("a_conversation_that_is_too_long_is_told_as_that") else {
        return;
    };
    let long = vec![Message::text(Role::User, "the quick brown fox ".repeat(1000))];
    let error = llama.ask(request(long)).await.unwrap_err();
    assert!(matches!(error, ModelError::ContextOverflow(_)), "{error}");
    let broken = Request {
        response_format: ResponseFormat::Grammar("root ::= (".into()),
        tools: Vec::new(),
        ..request(weather())
    };
    let error = llama.ask(broken).await.unwrap_err();
    assert!(matches!(error, ModelError::Invalid(_)), "{error}");
}

#[tokio::test]
async fn after_a_dropped_answer_the_next_one_comes() {
    let Some(llama) = Peer::llama("after_a_dropped_answer_the_next_one_comes") else { return };
    // The server answers one question at a time.
    let anything = ResponseFormat::Grammar("root ::= [a-z ]+".into());
    let endless = Request {
        response_format: anything,
        tools: Vec::new(),
        max_tokens: Some(900),
        ..request(weather())
    };
    let mut deltas = llama.model().stream(endless);
    assert!(matches!(deltas.next().await, Some(Ok(Delta::Text(_)))));
    drop(deltas);
    assert_eq!(llama.ask(request(weather())).await.unwrap().finish, FinishReason::ToolCalls);
}

#[tokio::test]
async fn what_the_server_has_is_listed() {
    let Some(llama) = Peer::llama("what_the_server_has_is_listed") else { return };
    let listed = june_models::openai::list(&llama.settings()).await.unwrap();
    let [only] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((only.context, only.bits), (Some(1024), Some(32.0)));
    assert_eq!(only.quantisation.as_deref(), Some("all F32"));
    let elsewhere = june_models::openai::Settings::new("http://127.0.0.1:9/v1", "any");
    let error = june_models::openai::list(&elsewhere).await.unwrap_err();
    assert!(error.to_string().contains("http://127.0.0.1:9 does not list its models"), "{error}");
}
