//! An engine as a model: the test executor answers with its prompt, and the template here renders
//! nothing but the last message.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use june_models::types::{
    Completion, Delta, FinishReason, Message, Part, Request, ResponseFormat, Role, ToolSpec,
};
use june_models::{Model, ModelError, collect};
use june_trtllm::{Error, Folder, Trtllm};
use june_trtllm_testing as testing;
use serde_json::{Map, Value, json};

/// GPT-2's alphabet: the characters that stand for bytes, in the order of the bytes.
fn alphabet() -> Vec<char> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut others = '\u{100}'..;
    let letter =
        |byte: u8| if printable(&byte) { char::from(byte) } else { others.next().unwrap() };
    (0..=u8::MAX).map(letter).collect()
}

/// Writes an engine's folder. Each byte is a token.
fn write(folder: &Path) {
    let vocabulary: Map<String, Value> =
        alphabet().iter().zip(0..).map(|(letter, id)| (letter.to_string(), json!(id))).collect();
    let marks = [(256, "<|im_end|>", true), (257, "<think>", false), (258, "</think>", false)];
    let marks = marks.map(|(id, content, special)| {
        json!({"id": id, "content": content, "special": special, "single_word": false,
               "lstrip": false, "rstrip": false, "normalized": false})
    });
    let level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                       "use_regex": true});
    let tokenizer = json!({
        "version": "1.0", "added_tokens": marks, "pre_tokenizer": level, "decoder": level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    });
    let config = json!({
        "version": "1.2.1",
        "pretrained_config": {"architecture": "Qwen3ForCausalLM", "mapping": {"world_size": 1}},
        "build_config": {"max_input_len": 400, "max_seq_len": 500},
    });
    let files = [
        ("tokenizer.json", tokenizer.to_string()),
        ("tokenizer_config.json", json!({"eos_token": "<|im_end|>"}).to_string()),
        ("chat_template.jinja", "{{ messages[-1].content }}".to_owned()),
        ("config.json", config.to_string()),
        ("rank0.engine", String::new()),
    ];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

fn model() -> Trtllm {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let read = Folder::read(folder.path()).unwrap();
    Trtllm::around("echo", testing::engine().unwrap(), read).unwrap()
}

fn saying(text: &str) -> Request {
    let tool = ToolSpec { name: "f".into(), description: "f".into(), parameters: "{}".into() };
    let messages = vec![Message::text(Role::User, text)];
    Request { messages, tools: vec![tool], ..Request::default() }
}

async fn ask(model: &Trtllm, request: Request) -> Result<Completion, ModelError> {
    collect(model.stream(request)).await
}

#[tokio::test]
async fn an_answer_comes_through_the_same_parsers() {
    let model = model();
    let text = "<think>\nça va ☕\n</think>\n\nSure.<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":1}}</tool_call>";
    let answer = ask(&model, saying(text)).await.unwrap();
    assert_eq!(answer.finish, FinishReason::ToolCalls);
    assert_eq!(answer.message.parts[0], Part::Reasoning("ça va ☕".into()));
    assert_eq!(answer.message.to_text(), "Sure.");
    assert_eq!(answer.message.calls().next().unwrap().arguments, "{\"a\":1}");
    let bytes = text.len() as u64;
    assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens), (bytes, bytes));
}

#[tokio::test]
async fn limits_and_stop_strings_end_an_answer() {
    let model = model();
    let short = Request { max_tokens: Some(3), ..saying("abcdef") };
    let answer = ask(&model, short).await.unwrap();
    assert_eq!((answer.message.to_text().as_str(), answer.finish), ("abc", FinishReason::Length));
    let stopped = Request { stop: vec!["de".into()], ..saying("abcdef") };
    let answer = ask(&model, stopped).await.unwrap();
    assert_eq!((answer.message.to_text().as_str(), answer.finish), ("abc", FinishReason::Stop));
    // Where a stop string ended it, the executor is not left to go on.
    let endless = Request { stop: vec!["b".into()], ..saying(&"ab".repeat(150)) };
    ask(&model, endless).await.unwrap();
    idle(&model).await;
}

/// Waits until the executor holds no request.
async fn idle(model: &Trtllm) {
    for _ in 0..2000 {
        if model.engine().load().await.unwrap().executor.blocks_used == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{:?}", model.engine().load().await);
}

#[tokio::test]
async fn a_dropped_answer_is_cancelled() {
    let model = model();
    let mut deltas = model.stream(saying(&"a".repeat(300)));
    assert_eq!(deltas.next().await, Some(Ok(Delta::Text("a".into()))));
    drop(deltas);
    idle(&model).await;
}

#[tokio::test]
async fn answers_outlive_the_model_that_was_asked() {
    let model = model();
    let deltas = model.stream(saying("hello"));
    drop(model);
    assert_eq!(collect(deltas).await.unwrap().message.to_text(), "hello");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let model = model();
    assert_eq!(model.context(), Some(500));
    let long = ask(&model, saying(&"a".repeat(401))).await.unwrap_err();
    assert!(
        matches!(&long, ModelError::ContextOverflow(text) if text.contains("401 tokens")),
        "{long}"
    );
    let format = ResponseFormat::JsonSchema("{}".into());
    let formed = ask(&model, Request { response_format: format, ..saying("a") }).await;
    assert!(matches!(formed, Err(ModelError::Invalid(_))));
    assert!(matches!(ask(&model, Request::default()).await, Err(ModelError::Invalid(_))));
}

#[tokio::test]
async fn the_product_has_no_test_executor() {
    // june-trtllm must not depend on this crate, or every June would have it in it.
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    assert!(!manifest.contains("june-trtllm-testing"));
    let settings =
        june_trtllm::Settings { name: "m".into(), folder: "/nowhere".into(), memory_share: None };
    assert!(matches!(Trtllm::open(&settings), Err(Error::NotBuilt | Error::Folder { .. })));
}
