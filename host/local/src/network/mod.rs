//! The Qwen3 network: from tokens to the scores of the next one.
//!
//! One call takes a batch of conversations with any number of new tokens each: a prompt, a piece of
//! a long one, or the one token that was drawn last. All matrix products run over the tokens of the
//! whole batch; attention keeps to each conversation.

mod experts;
mod load;
#[cfg(test)]
mod tests;

use candle_core::{DType, Device, Result, Tensor};

use crate::attention::{self, Rows};
use crate::cache::{self, Cache, Meter};
use crate::config::Config;
use crate::matrix::{Matrix, products};
use crate::ops::{Angles, Norm, Rope, swiglu};
use crate::simd::LANES;
use experts::Experts;

pub(crate) use load::load;

/// A network with its weights.
pub(crate) struct Network {
    config: Config,
    device: Device,
    embedding: Matrix,
    layers: Vec<Layer>,
    norm: Norm,
    output: Matrix,
    vocabulary: usize,
    rope: Rope,
}

struct Layer {
    attention_norm: Norm,
    query: Matrix,
    key: Matrix,
    value: Matrix,
    query_norm: Norm,
    key_norm: Norm,
    attention_output: Matrix,
    feed_norm: Norm,
    feed: Feed,
}

enum Feed {
    Dense { gate: Matrix, up: Matrix, down: Matrix },
    Experts(Experts),
}

/// New tokens of one conversation.
pub(crate) struct Segment<'a> {
    /// What the conversation has gone through. Gets the new positions.
    pub(crate) cache: &'a mut Cache,
    /// At least one token.
    pub(crate) tokens: &'a [u32],
    /// Whether the scores after the last token are asked for.
    pub(crate) scores: bool,
}

impl Network {
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Tokens that it knows.
    pub(crate) fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// The sizes of its caches.
    pub(crate) fn cache_shape(&self) -> cache::Shape {
        let Config { layers, kv_heads, head_width, .. } = self.config;
        // On a GPU memory is what there is least of.
        let dtype = if self.device.is_cpu() { DType::F32 } else { DType::BF16 };
        cache::Shape { layers, kv_heads, head_width, dtype }
    }

    /// An empty cache for a conversation.
    pub(crate) fn new_cache(&self, meter: &Meter) -> Cache {
        let blocks = self.device.is_cpu() && self.config.head_width.is_multiple_of(LANES);
        Cache::new(&self.cache_shape(), &self.device, blocks, meter)
    }

    /// Goes through the new tokens of a batch, and gives the scores of the next token for every
    /// segment that asks for them, in order.
    pub(crate) fn forward(&self, segments: &mut [Segment<'_>]) -> Result<Vec<Vec<f32>>> {
        let mut tokens = Vec::new();
        let mut positions = Vec::new();
        let mut lasts = Vec::new();
        for segment in &mut *segments {
            segment.cache.reserve(segment.tokens.len())?;
            positions.extend((segment.cache.len()..).take(segment.tokens.len()));
            tokens.extend_from_slice(segment.tokens);
            if segment.scores {
                lasts.push(tokens.len().saturating_sub(1) as u32);
            }
        }
        let angles = self.rope.angles(&positions, &self.device)?;
        let tokens = Tensor::from_vec(tokens, positions.len(), &self.device)?;
        let mut x = self.embedding.embedding(&tokens)?;
        for (index, layer) in self.layers.iter().enumerate() {
            let mut parts: Vec<(&mut Cache, usize)> = segments
                .iter_mut()
                .map(|segment| (&mut *segment.cache, segment.tokens.len()))
                .collect();
            x = layer.forward(index, &self.config, &x, &angles, &mut parts)?;
        }
        for segment in segments {
            segment.cache.advance(segment.tokens.len());
        }
        if lasts.is_empty() {
            return Ok(Vec::new());
        }
        let lasts = Tensor::from_slice(&lasts, lasts.len(), &self.device)?;
        let x = self.norm.forward(&x.index_select(&lasts, 0)?)?;
        self.output.forward(&x)?.to_vec2()
    }
}

impl Layer {
    fn forward(
        &self,
        index: usize,
        config: &Config,
        x: &Tensor,
        angles: &Angles,
        parts: &mut [(&mut Cache, usize)],
    ) -> Result<Tensor> {
        let tokens = x.dim(0)?;
        let queries = (tokens, config.heads, config.head_width);
        let keys = (tokens, config.kv_heads, config.head_width);
        let input = self.attention_norm.forward(x)?;
        let [query, key, value] = products([&self.query, &self.key, &self.value], &input)?;
        let (query, key) = (query.reshape(queries)?, key.reshape(keys)?);
        let value = value.reshape(keys)?;
        let rows = Rows {
            queries: &angles.turn(&self.query_norm.forward(&query)?)?,
            keys: &angles.turn(&self.key_norm.forward(&key)?)?,
            values: &value,
        };
        let attended = attention::attend(index, &rows, parts)?;
        let x = (x + self.attention_output.forward(&attended)?)?;
        let input = self.feed_norm.forward(&x)?;
        x + match &self.feed {
            Feed::Dense { gate, up, down } => {
                let [gate, up] = products([gate, up], &input)?;
                down.forward(&swiglu(&gate, &up)?)?
            }
            Feed::Experts(experts) => experts.forward(&input)?,
        }
    }
}
