//! A model of a Triton server.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use crate::openai::asking::told;
use crate::openai::failure::is_overflow;
use crate::openai::sse::Events;
use crate::openai::{self, Limits};
use crate::text::{Output, Template};
use crate::triton::error::TritonError;
use crate::triton::pieces::{Growing, Pieces};
use crate::triton::server::{Replied, Server, Settings};
use crate::types::{Delta, FinishReason, Request, ResponseFormat, Usage};
use crate::words::quoted;
use crate::{Deltas, Model, ModelError, estimate, stepwise};

/// The most tokens to write where neither the request nor the context says it. TensorRT-LLM's own
/// default is 32.
const TOKENS: u64 = 8192;

/// Which model is asked, and how.
#[derive(Debug, Clone)]
pub struct ModelSettings {
    /// The server.
    pub server: Settings,
    /// Its name for the model.
    pub model: String,
    /// The model's window in tokens, where it is known.
    pub context: Option<u32>,
    /// What each event of an answer holds.
    pub pieces: Pieces,
    /// How long to wait for what.
    pub deadlines: openai::Deadlines,
    /// How much to take.
    pub limits: Limits,
}

impl ModelSettings {
    /// The usual settings for a model of the server at `base`.
    pub fn new(base: impl Into<String>, model: impl Into<String>) -> ModelSettings {
        ModelSettings {
            server: Settings::new(base),
            model: model.into(),
            context: None,
            pieces: Pieces::default(),
            deadlines: openai::Deadlines::default(),
            limits: Limits::default(),
        }
    }
}

/// A model behind Triton's `generate_stream`, with the inputs of TensorRT-LLM's `llmapi` backend:
/// `text_input`, `streaming` and `sampling_param_…`. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Triton(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: ModelSettings,
    server: Server,
    name: String,
    template: Template,
}

impl Triton {
    /// A model with these settings, whose conversations this template writes. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`TritonError::Settings`].
    pub fn new(settings: ModelSettings, template: Template) -> Result<Triton, TritonError> {
        let server = Server::new(&settings.server)?;
        let name = format!("{} of {}", settings.model, server.name);
        Ok(Triton(Arc::new(Inner { settings, server, name, template })))
    }
}

impl Model for Triton {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn context(&self) -> Option<u32> {
        self.0.settings.context
    }

    fn stream(&self, request: Request) -> Deltas {
        stepwise(Answer::Asked(self.0.clone(), Box::new(request)), Answer::step)
    }
}

/// An answer, from the question to its end.
enum Answer {
    /// Nothing has been done.
    Asked(Arc<Inner>, Box<Request>),
    Written(Box<Writing>),
}

/// An answer that is coming in.
struct Writing {
    model: Arc<Inner>,
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    received: usize,
    events: Events,
    text: Growing,
    output: Output,
    finish: FinishReason,
    usage: Usage,
    until: Instant,
    first: bool,
}

/// An event of an answer, or the error in its place.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    text_output: Option<Value>,
    #[serde(default)]
    finish_reason: Option<Value>,
    #[serde(default)]
    error: Option<String>,
}

impl Answer {
    /// Goes on to the next deltas; there may be none yet. Without an answer, it is over.
    async fn step(self) -> Result<(Vec<Delta>, Option<Answer>), ModelError> {
        let mut writing = match self {
            Answer::Asked(model, request) => {
                let writing = model.ask(&request).await?;
                return Ok((Vec::new(), Some(Answer::Written(Box::new(writing)))));
            }
            Answer::Written(writing) => writing,
        };
        let (deltas, over) = writing.read().await?;
        if !over {
            return Ok((deltas, Some(Answer::Written(writing))));
        }
        let Writing { output, finish, usage, .. } = *writing;
        let rest = output.finish(finish, usage);
        Ok((deltas.into_iter().chain(rest).collect(), None))
    }
}

impl Inner {
    /// Asks; the answer has begun when this returns.
    async fn ask(self: Arc<Inner>, request: &Request) -> Result<Writing, ModelError> {
        let prompt = self.template.render(request)?;
        let input_tokens = estimate::request(request);
        let body = self.body(request, &prompt.to_text(), input_tokens)?;
        let openai::Deadlines { first, total, .. } = self.settings.deadlines;
        let until = Instant::now() + total;
        let path = ["models", &self.settings.model, "generate_stream"];
        let response = timeout_at(until.min(Instant::now() + first), async {
            let response = self.server.post(&path, body.to_string()).send().await;
            let response = response.map_err(|error| self.unreachable(error))?;
            if response.status().is_success() {
                return Ok(response);
            }
            let replied = Replied::read(response).await.map_err(|error| self.unreachable(error))?;
            let status = replied.status.as_u16();
            Err(self.refused(status, &replied.reason()))
        });
        let response = response.await.map_err(|_| self.too_slow("began no answer", first))??;
        let (limits, pieces) = (self.settings.limits, self.settings.pieces);
        Ok(Writing {
            bytes: response.bytes_stream().boxed(),
            received: 0,
            events: Events::new(limits.event),
            text: Growing::new(pieces),
            output: Output::new(request, prompt.reasoning()),
            finish: FinishReason::Stop,
            usage: Usage { input_tokens, output_tokens: 0, approximate: true },
            until,
            first: true,
            model: self,
        })
    }

