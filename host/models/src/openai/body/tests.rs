use serde_json::json;

use super::*;
use crate::types::{Message, Part, Role, Sampling, ToolResult};

fn settings() -> Settings {
    Settings::new("http://localhost/v1", "qwen3")
}

fn body(settings: &Settings, request: &Request) -> Value {
    serde_json::from_slice(&write(settings, request, true).unwrap()).unwrap()
}

fn asked(text: &str) -> Request {
    Request { messages: vec![Message::text(Role::User, text)], ..Request::default() }
}

fn why(request: &Request) -> String {
    write(&settings(), request, true).unwrap_err().to_string()
}

#[test]
fn a_plain_question() {
    let expected = json!({
        "model": "qwen3",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(body(&settings(), &asked("hello")), expected);
    let uncounted = write(&settings(), &asked("hello"), false).unwrap();
    assert!(!String::from_utf8(uncounted).unwrap().contains("stream_options"));
}

#[test]
fn sampling_is_written_as_it_was_given() {
    let sampling = Sampling {
        temperature: Some(0.7),
        top_p: Some(0.95),
        top_k: Some(20),
        min_p: Some(0.05),
        seed: Some(u64::MAX),
    };
    let stop = vec!["\n\n".to_owned()];
    let mut request = Request { sampling, max_tokens: Some(9), stop, ..asked("x") };
    let text = String::from_utf8(write(&settings(), &request, true).unwrap()).unwrap();
    let expected = r#""temperature":0.7,"top_p":0.95,"top_k":20,"min_p":0.05,"seed":18446744073709551615,"max_tokens":9,"stop":["\n\n"],"stream":true"#;
    assert!(text.contains(expected), "{text}");

    request.sampling = Sampling::default();
    let newer = Settings { token_limit: TokenLimit::MaxCompletionTokens, ..settings() };
    let body = body(&newer, &request);
    assert_eq!((&body["max_completion_tokens"], &body["max_tokens"]), (&json!(9), &Value::Null));
}

#[test]
fn a_conversation_with_tools() {
    let call = ToolCall { id: "a".into(), name: "f".into(), arguments: "{\"x\": 1}".into() };
    let broken = ToolCall { id: "b".into(), name: "f".into(), arguments: "{\"x".into() };
    let result =
        |id: &str, is_error| ToolResult { call_id: id.into(), content: "7 °C".into(), is_error };
    let tool = ToolSpec {
        name: "f".into(),
        description: "d".into(),
        parameters: r#"{"type": "object"}"#.into(),
    };
    let messages = vec![
        Message::text(Role::System, "s"),
        Message::text(Role::User, "u"),
        Message {
            role: Role::Assistant,
            parts: vec![Part::Reasoning("r".into()), Part::Call(call), Part::Call(broken)],
        },
        Message {
            role: Role::Tool,
            parts: vec![Part::Outcome(result("a", false)), Part::Outcome(result("b", true))],
        },
        Message::text(Role::Assistant, "t"),
    ];
    let body = body(&settings(), &Request { messages, tools: vec![tool], ..Request::default() });
    let expected = json!([
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}},
            {"id": "b", "type": "function",
             "function": {"name": "f", "arguments": "{\"unparsed\":\"{\\\"x\"}"}},
        ]},
        {"role": "tool", "content": "7 °C", "tool_call_id": "a"},
        {"role": "tool", "content": "error: 7 °C", "tool_call_id": "b"},
        {"role": "assistant", "content": "t"},
    ]);
    assert_eq!(body["messages"], expected);
    let function = json!({"name": "f", "description": "d", "parameters": {"type": "object"}});
    assert_eq!(body["tools"], json!([{"type": "function", "function": function}]));
}

#[test]
fn the_form_of_the_answer() {
    let schema = ResponseFormat::JsonSchema(r#"{"type": "object"}"#.into());
    let format = json!({"name": "answer", "schema": {"type": "object"}, "strict": true});
    let request = Request { response_format: schema, ..asked("x") };
    let expected = json!({"type": "json_schema", "json_schema": format});
    assert_eq!(body(&settings(), &request)["response_format"], expected);

    let grammar = ResponseFormat::Grammar("start: \"yes\"".into());
    let request = Request { response_format: grammar, ..asked("x") };
    let with = |grammar| Settings { grammar, ..settings() };
    let rule = json!("start: \"yes\"");
    assert_eq!(body(&with(Grammar::LlamaCpp), &request)["grammar"], rule);
    assert_eq!(body(&with(Grammar::Vllm), &request)["structured_outputs"]["grammar"], rule);
    assert_eq!(body(&with(Grammar::Sglang), &request)["ebnf"], rule);
    assert!(matches!(write(&with(Grammar::None), &request, true), Err(ModelError::Invalid(_))));
}

#[test]
fn settings_may_add_fields() {
    let extra = json!({"chat_template_kwargs": {"enable_thinking": false}});
    let extra = extra.as_object().cloned().unwrap();
    let body = body(&Settings { extra, ..settings() }, &asked("x"));
    assert_eq!(body["chat_template_kwargs"], json!({"enable_thinking": false}));
}

#[test]
fn every_name_of_the_body_is_known() {
    let request = Request { stop: vec!["x".into()], ..asked("x") };
    for name in body(&settings(), &request).as_object().unwrap().keys() {
        assert!(NAMES.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn what_cannot_be_asked_is_said() {
    assert!(why(&Request::default()).starts_with("the request has no message\nhint: "));
    let call = ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into() };
    let messages = vec![Message { role: Role::User, parts: vec![Part::Call(call)] }];
    let text = why(&Request { messages, ..Request::default() });
    assert!(text.starts_with("message 1 of the request, by User, asks for a tool\nhint: "));
    let messages = vec![Message::text(Role::Tool, "x")];
    let text = why(&Request { messages, ..Request::default() });
    assert!(text.contains("by Tool, has text that answers no call"), "{text}");
    let parameters = "[]".into();
    let tool = ToolSpec { name: "f".into(), description: "d".into(), parameters };
    let text = why(&Request { tools: vec![tool], ..asked("x") });
    assert!(text.starts_with("the parameters' schema of tool f is not a JSON object"), "{text}");
}
