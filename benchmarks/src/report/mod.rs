//! A run as a page of HTML.
//!
//! The page is one file. It opens from disk, fetches nothing, and says so to the browser: its
//! content security policy (<https://www.w3.org/TR/CSP3/>) allows the page's own style and script,
//! by their digests, and nothing else. Without the script all is there but the filter. What tasks,
//! models and programs wrote is text, whatever it looks like.

mod html;
mod plots;
mod tasks;

use std::fmt::Write as _;
use std::path::Path;

use crate::grading::{Record, Verdict};
use crate::run::{RunError, Stored, write_whole};
use crate::statistics::Tally;
use crate::summary::Summary;
use crate::text::grouped;
use html::{Text, source_hash};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes a run's report, whole or not at all.
///
/// # Errors
///
/// The file cannot be written.
pub fn write(run: &Stored, path: &Path) -> Result<(), RunError> {
    use std::io::Write as _;
    write_whole(path, |file| file.write_all(page(run).as_bytes()))
}

/// A run's report.
pub fn page(run: &Stored) -> String {
    let tasks = run.tasks();
    let mut page = String::new();
    let title = Text(&run.manifest.dataset);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; \
         script-src {}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        source_hash(STYLE),
        source_hash(SCRIPT),
    );
    summary(&mut page, run);
    let tallies = tasks.iter().map(|(id, records)| (*id, Tally::of(records)));
    figure(&mut page, "Share of samples that passed, by task", &plots::rates(tallies));
    let records = run.records.iter();
    figure(&mut page, "Samples by verdict", &plots::verdicts(records.clone()));
    let fuel = plots::distribution("fuel", records.clone(), |one| one.fuel as f64, number);
    figure(&mut page, "Samples by fuel", &fuel);
    let time = |ms: f64| format!("{ms:.3} ms");
    let wall = plots::distribution("wall time", records, |one| one.wall_ms, time);
    figure(&mut page, "Samples by wall time", &wall);
    table(&mut page, run, &tasks);
    let _ = write!(page, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

fn summary(page: &mut String, run: &Stored) {
    let manifest = &run.manifest;
    let summary = Summary::new(&manifest.dataset, run.records.iter(), &run.ks);
    let Summary { passed, samples, tasks, .. } = summary;
    let _ = writeln!(
        page,
        "<p><strong>{passed} of {samples} samples passed</strong> ({tasks} tasks)</p>"
    );
    if samples < manifest.samples {
        let _ = writeln!(
            page,
            "<p class=\"bad\">{samples} of {} samples are graded: complete the run with \
             <code>--resume</code>.</p>",
            manifest.samples
        );
    }
    if !summary.pass_at_k.is_empty() {
        page.push_str(
            "<table><caption>pass@k</caption><thead><tr><th scope=\"col\">k</th>\
             <th scope=\"col\">estimate</th><th scope=\"col\">95 % interval</th></tr></thead><tbody>",
        );
        for (k, score) in &summary.pass_at_k {
            let _ = write!(
                page,
                "<tr><th scope=\"row\">{k}</th><td>{:.4}</td><td>{:.4} to {:.4}</td></tr>",
                score.value, score.low, score.high
            );
        }
        page.push_str("</tbody></table>\n");
    }
    if !summary.effort.is_empty() {
        page.push_str(
            "<table><caption>What the agent spent on a sample</caption><thead><tr><td></td>\
             <th scope=\"col\">mean</th><th scope=\"col\">median</th><th scope=\"col\">samples</th>\
             </tr></thead><tbody>",
        );
        for (name, average) in &summary.effort {
            let _ = write!(
                page,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                name.replace('_', " "),
                number(average.mean),
                number(average.median),
                average.samples
            );
        }
        page.push_str("</tbody></table>\n");
    }
    page.push_str("<dl>");
    for (name, value) in [
        ("fuel used", grouped(summary.fuel)),
        ("fuel allowed a sample", grouped(manifest.fuel)),
        ("peak memory", format!("{} KiB", grouped(summary.peak_memory / 1024))),
        ("memory allowed a sample", format!("{} KiB", grouped(manifest.memory / 1024))),
        ("seed", manifest.seed.to_string()),
        ("tasks, SHA-256", manifest.tasks.clone()),
        ("samples, SHA-256", manifest.completions.clone()),
        ("runner, SHA-256", manifest.runner.clone()),
    ] {
        let _ = write!(page, "<dt>{name}</dt><dd>{}</dd>", Text(&value));
    }
    page.push_str("</dl>\n");
}

fn figure(page: &mut String, caption: &str, svg: &str) {
    let _ = writeln!(page, "<figure><figcaption>{caption}</figcaption>{svg}</figure>");
}

fn table(page: &mut String, run: &Stored, tasks: &[(&str, Vec<&Record>)]) {
    page.push_str(
        "<h2>Tasks</h2>\n<form id=\"filter\" hidden><label>Find <input id=\"search\" type=\"search\" \
         accesskey=\"f\"></label> <label>Verdict <select id=\"verdict\"><option value=\"\">any</option>",
    );
    for verdict in Verdict::ALL {
        let _ = write!(page, "<option>{}</option>", verdict.name());
    }
    page.push_str(
        "</select></label> <button id=\"open\" type=\"button\">Open all</button> \
         <output id=\"count\"></output></form>\n\
         <table id=\"tasks\"><thead><tr><th scope=\"col\">task</th><th scope=\"col\">passed</th>\
         <th scope=\"col\">verdicts</th><th scope=\"col\">most fuel</th>\
         <th scope=\"col\">longest, ms</th></tr></thead>\n",
    );
    for (id, records) in tasks {
        tasks::rows(page, run, id, records);
    }
    page.push_str("</table>\n");
}

/// A number for people: grouped, and with one decimal where it has any.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let whole = value.trunc();
    let tenths = ((value - whole) * 10.0).round();
    match tenths {
        0.0 => grouped(value.round() as u64),
        10.0 => grouped(whole as u64 + 1),
        _ => format!("{}.{tenths:.0}", grouped(whole as u64)),
    }
}

#[cfg(test)]
mod tests;
