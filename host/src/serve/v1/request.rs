//! What a client asks for.

use june_sandbox::contract::{Sampling, ToolSpec};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::messages::{CallKind, Message};
use crate::serve::refusal::Refusal;
use crate::words::one_line;

/// The most tools that a client may offer.
const TOOLS: usize = 128;
/// The longest name of a tool, as models take them.
const NAME: usize = 64;

/// What is asked of an agent. Members that are not named here change nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = openai::Request)]
pub(super) struct Request {
    /// The agent.
    pub(super) model: String,
    /// The conversation; its last message is the request.
    #[schema(min_items = 1)]
    pub(super) messages: Vec<Message>,
    /// Whether the answer comes as it is written, as events.
    pub(super) stream: Option<bool>,
    pub(super) stream_options: Option<StreamOptions>,
    /// Tools of the client, which the agent may call beside its own.
    #[serde(default)]
    tools: Option<Vec<OfferedTool>>,
    /// `none`, or `auto`: an agent decides itself what it calls.
    tool_choice: Option<Value>,
    /// Whether one answer may have several calls.
    pub(super) parallel_tool_calls: Option<bool>,
    /// The most tokens that the agent's models may write for the answer, reasoning and the
    /// questions of the agent's own included.
    #[schema(minimum = 1)]
    max_completion_tokens: Option<u64>,
    /// As `max_completion_tokens`.
    #[schema(minimum = 1)]
    max_tokens: Option<u64>,
    /// For whatever the agent asks its models, unless it chooses itself; as the next two.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f32>,
    #[schema(minimum = 0, maximum = 1)]
    top_p: Option<f32>,
    seed: Option<i64>,
    /// 1.
    #[schema(minimum = 1, maximum = 1)]
    n: Option<u32>,
    #[serde(flatten)]
    refused: Members,
}

/// Members that would change what an answer means, and cannot be had of an agent.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = openai::Members)]
struct Members {
    /// Text.
    response_format: Option<Value>,
    /// None.
    stop: Option<Value>,
    /// False.
    logprobs: Option<Value>,
    /// None.
    top_logprobs: Option<Value>,
    /// None.
    logit_bias: Option<Value>,
    /// 0.
    frequency_penalty: Option<Value>,
    /// 0.
    presence_penalty: Option<Value>,
    /// Text alone.
    modalities: Option<Value>,
    /// None.
    audio: Option<Value>,
    /// None: use `tools`.
    functions: Option<Value>,
    /// None: use `tool_choice`.
    function_call: Option<Value>,
    /// None.
    web_search_options: Option<Value>,
}

/// How an answer is streamed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = openai::StreamOptions)]
pub(super) struct StreamOptions {
    /// Whether the last event but one says what the answer took.
    pub(super) include_usage: Option<bool>,
}

/// A tool of the client.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = openai::OfferedTool)]
struct OfferedTool {
    #[serde(rename = "type")]
    #[expect(dead_code, reason = "there is one kind")]
    kind: CallKind,
    function: Function,
}

/// What a tool is called, what it does, and which arguments it takes.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = openai::Function)]
struct Function {
    /// Letters, digits, `-` and `_`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    name: String,
    description: Option<String>,
    /// A JSON Schema. What an agent calls the tool with always satisfies it.
    #[schema(value_type = Option<Object>)]
    parameters: Option<Value>,
}

/// What the run of a request may do beside what its agent may.
#[derive(Debug, PartialEq)]
pub(super) struct Terms {
    pub(super) tools: Vec<ToolSpec>,
    pub(super) sampling: Sampling,
    /// The most tokens.
    pub(super) tokens: Option<u64>,
}

impl Request {
    /// Whether the last event but one says what the answer took.
    pub(super) fn usage(&self) -> bool {
        self.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false)
    }

    /// What is asked for beside the conversation.
    pub(super) fn terms(&self) -> Result<Terms, Refusal> {
        self.refused.check()?;
        if self.n.is_some_and(|n| n != 1) {
            let error = "an agent gives one answer, and `n` asks for another number of them";
            return Err(Refusal::bad(error).about("n"));
        }
        let within = |member: &'static str, value: Option<f32>, most: f32| match value {
            Some(value) if !(0.0..=most).contains(&value) => {
                Err(Refusal::bad(format!("`{member}` is not between 0 and {most}")).about(member))
            }
            value => Ok(value),
        };
        let sampling = Sampling {
            temperature: within("temperature", self.temperature, 2.0)?,
            top_p: within("top_p", self.top_p, 1.0)?,
            top_k: None,
            min_p: None,
            seed: self.seed.map(i64::cast_unsigned),
        };
        let tokens = [
            ("max_completion_tokens", self.max_completion_tokens),
            ("max_tokens", self.max_tokens),
        ];
        if let Some((member, _)) = tokens.iter().find(|(_, tokens)| *tokens == Some(0)) {
            return Err(Refusal::bad(format!("`{member}` is 0")).about(member));
        }
        let tokens = tokens.into_iter().find_map(|(_, tokens)| tokens);
        let tools = if self.calls_none()? { Vec::new() } else { self.tools()? };
        Ok(Terms { tools, sampling, tokens })
    }

    /// Whether no tool of the client may be called.
    fn calls_none(&self) -> Result<bool, Refusal> {
        match &self.tool_choice {
            None | Some(Value::Null) => Ok(false),
            Some(Value::String(choice)) if choice == "auto" => Ok(false),
            Some(Value::String(choice)) if choice == "none" => Ok(true),
            Some(_) => {
                let error = "an agent decides itself which tools it calls, and `tool_choice` wants \
                             to decide that";
                let hint = "`tool_choice` may be auto or none; what has to be called can be said \
                            in a message";
                Err(Refusal::bad(error).hint(hint).about("tool_choice"))
            }
        }
    }

    fn tools(&self) -> Result<Vec<ToolSpec>, Refusal> {
        let wrong = |why: String| Refusal::bad(why).about("tools");
        let tools = self.tools.as_deref().unwrap_or_default();
        if tools.len() > TOOLS {
            return Err(wrong(format!("there are more than {TOOLS} tools")));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let mut specs: Vec<ToolSpec> = Vec::new();
        for OfferedTool { function: Function { name, description, parameters }, .. } in tools {
            if name.is_empty() || name.len() > NAME || !name.chars().all(plain) {
                let error = format!("`{}` is no name for a tool", one_line(name, 100));
                return Err(wrong(error).hint("use at most 64 letters, digits, `-` and `_`"));
            }
            if specs.iter().any(|spec| spec.name == *name) {
                return Err(wrong(format!("there are two tools `{name}`")));
            }
            specs.push(ToolSpec {
                name: name.clone(),
                description: description.clone().unwrap_or_default(),
                parameters: match parameters {
                    Some(schema) => schema.to_string(),
                    None => r#"{"type":"object"}"#.to_owned(),
                },
            });
        }
        Ok(specs)
    }
}

