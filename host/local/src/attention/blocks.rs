//! Attention on the processor, over the blocks of the cache.
//!
//! The work is cut into units of one key head and a few tokens. A unit goes through the blocks of
//! the cache once, and keeps for every row the largest score so far, the sum of powers and the
//! weighted sum of values, corrected when a larger score turns up (online softmax: Milakov and
//! Gimelshein 2018; Dao et al. 2022). Both products are the same small loop, [`product`].

use std::sync::Arc;

use candle_core::{Result, bail};

use crate::cache::{BLOCK, Block, Blocks, Shape};
use crate::parallel;
use crate::simd::{Kernel, LANES, exp, multiply_add, widest};

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

impl Kernel for Unit<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
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
        let mut largest = vec![f32::NEG_INFINITY; rows];
        let mut sums = vec![0.0_f32; rows];
        let mut scores = vec![[0.0_f32; LANES]; rows];
        for (index, block) in blocks.iter().enumerate() {
            let start = index * BLOCK;
            if start >= position + count {
                break;
            }
            let (keys, values) = block.tiles(shape, layer, head);
            scores.fill([0.0; LANES]);
            scores_of::<FMA>(&scaled, keys, width, &mut scores);
            for (row, scores) in scores.iter_mut().enumerate() {
                // Positions of this block that the row's token sees.
                let seen = (position + row / group + 1).saturating_sub(start).min(BLOCK);
                if seen == 0 {
                    scores.fill(0.0);
                    continue;
                }
                let top = scores[..seen].iter().copied().fold(largest[row], f32::max);
                let shrink = exp::<FMA>(largest[row] - top);
                largest[row] = top;
                let mut lanes = [0.0; LANES];
                for lane in 0..LANES {
                    let power = exp::<FMA>(scores[lane] - top);
                    lanes[lane] = if lane < seen { power } else { 0.0 };
                }
                *scores = lanes;
                sums[row] = sums[row] * shrink + lanes.iter().sum::<f32>();
                if shrink != 1.0 {
                    for x in &mut out[row * width..(row + 1) * width] {
                        *x *= shrink;
                    }
                }
            }
            add_values::<FMA>(&scores, values, width, out);
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
fn scores_of<const FMA: bool>(
    rows: &[f32],
    keys: &[f32],
    width: usize,
    scores: &mut [[f32; LANES]],
) {
    let (keys, _) = keys.as_chunks::<LANES>();
    let mut quads = scores.chunks_exact_mut(4);
    let mut at = 0;
    for quad in &mut quads {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| &rows[(at + i) * width..(at + i + 1) * width]);
        let sums = product::<4, FMA>([a, b, c, d], keys, 1);
        quad.copy_from_slice(&sums);
        at += 4;
    }
    for score in quads.into_remainder() {
        [*score] = product::<1, FMA>([&rows[at * width..(at + 1) * width]], keys, 1);
        at += 1;
    }
}

/// Adds the values of a block to every row, weighted by its scores.
#[inline(always)]
fn add_values<const FMA: bool>(
    scores: &[[f32; LANES]],
    values: &[f32],
    width: usize,
    out: &mut [f32],
) {
    let (values, _) = values.as_chunks::<LANES>();
    let step = width / LANES;
    for column in 0..step {
        let values = &values[column..];
        let mut add = |row: usize, sums: &[f32; LANES]| {
            let start = row * width + column * LANES;
            for (x, sum) in out[start..start + LANES].iter_mut().zip(sums) {
                *x += sum;
            }
        };
        let (quads, rest) = scores.as_chunks::<4>();
        for (index, [a, b, c, d]) in quads.iter().enumerate() {
            let sums = product::<4, FMA>([a, b, c, d].map(|row| row.as_slice()), values, step);
            sums.iter().enumerate().for_each(|(i, sums)| add(index * 4 + i, sums));
        }
        for (index, row) in rest.iter().enumerate() {
            let [sums] = product::<1, FMA>([row.as_slice()], values, step);
            add(quads.len() * 4 + index, &sums);
        }
    }
}

/// For each of a few rows: the sum of its numbers times the rows of `b`, of which every `step`th
/// counts. The sums stay in registers.
#[inline(always)]
fn product<const ROWS: usize, const FMA: bool>(
    a: [&[f32]; ROWS],
    b: &[[f32; LANES]],
    step: usize,
) -> [[f32; LANES]; ROWS] {
    let mut sums = [[0.0; LANES]; ROWS];
    let count = a.iter().map(|row| row.len()).min().unwrap_or(0);
    for (k, b) in b.iter().step_by(step).take(count).enumerate() {
        for (row, sums) in a.iter().zip(&mut sums) {
            let factor = row[k];
            for lane in 0..LANES {
                sums[lane] = multiply_add::<FMA>(factor, b[lane], sums[lane]);
            }
        }
    }
    sums
}
