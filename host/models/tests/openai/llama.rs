//! A real server: llama.cpp's, with a tiny model that was trained to ask for one tool.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::StreamExt;
use june_models::openai::{OpenAi, Settings};
use june_models::types::{
    Completion, Delta, FinishReason, Message, Part, Request, ResponseFormat, Role, Sampling,
    ToolResult, ToolSpec,
};
use june_models::{Model, ModelError, collect};

/// The server; it ends with its standard input.
struct Llama {
    child: Child,
    base: String,
}

impl Llama {
    /// Starts one; without Python or the model it says so and returns nothing.
    fn start(test: &str) -> Option<Llama> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let shared = std::env::var_os("JUNE_SHARED").map_or(root.join("../shared"), PathBuf::from);
        let model = shared.join("fixtures/llm/toolcaller-f32.gguf");
        let Some(python) = std::env::var_os("JUNE_TEST_PYTHON") else {
            eprintln!("SKIPPED {test}: JUNE_TEST_PYTHON names no Python that has xllamacpp");
            return None;
        };
        if !model.is_file() {
            eprintln!("SKIPPED {test}: there is no {} (set JUNE_SHARED)", model.display());
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/llama_server.py");
        let mut child = Command::new(python)
            .args([script, model])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("JUNE_TEST_PYTHON runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse::<u16>().expect("JUNE_TEST_PYTHON has xllamacpp");
        Some(Llama { child, base: format!("http://127.0.0.1:{port}/v1") })
    }

    fn model(&self) -> OpenAi {
        OpenAi::new(Settings::new(&self.base, "toolcaller")).unwrap()
    }

    async fn ask(&self, request: Request) -> Result<Completion, ModelError> {
        let answer = collect(self.model().stream(request));
        tokio::time::timeout(Duration::from_secs(60), answer).await.expect("it ends in time")
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(messages: Vec<Message>) -> Request {
    let parameters =
        r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#;
    let tool = ToolSpec {
        name: "get_weather".into(),
        description: "w".into(),
        parameters: parameters.into(),
    };
    let sampling = Sampling { temperature: Some(0.0), seed: Some(7), ..Sampling::default() };
    Request { messages, tools: vec![tool], sampling, max_tokens: Some(100), ..Request::default() }
}

fn weather() -> Vec<Message> {
    vec![Message::text(Role::User, "weather in Oslo")]
}

#[tokio::test]
async fn a_tool_is_asked_for_and_its_result_answered() {
    let Some(llama) = Llama::start("a_tool_is_asked_for_and_its_result_answered") else { return };
    let mut messages = weather();
    let asked = llama.ask(request(messages.clone())).await.unwrap();
    assert_eq!(asked.finish, FinishReason::ToolCalls);
    assert_eq!(asked.message.parts[0], Part::Reasoning("the user calls a tool".into()));
    let call = asked.message.calls().next().unwrap().clone();
    let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap();
    assert_eq!(
        (call.name.as_str(), arguments),
        ("get_weather", serde_json::json!({"city": "Oslo"}))
    );
    assert!(!asked.usage.approximate && asked.usage.output_tokens > 10);

    messages.push(asked.message);
    let (call_id, content) = (call.id, "7C".to_owned());
    messages.push(Message::outcome(ToolResult { call_id, content, is_error: false }));
    let answer = llama.ask(request(messages)).await.unwrap();
    assert_eq!(answer.finish, FinishReason::Stop);
    assert_eq!(answer.message.parts[0], Part::Reasoning("an answer".into()));
    assert_eq!(answer.message.to_text(), "the lazy dog answers the user.");
}

#[tokio::test]
async fn limits_and_forms_reach_the_server() {
    let Some(llama) = Llama::start("limits_and_forms_reach_the_server") else { return };
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
    let Some(llama) = Llama::start("a_conversation_that_is_too_long_is_told_as_that") else {
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
    let Some(llama) = Llama::start("after_a_dropped_answer_the_next_one_comes") else { return };
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