    fn body(
        &self,
        request: &Request,
        prompt: &str,
        input_tokens: u64,
    ) -> Result<Value, ModelError> {
        let refuse = |what: &str| {
            let (name, hint) = (&self.name, "use trtllm-serve, which June reaches as `openai`");
            ModelError::Invalid(format!("{name} takes no {what}\nhint: {hint}"))
        };
        if request.response_format != ResponseFormat::Text {
            return Err(refuse("schema and no grammar"));
        }
        let sampling = &request.sampling;
        if sampling.min_p.is_some_and(|min_p| min_p > 0.0) {
            return Err(refuse("min_p"));
        }
        let context = self.settings.context.map(u64::from);
        let room = context.map(|context| context.saturating_sub(input_tokens).max(1));
        let tokens = request.max_tokens.map(u64::from).or(room).unwrap_or(TOKENS);
        let mut body = Map::new();
        body.insert("text_input".into(), prompt.into());
        body.insert("streaming".into(), true.into());
        body.insert("return_finish_reason".into(), true.into());
        body.insert("sampling_param_exclude_input_from_output".into(), true.into());
        body.insert("sampling_param_max_tokens".into(), tokens.min(i32::MAX as u64).into());
        for (name, value) in [
            ("temperature", sampling.temperature.map(|number| json!(number))),
            ("top_p", sampling.top_p.map(|number| json!(number))),
            ("top_k", sampling.top_k.map(|number| json!(number))),
            ("seed", sampling.seed.map(|number| json!(number))),
            ("stop", (!request.stop.is_empty()).then(|| json!(request.stop))),
        ] {
            body.extend(value.map(|value| (format!("sampling_param_{name}"), value)));
        }
        Ok(Value::Object(body))
    }

    /// The server refuses, before its answer or in the place of one.
    fn refused(&self, status: u16, reason: &str) -> ModelError {
        let what = format!("{} answered with {reason}", self.name);
        if is_overflow(&reason.to_lowercase(), "") {
            let hint = "shorten the conversation, or ask for fewer tokens";
            return ModelError::ContextOverflow(format!("{what}\nhint: {hint}"));
        }
        match status {
            400 if !reason.contains("not ready") => {
                let hint = "the server's words name what it cannot serve; june model repository \
                            validate checks the model's folder";
                ModelError::Invalid(format!("{what}\nhint: {hint}"))
            }
            400 | 404 => ModelError::Unavailable(format!(
                "{what}\nhint: june model status says what the server does with it, and june \
                 model load loads it"
            )),
            _ => ModelError::Unavailable(format!("{what}\nhint: look at the server's log")),
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> ModelError {
        let (name, why) = (&self.name, told(error));
        let hint = "check that the server runs and its address is right";
        ModelError::Unavailable(format!("{name} cannot be reached: {why}\nhint: {hint}"))
    }

    fn too_slow(&self, what: &str, limit: Duration) -> ModelError {
        let name = &self.name;
        let hint = "the server may be overloaded: look at its log, or allow more time";
        ModelError::Unavailable(format!("{name} {what} within {limit:?}\nhint: {hint}"))
    }

    fn wrong(&self, what: &str) -> ModelError {
        let name = &self.name;
        ModelError::Unavailable(format!("{name}: {what}\nhint: look at the server's log"))
    }
}

impl Writing {
    /// Reads what comes next: the deltas in it, and whether the answer is over.
    async fn read(&mut self) -> Result<(Vec<Delta>, bool), ModelError> {
        let openai::Deadlines { first, between, .. } = self.model.settings.deadlines;
        let limit = if self.first { first } else { between };
        let read = timeout_at(self.until.min(Instant::now() + limit), self.bytes.next()).await;
        let read = read.map_err(|_| self.model.too_slow("sent nothing", limit))?;
        self.first = false;
        let mut events = VecDeque::new();
        let over = match read {
            None => {
                self.events.end(&mut events);
                true
            }
            Some(Err(error)) => return Err(self.model.unreachable(error)),
            Some(Ok(bytes)) => {
                self.received = self.received.saturating_add(bytes.len());
                let long = self.events.push(&bytes, &mut events).is_err();
                if long || self.received > self.model.settings.limits.stream {
                    return Err(self.model.wrong("it sent more than its limits allow"));
                }
                false
            }
        };
        let mut deltas = Vec::new();
        for event in events {
            self.take(&event, &mut deltas)?;
        }
        Ok((deltas, over || self.output.is_stopped()))
    }

    /// Takes one event.
    fn take(&mut self, event: &str, deltas: &mut Vec<Delta>) -> Result<(), ModelError> {
        let model = &self.model;
        let Ok(Event { text_output, finish_reason, error }) = serde_json::from_str(event) else {
            return Err(model.wrong(&format!("it sent what is no answer: {}", quoted(event, 100))));
        };
        if let Some(error) = error {
            return Err(model.refused(500, &format!("an error: {}", quoted(&error, 400))));
        }
        if finish_reason.as_ref().and_then(Value::as_str) == Some("length") {
            self.finish = FinishReason::Length;
        }
        let text = match &text_output {
            None => "",
            Some(Value::String(text)) => text,
            // A text for each of several answers, of which one was asked for.
            Some(Value::Array(texts)) => texts.first().and_then(Value::as_str).unwrap_or_default(),
            Some(_) => return Err(model.wrong("its text_output is no text")),
        };
        let new = self.text.push(text).map_err(|what| model.wrong(&what))?;
        self.usage.output_tokens += estimate::text(new);
        deltas.extend(self.output.push(new));
        Ok(())
    }
}
