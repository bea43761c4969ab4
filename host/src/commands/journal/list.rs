//! `june journal list`.

use std::fmt::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::Place;
use crate::exit::{Blame, Failure, print};
use crate::index::{Filter, Outcome, Run};
use crate::size::show_bytes;
use crate::words::{grouped, one_line, time, took};

/// List runs, the newest first.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    which: Which,
    /// How many to list at the most.
    #[arg(long, short = 'n', default_value = "50", value_name = "N")]
    limit: u64,
    /// Read the whole journal again, and make the index anew.
    #[arg(long)]
    reindex: bool,
    /// Print JSON, one run a line.
    #[arg(long)]
    json: bool,
}

/// Which runs.
#[derive(Args)]
pub(crate) struct Which {
    /// That began then or later: 2026-11-23, 2026-11-23T09:00:00Z, or 2h for two hours ago.
    #[arg(long, value_name = "TIME", value_parser = point)]
    since: Option<u64>,
    /// That began then or before.
    #[arg(long, value_name = "TIME", value_parser = point)]
    until: Option<u64>,
    /// Of this component: its name, or the beginning of its SHA-256.
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// Of this session; an evaluation's is the name of its folder.
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// That ended so.
    #[arg(long, value_enum, value_name = "OUTCOME")]
    outcome: Option<Outcome>,
    /// With a call on which this was decided.
    #[arg(long, value_enum)]
    decision: Option<Decision>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Decision {
    /// A grant allowed the call.
    Allowed,
    /// No grant did.
    Denied,
}

impl Which {
    /// As the index understands it.
    pub(crate) fn filter(&self, limit: Option<u64>) -> Filter {
        Filter {
            since: self.since,
            until: self.until,
            component: self.component.clone(),
            session: self.session.clone(),
            outcome: self.outcome,
            denied: self.decision.map(|decision| matches!(decision, Decision::Denied)),
            limit,
            ..Filter::default()
        }
    }
}

/// A time, in milliseconds of Unix time.
pub(crate) fn point(text: &str) -> Result<u64, String> {
    let point = if let Ok(point) = text.parse::<Timestamp>() {
        Some(point)
    } else if let Ok(date) = text.parse::<Date>() {
        date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    } else {
        let span = text.parse::<Span>().ok();
        span.and_then(|span| Timestamp::now().to_zoned(TimeZone::UTC).checked_sub(span).ok())
            .map(|zoned| zoned.timestamp())
    };
    point
        .and_then(|point| u64::try_from(point.as_millisecond()).ok())
        .ok_or_else(|| "not a time; write 2026-11-23, 2026-11-23T09:00:00Z or 2h".into())
}

pub(crate) fn run(command: &List) -> Result<ExitCode, Failure> {
    let (_, index) = command.place.index(command.reindex)?;
    let runs = index.runs(&command.which.filter(Some(command.limit))).environment()?;
    let mut text = String::new();
    if command.json {
        for run in &runs {
            text += &serde_json::to_string(run).environment()?;
            text.push('\n');
        }
    } else if runs.is_empty() {
        eprintln!("june: no such run");
    } else {
        text = table(&runs);
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn table(runs: &[Run]) -> String {
    let mut text = format!(
        "{:>8}  {:<24} {:<10} {:<13} {:>15} {:>10} {:>6} {:>6} {:>9}  {}\n",
        "run",
        "began",
        "component",
        "outcome",
        "fuel",
        "memory",
        "calls",
        "denied",
        "took",
        "session"
    );
    for run in runs {
        let number = |number: Option<u64>| number.map_or_else(|| "-".into(), grouped);
        let _ = writeln!(
            text,
            "{:>8}  {:<24} {:<10} {:<13} {:>15} {:>10} {:>6} {:>6} {:>9}  {}{}",
            run.run,
            time(run.time),
            one_line(&run.name, 10),
            run.outcome,
            number(run.fuel),
            run.peak_memory.map_or_else(|| "-".into(), show_bytes),
            number(run.calls),
            run.denied,
            run.duration.map_or_else(|| "-".into(), took),
            one_line(&run.session, 60),
            if run.reviews.is_empty() { String::new() } else { format!("  [{}]", run.reviews) },
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(point("2026-01-01"), Ok(1_767_225_600_000));
        assert_eq!(point("2026-01-01T00:00:01Z"), Ok(1_767_225_601_000));
        let now = Timestamp::now().as_millisecond() as u64;
        assert!(point("2h").is_ok_and(|ago| ago < now - 7_000_000 && ago > now - 7_300_000));
        assert!(point("yesterday").is_err() && point("1960-01-01").is_err());
    }
}
