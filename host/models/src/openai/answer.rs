//! The answer of a server, while it comes in.

use std::collections::VecDeque;

use crate::estimate;
use crate::openai::calls::Calls;
use crate::openai::chunk::Chunk;
use crate::text::thinking::{Piece, Reasoning, Splitter};
use crate::types::{Delta, FinishReason, Request, Usage};

/// Turns chunks into deltas: reasoning and text at once, tool calls when they are whole, which is
/// at the end, and last the finish.
#[derive(Debug)]
pub(crate) struct Answer {
    splitter: Splitter,
    calls: Calls,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
    /// Estimated tokens, for when the server does not count.
    approximate: Usage,
}

impl Answer {
    /// The answer to this request.
    pub(crate) fn new(request: &Request, reasoning: Reasoning) -> Answer {
        let input_tokens = estimate::request(request);
        Answer {
            splitter: Splitter::new(reasoning),
            calls: Calls::new(request),
            finish: None,
            usage: None,
            approximate: Usage { input_tokens, output_tokens: 0, approximate: true },
        }
    }

    /// The server said why the answer ended; only its usage may follow.
    pub(crate) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Adds a chunk. The error says what is wrong with it.
    pub(crate) fn push(&mut self, chunk: Chunk, ready: &mut VecDeque<Delta>) -> Result<(), String> {
        let Chunk { text, reasoning, calls, finish, usage } = chunk;
        if !reasoning.is_empty() {
            self.splitter.trust_server();
            self.say(Piece::Thought(reasoning), ready);
        }
        for piece in self.splitter.push(&text) {
            self.say(piece, ready);
        }
        for call in calls {
            self.approximate.output_tokens += estimate::text(&call.arguments);
            self.calls.push(call)?;
        }
        if let Some(word) = finish {
            self.finish = Some(reason(&word)?);
        }
        self.usage = usage.or(self.usage);
        Ok(())
    }

    /// The answer is over.
    pub(crate) fn end(mut self, ready: &mut VecDeque<Delta>) -> Result<(), String> {
        if let Some(piece) = self.splitter.end() {
            self.say(piece, ready);
        }
        let cut = matches!(self.finish, Some(FinishReason::Length | FinishReason::ContentFilter));
        let calls = self.calls.finish(cut)?;
        // Servers say `stop` with calls, and `tool_calls` without any.
        let finish = match self.finish {
            Some(reason) if cut => reason,
            _ if calls.is_empty() => FinishReason::Stop,
            _ => FinishReason::ToolCalls,
        };
        ready.extend(calls.into_iter().map(Delta::Call));
        ready.push_back(Delta::Finish(finish, self.usage.unwrap_or(self.approximate)));
        Ok(())
    }

    fn say(&mut self, piece: Piece, ready: &mut VecDeque<Delta>) {
        let (Piece::Text(text) | Piece::Thought(text)) = &piece;
        self.approximate.output_tokens += estimate::text(text);
        ready.push_back(match piece {
            Piece::Text(text) => Delta::Text(text),
            Piece::Thought(text) => Delta::Reasoning(text),
        });
    }
}

/// What a server's word means. Words of its own mean that the answer is whole.
fn reason(word: &str) -> Result<FinishReason, String> {
    match word {
        "length" | "max_tokens" | "model_length" => Ok(FinishReason::Length),
        "content_filter" => Ok(FinishReason::ContentFilter),
        "tool_calls" | "function_call" => Ok(FinishReason::ToolCalls),
        "error" | "abort" | "cancelled" => {
            Err(format!("it stopped the answer with the reason \"{word}\""))
        }
        _ => Ok(FinishReason::Stop),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::types::ToolCall;

    fn answer(chunks: &[Value]) -> Result<Vec<Delta>, String> {
        let (mut answer, mut ready) =
            (Answer::new(&Request::default(), Reasoning::Auto), VecDeque::new());
        for chunk in chunks {
            answer.push(Chunk::read(chunk).unwrap(), &mut ready)?;
        }
        answer.end(&mut ready)?;
        Ok(ready.into())
    }

    fn choice(delta: Value, finish: Option<&str>) -> Value {
        json!({"choices": [{"delta": delta, "finish_reason": finish}]})
    }

    fn usage(input_tokens: u64, output_tokens: u64, approximate: bool) -> Usage {
        Usage { input_tokens, output_tokens, approximate }
    }

    #[test]
    fn usage_comes_last_or_is_estimated() {
        let counts = json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 6}});
        let said = choice(json!({"content": "seven c"}), None);
        let stop = choice(json!({}), Some("stop"));
        let counted = answer(&[said.clone(), stop, counts]).unwrap();
        let text = Delta::Text("seven c".into());
        assert_eq!(counted, [text.clone(), Delta::Finish(FinishReason::Stop, usage(5, 6, false))]);
        let bare = answer(&[said]).unwrap();
        assert_eq!(bare, [text, Delta::Finish(FinishReason::Stop, usage(4, 2, true))]);
    }

    #[test]
    fn the_finish_says_what_happened() {
        let call =
            json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{"}}]});
        let finish = |word: Option<&str>, delta: Value| {
            let deltas = answer(&[choice(delta, word)]).unwrap();
            match deltas.last() {
                Some(Delta::Finish(reason, _)) => (*reason, deltas.len() - 1),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(finish(Some("stop"), call.clone()), (FinishReason::ToolCalls, 1));
        assert_eq!(finish(None, call.clone()), (FinishReason::ToolCalls, 1));
        assert_eq!(finish(Some("length"), call), (FinishReason::Length, 0));
        assert_eq!(finish(Some("tool_calls"), json!({})), (FinishReason::Stop, 0));
        assert_eq!(finish(Some("eos"), json!({})), (FinishReason::Stop, 0));
        assert!(answer(&[choice(json!({}), Some("abort"))]).is_err());
    }

    #[test]
    fn broken_arguments_arrive_as_the_model_wrote_them() {
        let call =
            json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{"}}]});
        let deltas = answer(&[choice(call, Some("tool_calls"))]).unwrap();
        let call = ToolCall { id: "a".into(), name: "f".into(), arguments: "{".into() };
        assert_eq!(deltas[0], Delta::Call(call));
    }

    #[test]
    fn reasoning_of_its_own_field_leaves_the_text_alone() {
        let chunks = [
            choice(json!({"reasoning_content": "so"}), None),
            choice(json!({"content": "<think> is a tag"}), Some("stop")),
        ];
        let deltas = answer(&chunks).unwrap();
        let expected = [Delta::Reasoning("so".into()), Delta::Text("<think> is a tag".into())];
        assert_eq!(deltas[..2], expected);
    }
}
