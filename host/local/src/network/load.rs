//! A network's weights, read from a GGUF file.
//!
//! Every tensor's shape is checked against the sizes in the metadata before it is read, and candle
//! checks that the file has its bytes before it makes room for them.

use candle_core::Device;
use candle_core::quantized::ggml_file::qtensor_from_ggml;
use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use std::io::{Read, Seek};
use thiserror::Error;

use super::experts::{Expert, Experts, Weights};
use super::{Feed, Layer, Network};
use crate::config::Config;
use crate::matrix::Matrix;
use crate::ops::{Norm, Rope};

/// Why a network could not be loaded.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    #[error("it has no tensor {0}")]
    Missing(String),
    #[error("its tensor {name} has shape {found:?}, not {wanted:?}")]
    Shape { name: String, found: Vec<usize>, wanted: Vec<usize> },
    #[error("its tensor {name}: {source}")]
    Tensor { name: String, source: candle_core::Error },
    #[error("{0}")]
    Other(#[from] candle_core::Error),
}

/// Loads a network that is to see at most `positions` positions.
pub(crate) fn load<R: Read + Seek>(
    content: &Content,
    reader: &mut R,
    config: Config,
    positions: usize,
    device: &Device,
) -> Result<Network, LoadError> {
    let vocabulary = match content.tensor_infos.get("token_embd.weight") {
        Some(info) => info.shape.dims().first().copied().unwrap_or(0),
        None => return Err(LoadError::Missing("token_embd.weight".into())),
    };
    let mut source = Source { content, reader, device, epsilon: config.epsilon };
    let embedding = source.matrix("token_embd.weight", vocabulary, config.hidden)?;
    let output = if content.tensor_infos.contains_key("output.weight") {
        source.matrix("output.weight", vocabulary, config.hidden)?
    } else {
        embedding.clone()
    };
    let layers = (0..config.layers).map(|index| source.layer(index, &config));
    let layers = layers.collect::<Result<_, _>>()?;
    let norm = source.norm("output_norm.weight", config.hidden)?;
    let rope = Rope::new(config.head_width, config.rope_base, positions);
    let device = device.clone();
    Ok(Network { config, device, embedding, layers, norm, output, vocabulary, rope })
}

struct Source<'a, R> {
    content: &'a Content,
    reader: &'a mut R,
    device: &'a Device,
    epsilon: f32,
}

impl<R: Read + Seek> Source<'_, R> {
    fn layer(&mut self, index: usize, config: &Config) -> Result<Layer, LoadError> {
        let name = |part: &str| format!("blk.{index}.{part}.weight");
        let Config { hidden, heads, kv_heads, head_width, .. } = *config;
        let feed = match config.experts {
            None => {
                let inner = self.rows(&name("ffn_gate"), 0)?;
                Feed::Dense {
                    gate: self.matrix(&name("ffn_gate"), inner, hidden)?,
                    up: self.matrix(&name("ffn_up"), inner, hidden)?,
                    down: self.matrix(&name("ffn_down"), hidden, inner)?,
                }
            }
            Some(experts) => {
                let router = self.matrix(&name("ffn_gate_inp"), experts.count, hidden)?;
                let inner = self.rows(&name("ffn_gate_exps"), 1)?;
                let mut stack = |part: &str, rows, columns| {
                    self.read(&name(part), &[experts.count, rows, columns])
                };
                let gate = stack("ffn_gate_exps", inner, hidden)?;
                let up = stack("ffn_up_exps", inner, hidden)?;
                let down = stack("ffn_down_exps", hidden, inner)?;
                let weights = weights(gate, up, down, self.device)?;
                Feed::Experts(Experts { router, used: experts.used, weights })
            }
        };
        Ok(Layer {
            attention_norm: self.norm(&name("attn_norm"), hidden)?,
            query: self.matrix(&name("attn_q"), heads * head_width, hidden)?,
            key: self.matrix(&name("attn_k"), kv_heads * head_width, hidden)?,
            value: self.matrix(&name("attn_v"), kv_heads * head_width, hidden)?,
            query_norm: self.norm(&name("attn_q_norm"), head_width)?,
            key_norm: self.norm(&name("attn_k_norm"), head_width)?,
            attention_output: self.matrix(&name("attn_output"), hidden, heads * head_width)?,
            feed_norm: self.norm(&name("ffn_norm"), hidden)?,
            feed,
        })
    }

    /// How long a tensor is in one of its dimensions; within bounds that keep products small.
    fn rows(&self, name: &str, dimension: usize) -> Result<usize, LoadError> {
        let Some(info) = self.content.tensor_infos.get(name) else {
            return Err(LoadError::Missing(name.to_owned()));
        };
        let found = info.shape.dims();
        match found.get(dimension) {
            Some(rows) if (1..=1 << 24).contains(rows) => Ok(*rows),
            _ => Err(LoadError::Shape {
                name: name.to_owned(),
                found: found.to_vec(),
                wanted: Vec::new(),
            }),
        }
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Matrix, LoadError> {
        Ok(Matrix::new(self.read(name, &[rows, columns])?)?)
    }

    fn norm(&mut self, name: &str, width: usize) -> Result<Norm, LoadError> {
        let weight = self.read(name, &[width])?.dequantize(self.device)?;
        Ok(Norm::new(weight, self.epsilon)?)
    }

    fn read(&mut self, name: &str, shape: &[usize]) -> Result<QTensor, LoadError> {
        let Some(info) = self.content.tensor_infos.get(name) else {
            return Err(LoadError::Missing(name.to_owned()));
        };
        if info.shape.dims() != shape || shape.contains(&0) {
            let (name, found) = (name.to_owned(), info.shape.dims().to_vec());
            return Err(LoadError::Shape { name, found, wanted: shape.to_vec() });
        }
        let tensor = info.read(self.reader, self.content.tensor_data_offset, self.device);
        tensor.map_err(|source| LoadError::Tensor { name: name.to_owned(), source })
    }
}

/// Stacked where candle's kernel for that takes all three, else one by one.
fn weights(
    gate: QTensor,
    up: QTensor,
    down: QTensor,
    device: &Device,
) -> candle_core::Result<Weights> {
    use GgmlDType::{Q2K, Q3K, Q4K, Q5K, Q6K, Q8_0};
    let taken = |tensor: &QTensor| matches!(tensor.dtype(), Q2K | Q3K | Q4K | Q5K | Q6K | Q8_0);
    if device.is_cuda() && [&gate, &up, &down].into_iter().all(taken) {
        let [gate, up, down] = [gate, up, down].map(QMatMul::from_qtensor);
        return Ok(Weights::Stacked { gate: gate?, up: up?, down: down? });
    }
    let (gates, ups, downs) = (split(&gate)?, split(&up)?, split(&down)?);
    let experts = gates.into_iter().zip(ups).zip(downs);
    Ok(Weights::Single(experts.map(|((gate, up), down)| Expert { gate, up, down }).collect()))
}

/// The matrices of a stack, each a tensor of its own.
fn split(stack: &QTensor) -> candle_core::Result<Vec<Matrix>> {
    let (count, rows, columns) = stack.shape().dims3()?;
    let bytes = stack.data()?;
    let matrices = bytes.chunks_exact(bytes.len() / count).map(|bytes| {
        let (dtype, shape) = (stack.dtype(), vec![rows, columns]);
        Matrix::new(qtensor_from_ggml(dtype, bytes, shape, &stack.device())?)
    });
    matrices.collect()
}