/// A member's name and value, and whether the value changes nothing after all.
type Member<'a> = (&'static str, &'a Option<Value>, fn(&Value) -> bool);

impl Members {
    /// Refuses each of them by its name, unless it asks for nothing.
    fn check(&self) -> Result<(), Refusal> {
        let is_text = |value: &Value| value["type"] == "text";
        let members: [Member<'_>; 11] = [
            ("stop", &self.stop, |_| false),
            ("logprobs", &self.logprobs, |_| false),
            ("top_logprobs", &self.top_logprobs, |_| false),
            ("logit_bias", &self.logit_bias, |_| false),
            ("frequency_penalty", &self.frequency_penalty, |_| false),
            ("presence_penalty", &self.presence_penalty, |_| false),
            ("modalities", &self.modalities, |value| *value == serde_json::json!(["text"])),
            ("audio", &self.audio, |_| false),
            ("functions", &self.functions, |_| false),
            ("function_call", &self.function_call, |value| *value == "none"),
            ("web_search_options", &self.web_search_options, |_| false),
        ];
        if let Some(format) = &self.response_format
            && !format.is_null()
            && !is_text(format)
        {
            let error = "agents answer with text, and `response_format` asks for another form";
            let hint = "say in a message what form the answer should have, and check it";
            return Err(Refusal::bad(error).hint(hint).about("response_format"));
        }
        for (member, value, harmless) in members {
            if value.as_ref().is_some_and(|value| !is_nothing(value) && !harmless(value)) {
                let error = format!("`{member}` cannot be had of an agent");
                return Err(Refusal::bad(error).hint("leave it out").about(member));
            }
        }
        Ok(())
    }
}

/// Whether a value asks for nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn terms(more: Value) -> Result<Terms, Refusal> {
        let mut request = json!({ "model": "a", "messages": [] });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        let request: Request = serde_json::from_str(&request.to_string()).unwrap();
        request.terms()
    }

    #[test]
    fn what_can_be_had_is_read() {
        let tool = json!({ "type": "function",
                           "function": { "name": "f", "parameters": { "type": "object" } } });
        let read = terms(json!({
            "temperature": 0.5, "top_p": 1, "seed": 7, "max_tokens": 9, "tools": [tool], "n": 1,
            "stop": null, "logprobs": false, "presence_penalty": 0, "logit_bias": {},
            "response_format": { "type": "text" }, "modalities": ["text"], "user": "ada",
            "tool_choice": "auto", "service_tier": "auto", "unheard_of": { "a": 1 },
        }))
        .unwrap();
        assert_eq!((read.tokens, read.sampling.temperature), (Some(9), Some(0.5)));
        assert_eq!(read.tools[0].parameters, r#"{"type":"object"}"#);
        assert_eq!(terms(json!({ "tools": [tool], "tool_choice": "none" })).unwrap().tools, []);
        assert_eq!(
            terms(json!({ "max_tokens": 9, "max_completion_tokens": 5 })).unwrap().tokens,
            Some(5)
        );
    }

    #[test]
    fn what_would_change_the_meaning_is_refused_by_name() {
        let tool = |name: &str| json!({ "type": "function", "function": { "name": name } });
        for (member, value) in [
            ("n", json!(2)),
            ("stop", json!("END")),
            ("stop", json!(["END"])),
            ("logprobs", json!(true)),
            ("top_logprobs", json!(2)),
            ("logit_bias", json!({ "50256": -100 })),
            ("frequency_penalty", json!(0.5)),
            ("presence_penalty", json!(-0.5)),
            ("modalities", json!(["text", "audio"])),
            ("audio", json!({ "voice": "x" })),
            ("functions", json!([{ "name": "f" }])),
            ("function_call", json!("auto")),
            ("response_format", json!({ "type": "json_object" })),
            ("tool_choice", json!("required")),
            ("tool_choice", json!({ "type": "function", "function": { "name": "f" } })),
            ("temperature", json!(2.5)),
            ("temperature", json!(-1)),
            ("top_p", json!(1.5)),
            ("max_tokens", json!(0)),
            ("tools", json!([tool("")])),
            ("tools", json!([tool("a b")])),
            ("tools", json!([tool("f"), tool("f")])),
        ] {
            let refusal = terms(json!({ member: value })).unwrap_err();
            assert_eq!(refusal.status, 400);
            assert_eq!(refusal.openai()["error"]["param"], member, "{}", refusal.error);
        }
    }
}
