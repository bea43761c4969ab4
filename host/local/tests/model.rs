//! Models of the shared fixtures, asked as the host asks them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use june_local::{Local, OpenError, Settings};
use june_models::types::{
    Completion, Delta, FinishReason, Message, Part, Request, ResponseFormat, Role, Sampling,
    ToolResult, ToolSpec,
};
use june_models::{Model, ModelError, collect};
use serde_json::{Value, json};

/// A file of the shared models. Where it is missing, says so.
fn fixture(name: &str) -> Option<PathBuf> {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    june_tests::fixture(&test, &format!("fixtures/llm/{name}"))
}

fn open(name: &str) -> Option<Local> {
    fixture(name).map(|path| Local::open(&path, &Settings::default()).unwrap())
}

async fn ask(model: &Local, request: Request) -> Result<Completion, ModelError> {
    let answer = collect(model.stream(request));
    tokio::time::timeout(Duration::from_secs(60), answer).await.expect("it ends in time")
}

fn greedy(text: &str) -> Request {
    let sampling = Sampling { temperature: Some(0.0), ..Sampling::default() };
    let messages = vec![Message::text(Role::User, text)];
    Request { messages, sampling, max_tokens: Some(60), ..Request::default() }
}

fn weather() -> Request {
    let parameters =
        r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#;
    let tool = ToolSpec {
        name: "get_weather".into(),
        description: "w".into(),
        parameters: parameters.into(),
    };
    Request { tools: vec![tool], max_tokens: Some(100), ..greedy("weather in Oslo") }
}

#[tokio::test]
async fn a_tool_is_asked_for_and_its_result_answered() {
    let Some(model) = open("toolcaller-f32.gguf") else { return };
    let mut request = weather();
    let asked = ask(&model, request.clone()).await.unwrap();
    assert_eq!(asked.finish, FinishReason::ToolCalls);
    assert_eq!(asked.message.parts[0], Part::Reasoning("the user calls a tool".into()));
    let call = asked.message.calls().next().unwrap().clone();
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
    assert_eq!((call.name.as_str(), arguments), ("get_weather", json!({"city": "Oslo"})));
    assert!(!asked.usage.approximate && asked.usage.output_tokens > 10);

    request.messages.push(asked.message);
    let (call_id, content) = (call.id, "7C".to_owned());
    request.messages.push(Message::outcome(ToolResult { call_id, content, is_error: false }));
    let answer = ask(&model, request).await.unwrap();
    assert_eq!(answer.finish, FinishReason::Stop);
    assert_eq!(answer.message.parts[0], Part::Reasoning("an answer".into()));
    assert_eq!(answer.message.to_text(), "the lazy dog answers the user.");
}

#[tokio::test]
async fn many_ask_at_once() {
    let Some(model) = open("toolcaller-f32.gguf") else { return };
    let alone = ask(&model, weather()).await.unwrap();
    let answers = join_all((0..8).map(|_| ask(&model, weather()))).await;
    for answer in answers {
        assert_eq!(answer.unwrap(), alone);
    }
}

#[tokio::test]
async fn limits_stop_strings_and_usage_are_exact() {
    let Some(model) = open("toolcaller-f32.gguf") else { return };
    let whole = ask(&model, weather()).await.unwrap();
    let short = ask(&model, Request { max_tokens: Some(4), ..weather() }).await.unwrap();
    assert_eq!((short.finish, short.usage.output_tokens), (FinishReason::Length, 4));
    assert_eq!(short.usage.input_tokens, whole.usage.input_tokens);

    let stop = vec![" a tool".to_owned()];
    let stopped = ask(&model, Request { stop, ..weather() }).await.unwrap();
    assert_eq!(stopped.finish, FinishReason::Stop);
    assert_eq!(stopped.message.parts, [Part::Reasoning("the user calls".into())]);
    assert!(stopped.usage.output_tokens < whole.usage.output_tokens);

    let nothing = ask(&model, Request { max_tokens: Some(0), ..weather() }).await.unwrap();
    assert_eq!((nothing.finish, nothing.usage.output_tokens), (FinishReason::Length, 0));
    assert_eq!(model.context(), Some(1024));
}

#[tokio::test]
async fn a_conversation_that_is_too_long_is_told_as_that() {
    let Some(model) = open("dense-f32.gguf") else { return };
    let error = ask(&model, greedy(&"the quick brown fox ".repeat(1000))).await.unwrap_err();
    assert!(
        matches!(&error, ModelError::ContextOverflow(text) if text.contains("1024")),
        "{error}"
    );
}

