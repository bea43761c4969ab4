//! What one JSON object of a server says: a chunk of a stream, a whole reply, or an error.
//!
//! Servers differ in the details, so this reads what they mean where that is plain, and names the
//! field where it is not.

use std::borrow::Cow;

use serde_json::Value;

use crate::types::Usage;

/// What an object adds to the answer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) calls: Vec<CallPiece>,
    /// The server's word for why it ended.
    pub(crate) finish: Option<String>,
    pub(crate) usage: Option<Usage>,
}

/// A piece of a tool call.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CallPiece {
    /// The call's place among the calls; not every server says it.
    pub(crate) index: Option<u64>,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: String,
}

/// Why an object is not part of an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum NoChunk {
    /// The server reports an error.
    Error(ServerError),
    /// The object makes no sense; this says why.
    Malformed(String),
}

/// An error as a server words it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ServerError {
    pub(crate) message: String,
    /// The words by which it classifies the error (`type` and `code`), lower case.
    pub(crate) kind: String,
    /// An HTTP status, where the error names one.
    pub(crate) status: Option<u16>,
}

impl Chunk {
    /// Reads an object.
    pub(crate) fn read(value: &Value) -> Result<Chunk, NoChunk> {
        if let Some(error) = ServerError::read(value) {
            return Err(NoChunk::Error(error));
        }
        if !value.is_object() {
            return Err(malformed(value, "an object", "as a piece of the answer"));
        }
        let mut chunk = Chunk { usage: usage(&value["usage"]), ..Chunk::default() };
        let choices = match &value["choices"] {
            Value::Array(choices) => choices.as_slice(),
            Value::Null if chunk.usage.is_some() => &[],
            other => return Err(malformed(other, "an array", "choices")),
        };
        // Only one answer was asked for.
        let first = |choice: &&Value| choice["index"].as_u64().unwrap_or_default() == 0;
        let Some(choice) = choices.iter().find(first) else { return Ok(chunk) };
        chunk.finish = choice["finish_reason"].as_str().map(str::to_owned);
        let whole = choice["delta"].is_null();
        let message = if whole { &choice["message"] } else { &choice["delta"] };
        match message {
            Value::Null => return Ok(chunk),
            Value::Object(_) => {}
            other => return Err(malformed(other, "an object", "choices[0].delta")),
        }
        for field in ["reasoning_content", "reasoning"] {
            if chunk.reasoning.is_empty() {
                chunk.reasoning = text(&message[field], field)?.into_owned();
            }
        }
        content(&message["content"], &mut chunk)?;
        chunk.text.push_str(&text(&message["refusal"], "refusal")?);
        match &message["tool_calls"] {
            Value::Null => {}
            Value::Array(calls) => {
                for (place, call) in calls.iter().enumerate() {
                    let mut piece = call_piece(call)?;
                    if whole {
                        piece.index = Some(place as u64);
                    }
                    chunk.calls.push(piece);
                }
            }
            other => return Err(malformed(other, "an array", "tool_calls")),
        }
        Ok(chunk)
    }
}

/// Text, or parts of text. Some servers put reasoning among the parts.
fn content(value: &Value, chunk: &mut Chunk) -> Result<(), NoChunk> {
    let Value::Array(parts) = value else {
        chunk.text.push_str(&text(value, "content")?);
        return Ok(());
    };
    for part in parts {
        match part["type"].as_str() {
            Some("text" | "output_text") => {
                chunk.text.push_str(&text(&part["text"], "content[].text")?);
            }
            Some("refusal") => chunk.text.push_str(&text(&part["refusal"], "content[].refusal")?),
            Some("thinking" | "reasoning") => {
                let thought = match &part["thinking"] {
                    Value::Null => &part["text"],
                    thinking => thinking,
                };
                let mut inner = Chunk::default();
                match thought {
                    // One level only, however deep a server would go.
                    Value::Array(parts) => {
                        for part in parts {
                            inner.text.push_str(&text(&part["text"], "content[].thinking[].text")?);
                        }
                    }
                    thought => inner.text.push_str(&text(thought, "content[].thinking")?),
                }
                chunk.reasoning.push_str(&inner.text);
            }
            _ => return Err(malformed(part, "a part of type \"text\"", "content[]")),
        }
    }
    Ok(())
}

fn call_piece(call: &Value) -> Result<CallPiece, NoChunk> {
    if !call.is_object() {
        return Err(malformed(call, "an object", "tool_calls[]"));
    }
    let function = &call["function"];
    let arguments = match &function["arguments"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let id = match &call["id"] {
        Value::Number(number) => number.to_string(),
        other => text(other, "tool_calls[].id")?.into_owned(),
    };
    Ok(CallPiece {
        index: call["index"].as_u64(),
        id,
        name: text(&function["name"], "tool_calls[].function.name")?.into_owned(),
        arguments,
    })
}

fn usage(value: &Value) -> Option<Usage> {
    // Some servers write a count as 12.0.
    let count = |value: &Value| {
        value.as_u64().or_else(|| value.as_f64().filter(|count| *count >= 0.0).map(|n| n as u64))
    };
    let input_tokens = count(&value["prompt_tokens"])?;
    let output_tokens = match (&value["completion_tokens"], &value["total_tokens"]) {
        (Value::Null, total) => count(total)?.checked_sub(input_tokens)?,
        (tokens, _) => count(tokens)?,
    };
    Some(Usage { input_tokens, output_tokens, approximate: false })
}

fn text<'a>(value: &'a Value, field: &str) -> Result<Cow<'a, str>, NoChunk> {
    match value {
        Value::Null => Ok("".into()),
        Value::String(text) => Ok(text.into()),
        other => Err(malformed(other, "text", field)),
    }
}

fn malformed(found: &Value, wanted: &str, field: &str) -> NoChunk {
    let found = match found {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    NoChunk::Malformed(format!("it sent {found} where {wanted} belongs, {field}"))
}

impl ServerError {
    /// The error that an object reports, if it does. The forms in use:
    /// `{"error": {"message", "type", "code"}}`, `{"error": "text"}`,
    /// `{"object": "error", "message", "type", "code"}`, `{"detail": …}` and
    /// `{"message", "code"}` alone.
    pub(crate) fn read(value: &Value) -> Option<ServerError> {
        let fields = match &value["error"] {
            Value::Null if value["choices"].is_null() => value,
            Value::Null => return None,
            error => error,
        };
        let message = match (fields, &fields["message"], &value["detail"]) {
            (Value::String(text), _, _) | (_, Value::String(text), _) => text.clone(),
            (_, _, Value::String(text)) => text.clone(),
            (_, _, Value::Null) if std::ptr::eq(fields, value) => return None,
            (_, _, Value::Null) => fields.to_string(),
            (_, _, detail) => detail.to_string(),
        };
        let words = [&fields["type"], &fields["code"]].map(|word| word.as_str().unwrap_or(""));
        let status = match &fields["code"] {
            Value::String(text) => text.parse().ok(),
            code => code.as_u64().and_then(|code| u16::try_from(code).ok()),
        };
        let status = status.filter(|status| (400..600).contains(status));
        Some(ServerError { message, kind: words.join(" ").trim().to_lowercase(), status })
    }
}

#[cfg(test)]
#[path = "chunk/tests.rs"]
mod tests;
