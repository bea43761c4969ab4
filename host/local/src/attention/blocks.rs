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
    let row = |index: usize| &rows[index * width..(index + 1) * width];
    let (eights, rest) = scores.as_chunks_mut::<8>();
    let (pairs, single) = rest.as_chunks_mut::<2>();
    let (first_pair, first_single) = (eights.len() * 8, eights.len() * 8 + pairs.len() * 2);
    for column in 0..LANES / S::F32_LANES {
        let keys = &keys[column..];
        for (index, scores) in eights.iter_mut().enumerate() {
            let rows = [0, 1, 2, 3, 4, 5, 6, 7].map(|i| row(index * 8 + i));
            put::<S, 8>(scores, column, product(simd, rows, keys, LANES / S::F32_LANES));
        }
        for (index, scores) in pairs.iter_mut().enumerate() {
            let rows = [0, 1].map(|i| row(first_pair + index * 2 + i));
            put::<S, 2>(scores, column, product(simd, rows, keys, LANES / S::F32_LANES));
        }
        for (index, score) in single.iter_mut().enumerate() {
            let sums = product(simd, [row(first_single + index)], keys, LANES / S::F32_LANES);
            put::<S, 1>(std::array::from_mut(score), column, sums);
        }
    }
}

/// Writes a vector of each row to its place.
#[inline(always)]
fn put<S: Simd, const ROWS: usize>(
    scores: &mut [[f32; LANES]; ROWS],
    column: usize,
    sums: [S::f32s; ROWS],
) {
    for (scores, sum) in scores.iter_mut().zip(sums) {
        S::as_mut_simd_f32s(scores).0[column] = sum;
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
    let (out, _) = S::as_mut_simd_f32s(out);
    let step = width / S::F32_LANES;
    let (eights, rest) = scores.as_chunks::<8>();
    let (pairs, single) = rest.as_chunks::<2>();
    for column in 0..step {
        let values = &values[column..];
        let mut places = out[column..].iter_mut().step_by(step);
        for rows in eights {
            add(
                simd,
                &mut places,
                product(simd, rows.each_ref().map(|row| &row[..]), values, step),
            );
        }
        for rows in pairs {
            add(
                simd,
                &mut places,
                product(simd, rows.each_ref().map(|row| &row[..]), values, step),
            );
        }
        for row in single {
            add(simd, &mut places, product(simd, [&row[..]], values, step));
        }
    }
}

/// Adds a vector to each of the places that follow.
#[inline(always)]
fn add<'a, S: Simd, const ROWS: usize>(
    simd: S,
    places: &mut impl Iterator<Item = &'a mut S::f32s>,
    sums: [S::f32s; ROWS],
) {
    for (sum, place) in sums.into_iter().zip(places) {
        *place = simd.add_f32s(*place, sum);
    }
}

/// For each of a few rows: the sum of its numbers times the vectors of `b`, of which every `step`th
/// counts. The sums stay in registers: eight rows keep two units of multiplication busy.
#[inline(always)]
fn product<S: Simd, const ROWS: usize>(
    simd: S,
    a: [&[f32]; ROWS],
    b: &[S::f32s],
    step: usize,
) -> [S::f32s; ROWS] {
    let count = a.iter().fold(b.len().div_ceil(step), |count, row| count.min(row.len()));
    let a = a.map(|row| &row[..count]);
    let mut sums = [simd.splat_f32s(0.0); ROWS];
    for k in 0..count {
        let b = b[k * step];
        for row in 0..ROWS {
            sums[row] = simd.mul_add_e_f32s(simd.splat_f32s(a[row][k]), b, sums[row]);
        }
    }
    sums
}
