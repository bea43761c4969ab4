//! A cache in blocks of a few positions each, which conversations with the same beginning share.
//!
//! Growing adds a block and copies nothing; a fork copies references, and whoever then writes into
//! a block that others hold too gets a copy of that one block.

use std::sync::Arc;

use super::{Lease, Meter, Shape};
use crate::simd::LANES;

/// Positions of a block.
pub(crate) const BLOCK: usize = LANES;

/// Keys and values of [`BLOCK`] positions, in all layers.
#[derive(Debug)]
pub(crate) struct Block {
    numbers: Vec<f32>,
    lease: Lease,
}

impl Clone for Block {
    fn clone(&self) -> Block {
        let lease = Lease::new(&self.lease.meter, self.lease.bytes);
        Block { numbers: self.numbers.clone(), lease }
    }
}

impl Block {
    /// Keys of one layer and head: a row of [`BLOCK`] positions for each of the head's numbers.
    /// Values of one layer and head: a row of the head's numbers for each position.
    pub(crate) fn tiles(&self, shape: &Shape, layer: usize, head: usize) -> (&[f32], &[f32]) {
        let size = shape.head_width * BLOCK;
        let start = (layer * shape.kv_heads + head) * 2 * size;
        let tiles = self.numbers.get(start..start + 2 * size).unwrap_or_default();
        tiles.split_at(tiles.len() / 2)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Blocks {
    shape: Shape,
    meter: Meter,
    blocks: Vec<Arc<Block>>,
    len: usize,
}

impl Blocks {
    pub(super) fn new(shape: Shape, meter: Meter) -> Blocks {
        Blocks { shape, meter, blocks: Vec::new(), len: 0 }
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The blocks, the last one perhaps with room left.
    pub(crate) fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    fn block_bytes(&self) -> usize {
        self.shape.bytes() * BLOCK
    }

    pub(super) fn growth(&self, positions: usize) -> usize {
        let missing = (self.len + positions).div_ceil(BLOCK).saturating_sub(self.blocks.len());
        // The last block is copied before it is written when another conversation holds it too.
        let shared = !self.len.is_multiple_of(BLOCK)
            && self.blocks.last().is_some_and(|block| Arc::strong_count(block) > 1);
        (missing + usize::from(shared)) * self.block_bytes()
    }

    pub(super) fn fork(&self, len: usize) -> Blocks {
        let len = len.min(self.len);
        let blocks = self.blocks.iter().take(len.div_ceil(BLOCK)).cloned().collect();
        Blocks { shape: self.shape.clone(), meter: self.meter.clone(), blocks, len }
    }

    pub(super) fn reserve(&mut self, positions: usize) {
        while self.blocks.len() * BLOCK < self.len + positions {
            let numbers = vec![0.0; self.shape.numbers() * BLOCK];
            let lease = Lease::new(&self.meter, self.block_bytes());
            self.blocks.push(Arc::new(Block { numbers, lease }));
        }
    }

    pub(super) fn advance(&mut self, positions: usize) {
        self.len += positions;
    }

    /// Writes one layer's keys and values of the positions that follow, given as rows of (heads,
    /// width). There has to be room for them.
    pub(crate) fn write(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        let width = self.shape.head_width;
        let row = self.shape.kv_heads * width;
        let size = width * BLOCK;
        let layer = layer * self.shape.kv_heads * 2 * size;
        let tokens = keys.chunks_exact(row).zip(values.chunks_exact(row));
        for (position, (keys, values)) in (self.len..).zip(tokens) {
            let Some(block) = self.blocks.get_mut(position / BLOCK) else { return };
            let lane = position % BLOCK;
            let numbers = Arc::make_mut(block).numbers.get_mut(layer..).unwrap_or_default();
            let heads = keys.chunks_exact(width).zip(values.chunks_exact(width));
            for (tiles, (key, value)) in numbers.chunks_exact_mut(2 * size).zip(heads) {
                let (key_tile, value_tile) = tiles.split_at_mut(size);
                for (column, x) in key_tile.iter_mut().skip(lane).step_by(BLOCK).zip(key) {
                    *column = *x;
                }
                value_tile[lane * width..(lane + 1) * width].copy_from_slice(value);
            }
        }
    }
}
