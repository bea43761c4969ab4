//! Real servers, with a tiny model that was trained to ask for one tool.

use std::path::PathBuf;
use std::time::Duration;

use june_models::openai::{OpenAi, Settings};
use june_models::types::{
    Completion, FinishReason, Message, Part, Request, Role, Sampling, ToolResult, ToolSpec,
};
use june_models::{Model, ModelError, collect};
use june_tests::{PythonServer, fixture, python};

/// A running server.
pub(crate) struct Peer {
    _server: PythonServer,
    base: String,
}

impl Peer {
    /// llama.cpp's server.
    pub(crate) fn llama(test: &str) -> Option<Peer> {
        let python = python(test, "JUNE_TEST_PYTHON", "xllamacpp")?;
        Peer::start(test, python, "llama_server.py", "toolcaller-f32.gguf")
    }

    /// `transformers serve`.
    pub(crate) fn transformers(test: &str) -> Option<Peer> {
        let python = python(test, "JUNE_TEST_TRANSFORMERS", "transformers")?;
        Peer::start(test, python, "transformers_server.py", "toolcaller")
    }

    fn start(test: &str, python: PathBuf, script: &str, model: &str) -> Option<Peer> {
        let model = fixture(test, &format!("fixtures/llm/{model}"))?;
        let server = PythonServer::start(python, &format!("host/models/tests/{script}"), [model]);
        let base = format!("http://127.0.0.1:{}/v1", server.port);
        Some(Peer { _server: server, base })
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new(&self.base, "toolcaller")
    }

    pub(crate) fn model(&self) -> OpenAi {
        OpenAi::new(self.settings()).unwrap()
    }

    pub(crate) async fn ask(&self, request: Request) -> Result<Completion, ModelError> {
        let answer = collect(self.model().stream(request));
        tokio::time::timeout(Duration::from_secs(60), answer).await.expect("it ends in time")
    }

    /// A tool is asked for, and its result answered.
    pub(crate) async fn round_trip(&self) {
        let mut messages = weather();
        let asked = self.ask(request(messages.clone())).await.unwrap();
        assert_eq!(asked.finish, FinishReason::ToolCalls);
        assert_eq!(reasoning(&asked), "the user calls a tool");
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
        let answer = self.ask(request(messages)).await.unwrap();
        assert_eq!(answer.finish, FinishReason::Stop);
        assert_eq!(reasoning(&answer), "an answer");
        assert_eq!(answer.message.to_text(), "the lazy dog answers the user.");
    }
}

/// What the model thought first.
fn reasoning(answer: &Completion) -> &str {
    match answer.message.parts.first() {
        Some(Part::Reasoning(text)) => text.trim(),
        other => panic!("{other:?} is no reasoning"),
    }
}

pub(crate) fn request(messages: Vec<Message>) -> Request {
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

pub(crate) fn weather() -> Vec<Message> {
    vec![Message::text(Role::User, "weather in Oslo")]
}
