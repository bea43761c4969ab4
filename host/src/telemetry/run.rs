//! A run of an agent: what it asks of models and tools, how long that takes, and how it ends.
//!
//! It stands between the agent and what was lent to it, and passes everything on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use june_sandbox::capabilities::{Deltas, Llm, Reply, ToolUse};
use june_sandbox::contract::{Delta, FinishReason, LlmError, Request, Step};
use june_sandbox::{Answered, Authority, Recording};
use opentelemetry::trace::{SpanBuilder, SpanKind, TraceContextExt};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};

use super::metrics::{Agent, Asked, Ended, Model, Tokens, Tool, metrics};
use super::traces::{self, failed, name, tell};
use crate::agents;
use crate::log;

/// Who serves a model, and under which name.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    /// The backend.
    pub(crate) provider: &'static str,
    /// The server's name for the model.
    pub(crate) model: String,
}

/// A tool that a model made up, or a client lent: there is no end of their names.
const OTHER: &str = "other";

/// A run that goes on. Dropped without an end, it was given up.
pub(crate) struct Watched {
    run: Arc<Run>,
    begun: Instant,
    over: bool,
}

struct Run {
    agent: String,
    served: Arc<HashMap<String, Served>>,
    context: Context,
    llm: Option<Arc<dyn Llm>>,
    reply: Option<Arc<dyn Reply>>,
    /// The agent's own tools.
    known: Vec<String>,
    /// The calls that go on. Of a tool that is called several times at once, the first call is
    /// taken for the first to end.
    calls: Mutex<HashMap<String, VecDeque<(Instant, Context)>>>,
}

impl Watched {
    /// A run begins, with this authority: what it has from now on is watched.
    pub(crate) fn begin(
        agent: &agents::Agent,
        authority: &Authority,
        recording: Option<&Recording<'_>>,
    ) -> (Self, Authority) {
        let agent_label = Agent { agent: agent.name.clone() };
        metrics().runs_begun.get_or_create(&agent_label).inc();
        let mut attributes = vec![
            KeyValue::new(name::OPERATION, "invoke_agent"),
            KeyValue::new(name::AGENT, agent.name.clone()),
        ];
        if let Some(recording) = recording {
            attributes.push(KeyValue::new(name::CONVERSATION, recording.session.to_owned()));
        }
        let span = SpanBuilder::from_name(format!("invoke_agent {}", agent.name))
            .with_kind(SpanKind::Internal)
            .with_attributes(attributes);
        let capabilities = &authority.capabilities;
        let run = Arc::new(Run {
            agent: agent.name.clone(),
            served: agent.served.clone(),
            context: traces::begin(span, &Context::current()),
            llm: capabilities.llm.clone(),
            reply: capabilities.reply.clone(),
            known: agent.authority.capabilities.tools.keys().cloned().collect(),
            calls: Mutex::default(),
        });
        let mut authority = authority.clone();
        let capabilities = &mut authority.capabilities;
        capabilities.llm = capabilities.llm.is_some().then(|| run.clone() as _);
        capabilities.reply = Some(run.clone());
        (Self { run, begun: Instant::now(), over: false }, authority)
    }

    /// The run came to its end.
    pub(crate) fn end(mut self, answered: &Result<Answered, june_sandbox::Error>) {
        self.over = true;
        let context = &self.run.context;
        let outcome = match answered {
            Err(_) => "error",
            Ok(Answered { answer: Some(Ok(_)), .. }) => "answered",
            Ok(Answered { answer: Some(Err(_)), .. }) => "failed",
            Ok(Answered { outcome, .. }) => outcome.exit.name(),
        };
        let number = answered.as_ref().ok().and_then(|answered| answered.recorded);
        let number = number.map(|(run, _)| run);
        if let Ok(Answered { outcome, spent, .. }) = answered {
            let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            tell(context, name::INPUT_TOKENS, number(spent.input_tokens));
            tell(context, name::OUTPUT_TOKENS, number(spent.output_tokens));
            tell(context, name::FUEL, number(outcome.fuel));
            let agent = Agent { agent: self.run.agent.clone() };
            metrics().fuel.get_or_create(&agent).inc_by(outcome.fuel);
        }
        if let Some(run) = number.and_then(|run| i64::try_from(run).ok()) {
            tell(context, name::RUN, run);
        }
        self.run.end(outcome, self.begun.elapsed());
        // Other commands tell of their runs themselves.
        if log::is_kept() && outcome != "answered" {
            let what = format!("the agent `{}` gave no answer: {outcome}", self.run.agent);
            log::warn(&what).run(number).trace(traces::id(context)).say();
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.over {
            self.run.end("given-up", self.begun.elapsed());
        }
    }
}

impl Run {
    fn end(&self, outcome: &'static str, took: Duration) {
        let agent = self.agent.clone();
        let calls = std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner));
        for (tool, calls) in calls {
            for (begun, context) in calls {
                tool_ended(&tool, begun, &context, Some("given-up"));
            }
        }
        if outcome != "answered" {
            failed(&self.context, outcome);
        }
        self.context.span().end();
        let metrics = metrics();
        metrics.run_time.get_or_create(&Agent { agent: agent.clone() }).observe(took.as_secs_f64());
        metrics.runs_ended.get_or_create(&Ended { agent, outcome }).inc();
    }

    /// The tool's name, if it is one of the agent's own.
    fn tool<'a>(&self, name: &'a str) -> &'a str {
        if self.known.iter().any(|known| known == name) { name } else { OTHER }
    }
}

impl Reply for Run {
    fn say(&self, text: &str) {
        if let Some(reply) = &self.reply {
            reply.say(text);
        }
    }

    fn note(&self, step: &Step) {
        if let Some(reply) = &self.reply {
            reply.note(step);
        }
    }

