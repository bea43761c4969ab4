use proptest::prelude::*;
use serde_json::json;

use super::*;

fn delta(delta: Value) -> Result<Chunk, NoChunk> {
    Chunk::read(&json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

fn why(read: Result<Chunk, NoChunk>) -> String {
    match read {
        Err(NoChunk::Malformed(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_is_found_in_all_its_forms() {
    for content in
        [json!("ab"), json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])]
    {
        assert_eq!(delta(json!({"content": content})).unwrap().text, "ab");
    }
    assert_eq!(delta(json!({"content": null})).unwrap(), Chunk::default());
    assert_eq!(delta(json!({"content": null, "refusal": "no"})).unwrap().text, "no");
    let whole = json!({"choices": [{"message": {"content": "ab"}, "finish_reason": "stop"}]});
    let chunk = Chunk::read(&whole).unwrap();
    assert_eq!((chunk.text.as_str(), chunk.finish.as_deref()), ("ab", Some("stop")));
}

#[test]
fn reasoning_is_found_once() {
    let both = json!({"reasoning_content": "so", "reasoning": "so", "content": "yes"});
    let chunk = delta(both).unwrap();
    assert_eq!((chunk.reasoning.as_str(), chunk.text.as_str()), ("so", "yes"));
    assert_eq!(delta(json!({"reasoning": "so"})).unwrap().reasoning, "so");
    let parts = json!([{"type": "thinking", "thinking": [{"type": "text", "text": "so"}]}]);
    assert_eq!(delta(json!({"content": parts})).unwrap().reasoning, "so");
}

#[test]
fn tool_calls_are_read_leniently() {
    let call = json!({"id": 7, "function": {"name": "f", "arguments": {"a": 1}}});
    let chunk = delta(json!({"tool_calls": [call]})).unwrap();
    let piece =
        CallPiece { index: None, id: "7".into(), name: "f".into(), arguments: r#"{"a":1}"#.into() };
    assert_eq!(chunk.calls, [piece]);
    assert_eq!(delta(json!({"tool_calls": null})).unwrap().calls, []);
    let message = json!({"tool_calls": [{"function": {}}, {"function": null}]});
    let whole = Chunk::read(&json!({"choices": [{"message": message}]})).unwrap();
    assert_eq!(whole.calls.iter().map(|call| call.index).collect::<Vec<_>>(), [Some(0), Some(1)]);
}

#[test]
fn wrong_types_are_named() {
    let read = delta(json!({"content": 7}));
    assert_eq!(why(read), "it sent a number where text belongs, content");
    let read = delta(json!({"tool_calls": {"0": {}}}));
    assert_eq!(why(read), "it sent an object where an array belongs, tool_calls");
    let read = delta(json!("text"));
    assert_eq!(why(read), "it sent text where an object belongs, choices[0].delta");
    let read = Chunk::read(&json!({"choices": "x"}));
    assert_eq!(why(read), "it sent text where an array belongs, choices");
    let read = Chunk::read(&json!({}));
    assert_eq!(why(read), "it sent nothing where an array belongs, choices");
    let read = Chunk::read(&json!([1]));
    assert_eq!(why(read), "it sent an array where an object belongs, as a piece of the answer");
}

#[test]
fn usage_comes_with_or_without_choices() {
    let usage = Usage { input_tokens: 3, output_tokens: 4, approximate: false };
    let counts = json!({"prompt_tokens": 3, "completion_tokens": 4.0, "total_tokens": 7});
    for value in [json!({"choices": [], "usage": counts}), json!({"usage": counts})] {
        assert_eq!(Chunk::read(&value).unwrap().usage, Some(usage));
    }
    let total = json!({"choices": [], "usage": {"prompt_tokens": 3, "total_tokens": 7}});
    assert_eq!(Chunk::read(&total).unwrap().usage, Some(usage));
    let strange = json!({"choices": [], "usage": {"prompt_tokens": "3", "completion_tokens": -4}});
    assert_eq!(Chunk::read(&strange).unwrap().usage, None);
}

#[test]
fn errors_are_found_in_all_their_forms() {
    let error = |value| match Chunk::read(&value) {
        Err(NoChunk::Error(error)) => (error.message, error.kind, error.status),
        other => panic!("{other:?}"),
    };
    let fields = json!({"message": "no", "type": "Bad", "code": 400});
    let expected = ("no".to_owned(), "bad".to_owned(), Some(400));
    assert_eq!(error(json!({"error": fields, "choices": []})), expected);
    assert_eq!(error(fields), expected);
    let kind = "t context_length_exceeded".to_owned();
    let openai = json!({"message": "m", "type": "t", "code": "context_length_exceeded"});
    assert_eq!(error(json!({"error": openai})), ("m".to_owned(), kind, None));
    assert_eq!(error(json!({"error": "no"})).0, "no");
    assert_eq!(error(json!({"detail": [{"loc": 1}]})).0, r#"[{"loc":1}]"#);
    assert_eq!(error(json!({"error": 7})).0, "7");
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = "choices|delta|message|content|tool_calls|function|error|usage|type|text|index|id";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "text|thinking|.{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_server_sends_is_read_or_refused(value in any_json()) {
        let _ = Chunk::read(&value);
        let _ = Chunk::read(&json!({"choices": [value]}));
        let _ = delta(value);
    }
}
