//! Sums of products of quantised weights and a row in eight bits, with the vectors of AVX2.
//!
//! `vpmaddubsw` multiplies unsigned bytes with signed ones and adds pairs, in 16 bits. Weights of
//! four bits are unsigned; of eight, their signs are moved over to the row's.

mod strips;

use std::arch::x86_64::{__m128i, __m256, __m256i};

use pulp::NullaryFnOnce;
use pulp::bytemuck::{AnyBitPattern, NoUninit, bytes_of, cast, pod_read_unaligned};
use pulp::x86::V3;

use super::row::{Input, Kind, NARROW, Q8_0, half};

/// The processor has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Vectors(V3);

impl Vectors {
    pub(super) fn try_new() -> Option<Vectors> {
        V3::try_new().map(Vectors)
    }

    /// The processor also has instructions that sum products of four bytes.
    pub(super) fn have_vnni() -> bool {
        is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni")
    }

    /// Multiplies rows of weights, one for each number of `product`, with the input.
    pub(super) fn multiply(self, kind: Kind, weights: &[u8], input: &Input, product: &mut [f32]) {
        self.0.vectorize(Multiply { simd: self.0, kind, weights, input, product });
    }
}

struct Multiply<'a> {
    simd: V3,
    kind: Kind,
    weights: &'a [u8],
    input: &'a Input,
    product: &'a mut [f32],
}

impl NullaryFnOnce for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Multiply { simd, kind, weights, input, product } = self;
        let rows = weights.chunks_exact(weights.len() / product.len().max(1));
        for (row, product) in rows.zip(product) {
            *product = match kind {
                Kind::Q4K => q4_k(simd, row, input),
                Kind::Q8_0 => q8_0(simd, row, input),
            };
        }
    }
}

/// Bytes of a block of 256 weights: scale, offset, eight scales and offsets of six bits, and four
/// bits for each weight.
const Q4_K: usize = 144;

#[inline(always)]
fn q4_k(simd: V3, row: &[u8], input: &Input) -> f32 {
    let V3 { sse, sse2, sse4_1, avx, avx2, fma, .. } = simd;
    let (blocks, _) = row.as_chunks::<Q4_K>();
    let (quants, _) = input.quants.as_chunks::<8>();
    let (sums, _) = input.sums.as_chunks::<8>();
    let nibble = avx._mm256_set1_epi8(15);
    let mut total = avx._mm256_setzero_ps();
    let mut below = sse._mm_setzero_ps();
    let inputs = quants.iter().zip(sums).zip(&input.scales);
    for (block, ((quants, sums), unit)) in blocks.iter().zip(inputs) {
        let [scales, offsets] = six_bits(block);
        let scale = unit * half(block[0], block[1]);
        let offset = unit * half(block[2], block[3]);
        let offsets = sse4_1._mm_cvtepu8_epi16(cast([offsets, 0]));
        let offsets = sse2._mm_madd_epi16(offsets, read::<__m128i, _>(sums));
        let offsets = sse2._mm_cvtepi32_ps(offsets);
        below = fma._mm_fmadd_ps(sse._mm_set1_ps(offset), offsets, below);

        let scales = sse4_1._mm_cvtepu8_epi16(cast([scales, 0]));
        let scales = avx2._mm256_broadcastsi128_si256(scales);
        let mut whole = avx._mm256_setzero_si256();
        for pair in 0..4 {
            let packed = load(block, 16 + pair * NARROW);
            let low = avx2._mm256_and_si256(packed, nibble);
            let high = avx2._mm256_and_si256(avx2._mm256_srli_epi16::<4>(packed), nibble);
            for (place, weights) in [(2 * pair, low), (2 * pair + 1, high)] {
                let input: __m256i = read(&quants[place]);
                let scale = avx2._mm256_shuffle_epi8(scales, read(&SPREAD[place]));
                let products = avx2._mm256_maddubs_epi16(weights, input);
                let products = avx2._mm256_madd_epi16(products, scale);
                whole = avx2._mm256_add_epi32(whole, products);
            }
        }
        total =
            fma._mm256_fmadd_ps(avx._mm256_set1_ps(scale), avx._mm256_cvtepi32_ps(whole), total);
    }
    let below: [f32; 4] = cast(below);
    sum(total) - below.iter().sum::<f32>()
}

#[inline(always)]
fn q8_0(simd: V3, row: &[u8], input: &Input) -> f32 {
    let (blocks, _) = row.as_chunks::<Q8_0>();
    let (pairs, last) = blocks.as_chunks::<2>();
    // Two, so that a sum need not wait for the one before.
    let mut totals = [simd.avx._mm256_setzero_ps(); 2];
    let mut inputs = input.quants.iter().zip(&input.scales);
    for [first, second] in pairs {
        let (Some(one), Some(other)) = (inputs.next(), inputs.next()) else { break };
        totals[0] = add_q8_0(simd, first, one, totals[0]);
        totals[1] = add_q8_0(simd, second, other, totals[1]);
    }
    if let (Some(block), Some(input)) = (last.first(), inputs.next()) {
        totals[0] = add_q8_0(simd, block, input, totals[0]);
    }
    sum(simd.avx._mm256_add_ps(totals[0], totals[1]))
}

// Not a closure: that would be compiled without the vectors.
#[inline(always)]
fn add_q8_0(
    simd: V3,
    block: &[u8; Q8_0],
    (quants, unit): (&[i8; NARROW], &f32),
    total: __m256,
) -> __m256 {
    let V3 { avx, avx2, fma, .. } = simd;
    let weights = load(block, 2);
    let signed = avx2._mm256_sign_epi8(read(quants), weights);
    let products = avx2._mm256_maddubs_epi16(avx2._mm256_abs_epi8(weights), signed);
    let products = avx2._mm256_madd_epi16(products, avx._mm256_set1_epi16(1));
    let scale = avx._mm256_set1_ps(unit * half(block[0], block[1]));
    fma._mm256_fmadd_ps(scale, avx._mm256_cvtepi32_ps(products), total)
}

/// For each of eight scales of 16 bits, where its bytes go: everywhere.
const SPREAD: [[u8; 32]; 8] = {
    let mut spread = [[0; 32]; 8];
    let mut scale = 0;
    while scale < 8 {
        let mut place = 0;
        while place < 32 {
            spread[scale][place] = 2 * scale as u8 + place as u8 % 2;
            place += 1;
        }
        scale += 1;
    }
    spread
};

/// The eight scales and the eight offsets of a block of Q4_K, a byte each: the first four have
/// their six bits together; of the others, the upper two are above those of the first.
#[inline(always)]
fn six_bits(block: &[u8; Q4_K]) -> [u64; 2] {
    let word =
        |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
    let (first, second, rest) = (word(4), word(8), word(12));
    let upper = |word: u32| (word >> 2) & 0x3030_3030;
    let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    let scales = join(first & 0x3F3F_3F3F, (rest & 0x0F0F_0F0F) | upper(first));
    let offsets = join(second & 0x3F3F_3F3F, ((rest >> 4) & 0x0F0F_0F0F) | upper(second));
    [scales, offsets]
}

#[inline(always)]
fn load<const N: usize>(bytes: &[u8; N], at: usize) -> __m256i {
    pod_read_unaligned(&bytes[at..at + 32])
}

/// Numbers as a vector, from where they are: `cast` would have them copied first.
#[inline(always)]
fn read<V: AnyBitPattern, N: NoUninit>(numbers: &N) -> V {
    pod_read_unaligned(bytes_of(numbers))
}

#[inline(always)]
fn sum(vector: __m256) -> f32 {
    let lanes: [f32; 8] = cast(vector);
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
