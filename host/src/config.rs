//! `june.toml`: models, agents, tools and what each may do.
//!
//! The file is parsed whole or not at all, into values that cannot be wrong; unknown keys are
//! refused. docs/configuration.md has every key.

mod agent;
mod chats;
mod grants;
mod model;
mod serve;
mod speech;
mod units;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use toml::Spanned;

pub(crate) use agent::{AgentTable, McpTable, ToolTable};
pub(crate) use chats::{ChatsTable, DiscordTable, TelegramTable, WebhookTable};
pub(crate) use grants::ToolGrantsTable;
pub(crate) use model::{LocalTable, ModelTable, OpenAiTable, TritonTable};
pub(crate) use serve::{Bot, ServeTable, TracesTable};
pub(crate) use speech::{SttTable, TtsTable, WhisperTable};

/// The configuration, and where it came from.
pub(crate) struct Config {
    /// The file; none where there is none.
    pub(crate) file: Option<PathBuf>,
    pub(crate) tables: Tables,
    text: String,
    /// Models that were pulled, by their names.
    pub(crate) pulled: BTreeMap<String, ModelTable>,
}

/// The file's tables.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tables {
    #[serde(default)]
    pub(crate) model: BTreeMap<String, ModelTable>,
    #[serde(default)]
    pub(crate) agent: BTreeMap<String, AgentTable>,
    #[serde(default)]
    pub(crate) tool: BTreeMap<String, ToolTable>,
    #[serde(default)]
    pub(crate) mcp: BTreeMap<String, McpTable>,
    #[serde(default)]
    pub(crate) chats: ChatsTable,
    #[serde(default)]
    pub(crate) telegram: TelegramTable,
    #[serde(default)]
    pub(crate) discord: DiscordTable,
    #[serde(default)]
    pub(crate) serve: ServeTable,
    #[serde(default)]
    pub(crate) stt: SttTable,
    #[serde(default)]
    pub(crate) tts: TtsTable,
}

impl Config {
    /// The configuration in this file; else in `june.toml` here, else in the user's folder for
    /// configuration; else an empty one.
    pub(crate) fn find(named: Option<&Path>) -> Result<Config> {
        if let Some(path) = named {
            return Config::load(path);
        }
        let here = PathBuf::from("june.toml");
        match [Some(here), crate::paths::config()].into_iter().flatten().find(|p| p.is_file()) {
            Some(path) => Config::load(&path),
            None => {
                let (tables, text) = (Tables::default(), String::new());
                Ok(Config { file: None, tables, text, pulled: pulled()? })
            }
        }
    }

    /// The model of this name: one of the file's, else one that was pulled.
    pub(crate) fn model(&self, name: &str) -> Option<&ModelTable> {
        self.tables.model.get(name).or_else(|| self.pulled.get(name))
    }

    /// The model of this name, which a person asks for.
    pub(crate) fn the_model(&self, name: &str) -> Result<&ModelTable> {
        let model = self.model(name);
        model.with_context(|| format!("there is no model `{name}`\nhint: june model list"))
    }

    /// The names of all models; what was pulled comes after those of the file.
    pub(crate) fn models(&self) -> impl Iterator<Item = &String> {
        self.all_models().map(|(name, _)| name)
    }

    /// All models, by their names.
    pub(crate) fn all_models(&self) -> impl Iterator<Item = (&String, &ModelTable)> {
        let others = self.pulled.iter().filter(|(name, _)| !self.tables.model.contains_key(*name));
        self.tables.model.iter().chain(others)
    }

