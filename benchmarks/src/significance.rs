//! Whether a difference between two runs over the same tasks may be chance.
//!
//! Both tests are paired: they look at the tasks on which the runs differ, and ask how often so
//! one-sided a difference would come about if it were a coin that decides, for each of these
//! tasks, which run did better.
//!
//! ```
//! use june_benchmarks::significance::mcnemar;
//!
//! // One run alone passes 2 tasks, the other alone 10.
//! assert!((mcnemar(2, 10) - 0.0386).abs() < 1e-4);
//! assert_eq!(mcnemar(5, 5), 1.0);
//! ```

use crate::statistics::SplitMix64;

/// The exact McNemar test, two-sided, for one sample for each task: the p-value where one run
/// alone passes `left` tasks and the other alone `right` (McNemar 1947,
/// <https://doi.org/10.1007/BF02295996>; exact, since it is a binomial test of the two counts).
pub fn mcnemar(left: usize, right: usize) -> f64 {
    let (count, least) = (left + right, left.min(right));
    // The chance of at most `least` heads in `count` throws, with logarithms, as 2^-count alone
    // may be less than a float can be.
    let mut logarithm = -(count as f64) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for heads in 0..=least {
        tail += logarithm.exp();
        logarithm += (((count - heads) as f64) / ((heads + 1) as f64)).ln();
    }
    (2.0 * tail).min(1.0)
}

/// How many sign flips are drawn where there are too many to try all.
pub const DRAWS: u32 = 10_000;

/// A permutation test, two-sided, of whether the mean of paired differences is zero, for any
/// number of samples for each task: the share of all ways to swap the two runs, task by task, that
/// make the mean at least as far from zero as it is (Fisher 1935; for tasks of a benchmark, Dror
/// et al. 2018, <https://doi.org/10.18653/v1/P18-1128>).
///
/// With up to 13 differences that are not zero, all ways are tried. With more, [`DRAWS`] are drawn
/// from the seed, and what was observed counts as one more (Phipson and Smyth 2010,
/// <https://doi.org/10.2202/1544-6115.1585>), so that the p-value is never zero.
pub fn permutation(differences: &[f64], seed: u64) -> f64 {
    let differences: Vec<f64> = differences.iter().copied().filter(|one| *one != 0.0).collect();
    let observed = differences.iter().sum::<f64>().abs();
    // Sums in another order round differently.
    let extreme = |sum: f64| sum.abs() >= observed - 1e-9;
    let ways = u32::try_from(differences.len()).ok().and_then(|count| 1u32.checked_shl(count));
    if let Some(ways) = ways.filter(|ways| *ways <= DRAWS) {
        let sum = |way: u32| flipped(&differences, || way.into());
        return (0..ways).filter(|&way| extreme(sum(way))).count() as f64 / f64::from(ways);
    }
    let mut random = SplitMix64(seed);
    let draws = (0..DRAWS).filter(|_| extreme(flipped(&differences, || random.next()))).count();
    (draws + 1) as f64 / f64::from(DRAWS + 1)
}

/// The sum of the values, each with its sign turned where the next bit is set.
fn flipped(values: &[f64], mut bits: impl FnMut() -> u64) -> f64 {
    let mut sum = 0.0;
    for chunk in values.chunks(64) {
        let bits = bits();
        for (place, value) in chunk.iter().enumerate() {
            sum += if bits >> place & 1 == 1 { -value } else { *value };
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Values of R's `binom.test(b, b + c)`, which is the exact test.
    #[test]
    fn known_values() {
        for (left, right, p) in [
            (0, 0, 1.0),
            (0, 1, 1.0),
            (0, 5, 0.0625),
            (1, 9, 0.021_484_375),
            (10, 20, 0.098_737_15),
        ] {
            assert!(
                (mcnemar(left, right) - p).abs() < 1e-8,
                "{left} {right} {}",
                mcnemar(left, right)
            );
        }
        let huge = mcnemar(5_000, 5_200);
        assert!((0.04..0.06).contains(&huge), "{huge}");
    }

    #[test]
    fn permutations() {
        assert_eq!(permutation(&[], 0), 1.0);
        assert_eq!(permutation(&[0.0, 0.0], 0), 1.0);
        assert_eq!(permutation(&[0.5, 0.5], 0), 0.5);
        assert_eq!(permutation(&[0.1; 64], 0), 1.0 / 10_001.0);
        let mixed: Vec<f64> = (0..200).map(|n| f64::from(n % 3) - 0.9).collect();
        let drawn = permutation(&mixed, 7);
        assert_eq!(drawn, permutation(&mixed, 7));
        assert!((0.05..0.2).contains(&drawn), "{drawn}");
    }

    proptest! {
        #[test]
        fn sides_do_not_matter(left in 0usize..300, right in 0usize..300) {
            let p = mcnemar(left, right);
            prop_assert_eq!(p, mcnemar(right, left));
            prop_assert!(0.0 < p && p <= 1.0);
        }

        /// With one sample for each task the two are the same test.
        #[test]
        fn permutation_is_mcnemar(left in 0usize..60, right in 0usize..60) {
            let differences: Vec<f64> =
                (0..left).map(|_| 1.0).chain((0..right).map(|_| -1.0)).collect();
            let (drawn, exact) = (permutation(&differences, 1), mcnemar(left, right));
            let error = if left + right <= 13 { 1e-9 } else { 0.025 };
            prop_assert!((drawn - exact).abs() < error, "{} {}", drawn, exact);
        }
    }
}
