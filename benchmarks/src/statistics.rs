//! pass@k and how sure it is.
//!
//! pass@k is the chance that at least one of k samples of a task passes. With n samples of which
//! c passed, Chen et al. 2021 (<https://arxiv.org/abs/2107.03374>, equation 1) estimate it
//! without bias as 1 - C(n-c, k) / C(n, k). A benchmark's pass@k is the mean over its tasks.
//!
//! The interval is a percentile bootstrap over tasks (Efron and Tibshirani 1993, chapter 13): it
//! says how the mean would vary had the benchmark's authors drawn other tasks of the same kind,
//! not how it would vary with other samples for the same tasks.
//!
//! ```
//! use june_benchmarks::statistics::{Bootstrap, Tally, pass_at_k};
//!
//! let tallies = [Tally { samples: 2, passed: 1 }, Tally { samples: 3, passed: 3 }];
//! let estimate = pass_at_k(&tallies, 1, Bootstrap::default()).ok_or("too few samples")?;
//! assert_eq!(estimate.value, 0.75);
//! assert_eq!((estimate.low, estimate.high), (0.5, 1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::grading::{Record, Verdict};

/// The share of bootstrap resamples that lie within an interval.
pub const CONFIDENCE: f64 = 0.95;

/// What came of one task's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Samples graded: n.
    pub samples: usize,
    /// Samples that passed: c, at most n.
    pub passed: usize,
}

impl Tally {
    /// Counts a task's records.
    pub fn of(records: &[&Record]) -> Tally {
        let passed = records.iter().filter(|record| record.verdict == Verdict::Passed).count();
        Tally { samples: records.len(), passed }
    }

    /// The unbiased estimate of this task's pass@k, from 0 to 1.
    ///
    /// None where it is undefined: for fewer than k samples, for k = 0, and for a tally in which
    /// more samples passed than there were.
    pub fn pass_at_k(self, k: usize) -> Option<f64> {
        let Tally { samples: n, passed: c } = self;
        if k == 0 || n < k || n < c {
            return None;
        }
        if k == 1 {
            // Equal to the product below, and free of its rounding.
            return Some(c as f64 / n as f64);
        }
        // C(n-c, k) / C(n, k) with the factorials cancelled, so that nothing overflows. It is
        // symmetric in c and k; the smaller one gives the fewer factors, each from 0 to 1.
        let (few, many) = (c.min(k), c.max(k));
        let all_fail: f64 = (0..few)
            .map(|i| n.saturating_sub(many).saturating_sub(i) as f64 / (n - i) as f64)
            .product();
        Some(1.0 - all_fail)
    }
}

/// A mean over tasks with its confidence interval; `low <= value <= high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// The interval's lower end, at confidence [`CONFIDENCE`].
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// How the bootstrap draws. The same settings and values give the same interval everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples, each as large as the set of tasks. 10,000 by default.
    pub resamples: u32,
    /// The seed of the random numbers.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Bootstrap {
        Bootstrap { resamples: 10_000, seed: 0 }
    }
}

/// A benchmark's pass@k: the mean over its tasks, which may differ in their number of samples.
///
/// None where it is undefined for one of the tasks ([`Tally::pass_at_k`]), because leaving that
/// task out would make it another benchmark; also without tasks or resamples.
pub fn pass_at_k(tallies: &[Tally], k: usize, bootstrap: Bootstrap) -> Option<Estimate> {
    let values: Option<Vec<f64>> = tallies.iter().map(|tally| tally.pass_at_k(k)).collect();
    mean(&values?, bootstrap)
}

