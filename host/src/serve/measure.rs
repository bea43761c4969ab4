//! How many requests there are, how long they take, and the trace that each belongs to.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Waker, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use opentelemetry::trace::{FutureExt, SpanBuilder, SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::Server;
use super::health;
use crate::log;
use crate::telemetry::metrics::{CONTENT_TYPE as TEXT, Route};
use crate::telemetry::{metrics, traces};

/// The route of Prometheus, which asks all day long: it is no trace of its own.
pub(super) const METRICS: &str = "/metrics";

/// The metrics, as Prometheus reads them.
pub(super) async fn text(State(server): State<Arc<Server>>) -> Response {
    let ready = health::problems(&server).await.is_empty();
    ([(CONTENT_TYPE, TEXT)], metrics().text(ready)).into_response()
}

/// Counts a request, and measures the time until the end of its answer.
pub(super) async fn request(request: Request, next: Next) -> Response {
    let (method, route) = (method(request.method()), route(&request));
    let mut measured = Measured { route, method, status: 0, begun: Instant::now(), trace: None };
    metrics().in_flight.inc();
    let mut response = next.run(request).await;
    measured.status = response.status().as_u16();
    measured.trace = response.extensions_mut().remove::<Trace>().map(|Trace(context)| context);
    response.map(|body| Body::new(Answer { body, measured }))
}

/// The span of a request whose sender may ask: part of the sender's trace, if it names one.
pub(super) async fn traced(caller: &str, request: Request, next: Next) -> Response {
    let (method, route) = (method(request.method()), route(&request));
    let parent = traces::from_elsewhere(request.headers());
    if route == METRICS && !parent.has_active_span() {
        return next.run(request).await;
    }
    let span = SpanBuilder::from_name(format!("{method} {route}"))
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", route),
            KeyValue::new("enduser.id", caller.to_owned()),
        ]);
    let context = traces::begin(span, &parent);
    let mut response = next.run(request).with_context(context.clone()).await;
    response.extensions_mut().insert(Trace(context));
    response
}

/// The trace of an answer that is on its way out.
#[derive(Clone)]
struct Trace(Context);

/// The route as the program has it: there are few of them, and many paths.
fn route(request: &Request) -> String {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    route.unwrap_or("page").to_owned()
}

/// The method, if it is one of those that there are.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// A request that goes on until this is dropped.
struct Measured {
    route: String,
    method: &'static str,
    /// 0 where the connection broke before there was an answer.
    status: u16,
    begun: Instant,
    trace: Option<Context>,
}

impl Drop for Measured {
    fn drop(&mut self) {
        let Self { route, method, status, begun, trace } = self;
        if let Some(context) = &trace {
            let span = context.span();
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(*status)));
            if *status >= 500 {
                traces::failed(context, "server");
            }
            span.end();
        }
        if *status >= 500 && route != "/readyz" {
            let what = format!("{method} {route} was answered with {status}");
            log::warn(&what).trace(trace.as_ref().and_then(traces::id)).say();
        }
        let label = Route { route: std::mem::take(route), method, status: *status };
        let metrics = metrics();
        metrics.in_flight.dec();
        metrics.request_time.get_or_create(&label).observe(begun.elapsed().as_secs_f64());
        metrics.requests.get_or_create(&label).inc();
    }
}

/// An answer's body, which measures until its end.
struct Answer {
    body: Body,
    measured: Measured,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        waker: &mut Waker<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // What the body does while it is sent is part of the trace, too.
        let _within = self.measured.trace.clone().map(Context::attach);
        Pin::new(&mut self.body).poll_frame(waker)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
