//! One row of numbers times matrices in Q4_K and Q8_0, without a copy of them.
//!
//! The row is rounded to eight bits, so that sums are of whole numbers. Matrices that take the same
//! row share that, and one hand-over to the pool.

use candle_core::Result;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::utils::get_num_threads;
use pulp::{Simd, WithSimd};

#[cfg(target_arch = "x86_64")]
use super::avx2::Vectors;
#[cfg(not(target_arch = "x86_64"))]
use super::many::{Block, SIDE, Wide};
use crate::parallel;
use crate::simd::{ROUND, largest, widest};

/// Weights that share an offset and a scale in Q4_K, and a scale in Q8_0.
pub(super) const NARROW: usize = 32;
/// Bytes of a block of 32 weights: scale, and eight bits for each weight.
pub(super) const Q8_0: usize = 34;

/// How the weights of a matrix are multiplied.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    pub(super) kind: Kind,
    pub(super) vectors: Vectors,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Q4K,
    Q8_0,
}

impl Kind {
    /// Numbers of a row that share a scale: as many as sums of whole numbers go over.
    fn width(self) -> usize {
        match self {
            Kind::Q4K => 256,
            Kind::Q8_0 => NARROW,
        }
    }
}

impl Kernel {
    /// None where there is none for these weights, or for this processor.
    pub(super) fn of(tensor: &QTensor) -> Option<Kernel> {
        let kind = match tensor.dtype() {
            GgmlDType::Q4K => Kind::Q4K,
            GgmlDType::Q8_0 => Kind::Q8_0,
            _ => return None,
        };
        let (rows, columns) = tensor.shape().dims2().ok()?;
        let fits = tensor.device().is_cpu() && columns.is_multiple_of(kind.width());
        let vectors = Vectors::try_new()?;
        (fits && rows > 0 && columns > 0).then_some(Kernel { kind, vectors, rows, columns })
    }

    /// Many rows of numbers are multiplied faster than candle does it: Q8_0 where the processor
    /// has none of the instructions (VNNI) that candle's many rows at once are made of.
    pub(super) fn takes_many(&self) -> bool {
        self.kind == Kind::Q8_0 && !Vectors::have_vnni()
    }
}

/// A row of numbers in eight bits.
pub(super) struct Input {
    pub(super) quants: Vec<[i8; NARROW]>,
    /// The scales of as many numbers as its kind says.
    pub(super) scales: Vec<f32>,
    /// The sums of the quants, for offsets.
    pub(super) sums: Vec<i16>,
}

impl Input {
    pub(super) fn new(numbers: &[f32], kind: Kind) -> Input {
        widest(Round { numbers, width: kind.width() })
    }
}

struct Round<'a> {
    numbers: &'a [f32],
    width: usize,
}

impl WithSimd for Round<'_> {
    type Output = Input;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Input {
        let Round { numbers, width } = self;
        let blocks = numbers.len() / NARROW;
        let (mut quants, mut sums) = (Vec::with_capacity(blocks), Vec::with_capacity(blocks));
        let mut scales = Vec::with_capacity(numbers.len() / width);
        for wide in numbers.chunks_exact(width) {
            let (wide, _) = wide.as_chunks::<NARROW>();
            let mut most = [0.0_f32; NARROW];
            for narrow in wide {
                for lane in 0..NARROW {
                    let size = narrow[lane].abs();
                    most[lane] = if size > most[lane] { size } else { most[lane] };
                }
            }
            let most = largest(most);
            let inverse = if most > 0.0 { 127.0 / most } else { 0.0 };
            scales.push(most / 127.0);
            for narrow in wide {
                let mut rounded = [0_i8; NARROW];
                let mut sum = 0;
                for lane in 0..NARROW {
                    rounded[lane] = (narrow[lane] * inverse + ROUND).to_bits() as i8;
                    sum += i16::from(rounded[lane]);
                }
                sums.push(sum);
                quants.push(rounded);
            }
        }
        Input { quants, scales, sums }
    }
}

/// `numbers` times each matrix for which there is a kernel.
pub(super) fn products(
    matrices: &[Option<(Kernel, &QTensor)>],
    numbers: &[f32],
) -> Result<Vec<Option<Vec<f32>>>> {
    let usable = |matrix: &Option<(Kernel, &QTensor)>, kind| match matrix {
        Some((kernel, _)) => kernel.kind == kind && kernel.columns == numbers.len(),
        None => false,
    };
    let input = |kind| {
        let asked = matrices.iter().any(|matrix| usable(matrix, kind));
        asked.then(|| Input::new(numbers, kind))
    };
    let (wide, narrow) = (input(Kind::Q4K), input(Kind::Q8_0));
    let mut products = Vec::with_capacity(matrices.len());
    let mut weights = Vec::with_capacity(matrices.len());
    for matrix in matrices {
        let kernel = matrix.filter(|(kernel, _)| kernel.columns == numbers.len());
        products.push(kernel.map(|(kernel, _)| vec![0.0; kernel.rows]));
        weights.push(match kernel {
            Some((kernel, tensor)) => Some((kernel, tensor.data()?)),
            None => None,
        });
    }
    let mut units = Vec::new();
    for (product, weights) in products.iter_mut().zip(&weights) {
        let (Some(product), Some((kernel, weights))) = (product, weights) else { continue };
        let input = match kernel.kind {
            Kind::Q4K => &wide,
            Kind::Q8_0 => &narrow,
        };
        let Some(input) = input else { continue };
        // Some for every thread to take as it gets done.
        let rows = kernel.rows.div_ceil(16 * get_num_threads()).max(8);
        let weights = weights.chunks(rows * (weights.len() / kernel.rows));
        for (product, weights) in product.chunks_mut(rows).zip(weights) {
            units.push((kernel, weights, input, product));
        }
    }
    parallel::each(units, |_, (kernel, weights, input, product)| {
        kernel.vectors.multiply(kernel.kind, weights, input, product);
    });
    Ok(products)
}

/// A finite number of 16 bits.
#[inline(always)]
pub(super) fn half(low: u8, high: u8) -> f32 {
    let bits = u32::from(u16::from_le_bytes([low, high]));
    // The exponent's bits are in their place but for what the exponents are counted from: 2^112.
    let magnitude = f32::from_bits((bits & 0x7FFF) << 13) * f32::from_bits(0x7780_0000);
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

/// There are no kernels for other processors than those with AVX2.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Copy)]
pub(super) enum Vectors {}

#[cfg(not(target_arch = "x86_64"))]
impl Vectors {
    fn try_new() -> Option<Vectors> {
        None
    }

    fn multiply(self, _: Kind, _: &[u8], _: &Input, _: &mut [f32]) {
        match self {}
    }

    fn have_vnni() -> bool {
        false
    }

    pub(super) fn multiply_strips(self, _: &[Vec<Block>], _: &[Wide], _: &mut [[f32; SIDE]]) {
        match self {}
    }
}
