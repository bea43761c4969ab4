//! Chat templates: a conversation as the text that the model was trained on.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, context};
use serde_json::{Map, Value, json};

use crate::error::ModelError;
use crate::text::marks::wedge;
use crate::text::{Marks, Prompt, Reasoning, TextError, python};
use crate::turns::{Turn, arguments, invalid, object, parameters_of, turns};
use crate::types::{Request, ToolSpec};

/// For models without a template of their own.
const CHATML: &str = "{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}";

/// Instructions of a template that may be carried out for one prompt.
const FUEL: u64 = 10_000_000;

/// The name under which the template is kept.
const NAME: &str = "chat_template";

/// A chat template, written in Jinja as Hugging Face's are.
///
/// It is given what `apply_chat_template` gives: `messages` (with `tool_calls`, whose arguments
/// are objects, `tool_call_id`, `name` and `reasoning_content`), `tools`,
/// `add_generation_prompt`, `bos_token` and `eos_token`.
#[derive(Debug, Clone)]
pub struct Template {
    environment: Environment<'static>,
    marks: Marks,
}

impl Template {
    /// A template; without one, ChatML. `marks` are those of the model's tokenizer.
    ///
    /// # Errors
    ///
    /// It is no Jinja.
    pub fn new(source: Option<&str>, marks: &Marks) -> Result<Template, TextError> {
        let refuse = |error: minijinja::Error| TextError::Template(python::explained(&error));
        let mut environment = Environment::new();
        python::add(&mut environment);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(refuse)?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        let source = python::without_generation(source.unwrap_or(CHATML));
        environment.add_template_owned(NAME, source).map_err(refuse)?;
        Ok(Template { environment, marks: marks.clone() })
    }

    /// The prompt for a request: its tools and its messages, and the beginning of the answer.
    ///
    /// # Errors
    ///
    /// [`ModelError::Invalid`]: a message has a part that does not fit its role, a tool's schema
    /// is not an object, or the template refuses the conversation.
    pub fn render(&self, request: &Request) -> Result<Prompt, ModelError> {
        let turns = turns(&request.messages)?;
        let texts = turns.iter().flat_map(|turn| {
            let calls = turn.calls.iter().flat_map(|call| [&call.id, &call.name, &call.arguments]);
            calls.chain([&turn.text, &turn.reasoning]).map(String::as_str).chain(turn.answers)
        });
        let tools = request.tools.iter();
        let tools = tools.flat_map(|tool| [&tool.name, &tool.description, &tool.parameters]);
        // An escape in JSON (`\ufdd0`) may be the wedge too: parsed values are looked through below.
        let Some(wedge) = wedge(texts.chain(tools.map(String::as_str))) else {
            let hint = "leave out the private-use characters";
            return Err(invalid("the request holds every character that has no meaning", hint));
        };
        let given = Given { marks: &self.marks, wedge };
        let tools = request.tools.iter().map(|tool| given.tool(tool)).collect::<Result<_, _>>()?;
        let tools = Some(tools).filter(|tools: &Vec<Value>| !tools.is_empty());
        let messages: Vec<Value> =
            (0..turns.len()).map(|place| given.message(&turns, place)).collect();
        let context = context! {
            messages => Serde(messages),
            tools => Serde(tools),
            add_generation_prompt => true,
            bos_token => &self.marks.begin,
            eos_token => &self.marks.end,
        };
        let template = self.environment.get_template(NAME);
        let text = template.and_then(|template| template.render(context)).map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::InvalidOperation => {
                    "the model's template does not take this conversation; change it, or use \
                     another template"
                }
                _ => "use another template, or report this one",
            };
            invalid(&format!("the chat template failed: {}", python::explained(&error)), hint)
        })?;
        let opened = text.trim_end().ends_with("<think>");
        let reasoning = if opened { Reasoning::Opened } else { Reasoning::Auto };
        Ok(Prompt { text, wedge, reasoning })
    }
}

/// What people, tools and models wrote, made fit for the template.
struct Given<'a> {
    marks: &'a Marks,
    wedge: char,
}

impl Given<'_> {
    fn text(&self, text: &str) -> String {
        self.marks.guard(text, self.wedge)
    }

    fn value(&self, value: Value) -> Value {
        match value {
            // What was an escape in JSON might be the wedge.
            Value::String(text) => Value::String(self.text(&text.replace(self.wedge, "\u{fffd}"))),
            Value::Array(values) => {
                values.into_iter().map(|value| self.value(value)).collect::<Vec<_>>().into()
            }
            Value::Object(fields) => Value::Object(self.fields(fields)),
            other => other,
        }
    }

    fn fields(&self, fields: Map<String, Value>) -> Map<String, Value> {
        let field = |(name, value): (String, Value)| {
            (self.text(&name.replace(self.wedge, "\u{fffd}")), self.value(value))
        };
        fields.into_iter().map(field).collect()
    }

    fn tool(&self, tool: &ToolSpec) -> Result<Value, ModelError> {
        let ToolSpec { name, description, parameters } = tool;
        let parameters = self.fields(object(parameters, &parameters_of(name))?);
        let (name, description) = (self.text(name), self.text(description));
        let function = json!({"name": name, "description": description, "parameters": parameters});
        Ok(json!({"type": "function", "function": function}))
    }

    fn message(&self, turns: &[Turn<'_>], place: usize) -> Value {
        let Some(turn) = turns.get(place) else { return Value::Null };
        let mut message = json!({"role": turn.role, "content": self.text(&turn.text)});
        if !turn.reasoning.is_empty() {
            message["reasoning_content"] = json!(self.text(&turn.reasoning));
        }
        if !turn.calls.is_empty() {
            let calls = turn.calls.iter().map(|call| {
                let arguments = self.fields(arguments(call));
                let function = json!({"name": self.text(&call.name), "arguments": arguments});
                json!({"type": "function", "id": self.text(&call.id), "function": function})
            });
            message["tool_calls"] = calls.collect();
        }
        if let Some(id) = turn.answers {
            let mut earlier = turns.iter().take(place).rev().flat_map(|turn| &turn.calls);
            if let Some(call) = earlier.find(|call| call.id == id) {
                message["name"] = json!(self.text(&call.name));
            }
            message["tool_call_id"] = json!(self.text(id));
        }
        message
    }
}

#[cfg(test)]
#[path = "template/tests.rs"]
mod tests;