    fn used(&self, use_: &ToolUse<'_>) {
        match use_ {
            ToolUse::Called { name: tool, .. } => {
                let tool = self.tool(tool);
                let span =
                    SpanBuilder::from_name(format!("execute_tool {tool}")).with_attributes([
                        KeyValue::new(name::OPERATION, "execute_tool"),
                        KeyValue::new(name::TOOL, tool.to_owned()),
                        KeyValue::new(name::TOOL_TYPE, "function"),
                    ]);
                let call = (Instant::now(), traces::begin(span, &self.context));
                let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
                calls.entry(tool.to_owned()).or_default().push_back(call);
            }
            ToolUse::Answered { name: tool, result } => {
                let tool = self.tool(tool);
                let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
                let call = calls.get_mut(tool).and_then(VecDeque::pop_front);
                drop(calls);
                if let Some((begun, context)) = call {
                    tool_ended(tool, begun, &context, result.err().map(|_| "failed"));
                }
            }
        }
        if let Some(reply) = &self.reply {
            reply.used(use_);
        }
    }
}

fn tool_ended(tool: &str, begun: Instant, context: &Context, failure: Option<&'static str>) {
    if let Some(kind) = failure {
        failed(context, kind);
    }
    context.span().end();
    let tool = Tool { tool: tool.to_owned(), outcome: failure.unwrap_or("answered") };
    metrics().tool_time.get_or_create(&tool).observe(begun.elapsed().as_secs_f64());
    metrics().tools.get_or_create(&tool).inc();
}

impl Llm for Run {
    fn stream(&self, request: Request) -> BoxFuture<'static, Result<Deltas, LlmError>> {
        let Some(llm) = &self.llm else {
            let why = "this host has no models".into();
            return std::future::ready(Err(LlmError::Unavailable(why))).boxed();
        };
        let mut question = Question::begin(self, &request);
        let asked = llm.stream(request);
        async move {
            match asked.await {
                Err(error) => {
                    question.failed(&error);
                    Err(error)
                }
                Ok(pieces) => Ok(pieces.inspect(move |piece| question.piece(piece)).boxed()),
            }
        }
        .boxed()
    }
}

/// A question to a model. Dropped without an end, nobody wanted the rest of the answer.
struct Question {
    agent: String,
    model: String,
    begun: Instant,
    began: bool,
    outcome: &'static str,
    context: Context,
}

impl Question {
    fn begin(run: &Run, request: &Request) -> Self {
        let model = request.model.clone();
        let served = run.served.get(&model);
        let asked = served.map_or(&model, |served| &served.model);
        let mut attributes = vec![
            KeyValue::new(name::OPERATION, "chat"),
            KeyValue::new(name::MODEL, asked.clone()),
            KeyValue::new(name::STREAM, true),
        ];
        if let Some(served) = served {
            attributes.push(KeyValue::new(name::PROVIDER, served.provider));
        }
        let number = |key, value: Option<f64>| value.map(|value| KeyValue::new(key, value));
        let sampling = &request.sampling;
        attributes.extend(number(name::TEMPERATURE, sampling.temperature.map(f64::from)));
        attributes.extend(number(name::TOP_P, sampling.top_p.map(f64::from)));
        attributes.extend(
            request.max_tokens.map(|most| KeyValue::new(name::MAX_TOKENS, i64::from(most))),
        );
        let span = SpanBuilder::from_name(format!("chat {asked}"))
            .with_kind(SpanKind::Client)
            .with_attributes(attributes);
        let context = traces::begin(span, &run.context);
        let (begun, agent) = (Instant::now(), run.agent.clone());
        Self { agent, model, begun, began: false, outcome: "given-up", context }
    }

    fn piece(&mut self, piece: &Result<Delta, LlmError>) {
        if !self.began && piece.is_ok() {
            self.began = true;
            let took = self.begun.elapsed().as_secs_f64();
            tell(&self.context, name::FIRST_PIECE, took);
            let model = Model { model: self.model.clone() };
            metrics().first_piece.get_or_create(&model).observe(took);
        }
        match piece {
            Ok(Delta::Finish((finish, usage))) => {
                self.outcome = "answered";
                let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
                tell(&self.context, name::INPUT_TOKENS, number(usage.input_tokens));
                tell(&self.context, name::OUTPUT_TOKENS, number(usage.output_tokens));
                let finish = match finish {
                    FinishReason::Stop => "stop",
                    FinishReason::Length => "length",
                    FinishReason::ToolCalls => "tool_calls",
                    FinishReason::ContentFilter => "content_filter",
                };
                let reasons = Array::String(vec![StringValue::from(finish)]);
                tell(&self.context, name::FINISH, Value::Array(reasons));
                for (direction, count) in
                    [("input", usage.input_tokens), ("output", usage.output_tokens)]
                {
                    let (agent, model) = (self.agent.clone(), self.model.clone());
                    let tokens = Tokens { agent, model, direction };
                    metrics().tokens.get_or_create(&tokens).inc_by(count);
                }
            }
            Ok(_) => {}
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: &LlmError) {
        self.outcome = match error {
            LlmError::Denied(_) => "denied",
            LlmError::Limit(_) => "limit",
            LlmError::Invalid(_) => "invalid",
            LlmError::ContextOverflow(_) => "context-overflow",
            LlmError::Unavailable(_) => "unavailable",
        };
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.outcome != "answered" {
            failed(&self.context, self.outcome);
        }
        self.context.span().end();
        let (model, outcome) = (self.model.clone(), self.outcome);
        let metrics = metrics();
        let took = self.begun.elapsed().as_secs_f64();
        metrics.ask_time.get_or_create(&Model { model: model.clone() }).observe(took);
        metrics.asked.get_or_create(&Asked { model, outcome }).inc();
    }
}
