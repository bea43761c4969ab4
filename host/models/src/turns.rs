//! A conversation as chat formats have it: one text a turn, each tool's result a turn of its own.

use serde_json::{Map, Value, json};

use crate::error::ModelError;
use crate::types::{Message, Part, Role, ToolCall};

/// One turn of a conversation.
#[derive(Debug, PartialEq)]
pub(crate) struct Turn<'a> {
    /// `system`, `user`, `assistant` or `tool`.
    pub(crate) role: &'static str,
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) calls: Vec<&'a ToolCall>,
    /// The call that a turn of a tool answers.
    pub(crate) answers: Option<&'a str>,
}

/// The turns of a conversation.
///
/// # Errors
///
/// [`ModelError::Invalid`]: there is no message, or a message has a part that does not fit its
/// role.
pub(crate) fn turns(messages: &[Message]) -> Result<Vec<Turn<'_>>, ModelError> {
    if messages.is_empty() {
        return Err(invalid("the request has no message", "put the question into one"));
    }
    let mut turns = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        push(&mut turns, message).map_err(|what| {
            invalid(
                &format!("message {} of the request, by {:?}, {what}", index + 1, message.role),
                "calls belong into messages of the assistant, outcomes into messages of a tool",
            )
        })?;
    }
    Ok(turns)
}

/// Adds a message: its outcomes first, each a turn of its own, then the rest.
fn push<'a>(turns: &mut Vec<Turn<'a>>, message: &'a Message) -> Result<(), &'static str> {
    let (mut text, mut reasoning, mut calls) = (String::new(), String::new(), Vec::new());
    let mut outcomes = 0;
    for part in &message.parts {
        match (part, message.role) {
            (Part::Text(_), Role::Tool) => return Err("has text that answers no call"),
            (Part::Text(more), _) => text.push_str(more),
            (Part::Reasoning(more), _) => reasoning.push_str(more),
            (Part::Call(call), Role::Assistant) => calls.push(call),
            (Part::Call(_), _) => return Err("asks for a tool"),
            (Part::Outcome(result), Role::Tool) => {
                let text = match result.is_error {
                    true => format!("error: {}", result.content),
                    false => result.content.clone(),
                };
                outcomes += 1;
                turns.push(Turn {
                    role: "tool",
                    text,
                    reasoning: String::new(),
                    calls: Vec::new(),
                    answers: Some(&result.call_id),
                });
            }
            (Part::Outcome(_), _) => return Err("has the outcome of a tool"),
        }
    }
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool if outcomes == 0 => return Err("has no outcome"),
        Role::Tool => return Ok(()),
    };
    turns.push(Turn { role, text, reasoning, calls, answers: None });
    Ok(())
}

/// The arguments of a call that the model made before. Templates want an object, and one answer
/// that was no JSON would make every later request fail; so such arguments go back as a text in
/// an object.
pub(crate) fn arguments(call: &ToolCall) -> Map<String, Value> {
    match serde_json::from_str::<Map<String, Value>>(&call.arguments) {
        Ok(arguments) => arguments,
        Err(_) => Map::from_iter([("unparsed".to_owned(), json!(call.arguments))]),
    }
}

/// Checks that a text is a JSON object; `what` names it in the error.
///
/// # Errors
///
/// [`ModelError::Invalid`]: it is not.
pub(crate) fn object(text: &str, what: &str) -> Result<Map<String, Value>, ModelError> {
    let hint = "write a JSON Schema as an object: {\"type\": \"object\", …}";
    serde_json::from_str(text)
        .map_err(|error| invalid(&format!("{what} is not a JSON object: {error}"), hint))
}

/// What the parameters of a tool are called in errors.
pub(crate) fn parameters_of(tool: &str) -> String {
    format!("the parameters' schema of tool {tool}")
}

pub(crate) fn invalid(what: &str, hint: &str) -> ModelError {
    ModelError::Invalid(format!("{what}\nhint: {hint}"))
}
