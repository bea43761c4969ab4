//! `june config`: looking at june.toml.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::run::runtime;
use crate::agents::{Agent, Host, Overrides};
use crate::config::Config;
use crate::exit::{Blame, Failure, print, said};

/// Look at the configuration.
#[derive(Subcommand)]
pub(crate) enum Command {
    Check(Check),
}

/// Check a configuration, and show what each agent may do.
///
/// Everything is checked that can be without asking a model: the keys, the grants, that every
/// component is there and fits its world, that tools describe themselves, that secrets are set, and
/// that no tool asks for more than its agent has.
///
/// Exit status: 0 all is well, 1 an agent cannot be made, 2 the file is wrong.
#[derive(Args)]
pub(crate) struct Check {
    /// The file [default: june.toml here, else in the user's folder for configuration].
    file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<ExitCode, Failure> {
    let Command::Check(Check { file, json }) = command;
    let config = Config::find(file.as_deref()).input()?;
    let Some(path) = config.file.clone() else {
        let error = anyhow::anyhow!(
            "there is no june.toml here, nor in the user's folder for configuration\nhint: docs/configuration.md shows one"
        );
        return Err(error).input();
    };
    let names: Vec<String> = config.tables.agent.keys().cloned().collect();
    let host = Host::new(config).input()?;
    let runtime = runtime()?;
    let mut checked = Vec::new();
    for name in names {
        // Which model it is to ask may be said later, with --model.
        let asks = !host.config.tables.agent.get(&name).is_none_or(|table| table.model.is_empty());
        let overrides = Overrides { tools_only: !asks, ..Overrides::default() };
        let agent = runtime.block_on(host.agent(&name, &overrides));
        checked.push((name, agent));
    }
    let well = checked.iter().all(|(_, agent)| agent.is_ok());
    if *json {
        let agents: Vec<_> = checked.iter().map(|(name, agent)| in_json(name, agent)).collect();
        let value = json!({ "file": path.display().to_string(), "ok": well, "agents": agents });
        let text = serde_json::to_string_pretty(&value).environment()?;
        print(&format!("{text}\n"))?;
    } else {
        print(&format!("{}\n", path.display()))?;
        for (name, agent) in &checked {
            print(&in_words(name, agent))?;
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn in_words(name: &str, agent: &anyhow::Result<Agent>) -> String {
    match agent {
        Err(error) => format!("agent {name}: WRONG: {}\n", said(error).replace('\n', "\n  ")),
        Ok(agent) => {
            let component = agent.strategy.component();
            let mut text = format!("agent {name}: {} {}\n", component.name(), component.digest());
            if agent.models.is_empty() {
                text += "  asks      the model of --model, or the only one\n";
            }
            for grant in agent.authority.grants.to_texts() {
                text += &format!("  may       {grant}\n");
            }
            for (tool, granted) in agent.authority.capabilities.tools.iter() {
                for grant in granted.grants().to_texts() {
                    text += &format!("  {tool:<9} may {grant}\n");
                }
            }
            text
        }
    }
}

fn in_json(name: &str, agent: &anyhow::Result<Agent>) -> serde_json::Value {
    match agent {
        Err(error) => json!({ "agent": name, "ok": false, "error": said(error) }),
        Ok(agent) => json!({
            "agent": name,
            "ok": true,
            "strategy": agent.strategy.component().name(),
            "sha256": agent.strategy.component().digest().to_string(),
            "grants": agent.authority.grants.to_texts(),
            "tools": agent.authority.capabilities.tools.iter().map(|(tool, granted)| json!({
                "tool": tool, "grants": granted.grants().to_texts(),
            })).collect::<Vec<_>>(),
        }),
    }
}
