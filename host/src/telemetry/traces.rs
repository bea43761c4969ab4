//! Traces: what a collector of OpenTelemetry is sent.
//!
//! Spans wait in a queue of bounded length, which a thread of their own empties; where the
//! collector is away or slow they are dropped, and nothing else notices. Nothing is sent, and
//! nothing gathered, unless the configuration names a collector.

use std::time::Duration;

use anyhow::Result;
use axum::http::HeaderMap;
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanBuilder, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider,
};
use tokio::runtime::Handle;

use super::collector::Collector;
use crate::config::TracesTable;

/// How long spans are gathered before they are sent.
const DELAY: Duration = Duration::from_secs(1);
/// The most spans that wait; more are dropped.
const WAITING: usize = 8192;
/// How long the last spans may take once June is told to stop.
const LAST: Duration = Duration::from_secs(3);

/// Names of attributes, as the semantic conventions for generative AI have them; what these have
/// no name for is under `june.`.
pub(crate) mod name {
    pub(crate) const OPERATION: &str = "gen_ai.operation.name";
    pub(crate) const PROVIDER: &str = "gen_ai.provider.name";
    pub(crate) const AGENT: &str = "gen_ai.agent.name";
    pub(crate) const CONVERSATION: &str = "gen_ai.conversation.id";
    pub(crate) const MODEL: &str = "gen_ai.request.model";
    pub(crate) const STREAM: &str = "gen_ai.request.stream";
    pub(crate) const MAX_TOKENS: &str = "gen_ai.request.max_tokens";
    pub(crate) const TEMPERATURE: &str = "gen_ai.request.temperature";
    pub(crate) const TOP_P: &str = "gen_ai.request.top_p";
    pub(crate) const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
    pub(crate) const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
    pub(crate) const FINISH: &str = "gen_ai.response.finish_reasons";
    pub(crate) const FIRST_PIECE: &str = "gen_ai.response.time_to_first_chunk";
    pub(crate) const TOOL: &str = "gen_ai.tool.name";
    pub(crate) const TOOL_TYPE: &str = "gen_ai.tool.type";
    pub(crate) const ERROR: &str = "error.type";
    pub(crate) const RUN: &str = "june.run";
    pub(crate) const FUEL: &str = "june.fuel";
    pub(crate) const PLATFORM: &str = "june.platform";
}

/// Sends traces from now on; dropped, it sends the last ones.
pub(crate) struct Sending(SdkTracerProvider);

impl Sending {
    /// Sends to the collector that the configuration names, in this runtime.
    pub(crate) fn begin(table: &TracesTable, runtime: &Handle) -> Result<Self> {
        let collector = Collector::new(table, runtime.clone())?;
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_scheduled_delay(DELAY)
            .build();
        let batches = BatchSpanProcessor::builder(collector).with_batch_config(config).build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(batches)
            // Whoever is asked on behalf of a trace that is kept is kept in it.
            .with_sampler(Sampler::parent_based(Sampler::TraceIdRatioBased(table.share)))
            .with_resource(
                Resource::builder_empty().with_service_name("june").with_attribute(version).build(),
            )
            .build();
        global::set_tracer_provider(provider.clone());
        Ok(Self(provider))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        // Where they cannot be sent, that was said.
        let _ = self.0.shutdown_with_timeout(LAST);
    }
}

fn tracer() -> BoxedTracer {
    global::tracer("june")
}

/// A span that begins, below what the context has: the context that it makes.
pub(crate) fn begin(span: SpanBuilder, parent: &Context) -> Context {
    let span = tracer().build_with_context(span, parent);
    parent.with_span(span)
}

/// What of a trace somebody else began that these headers belong to.
pub(crate) fn from_elsewhere(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers))
}

/// Headers, as they are looked for.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

/// The trace's name, where the collector is sent it.
pub(crate) fn id(context: &Context) -> Option<String> {
    let span = context.span();
    let of = span.span_context();
    (of.is_valid() && of.is_sampled()).then(|| of.trace_id().to_string())
}

/// Says of a span what is known by now.
pub(super) fn tell(context: &Context, key: &'static str, value: impl Into<Value>) {
    context.span().set_attribute(KeyValue::new(key, value));
}

/// Says of a span that it failed, and how; never in words that could quote somebody.
pub(crate) fn failed(context: &Context, kind: &'static str) {
    tell(context, name::ERROR, kind);
    context.span().set_status(Status::error(kind));
}
