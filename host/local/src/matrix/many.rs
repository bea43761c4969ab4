//! Many rows of numbers times a matrix in Q8_0.
//!
//! Eight rows of weights at a time are laid side by side, in strips, so that what is summed for them
//! stays in the lanes of one vector. Numbers and weights are widened to 16 bits, once for all that
//! they are multiplied with.

use candle_core::Result;
use candle_core::quantized::QTensor;
use candle_core::utils::get_num_threads;

use super::row::{Input, Kernel, Kind, NARROW, Q8_0, half};
use crate::parallel;

/// Rows of weights side by side.
pub(super) const SIDE: usize = 8;
/// Strips that one thread takes at a time: they fit into its second cache.
const TAKEN: usize = 8;

/// 32 columns of a strip.
#[derive(Clone)]
pub(super) struct Block {
    pub(super) scales: [f32; SIDE],
    /// Of two columns each: both weights of the first row, of the second, and so on.
    pub(super) pairs: [[i16; 2 * SIDE]; NARROW / 2],
}

/// A row of numbers in eight bits, widened.
#[derive(Clone, Default)]
pub(super) struct Wide {
    pub(super) quants: Vec<[[i16; 2]; NARROW / 2]>,
    /// A scale for each 32 numbers.
    pub(super) scales: Vec<f32>,
}

/// `numbers`, rows of so many columns, times each matrix in Q8_0 for which there is a kernel.
pub(super) fn products(
    matrices: &[Option<(Kernel, &QTensor)>],
    numbers: &[f32],
    columns: usize,
) -> Result<Vec<Option<Vec<f32>>>> {
    let usable = |(kernel, _): &(Kernel, _)| {
        kernel.kind == Kind::Q8_0 && kernel.columns == columns && !numbers.is_empty()
    };
    let asked = matrices.iter().flatten().any(usable);
    let rows = if asked { widened(numbers, columns) } else { Vec::new() };
    let product =
        |(kernel, matrix): (Kernel, &QTensor)| Ok(product(kernel, &matrix.data()?, &rows));
    matrices.iter().map(|matrix| matrix.filter(usable).map(product).transpose()).collect()
}

fn widened(numbers: &[f32], columns: usize) -> Vec<Wide> {
    let mut rows = vec![Wide::default(); numbers.len() / columns];
    let items = rows.iter_mut().zip(numbers.chunks_exact(columns)).collect();
    parallel::each(items, |_, (row, numbers)| {
        let Input { quants, scales, .. } = Input::new(numbers, Kind::Q8_0);
        let pairs = |quants: [i8; NARROW]| {
            std::array::from_fn(|pair| [quants[2 * pair], quants[2 * pair + 1]].map(i16::from))
        };
        *row = Wide { quants: quants.into_iter().map(pairs).collect(), scales };
    });
    rows
}

/// A number for each row of numbers and row of weights.
fn product(kernel: Kernel, weights: &[u8], numbers: &[Wide]) -> Vec<f32> {
    let Kernel { rows, vectors, .. } = kernel;
    let count = numbers.len();
    let row = weights.len() / rows;
    // Fewer where some threads would have nothing to do.
    let taken = TAKEN.min(rows.div_ceil(2 * SIDE * get_num_threads()));
    let mut sides = vec![[0.0; SIDE]; rows.div_ceil(SIDE) * count];
    let units = weights.chunks(row * SIDE * taken).zip(sides.chunks_mut(count * taken));
    parallel::each(units.collect(), |_, (weights, sides)| {
        let strips: Vec<_> = weights.chunks(row * SIDE).map(|rows| strip(rows, row)).collect();
        vectors.multiply_strips(&strips, numbers, sides);
    });
    let mut products = vec![0.0; count * rows];
    parallel::chunks(&mut products, rows, |index, products| {
        for (strip, products) in products.chunks_mut(SIDE).enumerate() {
            products.copy_from_slice(&sides[strip * count + index][..products.len()]);
        }
    });
    products
}

/// Up to eight rows of so many bytes, side by side. Those that are missing are zeros.
fn strip(weights: &[u8], row: usize) -> Vec<Block> {
    let empty = Block { scales: [0.0; SIDE], pairs: [[0; 2 * SIDE]; NARROW / 2] };
    let mut strip = vec![empty; row / Q8_0];
    for (place, row) in weights.chunks_exact(row).enumerate() {
        for (block, bytes) in strip.iter_mut().zip(row.as_chunks::<Q8_0>().0) {
            let [low, high, quants @ ..] = bytes;
            block.scales[place] = half(*low, *high);
            for (pairs, pair) in block.pairs.iter_mut().zip(quants.as_chunks::<2>().0) {
                let [first, second] = pair.map(|quant| i16::from(quant.cast_signed()));
                (pairs[2 * place], pairs[2 * place + 1]) = (first, second);
            }
        }
    }
    strip
}
