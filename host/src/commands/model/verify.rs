//! `june model verify`: does a model do what it should?

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use june_models::guard::{Machine, Placement};
use june_models::openai::{Listed, Settings, list};
use june_models::types::{Message, Request, Role, Sampling};
use june_models::{ModelError, collect};
use serde::Serialize;

use crate::commands::run::runtime;
use crate::commands::until_interrupted;
use crate::config::{Config, ModelTable};
use crate::exit::{Blame, Failure, print};
use crate::llm::{Models, server};
use crate::local;
use crate::words::one_line;

/// Check a model: what it is, where it runs, and a question whose answer is known.
///
/// Exit status: 0 all is well, 1 something is wrong, 2 there is no such model.
#[derive(Args)]
pub(crate) struct Verify {
    /// The model, by its name in june.toml, or one that was pulled.
    model: String,
    /// The configuration [default: june.toml here, else in the user's folder for configuration].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const QUESTION: &str = "What is 17 + 25? Answer with the number alone.";
const ANSWER: &str = "42";

#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
}

pub(crate) fn run(command: &Verify) -> Result<ExitCode, Failure> {
    let config = Config::find(command.config.as_deref()).input()?;
    let table = config.the_model(&command.model).input()?;
    let mut checks = Vec::new();
    if let ModelTable::Local(table) = table {
        let path = table.path(&command.model, &config.folder()).input()?;
        match local::placed(&path, &table.settings(), &Machine::here()) {
            Ok((model, placement)) => {
                let (place, estimate) = match placement {
                    Placement::Gpu { index, estimate } => (format!("GPU {index}"), estimate),
                    Placement::Cpu { estimate } => ("the processor".to_owned(), estimate),
                };
                checks.push(Check { name: "model", ok: true, detail: model.to_string() });
                let detail = format!("on {place}: {estimate}");
                checks.push(Check { name: "place", ok: true, detail });
            }
            Err(why) => checks.push(Check { name: "place", ok: false, detail: why }),
        }
    }
    let one = std::iter::once((&command.model, table));
    let models = Models::new(one, &config.folder()).input()?;
    let settings = match table {
        ModelTable::OpenAi(table) => Some(server(&command.model, table).input()?),
        _ => None,
    };
    let asked = async {
        if let Some(settings) = &settings {
            checks.extend(told(settings, list(settings).await));
        }
        if checks.iter().all(|check| check.ok) {
            checks.push(answer(&models, &command.model).await);
        }
        Ok(checks)
    };
    let checks = until_interrupted(&runtime()?, asked, None)?;
    let well = checks.iter().all(|check| check.ok);
    if command.json {
        let value = serde_json::json!({ "model": command.model, "ok": well, "checks": checks });
        print(&format!("{value:#}\n"))?;
    } else {
        for Check { name, ok, detail } in &checks {
            let (mark, detail) =
                (if *ok { "ok" } else { "WRONG" }, detail.replace('\n', "\n               "));
            print(&format!("{mark:<6} {name:<7} {detail}\n"))?;
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What a server tells of the model. Where it tells nothing, there is nothing to check.
fn told(settings: &Settings, listed: Result<Vec<Listed>, ModelError>) -> Vec<Check> {
    let check = |name, ok, detail| Check { name, ok, detail };
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return vec![check("server", false, error.to_string())],
    };
    let names: Vec<&str> = listed.iter().map(|listed| listed.id.as_str()).collect();
    let found = listed.iter().find(|listed| listed.id == settings.model);
    // A server with one model answers by any name.
    let Some(model) = found.or(listed.first().filter(|_| listed.len() == 1)) else {
        let names = names.join(", ");
        let detail = format!("it has no model `{}`, but these: {names}", settings.model);
        return vec![check("server", false, one_line(&detail, 300))];
    };
    let mut checks = vec![check("server", true, one_line(&model.id, 200))];
    if let Some(kind) = &model.quantisation {
        let bits = model.bits.map(|bits| format!(", {bits:.1} bits each")).unwrap_or_default();
        checks.push(check("weights", true, format!("{}{bits}", one_line(kind, 60))));
    }
    if let Some(there) = model.context {
        let (ok, detail) = match settings.context.map(u64::from) {
            None => (true, format!("{there} tokens; june.toml does not say")),
            Some(asked) if asked <= there => (true, format!("{there} tokens, {asked} are used")),
            Some(asked) => (false, format!("{there} tokens, and june.toml says {asked}")),
        };
        checks.push(check("context", ok, detail));
    }
    checks
}

async fn answer(models: &Models, alias: &str) -> Check {
    let request = Request {
        messages: vec![Message::text(Role::User, QUESTION)],
        sampling: Sampling { temperature: Some(0.0), seed: Some(0), ..Sampling::default() },
        max_tokens: Some(4096),
        ..Request::default()
    };
    let start = Instant::now();
    let answer = collect(models.ask_plainly(alias, request)).await;
    let took = start.elapsed().as_secs_f64();
    let (ok, detail) = match answer {
        Err(error) => (false, error.to_string()),
        Ok(answer) => {
            let said = answer.message.to_text();
            let tokens = answer.usage.output_tokens;
            let said_short = one_line(&said, 100);
            let detail = format!("17 + 25 is {said_short:?}: {tokens} tokens in {took:.1} s");
            (said.contains(ANSWER), detail)
        }
    };
    Check { name: "answer", ok, detail }
}
