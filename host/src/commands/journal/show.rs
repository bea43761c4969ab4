//! `june journal show`.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use june_sandbox::Tree;
use june_sandbox::journal::blobs::Blobs;
use june_sandbox::journal::record::{Data, Event, Opinion, Record, Start};

use super::export::record_in_json;
use super::{Place, run_of};
use crate::exit::{Blame, Failure, print};
use crate::index::Run;
use crate::size::show_bytes;
use crate::words::{grouped, neutral, one_line, quoted, time, took};

/// Show a run: what it was granted and given, what it did, what it was denied, how it ended.
#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    place: Place,
    /// The run.
    run: u64,
    /// Show inputs, outputs, arguments and answers whole.
    #[arg(long)]
    full: bool,
    /// Print the records as JSON, one a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Show) -> Result<ExitCode, Failure> {
    let (folder, index) = command.place.index(false)?;
    let records = run_of(&index, command.run)?;
    let blobs = folder.blobs();
    let mut text = String::new();
    if command.json {
        for (number, record) in &records {
            let value = record_in_json(*number, record, &blobs, command.full);
            let _ = writeln!(text, "{value}");
        }
    } else {
        let children = index.children(command.run).environment()?;
        text = View { blobs: &blobs, full: command.full }.run(command.run, &records, &children);
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

struct View<'a> {
    blobs: &'a Blobs,
    full: bool,
}

/// What one function was called for.
#[derive(Default)]
struct Use {
    calls: u64,
    fuel: u64,
    duration: u64,
}

