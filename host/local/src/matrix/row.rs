//! One row of numbers times matrices in Q4_K and Q8_0, without a copy of them.
//!
//! The row is rounded to eight bits, so that sums are of whole numbers. Matrices that take the same
//! row share that, and one hand-over to the pool.

use candle_core::Result;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::utils::get_num_threads;

#[cfg(target_arch = "x86_64")]
use super::avx2::Vectors;
use crate::parallel;

/// Weights that share an offset and a scale in Q4_K, and a scale in Q8_0.
pub(super) const NARROW: usize = 32;

/// How the weights of a matrix are multiplied.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    kind: Kind,
    vectors: Vectors,
    rows: usize,
    columns: usize,
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
        let blocks = numbers.len() / NARROW;
        let (mut quants, mut sums) = (Vec::with_capacity(blocks), Vec::with_capacity(blocks));
        let mut scales = Vec::with_capacity(numbers.len() / kind.width());
        for wide in numbers.chunks_exact(kind.width()) {
            let most = wide.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            let inverse = if most > 0.0 { 127.0 / most } else { 0.0 };
            scales.push(most / 127.0);
            for narrow in wide.as_chunks::<NARROW>().0 {
                let rounded = narrow.map(|x| (x * inverse).round_ties_even() as i8);
                sums.push(rounded.iter().map(|quant| i16::from(*quant)).sum());
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

/// There are no kernels for other processors than those with AVX2.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Copy)]
enum Vectors {}

#[cfg(not(target_arch = "x86_64"))]
impl Vectors {
    fn try_new() -> Option<Vectors> {
        None
    }

    fn multiply(self, _: Kind, _: &[u8], _: &Input, _: &mut [f32]) {
        match self {}
    }
}
