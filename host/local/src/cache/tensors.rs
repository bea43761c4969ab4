//! A cache of one tensor of keys and one of values for each layer, written in place.

use candle_core::{Device, Result, Tensor};

use super::{Lease, Meter, Shape};

/// Room is made for this many positions at least.
const STEP: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) struct Tensors {
    shape: Shape,
    device: Device,
    meter: Meter,
    /// Keys and values of every layer, of shape (heads, capacity, width).
    layers: Vec<(Tensor, Tensor)>,
    capacity: usize,
    len: usize,
    lease: Option<Lease>,
}

impl Tensors {
    pub(super) fn new(shape: Shape, device: Device, meter: Meter) -> Tensors {
        Tensors { shape, device, meter, layers: Vec::new(), capacity: 0, len: 0, lease: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The capacity for so many positions more: half as much again when it does not suffice, so
    /// that what is copied stays in proportion to what is held.
    fn needed(&self, positions: usize) -> usize {
        let needed = self.len + positions;
        if needed <= self.capacity {
            return self.capacity;
        }
        needed.max(self.capacity + self.capacity / 2).next_multiple_of(STEP)
    }

    pub(super) fn growth(&self, positions: usize) -> usize {
        (self.needed(positions) - self.capacity) * self.shape.bytes()
    }

    pub(super) fn fork(&self, len: usize) -> Result<Tensors> {
        let len = len.min(self.len);
        let mut fork = Tensors::new(self.shape.clone(), self.device.clone(), self.meter.clone());
        if len > 0 {
            fork.resize(len.next_multiple_of(STEP), &self.layers, len)?;
            fork.len = len;
        }
        Ok(fork)
    }

    pub(super) fn reserve(&mut self, positions: usize) -> Result<()> {
        let needed = self.needed(positions);
        if needed > self.capacity {
            let layers = std::mem::take(&mut self.layers);
            self.resize(needed, &layers, self.len)?;
        }
        Ok(())
    }

    fn resize(&mut self, capacity: usize, old: &[(Tensor, Tensor)], len: usize) -> Result<()> {
        let shape = (self.shape.kv_heads, capacity, self.shape.head_width);
        let grown = |old: Option<&Tensor>| -> Result<Tensor> {
            let new = Tensor::zeros(shape, self.shape.dtype, &self.device)?;
            if let Some(old) = old.filter(|_| len > 0) {
                new.slice_set(&old.narrow(1, 0, len)?.contiguous()?, 1, 0)?;
            }
            Ok(new)
        };
        let layers = (0..self.shape.layers).map(|layer| {
            let old = old.get(layer);
            Ok((grown(old.map(|(keys, _)| keys))?, grown(old.map(|(_, values)| values))?))
        });
        self.layers = layers.collect::<Result<_>>()?;
        self.capacity = capacity;
        self.lease = Some(Lease::new(&self.meter, capacity * self.shape.bytes()));
        Ok(())
    }

    pub(super) fn advance(&mut self, positions: usize) {
        self.len += positions;
    }

    /// Writes one layer's keys and values of the positions that follow, of shape (heads,
    /// positions, width), and gives back all that there are now.
    pub(crate) fn write(
        &mut self,
        layer: usize,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let total = self.len + keys.dim(1)?;
        let Some((all_keys, all_values)) = self.layers.get(layer) else {
            candle_core::bail!("layer {layer} has no cache")
        };
        all_keys.slice_set(&keys.to_dtype(self.shape.dtype)?.contiguous()?, 1, self.len)?;
        all_values.slice_set(&values.to_dtype(self.shape.dtype)?.contiguous()?, 1, self.len)?;
        Ok((all_keys.narrow(1, 0, total)?, all_values.narrow(1, 0, total)?))
    }
}