/// The mean of one value per task, with its interval. For two runs over the same tasks, the
/// differences task by task tell whether one run is better.
///
/// None without values or resamples, or where a value is not finite.
pub fn mean(values: &[f64], bootstrap: Bootstrap) -> Option<Estimate> {
    let finite = values.iter().all(|value| value.is_finite());
    if values.is_empty() || bootstrap.resamples == 0 || !finite {
        return None;
    }
    let count = values.len();
    let value = values.iter().sum::<f64>() / count as f64;
    let mut random = SplitMix64(bootstrap.seed);
    let mut means: Vec<f64> = (0..bootstrap.resamples)
        .map(|_| {
            let drawn = (0..count).map(|_| values[random.below(count)]);
            drawn.sum::<f64>() / count as f64
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    // Sums in another order round differently, and a handful of resamples may all lie on one
    // side; the interval contains the estimate all the same.
    Some(Estimate {
        value,
        low: quantile(&means, tail).min(value),
        high: quantile(&means, 1.0 - tail).max(value),
    })
}

/// The quantile of sorted values, interpolated linearly as numpy does by default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let between = (sorted[above] - sorted[below]) * (place - place.floor());
    (sorted[below] + between).min(sorted[above])
}

/// SplitMix64 (Steele, Lea and Flood 2014, <https://doi.org/10.1145/2660193.2660195>): small,
/// fast, good enough for resampling, and the same on every machine.
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `bound`, which is not 0. The bias is below `bound` / 2^64.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(samples: usize, passed: usize) -> Tally {
        Tally { samples, passed }
    }

    /// Of all sets of k out of n samples, the first c of which passed, the share with a pass.
    fn by_enumeration(n: usize, c: usize, k: usize) -> f64 {
        let sets = (0u32..1 << n).filter(|set| set.count_ones() as usize == k);
        let (mut all, mut good) = (0, 0);
        for set in sets {
            all += 1;
            good += usize::from(set & ((1 << c) - 1) != 0);
        }
        good as f64 / f64::from(all)
    }

    #[test]
    fn equals_enumeration() {
        for n in 1..=10 {
            for c in 0..=n {
                for k in 1..=n {
                    let value = tally(n, c).pass_at_k(k).unwrap();
                    assert!((value - by_enumeration(n, c, k)).abs() < 1e-12, "{n} {c} {k}");
                }
            }
        }
    }

    #[test]
    fn undefined() {
        assert_eq!(tally(9, 3).pass_at_k(10), None);
        assert_eq!(tally(9, 3).pass_at_k(0), None);
        assert_eq!(tally(9, 10).pass_at_k(1), None);
        assert_eq!(tally(0, 0).pass_at_k(1), None);
        assert_eq!(pass_at_k(&[], 1, Bootstrap::default()), None);
        let tallies = [tally(5, 1), tally(4, 1)];
        assert_eq!(pass_at_k(&tallies, 5, Bootstrap::default()), None);
        assert_eq!(mean(&[f64::NAN], Bootstrap::default()), None);
        let none = Bootstrap { resamples: 0, seed: 1 };
        assert_eq!(mean(&[1.0], none), None);
    }

    /// The first outputs for seed 1234567, as published with the reference implementation's tests.
    #[test]
    fn splitmix64_reference() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    /// For a mean of zeros and ones the interval is close to the binomial one.
    #[test]
    fn interval_width() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let estimate = mean(&values, Bootstrap::default()).unwrap();
        assert_eq!(estimate.value, 0.5);
        let half_width = 1.96 * (0.25f64 / 400.0).sqrt();
        assert!((estimate.low - (0.5 - half_width)).abs() < 0.005);
        assert!((estimate.high - (0.5 + half_width)).abs() < 0.005);
    }

    #[test]
    fn quantiles() {
        assert_eq!(quantile(&[7.0], 0.975), 7.0);
        assert_eq!(quantile(&[0.0, 1.0, 2.0], 0.25), 0.5);
        assert_eq!(quantile(&[0.0, 1.0, 2.0], 1.0), 2.0);
    }

    fn tallies(max: usize) -> impl Strategy<Value = Tally> {
        (1..=max).prop_flat_map(|n| (Just(n), 0..=n).prop_map(|(n, c)| tally(n, c)))
    }

    proptest! {
        #[test]
        fn within_bounds(one in tallies(2000), k in 1usize..2000) {
            match one.pass_at_k(k) {
                Some(value) => prop_assert!((0.0..=1.0).contains(&value)),
                None => prop_assert!(k > one.samples),
            }
        }

        #[test]
        fn grows_with_passes_and_with_k(one in tallies(500), k in 1usize..500) {
            let value = one.pass_at_k(k).unwrap_or(0.0);
            if let Some(more) = one.pass_at_k(k + 1) {
                prop_assert!(more >= value - 1e-12);
            }
            if let Some(more) = tally(one.samples, one.passed + 1).pass_at_k(k) {
                prop_assert!(more >= value - 1e-12);
            }
        }

        #[test]
        fn one_sample_is_the_share(one in tallies(usize::MAX >> 1)) {
            prop_assert_eq!(one.pass_at_k(1), Some(one.passed as f64 / one.samples as f64));
        }

        #[test]
        fn interval_contains_estimate_and_repeats(
            tasks in prop::collection::vec(tallies(12), 1..40), seed: u64, resamples in 1u32..300,
        ) {
            let settings = Bootstrap { resamples, seed };
            let estimate = pass_at_k(&tasks, 1, settings).unwrap();
            prop_assert!(0.0 <= estimate.low && estimate.low <= estimate.value);
            prop_assert!(estimate.value <= estimate.high && estimate.high <= 1.0);
            prop_assert_eq!(Some(estimate), pass_at_k(&tasks, 1, settings));
        }
    }
}
