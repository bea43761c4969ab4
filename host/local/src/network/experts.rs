//! A mixture of experts: a router picks a few for every token, whose outcomes are weighted and
//! added (Shazeer et al. 2017; the weights of the picked ones add up to one, as in Qwen3).

use candle_core::quantized::QMatMul;
use candle_core::{Device, Result, Tensor};

use crate::matrix::{Matrix, products};
use crate::ops::swiglu;

/// See the module.
pub(super) struct Experts {
    pub(super) router: Matrix,
    pub(super) used: usize,
    pub(super) weights: Weights,
}

/// Weights of all experts.
pub(super) enum Weights {
    /// One by one, for any device and any type.
    Single(Vec<Expert>),
    /// In one piece, for candle's CUDA kernel, which needs them quantised.
    Stacked { gate: QMatMul, up: QMatMul, down: QMatMul },
}

/// Weights of one expert.
pub(super) struct Expert {
    pub(super) gate: Matrix,
    pub(super) up: Matrix,
    pub(super) down: Matrix,
}

/// Which experts a token goes through, and with which weight.
type Choice = Vec<(usize, f32)>;

impl Experts {
    /// From rows of tokens to rows of tokens.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let scores: Vec<Vec<f32>> = self.router.forward(x)?.to_vec2()?;
        let choices: Vec<Choice> = scores.iter().map(|scores| choose(scores, self.used)).collect();
        match &self.weights {
            Weights::Single(experts) => one_by_one(x, experts, &choices),
            Weights::Stacked { gate, up, down } => {
                let (tokens, hidden) = x.dims2()?;
                let shape = (tokens, self.used);
                let ids = choices.iter().flatten().map(|(expert, _)| *expert as u32);
                let ids = Tensor::from_vec(ids.collect(), shape, x.device())?;
                let weights = choices.iter().flatten().map(|(_, weight)| *weight);
                let weights =
                    Tensor::from_vec(weights.collect(), (tokens, self.used, 1), x.device())?;
                let x = x.reshape((tokens, 1, hidden))?;
                let inner = swiglu(
                    &gate.indexed_moe_forward(&x, &ids)?,
                    &up.indexed_moe_forward(&x, &ids)?,
                )?;
                down.indexed_moe_forward(&inner, &ids)?.broadcast_mul(&weights)?.sum(1)
            }
        }
    }
}

/// The likeliest experts, the first of those that are equally likely.
fn choose(scores: &[f32], used: usize) -> Choice {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order.truncate(used);
    let top = order.first().map_or(0.0, |first| scores[*first]);
    let powers: Vec<f32> = order.iter().map(|expert| (scores[*expert] - top).exp()).collect();
    let sum: f32 = powers.iter().sum();
    order.into_iter().zip(powers).map(|(expert, power)| (expert, power / sum)).collect()
}

/// Each expert at once for all tokens that go through it.
fn one_by_one(x: &Tensor, experts: &[Expert], choices: &[Choice]) -> Result<Tensor> {
    let mut out = x.zeros_like()?;
    for (index, expert) in experts.iter().enumerate() {
        let mine = choices.iter().enumerate().flat_map(|(token, choice)| {
            let mine = choice.iter().filter(|(expert, _)| *expert == index);
            mine.map(move |(_, weight)| (token as u32, *weight))
        });
        let (tokens, weights): (Vec<u32>, Vec<f32>) = mine.unzip();
        if tokens.is_empty() {
            continue;
        }
        let weights = Tensor::from_slice(&weights, (weights.len(), 1), &Device::Cpu)?;
        let tokens = Tensor::from_slice(&tokens, tokens.len(), x.device())?;
        let x = x.index_select(&tokens, 0)?;
        let [gate, up] = products([&expert.gate, &expert.up], &x)?;
        let inner = swiglu(&gate, &up)?;
        let rows = expert.down.forward(&inner)?.broadcast_mul(&weights.to_device(x.device())?)?;
        out = out.index_add(&tokens, &rows, 0)?;
    }
    Ok(out)
}
