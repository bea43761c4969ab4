//! The table at the end of an evaluation.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use june_benchmarks::grading::{Record, Verdict};
use june_benchmarks::summary::Summary;

use crate::size::show_bytes;
use crate::words::{grouped, one_line};

/// How many samples that did not pass are listed.
const LISTED: usize = 10;

/// The summary, for people.
pub(crate) fn table<'a>(
    summary: &Summary,
    records: impl Iterator<Item = &'a Record>,
    elapsed: Duration,
    folder: &Path,
) -> String {
    let mut text = String::new();
    let seconds = elapsed.as_secs_f64();
    let _ = writeln!(
        text,
        "{}: {} of {} samples passed ({} tasks)",
        summary.dataset, summary.passed, summary.samples, summary.tasks
    );
    for (k, score) in &summary.pass_at_k {
        let _ = writeln!(
            text,
            "  pass@{k:<8} {:.4}  (95 % interval {:.4} to {:.4})",
            score.value, score.low, score.high
        );
    }
    for verdict in Verdict::ALL {
        if let Some(count) = summary.verdicts.get(verdict.name()) {
            let _ = writeln!(text, "  {:<13} {count}", verdict.name());
        }
    }
    let _ = writeln!(text, "  {:<13} {}", "fuel", grouped(summary.fuel));
    let _ = writeln!(text, "  {:<13} {}", "peak memory", show_bytes(summary.peak_memory));
    for (name, average) in &summary.effort {
        let _ = writeln!(
            text,
            "  {:<13} mean {:.1}, median {:.1}",
            name.replace('_', " "),
            average.mean,
            average.median
        );
    }
    let rate = summary.samples as f64 / seconds.max(1e-9);
    let _ = writeln!(text, "  {:<13} {seconds:.2} s, {rate:.0} samples a second", "time");
    let _ = writeln!(text, "  {:<13} {}", "records", folder.display());
    let missed: Vec<&Record> = records.filter(|record| record.verdict != Verdict::Passed).collect();
    if !missed.is_empty() {
        let _ = writeln!(text, "\nnot passed:");
    }
    for record in missed.iter().take(LISTED) {
        let why = record.assertion.as_deref().unwrap_or(&record.detail);
        let _ = writeln!(
            text,
            "  {:<16} #{:<3} {:<13} {}",
            record.task_id,
            record.completion_id,
            record.verdict.name(),
            one_line(why, 60)
        );
    }
    if missed.len() > LISTED {
        let _ = writeln!(text, "  … and {} more, in records.jsonl", missed.len() - LISTED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use june_benchmarks::effort::{Effort, averages};

    #[test]
    fn effort_is_shown_where_there_is_any() {
        let mut summary = Summary::new("tasks", std::iter::empty(), &[1]);
        let shown = |summary: &Summary| {
            table(summary, std::iter::empty(), Duration::from_secs(1), Path::new("run"))
        };
        assert!(!shown(&summary).contains("mean"));
        let efforts = [1, 4].map(|calls| Effort { calls: Some(calls), ..Effort::default() });
        summary.effort = averages(efforts.iter());
        assert!(shown(&summary).contains("  calls         mean 2.5, median 2.5\n"));
    }
}
