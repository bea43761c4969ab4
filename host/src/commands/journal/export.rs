//! `june journal export`: the journal in the formats of others.

mod ocsf;
mod otel;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use june_sandbox::journal::blobs::Blobs;
use june_sandbox::journal::record::{Data, Event, Record};
use serde_json::{Value, json};

use super::list::Which;
use super::{Place, run_of};
use crate::exit::{Blame, Failure, print};

/// Write runs in another format, to standard output, one JSON object a line.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    place: Place,
    /// The format.
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// The runs, by their numbers [default: all that the options below let through].
    #[arg(value_name = "RUN")]
    runs: Vec<u64>,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// The records themselves, with their Merkle leaf hashes.
    Jsonl,
    /// Events of the Open Cybersecurity Schema Framework 1.9, with record integrity.
    Ocsf,
    /// OpenTelemetry traces in OTLP's JSON, named by the conventions for generative AI.
    Otel,
}

/// A run to export: its records with their numbers.
pub(crate) struct Exported<'a> {
    pub(crate) run: u64,
    pub(crate) records: &'a [(u64, Record)],
    pub(crate) blobs: &'a Blobs,
    /// The journal's name.
    pub(crate) journal: &'a str,
}

pub(crate) fn run(command: &Export) -> Result<ExitCode, Failure> {
    let (folder, index) = command.place.index(false)?;
    let journal = folder.read_public_key().environment()?.name().to_owned();
    let blobs = folder.blobs();
    let mut runs = command.runs.clone();
    if runs.is_empty() {
        let found = index.runs(&command.which.filter(None)).environment()?;
        runs = found.iter().rev().map(|run| run.run).collect();
    }
    for run in runs {
        let records = run_of(&index, run)?;
        let exported = Exported { run, records: &records, blobs: &blobs, journal: &journal };
        let lines = match command.format {
            Format::Jsonl => {
                let line = |(number, record): &(u64, Record)| {
                    record_in_json(*number, record, &blobs, true)
                };
                records.iter().map(line).collect()
            }
            Format::Ocsf => ocsf::events(&exported),
            Format::Otel => vec![otel::trace(&exported)],
        };
        for line in lines {
            print(&format!("{line}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The Merkle leaf hash of a record, in hex.
pub(crate) fn leaf_hash(record: &Record) -> String {
    let hash = june_sandbox::journal::tree::leaf(&record.to_bytes());
    june_sandbox::Digest::from(hash).to_string()
}

/// A value as JSON: text where it is text, else an array of bytes; a blob by its digest unless
/// it is asked for whole.
fn data_in_json(data: &Data, blobs: &Blobs, full: bool) -> Value {
    let text = |bytes: Vec<u8>| match String::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(error) => json!(error.into_bytes()),
    };
    match data {
        Data::Inline(bytes) => text(bytes.clone()),
        Data::Blob { digest, length } if !full => {
            json!({ "sha256": digest.to_string(), "length": length })
        }
        Data::Blob { digest, length } => match blobs.get(digest, *length) {
            Ok(bytes) => text(bytes),
            Err(error) => json!({ "sha256": digest.to_string(), "error": error.to_string() }),
        },
    }
}

/// A record as JSON.
pub(crate) fn record_in_json(number: u64, record: &Record, blobs: &Blobs, full: bool) -> Value {
    let data = |data: &Data| data_in_json(data, blobs, full);
    let (kind, mut body) = match &record.event {
        Event::Start(start) => (
            "start",
            json!({
                "component": start.component.to_string(), "name": start.name,
                "world": start.world, "session": start.session, "engine": start.engine,
                "configuration": start.configuration.to_string(), "grants": start.grants,
                "policy": start.policy.to_string(), "limits": start.limits, "seed": start.seed,
                "epoch": start.epoch,
                "input": start.input.iter().map(|(name, value)| (name.clone(), data(value)))
                    .collect::<serde_json::Map<_, _>>(),
                "parent": start.parent.map(|parent| json!({ "run": parent.run, "call": parent.call })),
            }),
        ),
        Event::Virtual(calls) => (
            "virtual",
            json!({
                "first": calls.first, "count": calls.count,
                "listed": calls.listed.iter().map(|call| json!({
                    "function": call.function, "arguments": call.arguments, "answer": call.answer,
                })).collect::<Vec<_>>(),
                "digest": calls.digest.map(|digest| digest.to_string()),
            }),
        ),
        Event::Call(call) => (
            "call",
            json!({
                "number": call.number, "function": call.function,
                "arguments": data(&call.arguments), "grant": call.grant,
            }),
        ),
        Event::Answer(answer) => (
            "answer",
            json!({
                "number": answer.number, "result": data(&answer.result),
                "fuel_before": answer.fuel_before, "fuel_after": answer.fuel_after,
                "duration_us": answer.duration,
            }),
        ),
        Event::Denial(denial) => (
            "denial",
            json!({
                "number": denial.number, "function": denial.function,
                "arguments": data(&denial.arguments), "reason": denial.reason,
                "answer": denial.answer,
            }),
        ),
        Event::LimitHit(hit) => ("limit-hit", json!({ "limit": hit.limit, "bound": hit.bound })),
        Event::Output(output) => (
            "output",
            json!({
                "stdout": data(&output.stdout), "stdout_truncated": output.stdout_truncated,
                "stderr": data(&output.stderr), "stderr_truncated": output.stderr_truncated,
            }),
        ),
        Event::Returned(returned) => (
            "returned",
            json!({
                "value": returned.value.as_ref().map(data),
                "said": returned.said.as_ref().map(data),
            }),
        ),
        Event::End(end) => (
            "end",
            json!({
                "exit": end.exit.as_ref().map_or("given-up", |exit| exit.name()),
                "detail": end.exit.as_ref().map(|exit| exit.detail()), "fuel": end.fuel,
                "peak_memory": end.peak_memory, "calls": end.calls, "entries": end.entries,
                "denied": end.denied, "duration_us": end.duration,
            }),
        ),
        Event::Review(review) => (
            "review",
            json!({
                "verdict": review.verdict.name(), "comment": review.comment,
                "reviewer": review.reviewer, "note": review.note,
            }),
        ),
    };
    let mut object = json!({
        "record": number, "run": record.run, "time": record.time, "kind": kind,
        "leaf": leaf_hash(record),
    });
    if let (Some(object), Some(body)) = (object.as_object_mut(), body.as_object_mut()) {
        object.append(body);
    }
    object
}
