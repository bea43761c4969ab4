//! Real servers, with a tiny model that was trained to ask for one tool.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use june_models::openai::{OpenAi, Settings};
use june_models::types::{
    Completion, FinishReason, Message, Part, Request, Role, Sampling, ToolResult, ToolSpec,
};
use june_models::{Model, ModelError, collect};

/// A server; it ends with its standard input.
pub(crate) struct Peer {
    child: Child,
    base: String,
}

impl Peer {
    /// llama.cpp's server.
    pub(crate) fn llama(test: &str) -> Option<Peer> {
        Peer::start(test, "JUNE_TEST_PYTHON", "xllamacpp", "llama_server.py", "toolcaller-f32.gguf")
    }

    /// `transformers serve`.
    pub(crate) fn transformers(test: &str) -> Option<Peer> {
        let script = "transformers_server.py";
        Peer::start(test, "JUNE_TEST_TRANSFORMERS", "transformers", script, "toolcaller")
    }

    /// Starts one; without Python or the model it says so and returns nothing.
    fn start(test: &str, python: &str, package: &str, script: &str, model: &str) -> Option<Peer> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let shared = here.join("../../../shared");
        let shared = std::env::var_os("JUNE_SHARED").map_or(shared, PathBuf::from);
        let model = shared.join("fixtures/llm").join(model);
        let named = |name: &str| std::env::var_os(name).filter(|value| *value != OsString::new());
        let Some(program) = named(python) else {
            eprintln!("SKIPPED {test}: {python} names no Python that has {package}");
            return None;
        };
        if !model.exists() {
            eprintln!("SKIPPED {test}: there is no {} (set JUNE_SHARED)", model.display());
            return None;
        }
        let mut child = Command::new(program)
            .args([here.join("tests").join(script), model])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse::<u16>().expect("the server prints its port");
        Some(Peer { child, base: format!("http://127.0.0.1:{port}/v1") })
    }

    pub(crate) fn model(&self) -> OpenAi {
        OpenAi::new(Settings::new(&self.base, "toolcaller")).unwrap()
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

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
