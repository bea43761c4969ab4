//! Attention on the processor, over the blocks of the cache.
//!
//! The work is cut into units of one key head and a few tokens. A unit goes through the blocks of
//! the cache once, and keeps for every row the largest score so far, the sum of powers and the
//! weighted sum of values, corrected when a larger score turns up (online softmax: Milakov and
//! Gimelshein 2018; Dao et al. 2022). Both products are the same small loop, [`product`].

use std::sync::Arc;

use candle_core::{Result, bail};
use pulp::{Simd, WithSimd};

use crate::cache::{BLOCK, Block, Blocks, Shape};
use crate::parallel;
use crate::simd::{LANES, exp, largest, sum, widest};

/// Rows of queries that a unit has at most, unless one token has more.
const UNIT_ROWS: usize = 16;

/// One layer's numbers of a batch: rows of (heads, width).
pub(super) struct Numbers<'a> {
    pub(super) queries: &'a [f32],
    pub(super) keys: &'a [f32],
    pub(super) values: &'a [f32],
}

/// Tokens of one conversation that follow each other, and one key head.
struct Unit<'a> {
    blocks: &'a [Arc<Block>],
    shape: &'a Shape,
    layer: usize,
    head: usize,
    /// Query heads that share the key head.
    group: usize,
    /// The queries of the tokens: rows of (heads, width).
    queries: &'a [f32],
    /// The position of the first token.
    position: usize,
    /// Where the outcome goes: rows of (tokens, group) with `width` numbers each.
    out: &'a mut [f32],
}

pub(super) fn attend(
    layer: usize,
    numbers: Numbers<'_>,
    heads: usize,
    mut parts: Vec<(&mut Blocks, usize)>,
) -> Result<Vec<f32>> {
    let Some(shape) = parts.first().map(|(cache, _)| cache.shape().clone()) else {
        return Ok(Vec::new());
    };
    let (width, kv_heads) = (shape.head_width, shape.kv_heads);
    let group = heads / kv_heads;
    let tokens: usize = parts.iter().map(|(_, tokens)| tokens).sum();
    if numbers.queries.len() != tokens * heads * width
        || numbers.keys.len() != tokens * kv_heads * width
        || numbers.values.len() != numbers.keys.len()
    {
        bail!("a batch of {tokens} tokens with other numbers of queries, keys or values")
    }
    let (mut keys, mut values) = (numbers.keys, numbers.values);
    for (cache, tokens) in &mut parts {
        let (these_keys, other_keys) = keys.split_at(*tokens * kv_heads * width);
        let (these_values, other_values) = values.split_at(*tokens * kv_heads * width);
        cache.write(layer, these_keys, these_values);
        (keys, values) = (other_keys, other_values);
    }

    let step = (UNIT_ROWS / group).max(1);
    let mut gathered = vec![0.0; tokens * heads * width];
    let mut units = Vec::new();
    // For each token, the unit of its first head, its place there, and the unit's tokens.
    let mut places = Vec::with_capacity(tokens);
    let (mut queries, mut rest) = (numbers.queries, gathered.as_mut_slice());
    let mut offset = 0;
    for (cache, tokens) in &parts {
        for first in (0..*tokens).step_by(step) {
            let count = step.min(*tokens - first);
            let (these, others) = queries.split_at(count * heads * width);
            queries = others;
            places.extend((0..count).map(|place| (offset, place, count)));
            offset += count * heads * width;
            for head in 0..kv_heads {
                let (out, others) = std::mem::take(&mut rest).split_at_mut(count * group * width);
                rest = others;
                units.push(Unit {
                    blocks: cache.blocks(),
                    shape: &shape,
                    layer,
                    head,
                    group,
                    queries: these,
                    position: cache.len() + first,
                    out,
                });
            }
        }
    }
    parallel::each(units, |_, unit| widest(unit));

    // From (unit, head, token) to (token, head).
    let mut out = vec![0.0; tokens * heads * width];
    let row = group * width;
    parallel::chunks(&mut out, heads * width, |token, out| {
        let Some(&(offset, place, count)) = places.get(token) else { return };
        for (head, out) in out.chunks_exact_mut(row).enumerate() {
            let start = offset + (head * count + place) * row;
            if let Some(numbers) = gathered.get(start..start + row) {
                out.copy_from_slice(numbers);
            }
        }
    });
    Ok(out)
}

