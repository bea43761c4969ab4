//! `model.yaml`, by which TensorRT-LLM's `llmapi` backend for Triton knows what to load.
//!
//! Everything but `triton_config` goes to TensorRT-LLM as arguments of its `LLM`, so a repository
//! may have many more keys than are read here.

use serde::Deserialize;

/// The keys that June reads.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ModelYaml {
    /// A folder, or a name on the hub.
    pub(crate) model: String,
    pub(crate) backend: Option<String>,
    /// Tokens of question and answer together.
    pub(crate) max_seq_len: Option<u64>,
    #[serde(default)]
    pub(crate) kv_cache_config: KvCacheConfig,
    pub(crate) triton_config: Option<TritonConfig>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct KvCacheConfig {
    /// `auto` or `fp8`, and others.
    pub(crate) dtype: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TritonConfig {
    pub(crate) max_batch_size: u64,
    /// Whether an answer may come in pieces.
    pub(crate) decoupled: bool,
}

impl ModelYaml {
    /// Reads the file. The error says what is wrong and where.
    pub(crate) fn parse(text: &str) -> Result<ModelYaml, String> {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }
}
