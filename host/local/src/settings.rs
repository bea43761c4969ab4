//! How a model is run.

use june_models::types::Sampling;

use crate::sampling::Penalties;

/// How a model is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where it is run.
    pub place: Place,
    /// The most tokens of a conversation, question and answer together. The model's own limit and
    /// [`cache_bytes`](Settings::cache_bytes) hold besides.
    pub context: u32,
    /// The most bytes of keys and values that all conversations take together, those included that
    /// are kept for their next turn. A conversation of Qwen3-0.6B takes 224 KiB for each token.
    pub cache_bytes: u64,
    /// The most conversations that are answered at the same time; others wait.
    pub at_once: usize,
    /// How tokens are drawn where the request does not say.
    pub sampling: Sampling,
    /// How tokens are avoided that were there already.
    pub penalties: Penalties,
    /// The most tokens of an answer where the request does not say; absent, what fits the context.
    pub max_tokens: Option<u32>,
}

impl Default for Settings {
    /// On the processor, 16,384 tokens, 4 GiB, 16 conversations; temperature 0.6, nucleus 0.95 and
    /// the 20 likeliest tokens, as Qwen3's makers recommend.
    fn default() -> Settings {
        Settings {
            place: Place::Cpu,
            context: 16 * 1024,
            cache_bytes: 4 << 30,
            at_once: 16,
            sampling: Sampling {
                temperature: Some(0.6),
                top_p: Some(0.95),
                top_k: Some(20),
                ..Sampling::default()
            },
            penalties: Penalties::default(),
            max_tokens: None,
        }
    }
}

/// Where a model is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// On the processor: dense models only. It uses as many threads as there are physical cores, or
    /// as the environment variable `CANDLE_NUM_THREADS` says.
    Cpu,
    /// On the NVIDIA GPU with this number. Needs the crate's feature `cuda`.
    Cuda(usize),
}
