//! Models, as components ask them: the contract's values on one side, those of `june-models` on
//! the other, and between them the policy that keeps a conversation within the window.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use june_models::context::{self, Policy, Window};
use june_models::estimate::Scale;
use june_models::openai::{OpenAi, Proxy, Settings};
use june_models::scripted::Scripted;
use june_models::text::{self, Marks, Template};
use june_models::triton::{ModelSettings, Triton};
use june_models::{Model, ModelError, Secret, types};
use june_sandbox::capabilities::{Deltas, Llm};
use june_sandbox::contract::{self, LlmError};

use crate::config::{ModelTable, OpenAiTable};
use crate::lazy::Lazy;
use crate::{local, paths};

/// The models of a configuration, by their aliases.
pub(crate) struct Models(BTreeMap<String, Arc<Known>>);

struct Known {
    model: Box<dyn Model>,
    /// The same, where it is loaded in this process.
    lazy: Option<Lazy>,
    overflow: Policy,
    /// How far the estimate of tokens is off, by what the server counted last.
    scale: Mutex<Scale>,
}

impl Models {
    /// Makes the models ready that these tables describe. Nothing is sent yet.
    pub(crate) fn new<'a>(
        tables: impl Iterator<Item = (&'a String, &'a ModelTable)>,
        folder: &Path,
    ) -> Result<Self> {
        let mut models = BTreeMap::new();
        for (alias, table) in tables {
            let known = Known::new(alias, table, folder)
                .with_context(|| format!("model `{alias}` cannot be used"))?;
            models.insert(alias.clone(), Arc::new(known));
        }
        Ok(Self(models))
    }

    /// A transcript, under all of these aliases.
    pub(crate) fn scripted(aliases: &[String], file: &Path) -> Result<Self> {
        Ok(Self::only(aliases, Box::new(Scripted::load(file)?)))
    }

    /// One model, under all of these aliases.
    pub(crate) fn only(aliases: &[String], model: Box<dyn Model>) -> Self {
        let (overflow, scale) = (Policy::default(), Mutex::default());
        let known = Arc::new(Known { model, lazy: None, overflow, scale });
        Self(aliases.iter().map(|alias| (alias.clone(), known.clone())).collect())
    }
}

impl Models {
    /// A model that is loaded in this process, if it is one.
    pub(crate) fn own(&self, alias: &str) -> Option<&Lazy> {
        self.0.get(alias)?.lazy.as_ref()
    }

    /// Asks a model directly, with the conversation as it is.
    pub(crate) fn ask_plainly(&self, alias: &str, request: types::Request) -> june_models::Deltas {
        match self.0.get(alias) {
            Some(known) => known.model.stream(request),
            None => {
                let why = format!("there is no model `{alias}`");
                stream::once(std::future::ready(Err(ModelError::Invalid(why)))).boxed()
            }
        }
    }
}

impl Known {
    fn new(alias: &str, table: &ModelTable, folder: &Path) -> Result<Self> {
        let mut lazy = None;
        let mut own = |model: Lazy| Box::new(lazy.insert(model).clone());
        let (model, overflow): (Box<dyn Model>, Policy) = match table {
            ModelTable::Scripted(table) => {
                (Box::new(Scripted::load(folder.join(&table.file))?), table.overflow)
            }
            ModelTable::Local(table) => {
                let path = table.path(alias, folder)?;
                (own(local::lazy(alias, path, table.settings())), table.overflow)
            }
            ModelTable::Trtllm(table) => {
                let folder = folder.join(&table.engine);
                (own(local::engine(alias, folder, table.memory_share)), table.overflow)
            }
            ModelTable::Triton(table) => {
                let name = table.model.as_deref().unwrap_or(alias);
                let mut settings = ModelSettings::new(&table.url, name);
                settings.server.key = table.key.as_deref().map(key).transpose()?;
                (settings.context, settings.pieces) = (table.context, table.pieces);
                let template = match &table.folder {
                    Some(own) => text::load(&folder.join(own))?.1,
                    None => Template::new(None, &Marks::chatml()?)?,
                };
                (Box::new(Triton::new(settings, template)?), table.overflow)
            }
            ModelTable::OpenAi(table) => {
                (Box::new(OpenAi::new(server(alias, table)?)?), table.overflow)
            }
        };
        Ok(Self { model, lazy, overflow, scale: Mutex::default() })
    }

    /// Asks, with a conversation that fits the window.
    async fn ask(self: Arc<Self>, request: types::Request) -> Result<Deltas, LlmError> {
        let mut request = request;
        let scale = *self.scale.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = Window::new(&*self.model, &request) {
            // An answer cannot be longer than half of the window; the rest is the question's.
            let answer = window.answer.min(window.context / 2).max(1);
            request.max_tokens = Some(answer);
            let window = Window { answer, ..window };
            let fitted = context::fit(&*self.model, request, window, self.overflow, scale).await;
            request = fitted.map_err(error_of)?.request;
        }
        let mut deltas = self.model.stream(request.clone());
        // What fails at once is the question's failure, not the stream's.
        let first = match deltas.next().await {
            Some(Err(error)) => return Err(error_of(error)),
            first => first,
        };
        let known = self;
        let deltas = stream::iter(first).chain(deltas).map(move |delta| {
            if let Ok(types::Delta::Finish(_, usage)) = &delta {
                let mut scale = known.scale.lock().unwrap_or_else(PoisonError::into_inner);
                *scale = Scale::new(&request, *usage);
            }
            delta.map(delta_of).map_err(error_of)
        });
        Ok(deltas.boxed())
    }
}

