//! A request in OpenAI's form.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::ModelError;
use crate::openai::settings::{Grammar, Settings, TokenLimit};
use crate::turns::{Turn, arguments, invalid, object, parameters_of, turns};
use crate::types::{Request, ResponseFormat, ToolCall, ToolSpec};

/// The names that a body may have; the settings may not add one of them.
pub(crate) const NAMES: [&str; 17] = [
    "model",
    "messages",
    "tools",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "response_format",
    "grammar",
    "ebnf",
    "structured_outputs",
    "stream",
    "stream_options",
];

/// The body of `POST /chat/completions`. Written straight to text: by way of a [`Value`], an `f32`
/// would become an `f64` with other digits.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grammar: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ebnf: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_outputs: Option<Structured<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Call<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Asked<'a>,
}

#[derive(Serialize)]
struct Asked<'a> {
    name: &'a str,
    arguments: String,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: Box<RawValue>,
}

#[derive(Serialize)]
struct Format {
    r#type: &'static str,
    json_schema: Schema,
}

#[derive(Serialize)]
struct Schema {
    name: &'static str,
    schema: Box<RawValue>,
    strict: bool,
}

#[derive(Serialize)]
struct Structured<'a> {
    grammar: &'a str,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// Writes the body. `count` asks for the usage.
///
/// # Errors
///
/// [`ModelError::Invalid`]: there is no message, a message has a part that does not fit its role,
/// a schema is not a JSON object, or the server is set to have no grammars.
pub(crate) fn write(
    settings: &Settings,
    request: &Request,
    count: bool,
) -> Result<Vec<u8>, ModelError> {
    let Request { messages, tools, sampling, max_tokens, stop, response_format, .. } = request;
    let said = turns(messages)?.into_iter().map(say).collect();
    let mut body = Body {
        model: &settings.model,
        messages: said,
        tools: tools.iter().map(describe).collect::<Result<_, _>>()?,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        min_p: sampling.min_p,
        seed: sampling.seed,
        max_tokens: None,
        max_completion_tokens: None,
        stop,
        response_format: None,
        grammar: None,
        ebnf: None,
        structured_outputs: None,
        stream: true,
        stream_options: count.then_some(StreamOptions { include_usage: true }),
        extra: &settings.extra,
    };
    match settings.token_limit {
        TokenLimit::MaxTokens => body.max_tokens = *max_tokens,
        TokenLimit::MaxCompletionTokens => body.max_completion_tokens = *max_tokens,
    }
    match response_format {
        ResponseFormat::Text => {}
        ResponseFormat::JsonSchema(schema) => {
            let schema = raw(schema, "the schema of the answer")?;
            let json_schema = Schema { name: "answer", schema, strict: true };
            body.response_format = Some(Format { r#type: "json_schema", json_schema });
        }
        ResponseFormat::Grammar(grammar) => match settings.grammar {
            Grammar::LlamaCpp => body.grammar = Some(grammar),
            Grammar::Vllm => body.structured_outputs = Some(Structured { grammar }),
            Grammar::Sglang => body.ebnf = Some(grammar),
            Grammar::None => {
                let what = format!("the server of {} has no grammars", settings.model);
                return Err(invalid(&what, "ask for a JSON Schema, or for text"));
            }
        },
    }
    serde_json::to_vec(&body)
        .map_err(|error| invalid(&format!("the request is not JSON: {error}"), "report this"))
}

/// A turn. Templates leave earlier reasoning out, and servers refuse it.
fn say(turn: Turn<'_>) -> Said<'_> {
    let Turn { role, text, reasoning: _, calls, answers } = turn;
    let content = (calls.is_empty() || !text.is_empty()).then_some(text);
    let tool_calls = calls.into_iter().map(tool_call).collect();
    Said { role, content, tool_calls, tool_call_id: answers }
}

/// A call that the model made before; arguments that are an object stay as they are.
fn tool_call(call: &ToolCall) -> Call<'_> {
    let arguments = match serde_json::from_str::<Map<String, Value>>(&call.arguments) {
        Ok(_) => call.arguments.clone(),
        Err(_) => Value::Object(arguments(call)).to_string(),
    };
    Call { id: &call.id, r#type: "function", function: Asked { name: &call.name, arguments } }
}

fn describe(tool: &ToolSpec) -> Result<Tool<'_>, ModelError> {
    let ToolSpec { name, description, parameters } = tool;
    let parameters = raw(parameters, &parameters_of(name))?;
    Ok(Tool { r#type: "function", function: Function { name, description, parameters } })
}

/// A JSON object, to be sent as it is written.
fn raw(text: &str, what: &str) -> Result<Box<RawValue>, ModelError> {
    object(text, what)?;
    let unlikely = |error| invalid(&format!("{what} is not JSON: {error}"), "report this");
    serde_json::from_str(text).map_err(unlikely)
}

#[cfg(test)]
#[path = "body/tests.rs"]
mod tests;