    /// The configuration in this file.
    pub(crate) fn load(path: &Path) -> Result<Config> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        Config::parse(path, text, pulled()?)
    }

    fn parse(path: &Path, text: String, pulled: BTreeMap<String, ModelTable>) -> Result<Config> {
        let tables: Tables = toml::from_str(&text).map_err(|error| {
            let place = error.span().map_or_else(String::new, |span| place(&text, span.start));
            anyhow!("{}{place}: {}", path.display(), error.message())
        })?;
        let config = Config { file: Some(path.into()), tables, text, pulled };
        config.check()?;
        Ok(config)
    }

    /// The folder that relative paths begin in.
    pub(crate) fn folder(&self) -> PathBuf {
        let folder = self.file.as_deref().and_then(Path::parent);
        folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).into()
    }

    /// What is wrong between the tables.
    fn check(&self) -> Result<()> {
        let Tables { model, agent, tool, mcp, serve, .. } = &self.tables;
        let names = model.keys().chain(agent.keys()).chain(tool.keys()).chain(mcp.keys());
        for name in names.chain(serve.datasets.keys()) {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
            if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
                bail!(
                    "{}: `{name}` is no name: use lower-case letters, digits, `-`, `_` and `.`",
                    self.name()
                );
            }
        }
        for (name, table) in mcp {
            if let Err(why) = table.check() {
                bail!("{}: [mcp.{name}]: {why}", self.name());
            }
            if tool.contains_key(name) {
                bail!(
                    "{}: `{name}` is both a tool and an MCP server\nhint: rename one",
                    self.name()
                );
            }
        }
        for (name, table) in agent {
            for alias in &table.model {
                if self.model(alias.get_ref()).is_none() {
                    let known = listed(self.models());
                    return Err(self.wrong(
                        alias,
                        &format!(
                            "agent `{name}` asks model `{}`, and the models are: {known}",
                            alias.get_ref()
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// An error at this place of the file.
    pub(crate) fn wrong<T>(&self, at: &Spanned<T>, what: &str) -> anyhow::Error {
        anyhow!("{}{}: {what}", self.name(), place(&self.text, at.span().start))
    }

    fn name(&self) -> String {
        self.file.as_deref().unwrap_or(Path::new("june.toml")).display().to_string()
    }
}

/// Models that were pulled need no table.
fn pulled() -> Result<BTreeMap<String, ModelTable>> {
    let all = crate::pulled::all()?.into_iter();
    Ok(all.map(|(name, _)| (name, ModelTable::Local(LocalTable::default()))).collect())
}

/// Names, for a message.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// A place in a text, as `:LINE:COLUMN`, both from 1.
fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!(":{line}:{column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        match Config::parse(Path::new("june.toml"), text.into(), BTreeMap::new()) {
            Ok(_) => panic!("accepted: {text}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, told) in [
            ("[agent.a]\nstrategi = \"direct\"\n", "june.toml:2:1: unknown field `strategi`"),
            ("[agent.a]\nmodel = \"m\"\n", "june.toml:2:9: agent `a` asks model `m`"),
            ("[agent.A]\n", "`A` is no name"),
            (
                "[agent.a.grants]\nhttp = [\"GET ftp://x/\"]\n",
                "june.toml:2:8: `GET ftp://x/` is no grant",
            ),
            (
                "[agent.a.grants]\nfiles = [{ path = \"../x\", mode = \"read\" }]\n",
                "june.toml:2:19: `../x` is no folder",
            ),
            ("[agent.a]\nlimits = { fuel = \"many\" }\n", "june.toml:2:19: `many` is not a count"),
            ("[model.m]\nbackend = \"openai\"\n", "missing field `url`"),
            ("[model.m]\nbackend = \"magic\"\n", "unknown variant `magic`"),
            ("[mcp.m]\n", "[mcp.m]: it has neither `command` nor `url`"),
            ("[mcp.m]\ncommand = [\"x\"]\nkey = \"K\"\n", "`key` is for a `url`"),
            ("[tool.m]\n[mcp.m]\nurl = \"http://h\"\n", "`m` is both a tool and an MCP server"),
            ("[agent", "june.toml:1:"),
        ] {
            let error = error(text);
            assert!(error.contains(told), "{text}\n{error}");
        }
    }

    #[test]
    fn the_example_of_the_design_is_understood() {
        let text = r#"
            [model.qwen3]
            backend = "openai"
            url = "http://127.0.0.1:8000/v1"
            model = "Qwen/Qwen3-30B-A3B-Thinking-2507"
            context = 131072

            [agent.coder]
            strategy = "deliberate"
            model    = "qwen3"
            tools    = ["files", "python"]
            limits   = { fuel = "50G", memory = "256 MiB", wall = "2m", tokens = 32768, calls = 64 }
            [agent.coder.grants]
            files   = [{ path = "work", mode = "read-write" }]
            http    = ["GET https://api.example.org/v1/**"]
            secrets = [{ name = "EXAMPLE_TOKEN", host = "api.example.org", header = "Authorization" }]
        "#;
        let config = Config::parse(Path::new("june.toml"), text.into(), BTreeMap::new()).unwrap();
        let coder = &config.tables.agent["coder"];
        let grants = coder.grants.clone().into_grants(true);
        assert_eq!(
            grants.to_texts(),
            [
                "programs",
                "files read-write work",
                "http GET https://api.example.org/v1/**",
                "secret EXAMPLE_TOKEN to api.example.org as Authorization"
            ]
        );
        let limits = coder.limits.over(june_sandbox::Limits::default());
        assert_eq!((limits.fuel, limits.memory), (50_000_000_000, 256 << 20));
        assert_eq!((limits.tokens, limits.calls, limits.wall.as_secs()), (32768, 64, 120));
    }
}
