//! `[model.NAME]`.

use std::path::PathBuf;

use june_models::context::Policy;
use june_models::openai::{Grammar, Reasoning, TokenLimit};
use serde::Deserialize;

use super::units::Time;

/// A model, by its backend.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "backend", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum ModelTable {
    /// Any server that speaks OpenAI's chat completions.
    #[serde(rename = "openai")]
    OpenAi(OpenAiTable),
    /// A transcript, for tests and demonstrations.
    Scripted(ScriptedTable),
}

/// A model behind a server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenAiTable {
    /// The address before `/chat/completions`.
    pub(crate) url: String,
    /// The server's name for the model; this table's, if left out.
    pub(crate) model: Option<String>,
    /// The environment variable that holds the key.
    pub(crate) key: Option<String>,
    /// The model's window, in tokens.
    pub(crate) context: Option<u32>,
    /// What to do with a conversation that does not fit.
    #[serde(default)]
    pub(crate) overflow: Policy,
    #[serde(default)]
    pub(crate) reasoning: Reasoning,
    #[serde(default)]
    pub(crate) token_limit: TokenLimit,
    #[serde(default)]
    pub(crate) grammar: Grammar,
    /// More fields for every request.
    #[serde(default)]
    pub(crate) extra: toml::Table,
    /// A proxy's URL; the environment's, if left out.
    pub(crate) proxy: Option<String>,
    /// How long to wait for the first byte, between two, and for all of an answer.
    pub(crate) first: Option<Time>,
    pub(crate) between: Option<Time>,
    pub(crate) total: Option<Time>,
}

/// A transcript.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScriptedTable {
    /// The file, relative to the configuration's folder.
    pub(crate) file: PathBuf,
    #[serde(default)]
    pub(crate) overflow: Policy,
}
