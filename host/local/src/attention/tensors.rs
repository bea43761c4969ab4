//! Attention composed of candle's tensor operations, for any device.

use candle_core::{D, DType, Result, Tensor};

use crate::cache::Tensors;

/// Queries, keys and values have shape (heads, tokens, width); the outcome has shape (tokens,
/// heads × width).
pub(super) fn attend(
    layer: usize,
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    cache: &mut Tensors,
) -> Result<Tensor> {
    let (heads, tokens, width) = queries.dims3()?;
    let kv_heads = keys.dim(0)?;
    let group = heads / kv_heads;
    let past = cache.len();
    let (keys, values) = cache.write(layer, keys, values)?;
    let queries = (queries.reshape((kv_heads, group * tokens, width))? / (width as f64).sqrt())?;
    let queries = queries.to_dtype(keys.dtype())?;
    let mut scores = queries.matmul(&keys.transpose(1, 2)?)?.to_dtype(DType::F32)?;
    if tokens > 1 {
        let positions = past + tokens;
        let mask: Vec<f32> = (0..group)
            .flat_map(|_| 0..tokens)
            .flat_map(|token| {
                let seen = past + token;
                (0..positions).map(move |p| if p <= seen { 0.0 } else { f32::NEG_INFINITY })
            })
            .collect();
        let mask = Tensor::from_vec(mask, (group * tokens, positions), scores.device())?;
        scores = scores.broadcast_add(&mask)?;
    }
    let likeliest = scores.max_keepdim(D::Minus1)?;
    let powers = scores.broadcast_sub(&likeliest)?.exp()?;
    let weights = powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?;
    let out = weights.to_dtype(values.dtype())?.matmul(&values)?.to_dtype(DType::F32)?;
    let out = out.reshape((heads, tokens, width))?;
    out.transpose(0, 1)?.contiguous()?.reshape((tokens, heads * width))
}