impl View<'_> {
    fn run(&self, run: u64, records: &[(u64, Record)], children: &[Run]) -> String {
        let mut text = String::new();
        let mut uses: BTreeMap<&str, Use> = BTreeMap::new();
        let (mut unlisted, mut functions) = (0, BTreeMap::new());
        let mut granted = BTreeSet::new();
        let (mut used, mut steps, mut denials) = (BTreeSet::new(), String::new(), String::new());
        let (mut ended, mut reviews) = (String::new(), String::new());
        for (_, record) in records {
            match &record.event {
                Event::Start(start) => {
                    granted.extend(start.grants.iter().map(String::as_str));
                    self.start(&mut text, run, record.time, start);
                }
                Event::Virtual(calls) => {
                    unlisted += calls.count.saturating_sub(calls.listed.len() as u64);
                    for (index, call) in calls.listed.iter().enumerate() {
                        uses.entry(&call.function).or_default().calls += 1;
                        if call.function == told::NOTE {
                            let number = calls.first.saturating_add(index as u64);
                            let note = self.note(&call.arguments);
                            let _ = writeln!(steps, "    {number:>5}  {note}");
                        }
                    }
                }
                Event::Call(call) => {
                    uses.entry(&call.function).or_default().calls += 1;
                    functions.insert(call.number, call.function.as_str());
                    used.insert(call.grant.as_str());
                    let _ = writeln!(
                        steps,
                        "    {:>5}  {}({})  by {}",
                        call.number,
                        one_line(&call.function, 80),
                        self.data(&call.arguments),
                        one_line(&call.grant, 60)
                    );
                }
                Event::Answer(answer) => {
                    let fuel = answer.fuel_before.saturating_sub(answer.fuel_after);
                    if let Some(function) = functions.get(&answer.number) {
                        let entry = uses.entry(function).or_default();
                        entry.fuel = entry.fuel.saturating_add(fuel);
                        entry.duration = entry.duration.saturating_add(answer.duration);
                    }
                    let _ = writeln!(
                        steps,
                        "    {:>5}  -> {}, fuel {}, {}",
                        answer.number,
                        self.data(&answer.result),
                        grouped(fuel),
                        took(answer.duration)
                    );
                }
                Event::Denial(denial) => {
                    uses.entry(&denial.function).or_default().calls += 1;
                    let _ = writeln!(
                        denials,
                        "    {:>5}  {}({})  {}",
                        denial.number,
                        one_line(&denial.function, 80),
                        self.data(&denial.arguments),
                        one_line(&denial.reason, 80)
                    );
                }
                Event::LimitHit(hit) => {
                    let _ = writeln!(
                        ended,
                        "  limit hit  {} {}",
                        one_line(&hit.limit, 40),
                        grouped(hit.bound)
                    );
                }
                Event::Returned(returned) => {
                    for (name, data) in [("said", &returned.said), ("returned", &returned.value)] {
                        if let Some(data) = data {
                            let _ = writeln!(ended, "  {name:<10} {}", self.data(data));
                        }
                    }
                }
                Event::Output(output) => {
                    for (name, data, truncated) in [
                        ("stdout", &output.stdout, output.stdout_truncated),
                        ("stderr", &output.stderr, output.stderr_truncated),
                    ] {
                        if !data.is_empty() {
                            let more = if truncated { ", and more that was dropped" } else { "" };
                            let _ = writeln!(ended, "  {name:<10} {}{more}", self.data(data));
                        }
                    }
                }
                Event::End(end) => {
                    let exit = end.exit.as_ref();
                    let name = exit.map_or("given up by the host", |exit| exit.name());
                    let detail = exit.map(|exit| exit.detail()).filter(|text| !text.is_empty());
                    let detail = detail.map_or_else(String::new, |detail| {
                        format!(": {}", neutral(&detail, false))
                    });
                    let _ = writeln!(ended, "  ended      {name}{detail}");
                    let _ = writeln!(
                        ended,
                        "  used       fuel {}, memory {}, {} calls ({} denied), {} entries into the host, {}",
                        grouped(end.fuel),
                        show_bytes(end.peak_memory),
                        grouped(end.calls),
                        grouped(end.denied),
                        grouped(end.entries),
                        took(end.duration)
                    );
                }
                Event::Review(review) => {
                    let verdict = match review.verdict {
                        Opinion::Ok => "ok",
                        Opinion::Flag => "FLAG",
                    };
                    let _ = writeln!(
                        reviews,
                        "  review     {verdict} by {}, {}: {}",
                        neutral(&review.reviewer, false),
                        time(record.time),
                        neutral(&review.comment, false)
                    );
                }
            }
        }
        if ended.is_empty() {
            ended = "  ended      not yet, or the host died\n".into();
        }
        let list = |items: Vec<&str>| match items.is_empty() {
            true => "nothing".into(),
            false => items.iter().map(|item| one_line(item, 80)).collect::<Vec<_>>().join("; "),
        };
        let _ = writeln!(text, "  granted    {}", list(granted.iter().copied().collect()));
        // Calls to files need no decision, and so name no grant.
        if uses.keys().any(|function| function.starts_with("wasi:filesystem/types")) {
            used.extend(granted.iter().filter(|grant| grant.starts_with("files ")));
        }
        let unused: Vec<_> = granted.difference(&used).copied().collect();
        let used = granted.intersection(&used).copied().collect();
        let _ = writeln!(text, "  used       {}", list(used));
        let _ = writeln!(text, "  unused     {}", list(unused));
        let _ = match denials.is_empty() {
            true => writeln!(text, "  denied     nothing"),
            false => write!(text, "  denied\n{denials}"),
        };
        let _ = writeln!(text, "  calls");
        for (function, Use { calls, fuel, duration }) in &uses {
            let cost = match duration {
                0 => String::new(),
                _ => format!("  fuel {}, {}", grouped(*fuel), took(*duration)),
            };
            let _ = writeln!(text, "    {:>5}  {}{cost}", grouped(*calls), one_line(function, 80));
        }
        if unlisted > 0 {
            let _ = writeln!(text, "    {:>5}  more, not listed", grouped(unlisted));
        }
        if uses.is_empty() && unlisted == 0 {
            let _ = writeln!(text, "    none");
        }
        if !steps.is_empty() {
            let _ = write!(text, "  steps\n{steps}");
        }
        for child in children {
            let _ = writeln!(
                text,
                "  made       run {} {} ({}), {}",
                child.run,
                one_line(&child.name, 40),
                child.world,
                child.outcome
            );
        }
        text + &ended + &reviews
    }

    fn start(&self, text: &mut String, run: u64, began: u64, start: &Start) {
        let _ = writeln!(
            text,
            "run {run}: {} in world {}",
            one_line(&start.name, 60),
            one_line(&start.world, 40)
        );
        let _ = writeln!(text, "  component  {}", start.component);
        if let Some(parent) = start.parent {
            let _ = writeln!(text, "  made by    run {}, call {}", parent.run, parent.call);
        }
        if !start.session.is_empty() {
            let _ = writeln!(text, "  session    {}", one_line(&start.session, 100));
        }
        let _ = writeln!(text, "  began      {}", time(began));
        let _ = writeln!(
            text,
            "  engine     {}, configuration {:.16}…",
            one_line(&start.engine, 60),
            start.configuration.to_string()
        );
        let _ = writeln!(
            text,
            "  seed       {}, clock from {}",
            start.seed,
            time(start.epoch.saturating_mul(1000))
        );
        let limits = start
            .limits
            .iter()
            .map(|(name, bound)| format!("{} {}", one_line(name, 30), grouped(*bound)));
        let _ = writeln!(text, "  limits     {}", limits.collect::<Vec<_>>().join(", "));
        for (name, data) in &start.input {
            let _ =
                writeln!(text, "  given      {} {}", one_line(name, 30), self.given(name, data));
        }
        let _ = writeln!(text, "  policy     {:.16}…", start.policy.to_string());
    }

    /// An input, in words where it is more than a text.
    fn given(&self, name: &str, data: &Data) -> String {
        let turn = || serde_json::from_slice(&self.blobs.value(data).ok()?).ok();
        match name {
            "turn" => match turn() {
                Some(turn) if self.full => block(&told::turn_whole(&turn)),
                Some(turn) => told::turn_in_short(&turn),
                None => self.data(data),
            },
            "files" => match Tree::recall(data, self.blobs) {
                Ok(Some(files)) if self.full && files.entries().next().is_some() => {
                    block(&told::files_whole(&files))
                }
                Ok(Some(files)) => told::files_in_short(&files),
                Ok(None) | Err(_) => self.data(data),
            },
            _ => self.data(data),
        }
    }

    /// A step that a strategy noted.
    fn note(&self, arguments: &str) -> String {
        match told::note(arguments) {
            Some((stage, text)) if self.full => {
                format!("[{}]{}", neutral(stage, false), block(&text))
            }
            Some((stage, text)) => format!("[{}] {}", one_line(stage, 20), one_line(&text, 100)),
            None => format!("[note] {}", one_line(arguments, 100)),
        }
    }

    /// A value: all of it, or how it begins.
    fn data(&self, data: &Data) -> String {
        match self.blobs.value(data) {
            Ok(bytes) if self.full => block(&String::from_utf8_lossy(&bytes)),
            Ok(bytes) if bytes.len() <= 60 => quoted(&bytes, 60),
            Ok(bytes) => format!("{} {}", show_bytes(bytes.len() as u64), quoted(&bytes, 48)),
            Err(error) => format!("({error})"),
        }
    }
}

/// A text on lines of its own.
fn block(text: &str) -> String {
    let text = neutral(text, true);
    let lines: String = text.lines().map(|line| format!("      | {line}\n")).collect();
    format!("\n{lines}").trim_end().into()
}
