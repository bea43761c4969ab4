//! Plots, as SVG that takes its colours from the page's style.

use std::fmt::{Display, Write as _};

use super::html::Text;
use crate::grading::{Record, Verdict};
use crate::statistics::Tally;

const WIDTH: f64 = 960.0;

/// The head of a picture: who does not see it is told what it shows.
fn begin(height: f64, what: &str) -> String {
    format!("<svg role=\"img\" viewBox=\"0 0 {WIDTH} {height}\" aria-label=\"{}\">", Text(what))
}

fn rectangle(class: &str, x: f64, y: f64, width: f64, height: f64) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/>"
    )
}

fn label(anchor: &str, x: f64, y: f64, text: impl Display) -> String {
    let text = text.to_string();
    format!("<text text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", Text(&text))
}

/// A column for each task, as high as the share of its samples that passed.
pub(super) fn rates<'a>(tasks: impl ExactSizeIterator<Item = (&'a str, Tally)>) -> String {
    const HEIGHT: f64 = 80.0;
    let step = WIDTH / tasks.len().max(1) as f64;
    let gap = if step > 3.0 { 1.0 } else { 0.0 };
    let mut svg = begin(HEIGHT, "share of samples that passed, by task");
    for (place, (id, tally)) in tasks.enumerate() {
        let x = place as f64 * step;
        let high = tally.pass_at_k(1).unwrap_or(0.0) * HEIGHT;
        let Tally { samples, passed } = tally;
        let _ = write!(svg, "<g><title>{}: {passed} of {samples}</title>", Text(id));
        svg += &rectangle("missed", x, 0.0, step - gap, HEIGHT - high);
        svg += &rectangle("passed", x, HEIGHT - high, step - gap, high);
        svg += "</g>";
    }
    svg + "</svg>"
}

/// A bar for each verdict.
pub(super) fn verdicts<'a>(records: impl Iterator<Item = &'a Record> + Clone) -> String {
    const ROW: f64 = 24.0;
    let count = |verdict| records.clone().filter(|record| record.verdict == verdict).count();
    let counts = Verdict::ALL.map(|verdict| (verdict, count(verdict)));
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1) as f64;
    let mut svg = begin(ROW * counts.len() as f64, "samples by verdict");
    for (row, (verdict, count)) in counts.into_iter().enumerate() {
        let y = row as f64 * ROW;
        let width = 700.0 * count as f64 / most;
        svg += &label("end", 130.0, y + 16.0, verdict.name());
        let class = if verdict == Verdict::Passed { "passed" } else { "missed" };
        svg += &rectangle(class, 140.0, y + 3.0, width, ROW - 6.0);
        svg += &label("start", 148.0 + width, y + 16.0, count);
    }
    svg + "</svg>"
}

/// How many samples lie where, from the least value to the greatest in steps of equal ratio. Those
/// that passed are below, the others above them.
pub(super) fn distribution<'a>(
    what: &str,
    records: impl Iterator<Item = &'a Record> + Clone,
    value: impl Fn(&Record) -> f64,
    show: impl Fn(f64) -> String,
) -> String {
    const BINS: usize = 48;
    const HEIGHT: f64 = 120.0;
    // A logarithm needs something above nothing; what is no number has no place.
    let place = |record: &Record| value(record).max(1e-3).log10();
    let mut values: Vec<f64> =
        records.clone().map(place).filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let (Some(&least), Some(&greatest)) = (values.first(), values.last()) else {
        return String::new();
    };
    let median = values[values.len() / 2];
    let range = (greatest - least).max(0.01);
    let mut bins = [(0usize, 0usize); BINS];
    for record in records {
        let share = (place(record) - least) / range;
        if share.is_finite() {
            let bin = &mut bins[((share * BINS as f64) as usize).min(BINS - 1)];
            match record.verdict {
                Verdict::Passed => bin.0 += 1,
                _ => bin.1 += 1,
            }
        }
    }
    let most = bins.iter().map(|(passed, missed)| passed + missed).max().unwrap_or(0).max(1) as f64;
    let step = WIDTH / BINS as f64;
    let mut svg = begin(HEIGHT + 22.0, &format!("samples by {what}"));
    for (number, (passed, missed)) in bins.into_iter().enumerate() {
        let x = number as f64 * step;
        let (low, high) = (passed as f64 / most * HEIGHT, missed as f64 / most * HEIGHT);
        let from = 10f64.powf(least + range * number as f64 / BINS as f64);
        let _ = write!(
            svg,
            "<g><title>from {}: {passed} passed, {missed} did not</title>",
            Text(&show(from))
        );
        svg += &rectangle("passed", x, HEIGHT - low, step - 1.0, low);
        svg += &rectangle("missed", x, HEIGHT - low - high, step - 1.0, high);
        svg += "</g>";
    }
    svg += &rectangle("line", 0.0, HEIGHT, WIDTH, 1.0);
    svg += &label("start", 0.0, HEIGHT + 17.0, show(10f64.powf(least)));
    svg += &label(
        "middle",
        WIDTH / 2.0,
        HEIGHT + 17.0,
        format!("median {}", show(10f64.powf(median))),
    );
    svg += &label("end", WIDTH, HEIGHT + 17.0, show(10f64.powf(greatest)));
    svg + "</svg>"
}
