use proptest::prelude::*;

use super::*;
use crate::collect;
use crate::types::{Part, ToolCall, ToolSpec};

fn request(stop: &[&str]) -> Request {
    let tool = ToolSpec { name: "f".into(), description: String::new(), parameters: "{}".into() };
    let stop = stop.iter().map(|stop| (*stop).to_owned()).collect();
    Request { tools: vec![tool], stop, ..Request::default() }
}

/// The parts of the answer, and why it ended.
fn answer(
    request: &Request,
    reasoning: Reasoning,
    pieces: &[&str],
    reason: FinishReason,
) -> (Vec<Part>, FinishReason) {
    let mut output = Output::new(request, reasoning);
    let mut deltas: Vec<Delta> = pieces.iter().flat_map(|piece| output.push(piece)).collect();
    deltas.extend(output.finish(reason, Usage::default()));
    let Some(Delta::Finish(finish, _)) = deltas.last().cloned() else { panic!("{deltas:?}") };
    let mut parts = Vec::new();
    for delta in deltas {
        assert!(!matches!(&delta, Delta::Text(text) | Delta::Reasoning(text) if text.is_empty()));
        collect::push(&mut parts, delta);
    }
    (parts, finish)
}

fn call(id: &str) -> Part {
    Part::Call(ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into() })
}

#[test]
fn an_answer_is_told_apart() {
    let text = "so\n</think>\n\nSure.\n<tool_call>\n{\"name\": \"f\"}\n</tool_call>";
    let (parts, finish) = answer(&request(&[]), Reasoning::Opened, &[text], FinishReason::Stop);
    let expected = [Part::Reasoning("so".into()), Part::Text("Sure.".into()), call("call-1")];
    assert_eq!((parts.as_slice(), finish), (expected.as_slice(), FinishReason::ToolCalls));
}

#[test]
fn a_call_within_reasoning_is_reasoning() {
    let text = "<think><tool_call>{\"name\": \"f\"}</tool_call></think>no";
    let (parts, finish) = answer(&request(&[]), Reasoning::Auto, &[text], FinishReason::Stop);
    let thought = "<tool_call>{\"name\": \"f\"}</tool_call>".into();
    assert_eq!(parts, [Part::Reasoning(thought), Part::Text("no".into())]);
    assert_eq!(finish, FinishReason::Stop);
}

#[test]
fn the_reason_says_what_happened() {
    let call = "<tool_call>{\"name\":\"f\"}</tool_call>";
    let reason =
        |text: &str, reason| answer(&request(&["END"]), Reasoning::None, &[text], reason).1;
    assert_eq!(reason("a", FinishReason::Stop), FinishReason::Stop);
    assert_eq!(reason("a", FinishReason::Length), FinishReason::Length);
    assert_eq!(reason(call, FinishReason::Stop), FinishReason::ToolCalls);
    assert_eq!(reason(call, FinishReason::Length), FinishReason::Length);
    assert_eq!(reason("a END", FinishReason::Length), FinishReason::Stop);
    assert_eq!(reason(&format!("{call}END"), FinishReason::Length), FinishReason::ToolCalls);
}

#[test]
fn after_a_stop_string_nothing_comes() {
    let mut output = Output::new(&request(&["END"]), Reasoning::Auto);
    assert_eq!(output.push("a E"), [Delta::Text("a".into())]);
    assert!(!output.is_stopped());
    assert_eq!(output.push("ND b"), []);
    assert!(output.is_stopped());
    assert_eq!(output.push("c"), []);
    let rest = output.finish(FinishReason::Stop, Usage::default());
    // The space could have stood before a call.
    let finish = Delta::Finish(FinishReason::Stop, Usage::default());
    assert_eq!(rest, [Delta::Text(" ".into()), finish]);
}

#[test]
fn nothing_at_all_is_an_answer() {
    let (parts, finish) = answer(&request(&[]), Reasoning::Auto, &[], FinishReason::Stop);
    assert_eq!((parts.len(), finish), (0, FinishReason::Stop));
}

proptest! {
    #[test]
    fn it_does_not_matter_where_the_text_is_cut(
        text in "(<think>|</think>|<tool_call>|</tool_call>|\\{\"name\":\"f\"\\}|END|E|<| |\n|é|a){0,14}",
        cut in 1_usize..6,
        length in any::<bool>(),
    ) {
        let characters: Vec<char> = text.chars().collect();
        let pieces: Vec<String> =
            characters.chunks(cut).map(|piece| piece.iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let reason = if length { FinishReason::Length } else { FinishReason::Stop };
        for reasoning in [Reasoning::Auto, Reasoning::Opened, Reasoning::None] {
            let request = request(&["END", "\n\n\n"]);
            let whole = answer(&request, reasoning, &[&text], reason);
            prop_assert_eq!(answer(&request, reasoning, &pieces, reason), whole);
        }
    }
}
