//! Messages: OpenAI's on one side, the contract's on the other.

use std::fmt;

use june_sandbox::contract::{self, Part, ToolResult};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::serve::refusal::Refusal;
use crate::words::one_line;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = openai::Role)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    System,
    /// As `system`.
    Developer,
    User,
    Assistant,
    Tool,
}

/// A message of the conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = openai::Message)]
pub(super) struct Message {
    role: Role,
    /// What is said: text, or parts of text. An assistant that only calls tools says nothing.
    content: Option<Content>,
    /// The tools that the assistant called, as an answer told them.
    #[serde(default)]
    tool_calls: Option<Vec<ToolCall>>,
    /// The call that this message of a tool answers.
    tool_call_id: Option<String>,
}

/// What a message says.
#[derive(Debug, ToSchema)]
#[schema(as = openai::Content)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
}

/// A part of what a message says.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = openai::ContentPart)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ContentPart {
    Text { text: String },
    Refusal { refusal: String },
}

/// A call of a tool.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = openai::ToolCall)]
pub(super) struct ToolCall {
    /// What the tool's message refers to.
    pub(super) id: String,
    #[serde(rename = "type", default)]
    pub(super) kind: CallKind,
    pub(super) function: FunctionCall,
}

/// What is called.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = openai::CallKind)]
#[serde(rename_all = "lowercase")]
pub(super) enum CallKind {
    #[default]
    Function,
}

/// A function, and what it is called with.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = openai::FunctionCall)]
pub(super) struct FunctionCall {
    pub(super) name: String,
    /// A JSON object, as text.
    pub(super) arguments: String,
}

/// Reads either form of content, and says of parts what is wrong with them.
impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of parts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<Content, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(parts)).map(Content::Parts)
            }
        }
        from.deserialize_any(Either)
    }
}

impl Content {
    fn into_text(self) -> String {
        match self {
            Content::Text(text) => text,
            Content::Parts(parts) => {
                let texts = parts.into_iter().map(|part| match part {
                    ContentPart::Text { text } | ContentPart::Refusal { refusal: text } => text,
                });
                texts.collect::<Vec<_>>().join("\n")
            }
        }
    }
}

/// A conversation, as an agent is told of it.
#[derive(Debug, PartialEq)]
pub(super) struct Conversation {
    /// What the client instructs it to, before anything is said.
    pub(super) instructions: String,
    /// What is said, with the request at its end.
    pub(super) messages: Vec<contract::Message>,
}

impl Conversation {
    /// Reads messages.
    pub(super) fn of(messages: Vec<Message>) -> Result<Self, Refusal> {
        let wrong = |why: String| Refusal::bad(why).about("messages");
        let mut conversation = Self { instructions: String::new(), messages: Vec::new() };
        // The calls that no tool has answered yet.
        let mut open: Vec<String> = Vec::new();
        for (place, message) in messages.into_iter().enumerate() {
            let Message { role, content, tool_calls, tool_call_id } = message;
            let wrong = |why: &str| wrong(format!("messages[{place}]: {why}"));
            let text = content.map(Content::into_text);
            if role != Role::Tool
                && let Some(id) = open.first()
            {
                let id = one_line(id, 100);
                return Err(wrong(&format!("no message of a tool answers the call `{id}`")));
            }
            let calls = tool_calls.unwrap_or_default();
            if role != Role::Assistant && !calls.is_empty() {
                return Err(wrong("only the assistant calls tools"));
            }
            if role != Role::Assistant && text.is_none() {
                return Err(wrong("it has no content"));
            }
            let text = text.unwrap_or_default();
            let (role, parts) = match role {
                Role::System | Role::Developer if conversation.messages.is_empty() => {
                    let before = if conversation.instructions.is_empty() { "" } else { "\n\n" };
                    conversation.instructions += &format!("{before}{text}");
                    continue;
                }
                Role::System | Role::Developer => (contract::Role::System, vec![Part::Text(text)]),
                Role::User => (contract::Role::User, vec![Part::Text(text)]),
                Role::Assistant => {
                    let said = (!text.is_empty()).then_some(Part::Text(text));
                    open.extend(calls.iter().map(|call| call.id.clone()));
                    let calls = calls.into_iter().map(|call| {
                        let FunctionCall { name, arguments } = call.function;
                        Part::Call(contract::ToolCall { id: call.id, name, arguments })
                    });
                    (contract::Role::Assistant, said.into_iter().chain(calls).collect())
                }
                Role::Tool => {
                    let call_id = tool_call_id.ok_or_else(|| wrong("it has no tool_call_id"))?;
                    let answered = open.iter().position(|id| *id == call_id);
                    let answered = answered.ok_or_else(|| {
                        let id = one_line(&call_id, 100);
                        wrong(&format!("the assistant's last message has no call `{id}`"))
                    })?;
                    open.remove(answered);
                    let result = ToolResult { call_id, content: text, is_error: false };
                    (contract::Role::Tool, vec![Part::Outcome(result)])
                }
            };
            conversation.messages.push(contract::Message { role, parts });
        }
        if let Some(id) = open.first() {
            let id = one_line(id, 100);
            return Err(wrong(format!("no message of a tool answers the call `{id}`")));
        }
        match conversation.messages.last().map(|message| message.role) {
            Some(contract::Role::User | contract::Role::Tool) => Ok(conversation),
            Some(_) => Err(wrong("the last message is neither the user's nor a tool's".into())),
            None => Err(wrong("nobody asks anything: there is no message of the user".into())),
        }
    }

