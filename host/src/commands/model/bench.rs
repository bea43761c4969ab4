//! `june model bench`: how quick a model is.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use clap::Args;
use futures_util::{StreamExt, future};
use june_models::types::{Delta, Message, Request, Role, Sampling};
use june_models::{Deltas, ModelError};

use super::bandwidth::Limit;
use super::bench_report::{self, Row};
use crate::commands::run::runtime;
use crate::commands::{progress_bar, until_interrupted};
use crate::config::Config;
use crate::exit::{Blame, Failure, print};
use crate::llm::Models;

/// Measure how quick a model is: to its first token, and in tokens a second.
///
/// Every prompt is another one, so that nothing is answered from a cache. Times are taken here, so
/// a server's include the network. The rate of one user counts the tokens after the first; the rate
/// of all counts every token over the whole time. Lengths are in the model's own tokens, as it
/// counts them. The share of the memory's bandwidth is told for one user of a model in this
/// process.
#[derive(Args)]
#[command(
    after_long_help = "Example:\n  june model bench qwen3 --users 1,8,32 --prompts 128,2048 \
                             --plot bench.svg"
)]
pub(crate) struct Bench {
    /// The model, by its name in june.toml, or one that was pulled.
    model: String,
    /// How many ask at once.
    #[arg(long, value_delimiter = ',', default_value = "1,4",
        value_parser = clap::value_parser!(u16).range(1..=1024))]
    users: Vec<u16>,
    /// How long the prompts are, in tokens.
    #[arg(long, value_delimiter = ',', default_value = "128,1024",
        value_parser = clap::value_parser!(u32).range(32..=1_000_000))]
    prompts: Vec<u32>,
    /// The most tokens of an answer.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(2..))]
    tokens: u32,
    /// How often each user asks.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Draw the rates into this file, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What one answer took.
pub(super) struct Sample {
    pub(super) first: Duration,
    /// From the first token to the last.
    pub(super) rest: Duration,
    pub(super) input: u64,
    pub(super) output: u64,
}

pub(crate) fn run(command: &Bench) -> Result<ExitCode, Failure> {
    let config = Config::find(command.config.as_deref()).input()?;
    let table = config.the_model(&command.model).input()?;
    let one = std::iter::once((&command.model, table));
    let models = Models::new(one, &config.folder()).input()?;
    let ask = |request: Request| models.ask_plainly(&command.model, request);
    // Before the model is loaded, for it would be in the way.
    let limit = Limit::of(&command.model, table, &config.folder());
    let rows = async { measure(command, &ask, limit.as_ref()).await.environment() };
    let rows = until_interrupted(&runtime()?, rows, None)?;
    if let Some(path) = &command.plot {
        std::fs::write(path, bench_report::plot(&rows))
            .map_err(|error| anyhow!("cannot write {}: {error}", path.display()))
            .environment()?;
    }
    if command.json {
        let value = serde_json::json!({ "model": command.model, "rows": rows });
        print(&format!("{value:#}\n"))?;
    } else {
        print(&bench_report::table(&rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(
    command: &Bench,
    ask: &impl Fn(Request) -> Deltas,
    limit: Option<&Limit>,
) -> Result<Vec<Row>> {
    let all =
        command.prompts.len() * command.users.iter().map(|&users| users as usize).sum::<usize>();
    let bar =
        progress_bar((all * command.rounds as usize) as u64, "{pos}/{len} answered, {eta} left");
    // A first question loads what is to be loaded, and tells how long a word is in tokens.
    let shortest = command.prompts.iter().min().copied().unwrap_or(128);
    let words = (shortest as usize / 8).clamp(4, 256);
    let warm = sample(ask(request(0, words, 2))).await?;
    let empty = sample(ask(request(1, 0, 2))).await?;
    let each = (warm.input.saturating_sub(empty.input) as f64 / words as f64).max(0.5);
    let (mut rows, mut number) = (Vec::new(), 2);
    for &prompt in &command.prompts {
        let words = (f64::from(prompt).max(empty.input as f64) - empty.input as f64) / each;
        for &users in &command.users {
            let start = Instant::now();
            let users_at_once = (0..u64::from(users)).map(|user| {
                let (bar, first) = (&bar, number + user * u64::from(command.rounds));
                async move {
                    let mut samples = Vec::new();
                    for round in 0..u64::from(command.rounds) {
                        let request = request(first + round, words as usize, command.tokens);
                        samples.push(sample(ask(request)).await?);
                        bar.inc(1);
                    }
                    Ok::<_, ModelError>(samples)
                }
            });
            let samples = future::try_join_all(users_at_once).await?;
            let samples: Vec<Sample> = samples.into_iter().flatten().collect();
            number += u64::from(users) * u64::from(command.rounds);
            rows.push(Row::new(prompt, users, &samples, start.elapsed(), limit));
        }
    }
    bar.finish_and_clear();
    Ok(rows)
}

/// A question of so many words, unlike that of any other number from its first word on.
fn request(number: u64, words: usize, tokens: u32) -> Request {
    let list = (0..words as u64).map(|word| (number * 7919 + word * 31) % 997);
    let list: Vec<String> = list.map(|word| word.to_string()).collect();
    let text = format!(
        "List {number}: {}. Count upwards from {number}, a number a line, and do not stop.",
        list.join(" ")
    );
    Request {
        messages: vec![Message::text(Role::User, text)],
        sampling: Sampling { temperature: Some(0.0), ..Sampling::default() },
        max_tokens: Some(tokens),
        ..Request::default()
    }
}

async fn sample(mut deltas: Deltas) -> Result<Sample, ModelError> {
    let start = Instant::now();
    let mut first = None;
    while let Some(delta) = deltas.next().await {
        let now = start.elapsed();
        match delta? {
            Delta::Finish(_, usage) => {
                let first = first.unwrap_or(now);
                let (input, output) = (usage.input_tokens, usage.output_tokens);
                return Ok(Sample { first, rest: now.saturating_sub(first), input, output });
            }
            _ => first = first.or(Some(now)),
        }
    }
    Err(ModelError::Unavailable("the model broke off its answer\nhint: ask again".into()))
}
