//! What a model is.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::words;

/// What a model is, known from its headers alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The file or folder.
    pub path: PathBuf,
    /// What kind of file that is.
    pub format: Format,
    /// The architecture in the model's own words, such as `qwen3moe` or `Qwen3MoeForCausalLM`.
    pub architecture: String,
    /// Weights, counted from the tensors' shapes.
    pub parameters: u64,
    /// Of a mixture of experts, and how many of them a token uses.
    pub experts: Option<Experts>,
    /// How most of the weights are stored, such as `Q4_K`, `BF16` or `FP8`.
    pub quantisation: String,
    /// Bytes of all weights, as they are loaded.
    pub weight_bytes: u64,
    /// The longest context in tokens, where the model says it.
    pub context: Option<u64>,
    /// Layers of the language model.
    pub layers: u64,
    /// Heads of keys and values in a layer; the most of any.
    pub kv_heads: u64,
    /// Numbers in a key; the most of any.
    pub head_dim: u64,
    /// Numbers that the KV cache keeps of each token, in all layers together. Where a model
    /// forgets tokens (sliding windows), this is more than it keeps.
    pub kv_numbers: u64,
    /// How the KV cache is stored, where the model's folder says it.
    pub kv_type: Option<KvType>,
    /// Bytes that were read to know all this.
    pub read: u64,
}

/// The kind of file that a model is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// GGUF, in one file or several.
    Gguf,
    /// A folder with `config.json` and safetensors, as the hub has them.
    Safetensors,
    /// A model of a Triton repository.
    Triton,
}

/// Experts of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Experts {
    /// How many there are.
    pub count: u64,
    /// How many each token uses.
    pub used: u64,
    /// Weights in the experts of all layers.
    pub parameters: u64,
}

/// How the numbers of a KV cache are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KvType {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// bfloat16.
    #[default]
    Bf16,
    /// Eight bits, floating point.
    Fp8,
}

impl KvType {
    /// Bytes of a number.
    pub fn bytes(self) -> u64 {
        match self {
            KvType::F32 => 4,
            KvType::F16 | KvType::Bf16 => 2,
            KvType::Fp8 => 1,
        }
    }
}

impl fmt::Display for KvType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            KvType::F32 => "f32",
            KvType::F16 => "f16",
            KvType::Bf16 => "bf16",
            KvType::Fp8 => "fp8",
        })
    }
}

impl Description {
    /// Of a mixture of experts, the weights that each token uses.
    pub fn active(&self) -> Option<u64> {
        let Experts { count, used, parameters } = self.experts?;
        let used = u128::from(parameters) * u128::from(used) / u128::from(count.max(1));
        let rest = self.parameters.saturating_sub(parameters);
        Some(rest.saturating_add(u64::try_from(used).unwrap_or(u64::MAX)))
    }

    /// Bytes of the weights if each had so many bits.
    pub fn weight_bytes_at(&self, bits: u64) -> u64 {
        let bytes = u128::from(self.parameters) * u128::from(bits) / 8;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Bytes of the KV cache for each token.
    pub fn kv_bytes(&self, kv: KvType) -> u64 {
        self.kv_numbers.saturating_mul(kv.bytes())
    }
}

impl fmt::Display for Description {
    /// In one line: `qwen3moe, 30.5 B parameters (3.3 B active), Q4_K, 18.6 GB, 48 layers, …`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Description { architecture, quantisation, layers, .. } = self;
        let parameters = words::short(self.parameters);
        let size = words::bytes(self.weight_bytes);
        write!(formatter, "{architecture}, {parameters} parameters")?;
        if let Some(active) = self.active() {
            write!(formatter, " ({} active)", words::short(active))?;
        }
        write!(formatter, ", {quantisation}, {size}, {layers} layers")?;
        if let Some(context) = self.context {
            write!(formatter, ", context of {} tokens", words::grouped(context))?;
        }
        Ok(())
    }
}
