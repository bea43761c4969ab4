//! `[model.NAME]`.

use std::path::{Path, PathBuf};

use anyhow::Result;

use june_local::{Penalties, Place, Settings};
use june_models::context::Policy;
use june_models::openai::{Grammar, Reasoning, TokenLimit};
use june_models::triton::Pieces;
use june_models::types::Sampling;
use serde::Deserialize;

use super::units::{Bytes, Time};
use crate::pulled;

/// A model, by its backend.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "backend", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum ModelTable {
    /// Any server that speaks OpenAI's chat completions.
    #[serde(rename = "openai")]
    OpenAi(OpenAiTable),
    /// A transcript, for tests and demonstrations.
    Scripted(ScriptedTable),
    /// A file, run in this process.
    Local(LocalTable),
    /// An engine of TensorRT-LLM, run in this process.
    Trtllm(TrtllmTable),
    /// A model of a Triton server.
    Triton(TritonTable),
}

/// A model of a Triton server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TritonTable {
    /// The server's address.
    pub(crate) url: String,
    /// The server's name for the model; this table's, if left out.
    pub(crate) model: Option<String>,
    /// The folder with the model's tokenizer and chat template, relative to the configuration's
    /// folder; conversations are written as ChatML, if left out.
    pub(crate) folder: Option<PathBuf>,
    /// The environment variable that holds the key.
    pub(crate) key: Option<String>,
    /// The model's window, in tokens.
    pub(crate) context: Option<u32>,
    /// What each event of an answer holds.
    #[serde(default)]
    pub(crate) pieces: Pieces,
    /// What to do with a conversation that does not fit.
    #[serde(default)]
    pub(crate) overflow: Policy,
}

/// An engine of TensorRT-LLM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrtllmTable {
    /// The engine's folder, relative to the configuration's folder.
    pub(crate) engine: PathBuf,
    /// The share of the free GPU memory for the KV cache, 0 to 1.
    pub(crate) memory_share: Option<f32>,
    /// What to do with a conversation that does not fit.
    #[serde(default)]
    pub(crate) overflow: Policy,
}

/// A GGUF file, run in this process. What is left out is as in [`june_local::Settings`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalTable {
    /// A model that was pulled, by its name, or a file's path, relative to the configuration's
    /// folder; this table's name, if left out.
    pub(crate) file: Option<String>,
    /// The NVIDIA GPU that runs it, by its number; the processor, if left out.
    pub(crate) gpu: Option<usize>,
    /// The most tokens of a conversation.
    pub(crate) context: Option<u32>,
    /// The most memory for keys and values of all conversations.
    pub(crate) cache: Option<Bytes>,
    /// The most conversations that are answered at the same time.
    pub(crate) at_once: Option<usize>,
    /// How tokens are drawn where an agent does not say.
    #[serde(default)]
    pub(crate) sampling: SamplingTable,
    /// What to do with a conversation that does not fit.
    #[serde(default)]
    pub(crate) overflow: Policy,
}

/// How tokens are drawn.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SamplingTable {
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<u32>,
    min_p: Option<f32>,
    repetition_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
}

impl ModelTable {
    /// The backend, and its name for the model that is known by this alias.
    pub(crate) fn served(&self, alias: &str) -> (&'static str, String) {
        let (backend, name) = match self {
            ModelTable::OpenAi(table) => ("openai", table.model.as_deref()),
            ModelTable::Scripted(_) => ("scripted", None),
            ModelTable::Local(table) => ("local", table.file.as_deref()),
            ModelTable::Trtllm(_) => ("trtllm", None),
            ModelTable::Triton(table) => ("triton", table.model.as_deref()),
        };
        (backend, name.unwrap_or(alias).to_owned())
    }
}

impl LocalTable {
    /// The file; `name` is the table's, and `folder` the configuration's.
    pub(crate) fn path(&self, name: &str, folder: &Path) -> Result<PathBuf> {
        pulled::find(self.file.as_deref().unwrap_or(name), folder)
    }

    /// How the model is run.
    pub(crate) fn settings(&self) -> Settings {
        let own = Settings::default();
        let SamplingTable { temperature, top_p, top_k, min_p, .. } = self.sampling;
        let drawn = Sampling { temperature, top_p, top_k, min_p, seed: None };
        let SamplingTable { repetition_penalty, presence_penalty, frequency_penalty, .. } =
            self.sampling;
        Settings {
            place: self.gpu.map_or(Place::Cpu, Place::Cuda),
            context: self.context.unwrap_or(own.context),
            cache_bytes: self.cache.map_or(own.cache_bytes, |bytes| bytes.0),
            at_once: self.at_once.unwrap_or(own.at_once),
            sampling: Sampling {
                temperature: drawn.temperature.or(own.sampling.temperature),
                top_p: drawn.top_p.or(own.sampling.top_p),
                top_k: drawn.top_k.or(own.sampling.top_k),
                ..drawn
            },
            penalties: Penalties {
                repetition: repetition_penalty.unwrap_or(own.penalties.repetition),
                presence: presence_penalty.unwrap_or(own.penalties.presence),
                frequency: frequency_penalty.unwrap_or(own.penalties.frequency),
            },
            ..own
        }
    }
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
