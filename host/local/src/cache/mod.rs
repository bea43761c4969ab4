//! Keys and values of the positions that a conversation has gone through.

mod blocks;
mod tensors;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{DType, Device, Result};

pub(crate) use blocks::{BLOCK, Block, Blocks};
pub(crate) use tensors::Tensors;

/// What the caches of a network have in common.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) layers: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_width: usize,
    /// The type of the numbers. Blocks are of 32-bit floats always.
    pub(crate) dtype: DType,
}

impl Shape {
    /// Numbers of one position: keys and values of all layers.
    fn numbers(&self) -> usize {
        2 * self.layers * self.kv_heads * self.head_width
    }

    /// Bytes of one position.
    pub(crate) fn bytes(&self) -> usize {
        self.numbers() * self.dtype.size_in_bytes()
    }
}

/// Bytes that all caches of an engine hold together. Shared by them, and exact: what two
/// conversations have in common counts once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<AtomicUsize>);

impl Meter {
    /// Bytes held now.
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Bytes that were taken from a [`Meter`] and go back when this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    meter: Meter,
    bytes: usize,
}

impl Lease {
    pub(crate) fn new(meter: &Meter, bytes: usize) -> Lease {
        meter.0.fetch_add(bytes, Ordering::Relaxed);
        Lease { meter: meter.clone(), bytes }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.meter.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// One conversation's keys and values.
#[derive(Debug)]
pub(crate) enum Cache {
    /// In the processor's memory, laid out for June's own attention.
    Blocks(Blocks),
    /// Tensors, on any device.
    Tensors(Tensors),
}

impl Cache {
    /// An empty one.
    pub(crate) fn new(shape: &Shape, device: &Device, blocks: bool, meter: &Meter) -> Cache {
        if blocks {
            Cache::Blocks(Blocks::new(shape.clone(), meter.clone()))
        } else {
            Cache::Tensors(Tensors::new(shape.clone(), device.clone(), meter.clone()))
        }
    }

    /// Positions it holds.
    pub(crate) fn len(&self) -> usize {
        match self {
            Cache::Blocks(cache) => cache.len(),
            Cache::Tensors(cache) => cache.len(),
        }
    }

    /// Bytes that it will take from the meter to hold so many positions more.
    pub(crate) fn growth(&self, positions: usize) -> usize {
        match self {
            Cache::Blocks(cache) => cache.growth(positions),
            Cache::Tensors(cache) => cache.growth(positions),
        }
    }

    /// Another cache with the first `len` positions of this one, which may then go its own way.
    pub(crate) fn fork(&self, len: usize) -> Result<Cache> {
        Ok(match self {
            Cache::Blocks(cache) => Cache::Blocks(cache.fork(len)),
            Cache::Tensors(cache) => Cache::Tensors(cache.fork(len)?),
        })
    }

    /// Makes room for so many positions more.
    pub(crate) fn reserve(&mut self, positions: usize) -> Result<()> {
        match self {
            Cache::Blocks(cache) => cache.reserve(positions),
            Cache::Tensors(cache) => return cache.reserve(positions),
        }
        Ok(())
    }

    /// Counts positions that every layer has written.
    pub(crate) fn advance(&mut self, positions: usize) {
        match self {
            Cache::Blocks(cache) => cache.advance(positions),
            Cache::Tensors(cache) => cache.advance(positions),
        }
    }
}
