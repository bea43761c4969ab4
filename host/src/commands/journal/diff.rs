//! `june journal diff`.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use june_sandbox::journal::blobs::Blobs;
use june_sandbox::journal::record::{Data, Event, Record};
use serde_json::json;
use similar::{ChangeTag, TextDiff};

use super::{Place, run_of};
use crate::exit::{Failure, print};
use crate::words::{neutral, one_line};

/// Compare two runs by what they did: calls, denials, output and end.
///
/// What says nothing of the effects is left out: when they ran, how long they took, and how much
/// fuel. Exit status 1 if they differ.
#[derive(Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    place: Place,
    /// One run.
    a: u64,
    /// The other run.
    b: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Lines that are the same around those that are not.
const CONTEXT: usize = 3;

pub(crate) fn run(command: &Diff) -> Result<ExitCode, Failure> {
    let (folder, index) = command.place.index(false)?;
    let blobs = folder.blobs();
    let effects = |run| Ok(effects(&run_of(&index, run)?, &blobs));
    let (a, b) = (effects(command.a)?, effects(command.b)?);
    let (one, other): (Vec<&str>, Vec<&str>) =
        (a.iter().map(String::as_str).collect(), b.iter().map(String::as_str).collect());
    let diff = TextDiff::configure()
        // Hostile journals hang no command.
        .timeout(std::time::Duration::from_secs(5))
        .diff_slices(&one, &other);
    let mut text = String::new();
    if command.json {
        let changes = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
        let changes: Vec<_> = changes
            .map(|change| match change.tag() {
                ChangeTag::Insert => json!({ "run": command.b, "effect": change.value() }),
                _ => json!({ "run": command.a, "effect": change.value() }),
            })
            .collect();
        let _ = writeln!(text, "{:#}", json!({ "same": a == b, "differences": changes }));
    } else if a == b {
        let _ = writeln!(text, "the same {} effects", a.len());
    } else {
        let _ = writeln!(text, "--- run {}\n+++ run {}", command.a, command.b);
        for group in diff.grouped_ops(CONTEXT) {
            let _ = writeln!(text, "@@");
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let _ = writeln!(text, "{}{}", change.tag(), neutral(change.value(), false));
            }
        }
    }
    print(&text)?;
    Ok(if a == b { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What a run did, an effect a line.
fn effects(records: &[(u64, Record)], blobs: &Blobs) -> Vec<String> {
    let value = |data: &Data| match blobs.value(data) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("({error})"),
    };
    let mut effects = Vec::new();
    for (_, record) in records {
        match &record.event {
            Event::Start(start) => {
                effects.push(format!("component {} {}", start.name, start.component));
                effects.extend(start.grants.iter().map(|grant| format!("granted {grant}")));
                for (name, data) in &start.input {
                    effects.extend(value(data).lines().map(|line| format!("given {name}: {line}")));
                }
            }
            Event::Virtual(calls) => {
                effects.extend(calls.listed.iter().map(|call| {
                    format!("call {}({}) -> {}", call.function, call.arguments, call.answer)
                }));
                if let Some(digest) = calls.digest {
                    let count = calls.count.saturating_sub(calls.listed.len() as u64);
                    effects.push(format!("{count} calls with digest {digest}"));
                }
            }
            Event::Call(call) => effects.push(format!(
                "call {}({}) by {}",
                call.function,
                value(&call.arguments),
                call.grant
            )),
            Event::Answer(answer) => effects.push(format!("answer {}", value(&answer.result))),
            Event::Denial(denial) => effects.push(format!(
                "denied {}({}): {}",
                denial.function,
                value(&denial.arguments),
                denial.reason
            )),
            Event::LimitHit(hit) => effects.push(format!("limit hit: {} {}", hit.limit, hit.bound)),
            Event::Output(output) => {
                for (name, data) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
                    effects.extend(value(data).lines().map(|line| format!("{name}: {line}")));
                }
            }
            Event::Returned(returned) => {
                for (name, data) in [("said", &returned.said), ("returned", &returned.value)] {
                    let text = data.as_ref().map(&value).unwrap_or_default();
                    effects.extend(text.lines().map(|line| format!("{name}: {line}")));
                }
            }
            Event::End(end) => effects.push(match &end.exit {
                Some(exit) => format!("ended {} {}", exit.name(), exit.detail()).trim_end().into(),
                None => "given up by the host".into(),
            }),
            Event::Review(review) => {
                effects.push(format!("reviewed {}", one_line(review.verdict.name(), 10)));
            }
        }
    }
    effects
}