/// A key, from the environment.
pub(crate) fn key(variable: &str) -> Result<Secret> {
    let key = paths::secret(variable)
        .with_context(|| format!("its key is in ${variable}, which is not set\nhint: export it"))?;
    Ok(Secret::new(key))
}

/// How a server is asked.
pub(crate) fn server(alias: &str, table: &OpenAiTable) -> Result<Settings> {
    let name = table.model.as_deref().unwrap_or(alias);
    let mut settings = Settings::new(&table.url, name);
    settings.key = table.key.as_deref().map(key).transpose()?;
    settings.context = table.context;
    settings.reasoning = table.reasoning;
    settings.token_limit = table.token_limit;
    settings.grammar = table.grammar;
    settings.extra = match serde_json::to_value(&table.extra)? {
        serde_json::Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    if let Some(proxy) = &table.proxy {
        settings.proxy = Proxy::Url(proxy.clone());
    }
    let deadlines = &mut settings.deadlines;
    for (own, asked) in [
        (&mut deadlines.first, table.first),
        (&mut deadlines.between, table.between),
        (&mut deadlines.total, table.total),
    ] {
        if let Some(asked) = asked {
            *own = asked.0;
        }
    }
    Ok(settings)
}

impl Llm for Models {
    fn stream(&self, request: contract::Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        match self.0.get(&request.model) {
            Some(known) => known.clone().ask(request_of(request)).boxed(),
            None => {
                let why = format!("there is no model `{}`", request.model);
                std::future::ready(Err(LlmError::Unavailable(why))).boxed()
            }
        }
    }
}

fn request_of(request: contract::Request) -> types::Request {
    let contract::Request { model, messages, tools, sampling, max_tokens, stop, response_format } =
        request;
    types::Request {
        model,
        messages: messages.into_iter().map(message_of).collect(),
        tools: tools.into_iter().map(tool_of).collect(),
        sampling: types::Sampling {
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            min_p: sampling.min_p,
            seed: sampling.seed,
        },
        max_tokens,
        stop,
        response_format: match response_format {
            contract::ResponseFormat::Text => types::ResponseFormat::Text,
            contract::ResponseFormat::JsonSchema(schema) => {
                types::ResponseFormat::JsonSchema(schema)
            }
            contract::ResponseFormat::Grammar(grammar) => types::ResponseFormat::Grammar(grammar),
        },
    }
}

fn message_of(message: contract::Message) -> types::Message {
    let role = match message.role {
        contract::Role::System => types::Role::System,
        contract::Role::User => types::Role::User,
        contract::Role::Assistant => types::Role::Assistant,
        contract::Role::Tool => types::Role::Tool,
    };
    let parts = message.parts.into_iter().map(|part| match part {
        contract::Part::Text(text) => types::Part::Text(text),
        contract::Part::Reasoning(text) => types::Part::Reasoning(text),
        contract::Part::Call(contract::ToolCall { id, name, arguments }) => {
            types::Part::Call(types::ToolCall { id, name, arguments })
        }
        contract::Part::Outcome(contract::ToolResult { call_id, content, is_error }) => {
            types::Part::Outcome(types::ToolResult { call_id, content, is_error })
        }
    });
    types::Message { role, parts: parts.collect() }
}

fn tool_of(spec: contract::ToolSpec) -> types::ToolSpec {
    let contract::ToolSpec { name, description, parameters } = spec;
    types::ToolSpec { name, description, parameters }
}

fn delta_of(delta: types::Delta) -> contract::Delta {
    match delta {
        types::Delta::Text(text) => contract::Delta::Text(text),
        types::Delta::Reasoning(text) => contract::Delta::Reasoning(text),
        types::Delta::Call(types::ToolCall { id, name, arguments }) => {
            contract::Delta::Call(contract::ToolCall { id, name, arguments })
        }
        types::Delta::Finish(finish, usage) => {
            let finish = match finish {
                types::FinishReason::Stop => contract::FinishReason::Stop,
                types::FinishReason::Length => contract::FinishReason::Length,
                types::FinishReason::ToolCalls => contract::FinishReason::ToolCalls,
                types::FinishReason::ContentFilter => contract::FinishReason::ContentFilter,
            };
            let types::Usage { input_tokens, output_tokens, .. } = usage;
            contract::Delta::Finish((finish, contract::Usage { input_tokens, output_tokens }))
        }
    }
}

fn error_of(error: ModelError) -> LlmError {
    match error {
        ModelError::Invalid(why) => LlmError::Invalid(why),
        ModelError::ContextOverflow(why) => LlmError::ContextOverflow(why),
        error => LlmError::Unavailable(error.to_string()),
    }
}
