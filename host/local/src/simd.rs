//! Loops over numbers, compiled for the widest vectors that the processor turns out to have.
//!
//! [`widest`] has each compiled three times over (AVX-512, AVX2, and whatever every processor of the
//! architecture has) and picks at run time. Most are plain Rust that the compiler turns into vector
//! instructions.

use pulp::{Arch, Simd, WithSimd};

/// Numbers that are worked on side by side. Four registers of AVX2, two of AVX-512.
pub(crate) const LANES: usize = 32;

/// Added to a number that is not large, it rounds it to a whole one, which is then in the low bits.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// Runs a loop with the widest vectors there are. All functions that it calls have to be
/// `#[inline(always)]`, as code is compiled for the vectors of the function it ends up in.
pub(crate) fn widest<K: WithSimd>(kernel: K) -> K::Output {
    Arch::new().dispatch(kernel)
}

/// `a * b + c`.
#[inline(always)]
pub(crate) fn multiply_add<S: Simd>(a: f32, b: f32, c: f32) -> f32 {
    // Without the instruction, `mul_add` would be a call of a slow function.
    if S::IS_SCALAR { a * b + c } else { a.mul_add(b, c) }
}

/// `e` to the power of `x`, within two units in the last place. Below -87 it stays at about 1e-38,
/// above 88 at about 1e38.
///
/// In vectors, unlike the standard library's: `x` is split into a multiple of ln 2, which becomes
/// the exponent's bits, and a rest of at most half of that, for which six terms of the series do.
#[inline(always)]
pub(crate) fn exp<S: Simd>(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let rounded = multiply_add::<S>(x, std::f32::consts::LOG2_E, ROUND);
    let whole = rounded - ROUND;
    let rest = multiply_add::<S>(whole, -LN_2_HIGH, x);
    let rest = multiply_add::<S>(whole, -LN_2_LOW, rest);
    let mut sum = 1.0 / 5040.0;
    for term in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = multiply_add::<S>(sum, rest, term);
    }
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    sum * power
}

/// The sum of products of two rows of the same length.
#[inline(always)]
pub(crate) fn dot<S: Simd>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (a_wide, a_rest) = a.as_chunks::<LANES>();
    let (b_wide, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_wide.iter().zip(b_wide) {
        for lane in 0..LANES {
            lanes[lane] = multiply_add::<S>(a[lane], b[lane], lanes[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sum(lanes) + rest
}

/// The sum of all lanes, taken by halves.
#[inline(always)]
pub(crate) fn sum(lanes: [f32; LANES]) -> f32 {
    halve(lanes, |a, b| a + b)
}

/// The largest of all lanes.
#[inline(always)]
pub(crate) fn largest(lanes: [f32; LANES]) -> f32 {
    halve(lanes, |a, b| if a > b { a } else { b })
}

#[inline(always)]
fn halve(mut lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = join(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Exp(Vec<f32>);
    impl WithSimd for Exp {
        type Output = Vec<f32>;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Vec<f32> {
            self.0.into_iter().map(exp::<S>).collect()
        }
    }

    #[test]
    fn exp_is_close() {
        let xs: Vec<f32> = (-8600..8800).map(|x| x as f32 / 100.0).collect();
        for got in [widest(Exp(xs.clone())), Arch::Scalar.dispatch(Exp(xs.clone()))] {
            for (x, got) in xs.iter().zip(got) {
                let want = f64::from(*x).exp();
                assert!(
                    (f64::from(got) - want).abs() <= want * 3e-7,
                    "exp({x}) = {got}, not {want}"
                );
            }
        }
    }
}
