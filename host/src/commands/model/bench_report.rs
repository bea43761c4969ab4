//! What `june model bench` found, as a table and as a plot.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::bandwidth::Limit;
use super::bench::Sample;
use crate::words::nearest;

/// What was found for one length of prompt and one number of users. Times are in seconds.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The length asked for, and the one that the model counted, in tokens.
    prompt: u32,
    prompt_tokens: u64,
    users: u16,
    answers: usize,
    output_tokens: u64,
    /// Time to the first token.
    first_p50: f64,
    first_p95: f64,
    /// Tokens a second that one user sees after the first.
    rate_p50: f64,
    rate_p5: f64,
    /// Tokens a second of all users together, over the whole time.
    rate_all: f64,
    /// How much of the memory's bandwidth one user takes, 0 to 1, where that is known.
    bandwidth_share: Option<f64>,
}

impl Row {
    pub(super) fn new(
        prompt: u32,
        users: u16,
        samples: &[Sample],
        took: Duration,
        limit: Option<&Limit>,
    ) -> Row {
        let mut first: Vec<f64> = samples.iter().map(|sample| sample.first.as_secs_f64()).collect();
        let more = samples.iter().filter(|sample| sample.output > 1 && !sample.rest.is_zero());
        let mut rates: Vec<f64> =
            more.map(|sample| (sample.output - 1) as f64 / sample.rest.as_secs_f64()).collect();
        first.sort_by(f64::total_cmp);
        rates.sort_by(f64::total_cmp);
        let output_tokens = samples.iter().map(|sample| sample.output).sum();
        let input: u64 = samples.iter().map(|sample| sample.input).sum();
        let each = |tokens: u64| tokens / samples.len().max(1) as u64;
        let rate_p50 = nearest(&rates, 0.5);
        let before = each(input) + each(output_tokens) / 2;
        let alone = limit.filter(|_| users == 1);
        Row {
            prompt,
            prompt_tokens: each(input),
            users,
            answers: samples.len(),
            output_tokens,
            first_p50: nearest(&first, 0.5),
            first_p95: nearest(&first, 0.95),
            rate_p50,
            rate_p5: nearest(&rates, 0.05),
            rate_all: output_tokens as f64 / took.as_secs_f64().max(1e-9),
            bandwidth_share: alone.map(|limit| limit.share(rate_p50, before)),
        }
    }
}

pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "  prompt  users  answers   first token      p95   tokens/s of one       p5   tokens/s of all   bandwidth\n",
    );
    for row in rows {
        let share = row.bandwidth_share.map(|share| format!("{:.0} %", share * 100.0));
        let _ = writeln!(
            text,
            "{:>8}  {:>5}  {:>7}  {:>9.1} ms {:>5.1} ms  {:>16.1} {:>8.1}  {:>16.1}  {:>10}",
            row.prompt_tokens,
            row.users,
            row.answers,
            row.first_p50 * 1e3,
            row.first_p95 * 1e3,
            row.rate_p50,
            row.rate_p5,
            row.rate_all,
            share.as_deref().unwrap_or("-")
        );
    }
    text
}

/// Tokens a second of all users, over the number of users: a line for each length of prompt.
pub(super) fn plot(rows: &[Row]) -> String {
    const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
    let (left, top, width, height) = (64.0, 24.0, 520.0, 280.0);
    let most_users = rows.iter().map(|row| row.users).max().unwrap_or(1).max(2);
    let most = rows.iter().map(|row| row.rate_all).fold(1.0, f64::max) * 1.05;
    let x = |users: u16| left + width * f64::from(users).ln() / f64::from(most_users).ln();
    let y = |rate: f64| top + height * (1.0 - rate / most);
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 360\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"720\" height=\"360\" fill=\"#fff\"/>\n",
    );
    for step in 0..=4 {
        let rate = most * f64::from(step) / 4.0;
        let _ = writeln!(
            svg,
            "<path d=\"M{left} {0:.1}h{width}\" stroke=\"#ddd\"/><text x=\"{1}\" y=\"{0:.1}\" \
             text-anchor=\"end\" dy=\"4\">{rate:.0}</text>",
            y(rate),
            left - 8.0
        );
    }
    let mut users: Vec<u16> = rows.iter().map(|row| row.users).collect();
    users.sort_unstable();
    users.dedup();
    for users in users {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{users}</text>",
            x(users),
            top + height + 18.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">users at once</text>\n\
         <text x=\"{left}\" y=\"14\">tokens/s of all users</text>",
        left + width / 2.0,
        top + height + 36.0
    );
    let mut prompts: Vec<u32> = rows.iter().map(|row| row.prompt).collect();
    prompts.sort_unstable();
    prompts.dedup();
    for (index, (prompt, colour)) in prompts.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let line = rows.iter().filter(|row| row.prompt == *prompt);
        let points: Vec<String> =
            line.map(|row| format!("{:.1},{:.1}", x(row.users), y(row.rate_all))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        for point in &points {
            let (x, y) = point.split_once(',').unwrap_or_default();
            let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>");
        }
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{prompt} tokens in</text>",
            left + width + 12.0,
            top + 14.0 + 16.0 * index as f64
        );
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_tokens_after_the_first() {
        let second = Duration::from_secs(1);
        let sample = || Sample { first: second / 2, rest: second, input: 100, output: 11 };
        let row = Row::new(90, 2, &[sample(), sample()], second * 2, None);
        assert_eq!((row.rate_p50, row.rate_all, row.prompt_tokens), (10.0, 11.0, 100));
        let svg = plot(&[row]);
        assert!(
            svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"),
            "{svg}"
        );
    }
}
