//! Products of many rows of numbers with weights that lie side by side, in 16 bits.

use std::arch::x86_64::{__m256, __m256i};

use pulp::NullaryFnOnce;
use pulp::bytemuck::cast;
use pulp::x86::V3;

use super::{Vectors, read};
use crate::matrix::many::{Block, SIDE, Wide};

/// Rows of numbers whose sums are kept in registers.
const TILE: usize = 4;
/// Tiles that are multiplied with all strips before the next ones are, while they are in the core's
/// second cache.
const NEAR: usize = 8;

impl Vectors {
    /// Multiplies every row of numbers with every strip, strip after strip.
    pub(in crate::matrix) fn multiply_strips(
        self,
        strips: &[Vec<Block>],
        rows: &[Wide],
        products: &mut [[f32; SIDE]],
    ) {
        self.0.vectorize(Multiply { simd: self.0, strips, rows, products });
    }
}

struct Multiply<'a> {
    simd: V3,
    strips: &'a [Vec<Block>],
    rows: &'a [Wide],
    products: &'a mut [[f32; SIDE]],
}

impl NullaryFnOnce for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Multiply { simd, strips, rows, products } = self;
        for (near, some) in rows.chunks(NEAR * TILE).enumerate() {
            let (tiles, rest) = some.as_chunks::<TILE>();
            for (strip, products) in strips.iter().zip(products.chunks_exact_mut(rows.len())) {
                let products = &mut products[near * NEAR * TILE..][..some.len()];
                let (tiled, single) = products.as_chunks_mut::<TILE>();
                for (tile, products) in tiles.iter().zip(tiled) {
                    *products = multiply(simd, strip, tile);
                }
                for (row, product) in rest.iter().zip(single) {
                    [*product] = multiply(simd, strip, std::array::from_ref(row));
                }
            }
        }
    }
}

/// The products of each of these rows of numbers with the rows of a strip.
#[inline(always)]
fn multiply<const N: usize>(simd: V3, strip: &[Block], rows: &[Wide; N]) -> [[f32; SIDE]; N] {
    let V3 { avx, avx2, fma, .. } = simd;
    let mut totals = [avx._mm256_setzero_ps(); N];
    for (index, block) in strip.iter().enumerate() {
        let inputs = rows.each_ref().map(|row| &row.quants[index]);
        let mut sums = [avx._mm256_setzero_si256(); N];
        for (place, weights) in block.pairs.iter().enumerate() {
            let weights: __m256i = read(weights);
            for (sum, input) in sums.iter_mut().zip(&inputs) {
                let pair = avx._mm256_set1_epi32(cast(input[place]));
                *sum = avx2._mm256_add_epi32(*sum, avx2._mm256_madd_epi16(weights, pair));
            }
        }
        let scales: __m256 = read(&block.scales);
        for ((total, sum), row) in totals.iter_mut().zip(sums).zip(rows) {
            let scales = avx._mm256_mul_ps(scales, avx._mm256_set1_ps(row.scales[index]));
            *total = fma._mm256_fmadd_ps(scales, avx._mm256_cvtepi32_ps(sum), *total);
        }
    }
    totals.map(cast)
}