impl WithSimd for Unit<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Unit { blocks, shape, layer, head, group, queries, position, out } = self;
        let width = shape.head_width;
        let count = out.len() / (group * width);
        let heads = queries.len() / (count * width);
        let rows = count * group;
        let scale = 1.0 / (width as f32).sqrt();
        let mut scaled = Vec::with_capacity(rows * width);
        for token in queries.chunks_exact(heads * width) {
            let group = &token[head * group * width..(head + 1) * group * width];
            scaled.extend(group.iter().map(|x| x * scale));
        }
        out.fill(0.0);
        let mut tops = vec![f32::NEG_INFINITY; rows];
        let mut sums = vec![0.0_f32; rows];
        let mut scores = vec![[0.0_f32; LANES]; rows];
        for (index, block) in blocks.iter().enumerate() {
            let start = index * BLOCK;
            if start >= position + count {
                break;
            }
            let (keys, values) = block.tiles(shape, layer, head);
            times_keys(simd, &scaled, keys, width, &mut scores);
            for (row, scores) in scores.iter_mut().enumerate() {
                // Positions of this block that the row's token sees.
                let seen = (position + row / group + 1).saturating_sub(start).min(BLOCK);
                if seen == 0 {
                    scores.fill(0.0);
                    continue;
                }
                for (lane, score) in scores.iter_mut().enumerate() {
                    *score = if lane < seen { *score } else { f32::NEG_INFINITY };
                }
                let top = tops[row].max(largest(*scores));
                let shrink = exp::<S>(tops[row] - top);
                tops[row] = top;
                for (lane, score) in scores.iter_mut().enumerate() {
                    let power = exp::<S>(*score - top);
                    *score = if lane < seen { power } else { 0.0 };
                }
                sums[row] = sums[row] * shrink + sum(*scores);
                if shrink != 1.0 {
                    for x in &mut out[row * width..(row + 1) * width] {
                        *x *= shrink;
                    }
                }
            }
            add_values(simd, &scores, values, width, out);
        }
        for (out, sum) in out.chunks_exact_mut(width).zip(&sums) {
            let share = 1.0 / sum;
            for x in out {
                *x *= share;
            }
        }
    }
}

/// The scores of every row against the keys of a block.
#[inline(always)]
fn times_keys<S: Simd>(
    simd: S,
    rows: &[f32],
    keys: &[f32],
    width: usize,
    scores: &mut [[f32; LANES]],
) {
    let (keys, _) = S::as_simd_f32s(keys);
    let (scores, _) = S::as_mut_simd_f32s(scores.as_flattened_mut());
    let step = LANES / S::F32_LANES;
    let row = |index: usize| &rows[index * width..(index + 1) * width];
    let mut at = 0;
    while let Some(scores) = scores.get_mut(at * step..).filter(|scores| !scores.is_empty()) {
        match scores.len() / step {
            8.. => {
                let rows = std::array::from_fn::<_, 8, _>(|i| row(at + i));
                products::<S, 8, 1>(simd, rows, keys, step, |place, sum| scores[place] = sum);
                at += 8;
            }
            2.. => {
                let rows = std::array::from_fn::<_, 2, _>(|i| row(at + i));
                products::<S, 2, 2>(simd, rows, keys, step, |place, sum| scores[place] = sum);
                at += 2;
            }
            _ => {
                products::<S, 1, 2>(simd, [row(at)], keys, step, |place, sum| scores[place] = sum);
                at += 1;
            }
        }
    }
}

/// Adds the values of a block to every row, weighted by its scores.
#[inline(always)]
fn add_values<S: Simd>(
    simd: S,
    scores: &[[f32; LANES]],
    values: &[f32],
    width: usize,
    out: &mut [f32],
) {
    let (values, _) = S::as_simd_f32s(values);
    let (mut out, _) = S::as_mut_simd_f32s(out);
    let step = width / S::F32_LANES;
    let (eights, rest) = scores.as_chunks::<8>();
    let (pairs, single) = rest.as_chunks::<2>();
    let mut next = |rows: usize| {
        let (these, others) = std::mem::take(&mut out).split_at_mut(rows * step);
        out = others;
        move |place: usize, sum| these[place] = simd.add_f32s(these[place], sum)
    };
    for rows in eights {
        let rows = rows.each_ref().map(|row| row.as_slice());
        products::<S, 8, 1>(simd, rows, values, step, next(8));
    }
    for rows in pairs {
        let rows = rows.each_ref().map(|row| row.as_slice());
        products::<S, 2, 2>(simd, rows, values, step, next(2));
    }
    for row in single {
        products::<S, 1, 2>(simd, [row.as_slice()], values, step, next(1));
    }
}

/// For each of a few rows: the sum of its numbers times the rows of `b`, which have `step` vectors
/// each. `put` gets the sums and their places, `step` vectors a row.
///
/// Sums of `COLUMNS` vectors of each row stay in registers while `b` is gone through: with eight
/// rows one is enough to keep the units of multiplication busy; with fewer rows, the time goes into
/// reading `b`, and two vectors side by side are a cache line or more.
#[inline(always)]
fn products<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    a: [&[f32]; ROWS],
    b: &[S::f32s],
    step: usize,
    mut put: impl FnMut(usize, S::f32s),
) {
    let count = a.iter().fold(b.len() / step, |count, row| count.min(row.len()));
    let a = a.map(|row| &row[..count]);
    for column in (0..step).step_by(COLUMNS) {
        let mut sums = [[simd.splat_f32s(0.0); COLUMNS]; ROWS];
        for (k, b) in b.chunks_exact(step).take(count).enumerate() {
            let b = &b[column..column + COLUMNS];
            for row in 0..ROWS {
                let factor = simd.splat_f32s(a[row][k]);
                for i in 0..COLUMNS {
                    sums[row][i] = simd.mul_add_e_f32s(factor, b[i], sums[row][i]);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (i, sum) in sums.iter().enumerate() {
                put(row * step + column + i, *sum);
            }
        }
    }
}
