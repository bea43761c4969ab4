//! Attention of the tokens of a batch, each to the positions of its own conversation up to itself.

mod blocks;
mod tensors;

use candle_core::{Device, Result, Tensor};

use crate::cache::Cache;
use crate::ops::with_numbers;

/// The queries, keys and values of one layer: a row for each token of the batch, of shape (tokens,
/// heads, width).
pub(crate) struct Rows<'a> {
    pub(crate) queries: &'a Tensor,
    pub(crate) keys: &'a Tensor,
    pub(crate) values: &'a Tensor,
}

/// Writes keys and values to the caches, and attends. `parts` has the cache and the number of
/// tokens of every conversation in the batch, in the order of the rows. The outcome has shape
/// (tokens, heads × width).
pub(crate) fn attend(
    layer: usize,
    rows: &Rows<'_>,
    parts: &mut [(&mut Cache, usize)],
) -> Result<Tensor> {
    let (tokens, heads, width) = rows.queries.dims3()?;
    if parts.iter().all(|(cache, _)| matches!(cache, Cache::Blocks(_))) {
        let mut blocks = Vec::with_capacity(parts.len());
        for (cache, tokens) in parts {
            if let Cache::Blocks(cache) = cache {
                blocks.push((cache, *tokens));
            }
        }
        let out = with_numbers(rows.queries, |queries| {
            with_numbers(rows.keys, |keys| {
                with_numbers(rows.values, |values| {
                    blocks::attend(layer, blocks::Numbers { queries, keys, values }, heads, blocks)
                })
            })
        })?;
        return Tensor::from_vec(out, (tokens, heads * width), &Device::Cpu);
    }
    let mut start = 0;
    let mut outs = Vec::with_capacity(parts.len());
    for (cache, tokens) in parts {
        let Cache::Tensors(cache) = cache else { candle_core::bail!("caches of two kinds") };
        let part = |rows: &Tensor| rows.narrow(0, start, *tokens)?.transpose(0, 1)?.contiguous();
        outs.push(tensors::attend(
            layer,
            &part(rows.queries)?,
            &part(rows.keys)?,
            &part(rows.values)?,
            cache,
        )?);
        start += *tokens;
    }
    Tensor::cat(&outs, 0)
}
