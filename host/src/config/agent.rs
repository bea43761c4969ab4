//! `[agent.NAME]`, `[tool.NAME]` and `[mcp.NAME]`.

use std::collections::BTreeMap;
use std::time::Duration;

use june_sandbox::Limits;
use june_sandbox::engine::MAX_MEMORY;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use toml::Spanned;

use super::grants::{GrantsTable, ToolGrantsTable};
use super::units::{Bytes, Count, Time};

/// An agent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AgentTable {
    /// The component: by name, path or digest; the agent's name, if left out.
    pub(crate) strategy: Option<String>,
    /// The models it may ask, the preferred one first.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) model: Vec<Spanned<String>>,
    /// What it is told about itself.
    pub(crate) instructions: String,
    /// The tools it may call.
    pub(crate) tools: Vec<Spanned<String>>,
    pub(crate) limits: LimitsTable,
    pub(crate) grants: GrantsTable,
    /// The seed of its random numbers.
    pub(crate) seed: u64,
}

fn one_or_more<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Spanned<String>>, D::Error> {
    // An untagged enum would lose the places.
    struct Names;

    impl<'de> serde::de::Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a name or a list of names")
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
            Ok(vec![name.into()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut list: A,
        ) -> Result<Self::Value, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = list.next_element()? {
                names.push(name);
            }
            Ok(names)
        }
    }

    struct All(Vec<String>);

    impl<'de> Deserialize<'de> for All {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Names).map(All)
        }
    }

    let names = Spanned::<All>::deserialize(deserializer)?;
    let span = names.span();
    Ok(names.into_inner().0.into_iter().map(|name| Spanned::new(span.clone(), name)).collect())
}

/// A tool.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ToolTable {
    /// The component: by name, path or digest; the tool's name, if left out.
    pub(crate) component: Option<String>,
    pub(crate) limits: LimitsTable,
    /// What it asks for of what its agent has.
    pub(crate) grants: Option<ToolGrantsTable>,
}

/// A server whose tools agents may use.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct McpTable {
    /// A command that speaks MCP over its standard input and output.
    pub(crate) command: Vec<String>,
    /// Environment variables for it, beside `PATH`, `HOME` and `LANG`.
    pub(crate) env: BTreeMap<String, String>,
    /// Variables of June's own environment that it sees, too.
    pub(crate) pass: Vec<String>,
    /// A server's address, instead of a command.
    pub(crate) url: Option<String>,
    /// The environment variable that holds the server's bearer token.
    pub(crate) key: Option<String>,
    /// The tools that are offered; all, if left out.
    pub(crate) tools: Option<Vec<String>>,
    start: Option<Time>,
    wall: Option<Time>,
}

impl McpTable {
    /// How long it may take until the server has told its tools.
    pub(crate) fn start(&self) -> Duration {
        self.start.map_or(Duration::from_secs(30), |Time(start)| start)
    }

    /// How long one call may take.
    pub(crate) fn wall(&self) -> Duration {
        self.wall.map_or(Duration::from_secs(60), |Time(wall)| wall)
    }

    /// What is wrong with the table.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match (self.command.is_empty(), &self.url) {
            (true, None) => return Err("it has neither `command` nor `url`"),
            (false, Some(_)) => return Err("it has both `command` and `url`"),
            _ => {}
        }
        if self.url.is_some() && !(self.env.is_empty() && self.pass.is_empty()) {
            return Err("`env` and `pass` are for a `command`");
        }
        if self.url.is_none() && self.key.is_some() {
            return Err("`key` is for a `url`; hand a command its key with `pass`");
        }
        Ok(())
    }
}

/// Limits; what is left out stays as it is.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsTable {
    fuel: Option<Count>,
    memory: Option<Bytes>,
    wall: Option<Time>,
    tokens: Option<Count>,
    calls: Option<Count>,
    output: Option<Bytes>,
    reply: Option<Bytes>,
    files: Option<Bytes>,
    depth: Option<u32>,
}

impl LimitsTable {
    /// These limits, and for the rest those.
    pub(crate) fn over(&self, limits: Limits) -> Limits {
        let size = |asked: Option<Bytes>, usual| {
            asked.map_or(usual, |Bytes(bytes)| usize::try_from(bytes).unwrap_or(usize::MAX))
        };
        Limits {
            fuel: self.fuel.map_or(limits.fuel, |Count(fuel)| fuel),
            memory: self.memory.map_or(limits.memory, |Bytes(bytes)| bytes).min(MAX_MEMORY),
            wall: self.wall.map_or(limits.wall, |Time(wall)| wall),
            tokens: self.tokens.map_or(limits.tokens, |Count(tokens)| tokens),
            calls: self.calls.map_or(limits.calls, |Count(calls)| calls),
            output: size(self.output, limits.output),
            reply: size(self.reply, limits.reply),
            files: size(self.files, limits.files),
            depth: self.depth.unwrap_or(limits.depth),
            ..limits
        }
    }
}
