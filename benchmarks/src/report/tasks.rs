//! The report's table: each task, with what came of its samples.

use std::fmt::Write as _;

use super::html::Text;
use crate::grading::{Record, Verdict};
use crate::run::Stored;
use crate::statistics::Tally;
use crate::text::grouped;

/// How many samples of a task are shown; those that did not pass come first.
const SHOWN: usize = 20;

/// How much of a completion is shown, in characters.
const CODE: usize = 20_000;

/// A task's rows.
pub(super) fn rows(html: &mut String, run: &Stored, id: &str, records: &[&Record]) {
    let Tally { samples, passed } = Tally::of(records);
    let has = |verdict: &Verdict| records.iter().any(|record| record.verdict == *verdict);
    let verdicts: Vec<&str> = Verdict::ALL.into_iter().filter(has).map(Verdict::name).collect();
    let fuel = records.iter().map(|record| record.fuel).max().unwrap_or(0);
    let wall = records.iter().map(|record| record.wall_ms).fold(0.0, f64::max);
    let _ = write!(
        html,
        "<tbody class=\"task\" data-verdicts=\"{}\"><tr><th scope=\"row\">{}</th>\
         <td class=\"number\">{passed} of {}</td><td>{}</td><td class=\"number\">{}</td>\
         <td class=\"number\">{wall:.1}</td></tr><tr><td colspan=\"5\">",
        verdicts.join(" "),
        Text(id),
        samples,
        verdicts.join(", "),
        grouped(fuel),
    );
    let mut shown = records.to_vec();
    shown.sort_by_key(|record| record.verdict == Verdict::Passed);
    for record in shown.iter().take(SHOWN) {
        sample(html, record, run.completions.get(record.sample).map(String::as_str));
    }
    if records.len() > SHOWN {
        let _ = write!(html, "<p>… and {} more, in records.jsonl</p>", records.len() - SHOWN);
    }
    html.push_str("</td></tr></tbody>\n");
}

fn sample(html: &mut String, record: &Record, completion: Option<&str>) {
    let class = if record.verdict == Verdict::Passed { "good" } else { "bad" };
    let _ = write!(
        html,
        "<details><summary>#{} <span class=\"{class}\">{}</span> {}</summary><dl>",
        record.completion_id,
        record.verdict.name(),
        Text(record.detail.lines().next().unwrap_or_default()),
    );
    let mut item = |name: &str, text: &str| {
        let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", Text(text));
    };
    if let Some(assertion) = &record.assertion {
        item("assertion", assertion);
    }
    if record.detail.contains('\n') {
        item("detail", &record.detail);
    }
    item("fuel", &grouped(record.fuel));
    item("peak memory", &format!("{} KiB", grouped(record.peak_memory / 1024)));
    item("time", &format!("{:.1} ms", record.wall_ms));
    if let Some(run) = record.run {
        item("run in the journal", &run.to_string());
    }
    for (name, value) in record.effort.iter().flat_map(|effort| effort.measures()) {
        if let Some(value) = value {
            item(&name.replace('_', " "), &super::number(value));
        }
    }
    html.push_str("</dl>");
    let mut block = |name: &str, text: &str| {
        if !text.trim().is_empty() {
            let _ = write!(html, "<h4>{name}</h4><pre tabindex=\"0\">{}</pre>", Text(text));
        }
    };
    block("end of standard output", &record.stdout_tail);
    block("end of standard error", &record.stderr_tail);
    if let Some(code) = completion {
        let cut = code.char_indices().nth(CODE).map(|(place, _)| format!("{}…", &code[..place]));
        block("completion", cut.as_deref().unwrap_or(code));
    }
    html.push_str("</details>");
}
