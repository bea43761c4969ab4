//! The small operations between matrix products: normalisation, rotary positions, gates.
//!
//! On the processor each is one pass over plain slices; on any other device it is composed of
//! candle's tensor operations. Both compute in 32-bit floats.

use candle_core::{D, Device, Result, Storage, Tensor, bail};
use pulp::{Simd, WithSimd};

use crate::parallel;
use crate::simd::{dot, exp, multiply_add, widest};

/// Calls `read` with the numbers of a contiguous tensor in the processor's memory.
pub(crate) fn with_numbers<T>(
    tensor: &Tensor,
    read: impl FnOnce(&[f32]) -> Result<T>,
) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("a tensor that is not contiguous")
    };
    match &*storage {
        Storage::Cpu(numbers) => match numbers.as_slice::<f32>()?.get(start..end) {
            Some(numbers) => read(numbers),
            None => bail!("a tensor beyond its storage"),
        },
        _ => bail!("a tensor that is not in the processor's memory"),
    }
}

/// A copy of the numbers of a contiguous tensor in the processor's memory.
fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    with_numbers(tensor, |numbers| Ok(numbers.to_vec()))
}

/// Weights of a normalisation, and what it adds to avoid a division by zero.
pub(crate) struct Norm {
    weight: Tensor,
    numbers: Vec<f32>,
    epsilon: f32,
}

impl Norm {
    /// From its weights.
    pub(crate) fn new(weight: Tensor, epsilon: f32) -> Result<Norm> {
        let numbers = weight.to_vec1()?;
        Ok(Norm { weight, numbers, epsilon })
    }

    /// Divides every row by its root mean square, and multiplies with the weights (RMSNorm, Zhang
    /// and Sennrich 2019).
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            let mean = x.sqr()?.mean_keepdim(D::Minus1)?;
            let root = (mean + f64::from(self.epsilon))?.sqrt()?;
            return x.broadcast_div(&root)?.broadcast_mul(&self.weight);
        }
        let width = self.numbers.len();
        let rows = (4096 / width).max(1);
        let mut out = numbers(x)?;
        parallel::chunks(&mut out, rows * width, |_, chunk| {
            widest(NormRows { rows: chunk, weight: &self.numbers, epsilon: self.epsilon });
        });
        Tensor::from_vec(out, x.shape(), &Device::Cpu)
    }
}

struct NormRows<'a> {
    rows: &'a mut [f32],
    weight: &'a [f32],
    epsilon: f32,
}

impl WithSimd for NormRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.rows.chunks_mut(self.weight.len()) {
            let mean = dot::<S>(row, row) / row.len() as f32;
            let scale = 1.0 / (mean + self.epsilon).sqrt();
            for (x, weight) in row.iter_mut().zip(self.weight) {
                *x = *x * scale * weight;
            }
        }
    }
}

/// Cosines and sines of the rotary position embedding (Su et al. 2021), for every position that
/// the context has.
pub(crate) struct Rope {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

/// Cosines and sines of the positions of one batch, a row each.
pub(crate) struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
    tensors: Option<(Tensor, Tensor)>,
}

impl Rope {
    /// For heads of `width` numbers and so many positions.
    pub(crate) fn new(width: usize, base: f32, positions: usize) -> Rope {
        let half = width / 2;
        let frequencies: Vec<f64> =
            (0..half).map(|i| f64::from(base).powf(-2.0 * i as f64 / width as f64)).collect();
        let angles = |function: fn(f64) -> f64| -> Vec<f32> {
            let rows = (0..positions).flat_map(|position| {
                // The reference rounds frequency and angle to 32 bits.
                let angle = move |f: &f64| function(f64::from(position as f32 * *f as f32)) as f32;
                frequencies.iter().map(angle).collect::<Vec<_>>()
            });
            rows.collect()
        };
        Rope { cos: angles(f64::cos), sin: angles(f64::sin), half }
    }

    /// The rows of these positions.
    pub(crate) fn angles(&self, positions: &[usize], device: &Device) -> Result<Angles> {
        let half = self.half;
        let rows = |table: &[f32]| -> Result<Vec<f32>> {
            let mut rows = Vec::with_capacity(positions.len() * half);
            for &position in positions {
                match table.get(position * half..(position + 1) * half) {
                    Some(row) => rows.extend_from_slice(row),
                    None => bail!("position {position} is beyond the context"),
                }
            }
            Ok(rows)
        };
        let (cos, sin) = (rows(&self.cos)?, rows(&self.sin)?);
        let tensors = if device.is_cpu() {
            None
        } else {
            let shape = (positions.len(), 1, half);
            let tensor = |rows: &[f32]| Tensor::from_slice(rows, shape, device);
            Some((tensor(&cos)?, tensor(&sin)?))
        };
        Ok(Angles { cos, sin, half, tensors })
    }
}

impl Angles {
    /// Turns every pair (`i`, `i` + half) of every head of `x`, of shape (tokens, heads, width).
    pub(crate) fn turn(&self, x: &Tensor) -> Result<Tensor> {
        if let Some((cos, sin)) = &self.tensors {
            let low = x.narrow(2, 0, self.half)?;
            let high = x.narrow(2, self.half, self.half)?;
            let turned_low = (low.broadcast_mul(cos)? - high.broadcast_mul(sin)?)?;
            let turned_high = (high.broadcast_mul(cos)? + low.broadcast_mul(sin)?)?;
            return Tensor::cat(&[turned_low, turned_high], 2);
        }
        let (_, heads, width) = x.dims3()?;
        let mut out = numbers(x)?;
        parallel::chunks(&mut out, heads * width, |token, heads| {
            let row = token * self.half..(token + 1) * self.half;
            if let (Some(cos), Some(sin)) = (self.cos.get(row.clone()), self.sin.get(row)) {
                widest(Turn { heads, cos, sin });
            }
        });
        Tensor::from_vec(out, x.shape(), &Device::Cpu)
    }
}

struct Turn<'a> {
    heads: &'a mut [f32],
    cos: &'a [f32],
    sin: &'a [f32],
}

impl WithSimd for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let half = self.cos.len();
        for head in self.heads.chunks_exact_mut(2 * half) {
            let (low, high) = head.split_at_mut(half);
            let pairs = low.iter_mut().zip(high).zip(self.cos.iter().zip(self.sin));
            for ((low, high), (cos, sin)) in pairs {
                let (x, y) = (*low, *high);
                *low = multiply_add::<S>(x, *cos, -(y * sin));
                *high = multiply_add::<S>(y, *cos, x * sin);
            }
        }
    }
}

/// `silu(gate) * up`, the middle of a SwiGLU layer (Shazeer 2020).
pub(crate) fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    if !gate.device().is_cpu() {
        return gate.silu()? * up;
    }
    const CHUNK: usize = 4096;
    let mut out = numbers(gate)?;
    with_numbers(up, |up| {
        parallel::chunks(&mut out, CHUNK, |index, gate| {
            let up = up.get(index * CHUNK..).unwrap_or_default();
            widest(Gate { gate, up });
        });
        Ok(())
    })?;
    Tensor::from_vec(out, gate.shape(), &Device::Cpu)
}

struct Gate<'a> {
    gate: &'a mut [f32],
    up: &'a [f32],
}

impl WithSimd for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (gate, up) in self.gate.iter_mut().zip(self.up) {
            *gate = *gate / (1.0 + exp::<S>(-*gate)) * up;
        }
    }
}
