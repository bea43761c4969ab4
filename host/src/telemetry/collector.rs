//! Sending spans: OTLP over HTTP, in JSON.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use tokio::runtime::Handle;

use crate::config::TracesTable;
use crate::{log, paths};

/// How long a group of spans may take to be sent.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A collector of OpenTelemetry.
#[derive(Debug)]
pub(super) struct Collector {
    client: reqwest::Client,
    url: reqwest::Url,
    /// Who exports has a thread, and no reactor.
    runtime: Handle,
    /// Who sends.
    resource: serde_json::Value,
    /// Whether it was said that the collector is away.
    away: Mutex<bool>,
}

impl Collector {
    /// The collector that the configuration names. Nothing is sent yet.
    pub(super) fn new(table: &TracesTable, runtime: Handle) -> Result<Self> {
        let url = format!("{}/v1/traces", table.url.trim_end_matches('/'));
        let url = reqwest::Url::parse(&url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
        });
        let Some(url) = url else {
            bail!(
                "`url` of [serve.traces] is no address of a collector\nhint: write it like http://127.0.0.1:4318, and give a key in `headers`"
            );
        };
        let mut headers = HeaderMap::new();
        for (header, variable) in &table.headers {
            let secret = paths::secret(variable).with_context(|| {
                format!("the header `{header}` of [serve.traces] is in ${variable}, which is not set\nhint: export it")
            })?;
            let name = HeaderName::try_from(header.as_str());
            let value = HeaderValue::try_from(secret);
            let (Ok(name), Ok(mut value)) = (name, value) else {
                bail!(
                    "the header `{header}` of [serve.traces] is none, or ${variable} fits in none"
                );
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let local = url.host_str().is_some_and(|host| {
            let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        });
        let tls = june_models::tls::config(url.scheme() == "https");
        let client = reqwest::Client::builder()
            .user_agent(concat!("june/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .timeout(TIMEOUT)
            // A header with a secret goes where the configuration says and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .tls_backend_preconfigured(tls.map_err(anyhow::Error::msg)?);
        let client = if local { client.no_proxy() } else { client };
        let client = client.build().context("cannot set up the network")?;
        let (resource, away) = (serde_json::Value::Null, Mutex::default());
        Ok(Self { client, url, runtime, resource, away })
    }

    /// Says once that the collector is away, and once that it is back.
    fn said(&self, failed: Option<&str>) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let was = std::mem::replace(&mut *away, failed.is_some());
        let host = self.url.origin().ascii_serialization();
        match (was, failed) {
            (false, Some(why)) => {
                log::warn(&format!("traces are lost: the collector at {host} {why}")).say();
            }
            (true, None) => log::info(&format!("traces arrive again at {host}")).say(),
            _ => {}
        }
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans: Vec<serde_json::Value> = batch.iter().map(span).collect();
        let scope = json!({ "name": "june", "version": env!("CARGO_PKG_VERSION") });
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": self.resource },
            "scopeSpans": [{ "scope": scope, "spans": spans }],
        }] });
        let request = self.client.post(self.url.clone()).body(body.to_string());
        // Within the runtime from its beginning: a request sets a clock at once.
        let failed = match self.runtime.spawn(async { request.send().await }).await {
            Ok(Ok(answer)) if answer.status().is_success() => None,
            Ok(Ok(answer)) => Some(format!("answers {}", answer.status())),
            Ok(Err(error)) => Some(format!("cannot be reached: {}", cause(&error))),
            Err(_ended) => Some("cannot be reached: June ends".into()),
        };
        self.said(failed.as_deref());
        failed.map_or(Ok(()), |why| Err(OTelSdkError::InternalFailure(why)))
    }

    fn set_resource(&mut self, resource: &Resource) {
        let own = resource.iter();
        self.resource =
            own.map(|(key, value)| json!({ "key": key.as_str(), "value": any(value) })).collect();
    }
}

/// What is at the bottom of an error.
fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// A span as OTLP has it.
fn span(data: &SpanData) -> serde_json::Value {
    let context = &data.span_context;
    let parent = match data.parent_span_id {
        SpanId::INVALID => String::new(),
        parent => parent.to_string(),
    };
    let kind = match data.span_kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    };
    let status = match &data.status {
        Status::Unset => json!({}),
        Status::Ok => json!({ "code": 1 }),
        Status::Error { description } => json!({ "code": 2, "message": description }),
    };
    let events: Vec<_> = data
        .events
        .iter()
        .map(|event| json!({ "timeUnixNano": nanos(event.timestamp), "name": event.name }))
        .collect();
    json!({
        "traceId": context.trace_id().to_string(),
        "spanId": context.span_id().to_string(),
        "parentSpanId": parent,
        "flags": context.trace_flags().to_u8(),
        "name": data.name,
        "kind": kind,
        "startTimeUnixNano": nanos(data.start_time),
        "endTimeUnixNano": nanos(data.end_time),
        "attributes": attributes(&data.attributes),
        "events": events,
        "status": status,
    })
}

fn attributes(attributes: &[KeyValue]) -> Vec<serde_json::Value> {
    let of = |KeyValue { key, value, .. }: &KeyValue| json!({ "key": key.as_str(), "value": any(value) });
    attributes.iter().map(of).collect()
}

/// A value as OTLP has it.
fn any(value: &Value) -> serde_json::Value {
    let array = |values: Vec<Value>| json!({ "arrayValue": { "values": values.iter().map(any).collect::<Vec<_>>() } });
    match value {
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::I64(value) => json!({ "intValue": value.to_string() }),
        Value::F64(value) => json!({ "doubleValue": value }),
        Value::String(value) => json!({ "stringValue": value.as_str() }),
        Value::Array(Array::Bool(values)) => {
            array(values.iter().copied().map(Value::Bool).collect())
        }
        Value::Array(Array::I64(values)) => array(values.iter().copied().map(Value::I64).collect()),
        Value::Array(Array::F64(values)) => array(values.iter().copied().map(Value::F64).collect()),
        Value::Array(Array::String(values)) => {
            array(values.iter().cloned().map(Value::String).collect())
        }
        // What a later version adds.
        other => json!({ "stringValue": other.to_string() }),
    }
}

/// Nanoseconds of Unix time.
fn nanos(time: SystemTime) -> String {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}
