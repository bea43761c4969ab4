//! The memory that a model takes.

use std::fmt;

use serde::Serialize;

use crate::header::{Description, KvType};
use crate::words;

/// What a CUDA context, its libraries and their work space take: 1 GiB.
const FIXED: u64 = 1 << 30;

/// One part in so many of the weights more, for activations and what allocators waste.
const SHARE: u64 = 32;

/// Bytes that a model takes, estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Its weights.
    pub weights: u64,
    /// Its KV cache, filled with the whole context.
    pub kv: u64,
    /// Of the KV cache, what each token takes.
    pub kv_token: u64,
    /// Tokens of the context.
    pub context: u64,
    /// How the KV cache is stored.
    pub kv_type: KvType,
    /// All else: CUDA itself, activations, waste.
    pub overhead: u64,
}

impl Estimate {
    /// What a model takes with a context of so many tokens.
    pub fn new(model: &Description, context: u64, kv_type: KvType) -> Estimate {
        let (weights, kv_token) = (model.weight_bytes, model.kv_bytes(kv_type));
        Estimate {
            weights,
            kv: kv_token.saturating_mul(context),
            kv_token,
            context,
            kv_type,
            overhead: FIXED.saturating_add(weights / SHARE),
        }
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights.saturating_add(self.kv).saturating_add(self.overhead)
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate { weights, kv, kv_token, context, kv_type, overhead } = self;
        write!(
            formatter,
            "{} of weights, {} of KV cache ({} tokens of {} in {kv_type}) and {} of overhead",
            words::bytes(*weights),
            words::binary(*kv),
            words::grouped(*context),
            words::binary(*kv_token),
            words::bytes(*overhead)
        )
    }
}
