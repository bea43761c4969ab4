//! What is said to a model and what it answers.
//!
//! The same values as in `wit/types.wit` and `wit/llm.wit`, with the same meaning; their JSON form
//! has the same names. [`Usage::approximate`] is the one addition.

use serde::{Deserialize, Serialize};

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Instructions that the agent's author wrote.
    System,
    /// The person (or program) that the agent serves.
    User,
    /// The model.
    Assistant,
    /// The answer to a tool call.
    Tool,
}

/// A call that the model asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ToolCall {
    /// Unique within the conversation; the result refers to it.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// JSON text exactly as the model produced it: not necessarily an object, nor even JSON. The
    /// host checks it against the tool's schema before the tool sees it.
    pub arguments: String,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ToolResult {
    /// The `id` of the call that this answers.
    pub call_id: String,
    /// Text for the model to read.
    pub content: String,
    /// True when the tool failed and `content` says why.
    pub is_error: bool,
}

/// One piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Plain text.
    Text(String),
    /// The model's reasoning, kept apart from what it says.
    Reasoning(String),
    /// The model asks for a tool.
    Call(ToolCall),
    /// A tool's answer.
    Outcome(ToolResult),
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

impl Message {
    /// A message of one piece of text.
    pub fn text(role: Role, text: impl Into<String>) -> Message {
        Message { role, parts: vec![Part::Text(text.into())] }
    }

    /// The message that answers one tool call.
    pub fn outcome(result: ToolResult) -> Message {
        Message { role: Role::Tool, parts: vec![Part::Outcome(result)] }
    }

    /// All its text, without reasoning, calls and outcomes.
    pub fn to_text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The tools that it asks for.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::Call(call) => Some(call),
            _ => None,
        })
    }

    /// What tools answered in it.
    pub fn outcomes(&self) -> impl Iterator<Item = &ToolResult> {
        self.parts.iter().filter_map(|part| match part {
            Part::Outcome(result) => Some(result),
            _ => None,
        })
    }
}

/// What a tool is called, what it does, and which arguments it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ToolSpec {
    /// Lower-case letters, digits, `-` and `_`; unique among an agent's tools.
    pub name: String,
    /// When to use the tool, written for the model.
    pub description: String,
    /// JSON Schema (draft 2020-12) of the arguments object, as JSON text.
    pub parameters: String,
}

/// Tokens that a model used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// True when the model did not say, and both were estimated from the length of the text.
    #[serde(default)]
    pub approximate: bool,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FinishReason {
    /// It came to its own end, or to a stop string.
    Stop,
    /// It reached `max_tokens` or the end of its context.
    Length,
    /// It asks for tools.
    ToolCalls,
    /// The server withheld the rest.
    ContentFilter,
}

/// How the next token is drawn. An absent value leaves the model's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: Option<f32>,
    /// Nucleus sampling, 0 to 1.
    pub top_p: Option<f32>,
    /// Only the k likeliest tokens.
    pub top_k: Option<u32>,
    /// Only tokens at least this likely, relative to the likeliest.
    pub min_p: Option<f32>,
    /// Same seed, same draw, where the backend can promise it.
    pub seed: Option<u64>,
}

/// What form the answer must have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseFormat {
    /// Free text.
    #[default]
    Text,
    /// JSON that satisfies this JSON Schema, given as JSON text.
    JsonSchema(String),
    /// Text that this grammar (Lark syntax) accepts.
    Grammar(String),
}

/// One question to a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Request {
    /// The alias by which the host found the model. A model does not read it: it was told its
    /// server's name for itself when it was made.
    pub model: String,
    /// The conversation, oldest message first.
    pub messages: Vec<Message>,
    /// The tools that the model may ask for.
    pub tools: Vec<ToolSpec>,
    /// How to draw tokens.
    pub sampling: Sampling,
    /// The most tokens to write, reasoning included; absent leaves the model's default.
    pub max_tokens: Option<u32>,
    /// Strings that end the answer and are not part of it.
    pub stop: Vec<String>,
    /// The form of the answer.
    pub response_format: ResponseFormat,
}

/// A model's whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Completion {
    /// A message of role `assistant`.
    pub message: Message,
    /// Why it ended.
    pub finish: FinishReason,
    /// What it cost.
    pub usage: Usage,
}

/// A piece of a streamed answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delta {
    /// More text, never empty.
    Text(String),
    /// More reasoning, never empty.
    Reasoning(String),
    /// A tool call, whole.
    Call(ToolCall),
    /// The last delta: why it ended and what it cost.
    Finish(FinishReason, Usage),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_names_of_the_contract() {
        let call = ToolCall { id: "1".into(), name: "f".into(), arguments: "{}".into() };
        let message = Message { role: Role::Assistant, parts: vec![Part::Call(call)] };
        let text = serde_json::to_string(&message).unwrap();
        let expected =
            r#"{"role":"assistant","parts":[{"call":{"id":"1","name":"f","arguments":"{}"}}]}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);

        let finish = Delta::Finish(FinishReason::ToolCalls, Usage::default());
        let text = serde_json::to_string(&finish).unwrap();
        let usage = r#"{"input-tokens":0,"output-tokens":0,"approximate":false}"#;
        assert_eq!(text, format!(r#"{{"finish":["tool-calls",{usage}]}}"#));
    }

    #[test]
    fn a_request_may_leave_out_what_it_does_not_need() {
        let request: Request =
            serde_json::from_str(r#"{"messages":[{"role":"user","parts":[{"text":"hello"}]}]}"#)
                .unwrap();
        assert_eq!(request.messages, [Message::text(Role::User, "hello")]);
        assert_eq!(request.response_format, ResponseFormat::Text);
    }
}
