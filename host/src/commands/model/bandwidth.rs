//! How much of the memory's bandwidth a model uses.
//!
//! For each token that one user gets, a model reads the weights that the token uses, and the keys
//! and values of all tokens before it. How often a second the memory could do that is the limit of
//! the rate; only more users at once can go beyond it, for they share the weights.

use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::Instant;

use june_models::guard::{Machine, Placement};
use june_models::header::{Description, KvType};

use crate::config::ModelTable;
use crate::local;

/// What a token costs, and what the memory can do.
pub(super) struct Limit {
    /// Bytes of weights that each token reads.
    weights: u64,
    /// Bytes of keys and values of each token before it.
    kv: u64,
    /// Bytes a second.
    bandwidth: f64,
}

impl Limit {
    /// Of a model in this process; nothing where a server runs it, or the driver says too little.
    pub(super) fn of(name: &str, table: &ModelTable, folder: &Path) -> Option<Limit> {
        let ModelTable::Local(table) = table else { return None };
        let path = table.path(name, folder).ok()?;
        let machine = Machine::here();
        let (model, placement) = local::placed(&path, &table.settings(), &machine).ok()?;
        let (bandwidth, kv) = match placement {
            Placement::Gpu { index, .. } => {
                (machine.gpus.get(index)?.bandwidth? as f64, KvType::Bf16)
            }
            Placement::Cpu { .. } => (read_rate(), KvType::F32),
        };
        Some(Limit { weights: weights(&model), kv: model.kv_bytes(kv), bandwidth })
    }

    /// The share that so many tokens a second use, after so many tokens before each.
    pub(super) fn share(&self, rate: f64, before: u64) -> f64 {
        rate * (self.weights as f64 + self.kv as f64 * before as f64) / self.bandwidth
    }
}

fn weights(model: &Description) -> u64 {
    let used = model.active().unwrap_or(model.parameters) as f64;
    (model.weight_bytes as f64 * used / model.parameters.max(1) as f64) as u64
}

/// Bytes a second that the processors read together, the best of some rounds.
fn read_rate() -> f64 {
    // Far more than the caches hold.
    const NUMBERS: usize = 64 << 20;
    let buffer = vec![1_u64; NUMBERS];
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let round = || {
        let start = Instant::now();
        thread::scope(|scope| {
            for part in buffer.chunks(NUMBERS.div_ceil(threads)) {
                scope.spawn(|| black_box(part.iter().fold(0_u64, |sum, n| sum.wrapping_add(*n))));
            }
        });
        (NUMBERS * 8) as f64 / start.elapsed().as_secs_f64().max(1e-9)
    };
    (0..5).map(|_| round()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_counts_the_weights_and_what_was_said_before() {
        let limit = Limit { weights: 600, kv: 4, bandwidth: 10_000.0 };
        assert_eq!(limit.share(10.0, 0), 0.6);
        assert_eq!(limit.share(10.0, 100), 1.0);
    }
}