    /// What tools answered to the last calls: the message that has the calls is at this place, and
    /// these are the answers.
    pub(super) fn results(&self) -> Option<(usize, Vec<&ToolResult>)> {
        let result = |message: &'_ contract::Message| message.role == contract::Role::Tool;
        let results = self.messages.iter().rev().take_while(|message| result(message)).count();
        let calls = (self.messages.len() - results).checked_sub(1).filter(|_| results > 0)?;
        let parts = self.messages[calls + 1..].iter().flat_map(|message| &message.parts);
        let results = parts.filter_map(|part| match part {
            Part::Outcome(result) => Some(result),
            _ => None,
        });
        Some((calls, results.collect()))
    }

    /// The calls in it.
    pub(super) fn calls(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
            Part::Call(call) => Some(call.id.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(messages: Value) -> Result<Conversation, String> {
        let messages: Vec<Message> =
            serde_json::from_value(messages).map_err(|error| error.to_string())?;
        Conversation::of(messages).map_err(|refusal| refusal.error)
    }

    #[test]
    fn conversations_are_read() {
        let call = json!({ "id": "a", "type": "function",
                           "function": { "name": "f", "arguments": "{}" } });
        let read = read(json!([
            { "role": "system", "content": "Be brief." },
            { "role": "developer", "content": [{ "type": "text", "text": "Be kind." }] },
            { "role": "user", "content": [
                { "type": "text", "text": "a" }, { "type": "text", "text": "b" }] },
            { "role": "assistant", "content": null, "tool_calls": [call] },
            { "role": "tool", "tool_call_id": "a", "content": "1" },
        ]))
        .unwrap();
        assert_eq!(read.instructions, "Be brief.\n\nBe kind.");
        assert_eq!(read.messages.len(), 3);
        assert_eq!(read.messages[0].parts, [Part::Text("a\nb".into())]);
        let (place, results) = read.results().unwrap();
        assert_eq!((place, results.len(), results[0].content.as_str()), (1, 1, "1"));
        assert_eq!(read.calls().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let call = json!({ "id": "a", "type": "function",
                           "function": { "name": "f", "arguments": "{}" } });
        let user = json!({ "role": "user", "content": "x" });
        let calls = json!({ "role": "assistant", "tool_calls": [call] });
        let tool = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "1" });
        let image = json!([{ "type": "image_url", "image_url": { "url": "data:" } }]);
        for (messages, told) in [
            (json!([]), "nobody asks anything"),
            (json!([{ "role": "system", "content": "x" }]), "nobody asks anything"),
            (json!([user, { "role": "assistant", "content": "x" }]), "neither the user's nor"),
            (json!([{ "role": "user" }]), "messages[0]: it has no content"),
            (json!([{ "role": "user", "content": 1 }]), "a text, or a list of parts"),
            (json!([{ "role": "user", "content": image }]), "unknown variant `image_url`"),
            (json!([{ "role": "god", "content": "x" }]), "unknown variant `god`"),
            (json!([user, calls]), "answers the call `a`"),
            (json!([user, calls, user]), "messages[2]: no message of a tool answers"),
            (json!([user, calls, tool("b")]), "has no call `b`"),
            (json!([user, calls, tool("a"), tool("a")]), "has no call `a`"),
            (json!([user, { "role": "tool", "content": "1" }]), "has no tool_call_id"),
            (json!([{ "role": "user", "content": "x", "tool_calls": [call] }]), "only the assis"),
        ] {
            let error = read(messages.clone()).unwrap_err();
            assert!(error.contains(told), "{messages}: {error}");
        }
    }
}
