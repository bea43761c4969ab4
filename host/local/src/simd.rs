//! Loops over numbers, compiled for the widest vectors that the processor turns out to have.
//!
//! The loops are plain Rust over arrays of [`LANES`] numbers, which the compiler turns into vector
//! instructions; [`widest`] has each compiled three times over (AVX-512, AVX2, and whatever every
//! processor of the architecture has) and picks at run time.

/// Numbers that are worked on side by side. Eight registers of SSE, four of AVX2, two of AVX-512.
pub(crate) const LANES: usize = 32;

/// A loop that gains from wide vectors. Its `run` has to be `#[inline(always)]`, and so have all
/// functions that it calls, as code is compiled for the vectors of the function it ends up in.
pub(crate) trait Kernel {
    /// What it computes.
    type Output;

    /// Computes. With `FMA`, a multiplication and an addition are one instruction.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// Runs a kernel with the widest vectors there are.
pub(crate) fn widest<K: Kernel>(kernel: K) -> K::Output {
    struct Fused<K>(K);
    impl<K: Kernel> pulp::NullaryFnOnce for Fused<K> {
        type Output = K::Output;
        #[inline(always)]
        fn call(self) -> K::Output {
            self.0.run::<true>()
        }
    }
    match pulp::Arch::new() {
        pulp::Arch::Scalar => kernel.run::<false>(),
        wide => wide.dispatch(Fused(kernel)),
    }
}

/// `a * b + c`.
#[inline(always)]
pub(crate) fn multiply_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    // Without the instruction, `mul_add` would be a call of a slow function.
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `e` to the power of `x`, within two units in the last place. Below -87 it stays at about 1e-38,
/// above 88 at about 1e38.
///
/// In vectors, unlike the standard library's: `x` is split into a multiple of ln 2, which becomes
/// the exponent's bits, and a rest of at most half of that, for which six terms of the series do.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    // Adding it rounds to a whole number, which is then in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let rounded = multiply_add::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let whole = rounded - ROUND;
    let rest = multiply_add::<FMA>(whole, -LN_2_HIGH, x);
    let rest = multiply_add::<FMA>(whole, -LN_2_LOW, rest);
    let mut sum = 1.0 / 5040.0;
    for term in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = multiply_add::<FMA>(sum, rest, term);
    }
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    sum * power
}

/// The sum of products of two rows of the same length.
#[inline(always)]
pub(crate) fn dot<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (a_wide, a_rest) = a.as_chunks::<LANES>();
    let (b_wide, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_wide.iter().zip(b_wide) {
        for lane in 0..LANES {
            lanes[lane] = multiply_add::<FMA>(a[lane], b[lane], lanes[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Exp(Vec<f32>);
    impl Kernel for Exp {
        type Output = Vec<f32>;
        #[inline(always)]
        fn run<const FMA: bool>(self) -> Vec<f32> {
            self.0.into_iter().map(exp::<FMA>).collect()
        }
    }

    #[test]
    fn exp_is_close() {
        let xs: Vec<f32> = (-8600..8800).map(|x| x as f32 / 100.0).collect();
        for got in [widest(Exp(xs.clone())), Exp(xs.clone()).run::<false>()] {
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
