use proptest::prelude::*;

use super::*;
use crate::types::{Message, Part, Role, ToolSpec};

fn request() -> Request {
    let tool = ToolSpec { name: "f".into(), description: String::new(), parameters: "{}".into() };
    Request { tools: vec![tool], ..Request::default() }
}

/// The answer in short: text as it is, a call as `[id name arguments]`.
fn read(request: &Request, pieces: &[&str]) -> String {
    let mut calls = Calls::new(request);
    let mut deltas: Vec<Delta> = pieces.iter().flat_map(|piece| calls.push(piece)).collect();
    deltas.extend(calls.end());
    let mut all = String::new();
    for delta in deltas {
        match delta {
            Delta::Text(text) => {
                assert!(!text.is_empty());
                all.push_str(&text);
            }
            Delta::Call(ToolCall { id, name, arguments }) => {
                all.push_str(&format!("[{id} {name} {arguments}]"));
            }
            other => panic!("{other:?}"),
        }
    }
    all
}

fn one(text: &str) -> String {
    read(&request(), &[text])
}

#[test]
fn calls_are_taken_out_whole_with_the_white_space_beside_them() {
    let text = "Sure.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\":  1}}\n</tool_call>\n\
                <tool_call>{\"arguments\": [1], \"name\": \"g\"}</tool_call>\n";
    assert_eq!(one(text), "Sure.[call-1 f {\"a\":  1}][call-2 g [1]]");
    assert_eq!(one("<tool_call>{\"name\":\"f\"}</tool_call> ok"), "[call-1 f {}]ok");
    let quoted = r#"<tool_call>{"name":"f","arguments":"{\"a\": 1}"}</tool_call>"#;
    assert_eq!(one(quoted), r#"[call-1 f {"a": 1}]"#);
}

#[test]
fn a_tag_within_an_argument_is_part_of_it() {
    let text =
        r#"<tool_call>{"name":"f","arguments":{"a":"</tool_call>\"<tool_call>"}}</tool_call>"#;
    assert_eq!(one(text), r#"[call-1 f {"a":"</tool_call>\"<tool_call>"}]"#);
}

#[test]
fn what_is_no_call_is_text_to_the_letter() {
    for text in [
        "Write <tool_call> and </tool_call>.",
        "<tool_call>{\"name\": \"f\", }</tool_call>",
        "<tool_call>{\"name\": 1}</tool_call>",
        "<tool_call>{\"name\": \"\"}</tool_call>",
        "<tool_call>\n{\"name\": \"f\", \"argu",
        " \n <tool_call>[]</tool_call> ",
        "<tool_call>{\"a\nb\"}</tool_call>",
        "<tool_call>{'name': 'f'}</tool_call>",
        "<tool_cal",
        " \n",
    ] {
        assert_eq!(one(text), text);
    }
    let deep = format!("<tool_call>{}</tool_call>", "{\"a\":".repeat(10_000));
    assert_eq!(one(&deep), deep);
}

#[test]
fn a_call_after_a_broken_one_is_found() {
    let text = "<tool_call>{oops <tool_call>{\"name\":\"f\"}</tool_call></tool_call>";
    assert_eq!(one(text), "<tool_call>{oops[call-1 f {}]</tool_call>");
    let text = "<tool_call>{\"name\"</tool_call><tool_call>{\"name\":\"f\"}";
    assert_eq!(one(text), "<tool_call>{\"name\"</tool_call>[call-1 f {}]");
}

#[test]
fn a_last_call_may_lack_its_closing_tag() {
    assert_eq!(one("<tool_call>{\"name\":\"f\"}"), "[call-1 f {}]");
    assert_eq!(one("<tool_call>{\"name\":\"f\"}\n</tool"), "<tool_call>{\"name\":\"f\"}\n</tool");
}

#[test]
fn without_tools_nothing_is_a_call() {
    let text = "<tool_call>{\"name\":\"f\"}</tool_call>";
    assert_eq!(read(&Request::default(), &[text]), text);
}

#[test]
fn identifiers_are_new_in_the_conversation() {
    let call = ToolCall { id: "call-2".into(), name: "f".into(), arguments: "{}".into() };
    let messages = vec![Message { role: Role::Assistant, parts: vec![Part::Call(call)] }];
    let request = Request { messages, ..request() };
    let text = "<tool_call>{\"name\":\"f\"}</tool_call>".repeat(2);
    assert_eq!(read(&request, &[&text]), "[call-3 f {}][call-4 f {}]");
}

#[test]
fn there_is_a_limit_to_calls() {
    let text = "<tool_call>{\"name\":\"f\"}</tool_call>";
    let all = one(&text.repeat(MOST_CALLS + 1));
    assert_eq!(all.matches("[call-").count(), MOST_CALLS);
    assert!(all.ends_with(text));
}

#[test]
fn text_is_not_held_back_for_long() {
    let mut calls = Calls::new(&request());
    assert_eq!(calls.push("a <"), [Delta::Text("a".into())]);
    assert_eq!(calls.push("b"), [Delta::Text(" <b".into())]);
    assert_eq!(
        calls.push("<tool_call> is"),
        [Delta::Text("<tool_call>".into()), Delta::Text(" is".into())]
    );
}

#[test]
fn a_hostile_text_takes_no_more_than_linear_time() {
    for text in
        ["<tool_call>", "<tool_call>{\"", "<tool_call>{\\\"", "</tool_call>", " ", "<tool_call>{"]
    {
        let long = text.repeat(200_000 / text.len());
        let mut calls = Calls::new(&request());
        let started = std::time::Instant::now();
        for piece in long.as_bytes().chunks(8) {
            calls.push(std::str::from_utf8(piece).unwrap());
        }
        calls.end();
        assert!(started.elapsed().as_secs() < 20, "{text:?}");
    }
}

proptest! {
    #[test]
    fn it_does_not_matter_where_the_text_is_cut(
        text in "(<tool_call>|</tool_call>|\\{\"name\":\"f\"\\}|\\{\"name\":\"f\",\"arguments\":|\\{|\\}|\"|\\\\|<| |\n|é|a|[ \u{2003}]{255,258}){0,14}",
        cut in 1_usize..6,
    ) {
        let characters: Vec<char> = text.chars().collect();
        let pieces: Vec<String> =
            characters.chunks(cut).map(|piece| piece.iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        prop_assert_eq!(read(&request(), &[&text]), read(&request(), &pieces));
        prop_assert_eq!(read(&Request::default(), &pieces), text);
    }
}