/// The model has random weights: nothing but the form makes these answers what they are.
#[tokio::test]
async fn whatever_a_model_babbles_has_the_form_that_was_asked_for() {
    let Some(model) = open("dense-f32.gguf") else { return };
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 12},
            "kind": {"enum": ["cat", "dog", "kangaroo"]},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
            "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
        },
        "required": ["name", "kind", "age", "tags"],
        "additionalProperties": false,
    });
    let format = ResponseFormat::JsonSchema(schema.to_string());
    let babble = |seed| {
        let sampling = Sampling {
            temperature: Some(1.5),
            top_k: Some(0),
            top_p: Some(1.0),
            seed: Some(seed),
            min_p: None,
        };
        let response_format = format.clone();
        Request {
            sampling,
            response_format,
            max_tokens: Some(400),
            ..greedy("the quick brown fox")
        }
    };
    let answers = join_all((0..20).map(|seed| ask(&model, babble(seed)))).await;
    let mut names = Vec::new();
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.finish, FinishReason::Stop);
        let text = answer.message.to_text();
        let value: Value = serde_json::from_str(&text).expect(&text);
        let object = value.as_object().unwrap();
        assert_eq!(object.len(), 4, "{text}");
        assert!(value["name"].as_str().unwrap().chars().count() <= 12, "{text}");
        assert!(["cat", "dog", "kangaroo"].contains(&value["kind"].as_str().unwrap()), "{text}");
        assert!((0..=120).contains(&value["age"].as_i64().unwrap()), "{text}");
        let tags = value["tags"].as_array().unwrap();
        assert!((1..=3).contains(&tags.len()) && tags.iter().all(Value::is_boolean), "{text}");
        names.push(value["name"].as_str().unwrap().to_owned());
    }
    // They are babble: no two alike.
    names.sort();
    names.dedup();
    assert!(names.len() > 10, "{names:?}");
}

#[tokio::test]
async fn a_grammar_holds() {
    let Some(model) = open("dense-f32.gguf") else { return };
    let grammar = ResponseFormat::Grammar(r#"start: ("yes" | "no") " " /[a-f]{3}/"#.into());
    let request = Request { response_format: grammar, ..greedy("the quick brown fox") };
    let answer = ask(&model, request).await.unwrap();
    let text = answer.message.to_text();
    let (word, letters) = text.split_once(' ').unwrap();
    assert!(["yes", "no"].contains(&word), "{text}");
    assert!(letters.len() == 3 && letters.chars().all(|c| ('a'..='f').contains(&c)), "{text}");
    assert_eq!(answer.finish, FinishReason::Stop);
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_told() {
    let Some(model) = open("dense-f32.gguf") else { return };
    let forms = [
        ResponseFormat::JsonSchema("{".into()),
        ResponseFormat::JsonSchema(r#"{"type": "no such type"}"#.into()),
        ResponseFormat::JsonSchema("7".into()),
        ResponseFormat::Grammar("start: (".into()),
        ResponseFormat::Grammar(String::new()),
    ];
    for response_format in forms {
        let request = Request { response_format: response_format.clone(), ..greedy("a") };
        let error = ask(&model, request).await.unwrap_err();
        assert!(
            matches!(&error, ModelError::Invalid(text) if text.contains("hint: ")),
            "{response_format:?}: {error}"
        );
    }
    // And the model still answers.
    assert!(ask(&model, greedy("a")).await.is_ok());
}

#[tokio::test]
async fn a_dropped_answer_leaves_the_model_to_others() {
    let Some(model) = open("dense-f32.gguf") else { return };
    let endless = ResponseFormat::Grammar("start: /[a-z ]+/".into());
    let request = Request {
        response_format: endless,
        max_tokens: Some(900),
        ..greedy("the quick brown fox")
    };
    let mut deltas = model.stream(request);
    assert!(matches!(deltas.next().await, Some(Ok(Delta::Text(_)))));
    drop(deltas);
    assert!(ask(&model, greedy("a")).await.is_ok());
}

#[test]
fn a_mixture_of_experts_is_refused_on_the_processor() {
    let Some(path) = fixture("moe-f32.gguf") else { return };
    // Its header, and nothing where the weights are: they are not needed to refuse it.
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let header = folder.path().join("header.gguf");
    std::fs::write(&header, &bytes[..bytes.len() / 4]).unwrap();
    let file = std::fs::File::options().append(true).open(&header).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    for path in [path, header] {
        let error = Local::open(&path, &Settings::default()).err().unwrap();
        assert!(matches!(error, OpenError::Unsupported { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("mixture of experts") && text.contains("hint: run it on"), "{text}");
    }
}
