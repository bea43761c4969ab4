//! OpenTelemetry traces, as the file exporter writes them: one `TracesData` in JSON a line.
//!
//! A run is a span: `invoke_agent` for a strategy, `execute_tool` for a tool or a program. Its
//! calls to capabilities are `execute_tool` spans below it. Names and attributes are those of the
//! semantic conventions for generative AI; what these have no name for is under `june.`.

use june_sandbox::Digest;
use june_sandbox::journal::record::{Event, Record};
use serde_json::{Value, json};

use super::{Exported, leaf_hash};

const INTERNAL: u8 = 1;
const ERROR: u8 = 2;

/// The trace of a run.
pub(super) fn trace(exported: &Exported<'_>) -> Value {
    let root = span_id(exported, exported.run);
    let mut spans: Vec<Value> = Vec::new();
    let mut calls: Vec<(u64, usize)> = Vec::new();
    for (number, record) in exported.records {
        match &record.event {
            Event::Start(start) => {
                let agent = start.world == "strategy";
                let operation = if agent { "invoke_agent" } else { "execute_tool" };
                let name = if agent { "gen_ai.agent.name" } else { "gen_ai.tool.name" };
                let mut span = span(exported, *number, record, &start.name, operation, name);
                attribute(&mut span, "june.component.sha256", &start.component.to_string());
                attribute(&mut span, "june.session", &start.session);
                attribute(&mut span, "june.grants", &start.grants.join("; "));
                if let Some(parent) = start.parent {
                    span["links"] = json!([{
                        "traceId": trace_id(exported, parent.run),
                        "spanId": span_id(exported, parent.run),
                    }]);
                }
                spans.push(span);
            }
            Event::Call(call) => {
                calls.push((call.number, spans.len()));
                let (operation, name) = ("execute_tool", "gen_ai.tool.name");
                let mut span = span(exported, *number, record, &call.function, operation, name);
                span["parentSpanId"] = json!(root);
                attribute(&mut span, "gen_ai.tool.call.id", &call.number.to_string());
                attribute(&mut span, "june.decision", "allowed");
                attribute(&mut span, "june.grant", &call.grant);
                spans.push(span);
            }
            Event::Answer(answer) => {
                let open = calls.iter().find(|(number, _)| *number == answer.number);
                if let Some(span) = open.and_then(|(_, index)| spans.get_mut(*index)) {
                    end(span, answer.duration);
                }
            }
            Event::Denial(denial) => {
                let (operation, name) = ("execute_tool", "gen_ai.tool.name");
                let mut span = span(exported, *number, record, &denial.function, operation, name);
                span["parentSpanId"] = json!(root);
                span["status"] = json!({ "code": ERROR, "message": denial.reason });
                attribute(&mut span, "gen_ai.tool.call.id", &denial.number.to_string());
                attribute(&mut span, "error.type", "denied");
                attribute(&mut span, "june.decision", "denied");
                spans.push(span);
            }
            Event::End(ended) => {
                let Some(span) = spans.first_mut() else { continue };
                end(span, ended.duration);
                let exit = ended.exit.as_ref();
                if !matches!(exit, Some(june_sandbox::Exit::Returned)) {
                    let name = exit.map_or("given-up", |exit| exit.name());
                    let detail = exit.map_or_else(String::new, |exit| exit.detail());
                    span["status"] = json!({ "code": ERROR, "message": detail });
                    attribute(span, "error.type", name);
                }
                for (key, number) in [
                    ("june.fuel", ended.fuel),
                    ("june.memory.peak", ended.peak_memory),
                    ("june.calls", ended.calls),
                    ("june.calls.denied", ended.denied),
                ] {
                    push(span, key, json!({ "intValue": number.to_string() }));
                }
            }
            Event::Virtual(_)
            | Event::LimitHit(_)
            | Event::Output(_)
            | Event::Returned(_)
            | Event::Review(_) => {}
        }
    }
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            { "key": "service.name", "value": { "stringValue": "june" } },
            { "key": "service.version", "value": { "stringValue": env!("CARGO_PKG_VERSION") } },
            { "key": "june.journal", "value": { "stringValue": exported.journal } },
        ] },
        "scopeSpans": [{
            "scope": { "name": "june.journal", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans,
        }],
    }] })
}

/// A span that begins with this record, and has not yet lasted.
fn span(
    exported: &Exported<'_>,
    number: u64,
    record: &Record,
    name: &str,
    operation: &str,
    name_key: &str,
) -> Value {
    let time = (u128::from(record.time) * 1_000_000).to_string();
    let mut span = json!({
        "traceId": trace_id(exported, exported.run), "spanId": span_id(exported, number),
        "name": format!("{operation} {name}"), "kind": INTERNAL,
        "startTimeUnixNano": time, "endTimeUnixNano": time, "attributes": [],
    });
    attribute(&mut span, "gen_ai.operation.name", operation);
    attribute(&mut span, name_key, name);
    attribute(&mut span, "june.record.leaf", &leaf_hash(record));
    span
}

fn end(span: &mut Value, microseconds: u64) {
    let start: u128 =
        span["startTimeUnixNano"].as_str().and_then(|time| time.parse().ok()).unwrap_or_default();
    span["endTimeUnixNano"] = json!((start + u128::from(microseconds) * 1000).to_string());
}

fn attribute(span: &mut Value, key: &str, value: &str) {
    push(span, key, json!({ "stringValue": value }));
}

fn push(span: &mut Value, key: &str, value: Value) {
    if let Some(attributes) = span["attributes"].as_array_mut() {
        attributes.push(json!({ "key": key, "value": value }));
    }
}

/// Every run has a trace of its own, named by the journal and the run.
fn trace_id(exported: &Exported<'_>, run: u64) -> String {
    format!("{:.32}", Digest::of(format!("{} run {run}", exported.journal).as_bytes()).to_string())
}

fn span_id(exported: &Exported<'_>, number: u64) -> String {
    let name = format!("{} record {number}", exported.journal);
    format!("{:.16}", Digest::of(name.as_bytes()).to_string())
}
