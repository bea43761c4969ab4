//! Which token comes next: drawn from the scores that the network gave each.
//!
//! In the order that vLLM and the `transformers` library have: penalties, temperature, the k
//! likeliest, the nucleus (Holtzman et al. 2020), the least share of the likeliest's probability
//! (min-p). Ties go to the smaller token, and the same seed draws the same tokens from the same
//! scores on every machine.

use std::cmp::Ordering;
use std::collections::HashMap;

use fastrand::Rng;
use june_models::types::Sampling;

/// How scores of tokens are lowered that the conversation already has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalties {
    /// Scores of all tokens of prompt and answer are divided by this where they are above zero, and
    /// multiplied where below (Keskar et al. 2019). 1 changes nothing.
    pub repetition: f32,
    /// Taken off the score of each token of the answer, once. 0 changes nothing.
    pub presence: f32,
    /// Taken off the score of each token of the answer, for every time that it was written. 0
    /// changes nothing.
    pub frequency: f32,
}

impl Default for Penalties {
    /// None.
    fn default() -> Penalties {
        Penalties { repetition: 1.0, presence: 0.0, frequency: 0.0 }
    }
}

/// Draws the tokens of one answer.
#[derive(Debug)]
pub(crate) struct Sampler {
    temperature: f32,
    top_k: usize,
    top_p: f32,
    min_p: f32,
    penalties: Penalties,
    /// Tokens of prompt and answer, and how often the answer has them.
    seen: HashMap<u32, u32>,
    rng: Rng,
}

impl Sampler {
    /// `wanted` is what the request says, `defaults` what holds where it says nothing. Values out
    /// of range are taken for the nearest in range.
    pub(crate) fn new(
        wanted: &Sampling,
        defaults: &Sampling,
        penalties: Penalties,
        prompt: &[u32],
    ) -> Sampler {
        let number = |wanted: Option<f32>, default: Option<f32>, neutral: f32| {
            wanted.or(default).filter(|x| x.is_finite()).unwrap_or(neutral)
        };
        let top_k = wanted.top_k.or(defaults.top_k).unwrap_or(0);
        let seed = wanted.seed.or(defaults.seed);
        let neutral = penalties == Penalties::default();
        let seen = if neutral { HashMap::new() } else { prompt.iter().map(|t| (*t, 0)).collect() };
        Sampler {
            temperature: number(wanted.temperature, defaults.temperature, 1.0).max(0.0),
            top_k: usize::try_from(top_k).unwrap_or(0),
            top_p: number(wanted.top_p, defaults.top_p, 1.0).clamp(0.0, 1.0),
            min_p: number(wanted.min_p, defaults.min_p, 0.0).clamp(0.0, 1.0),
            penalties,
            seen,
            rng: seed.map_or_else(Rng::new, Rng::with_seed),
        }
    }

    /// Draws a token, or none when no score is a number above negative infinity.
    pub(crate) fn draw(&mut self, scores: &mut [f32]) -> Option<u32> {
        self.penalise(scores);
        let token = if self.temperature == 0.0 { likeliest(scores) } else { self.pick(scores) }?;
        if self.penalties != Penalties::default() {
            *self.seen.entry(token).or_default() += 1;
        }
        Some(token)
    }

    fn penalise(&self, scores: &mut [f32]) {
        let Penalties { repetition, presence, frequency } = self.penalties;
        for (token, times) in &self.seen {
            let Some(score) = scores.get_mut(*token as usize) else { continue };
            *score = if *score > 0.0 { *score / repetition } else { *score * repetition };
            if *times > 0 {
                *score -= presence + frequency * *times as f32;
            }
        }
    }

    fn pick(&mut self, scores: &[f32]) -> Option<u32> {
        let mut candidates: Vec<(u32, f32)> = (0..).zip(scores.iter().copied()).collect();
        candidates.retain(|(_, score)| *score > f32::NEG_INFINITY);
        if self.top_k > 0 && self.top_k < candidates.len() {
            candidates.select_nth_unstable_by(self.top_k, likelier);
            candidates.truncate(self.top_k);
        }
        if self.top_k > 0 || self.top_p < 1.0 {
            candidates.sort_unstable_by(likelier);
        }
        let top = candidates.iter().map(|(_, score)| *score).fold(f32::NEG_INFINITY, f32::max);
        let power = |score: f32| f64::from((score - top) / self.temperature).exp();
        if self.top_p < 1.0 {
            let total: f64 = candidates.iter().map(|(_, score)| power(*score)).sum();
            let mut left = f64::from(self.top_p) * total;
            let inside = candidates.iter().take_while(|(_, score)| {
                let inside = left > 0.0;
                left -= power(*score);
                inside
            });
            let inside = inside.count().max(1);
            candidates.truncate(inside);
        }
        if self.min_p > 0.0 {
            candidates.retain(|(_, score)| power(*score) >= f64::from(self.min_p));
        }
        let total: f64 = candidates.iter().map(|(_, score)| power(*score)).sum();
        let mut left = self.rng.f64() * total;
        for (token, score) in &candidates {
            left -= power(*score);
            if left < 0.0 {
                return Some(*token);
            }
        }
        candidates.last().map(|(token, _)| *token)
    }
}

fn likelier(a: &(u32, f32), b: &(u32, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

fn likeliest(scores: &[f32]) -> Option<u32> {
    let mut best: Option<(u32, f32)> = None;
    for (token, score) in (0..).zip(scores) {
        // A score that is no number is above nothing.
        if *score > best.map_or(f32::NEG_INFINITY, |(_, best)| best) {
            best = Some((token, *score));
        }
    }
    best.map(|(token, _)| token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(wanted: Sampling) -> Sampler {
        Sampler::new(&wanted, &Sampling::default(), Penalties::default(), &[])
    }

    /// Shares of a thousand draws.
    fn shares(mut sampler: Sampler, scores: &[f32]) -> Vec<f64> {
        let mut counts = vec![0.0; scores.len()];
        for _ in 0..1000 {
            counts[sampler.draw(&mut scores.to_vec()).unwrap() as usize] += 0.001;
        }
        counts
    }

    #[test]
    fn zero_is_greedy_and_the_first_of_equals_wins() {
        let mut greedy = sampler(Sampling { temperature: Some(0.0), ..Sampling::default() });
        assert_eq!(greedy.draw(&mut [1.0, 3.0, 3.0, f32::NAN]), Some(1));
        assert_eq!(greedy.draw(&mut [f32::NAN, f32::NEG_INFINITY]), None);
    }

    #[test]
    fn a_seed_draws_the_same_again() {
        let draws = |seed| {
            let mut sampler = sampler(Sampling { seed: Some(seed), ..Sampling::default() });
            (0..50).map(|_| sampler.draw(&mut [1.0; 100]).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }

    #[test]
    fn draws_follow_the_probabilities() {
        // 4, 2, 1 and 1 of 8.
        let scores = [4.0_f32, 2.0, 1.0, 1.0].map(f32::ln);
        let seed = Some(1);
        let all = shares(sampler(Sampling { seed, ..Sampling::default() }), &scores);
        for (got, want) in all.iter().zip([0.5, 0.25, 0.125, 0.125]) {
            assert!((got - want).abs() < 0.05, "{all:?}");
        }
        let cold = Sampling { seed, temperature: Some(0.5), ..Sampling::default() };
        // The squares: 16, 4, 1 and 1 of 22.
        assert!((shares(sampler(cold), &scores)[0] - 16.0 / 22.0).abs() < 0.05);
    }

    #[test]
    fn unlikely_tokens_are_cut() {
        let scores = [4.0_f32, 2.0, 1.0, 1.0].map(f32::ln);
        let seed = Some(2);
        let drawn = |wanted| {
            let shares = shares(sampler(wanted), &scores);
            shares.iter().map(|share| *share > 0.0).collect::<Vec<_>>()
        };
        let none = Sampling { seed, ..Sampling::default() };
        assert_eq!(drawn(Sampling { top_k: Some(1), ..none }), [true, false, false, false]);
        assert_eq!(drawn(Sampling { top_k: Some(3), ..none }), [true, true, true, false]);
        assert_eq!(drawn(Sampling { top_p: Some(0.0), ..none }), [true, false, false, false]);
        assert_eq!(drawn(Sampling { top_p: Some(0.6), ..none }), [true, true, false, false]);
        assert_eq!(drawn(Sampling { min_p: Some(0.4), ..none }), [true, true, false, false]);
        assert_eq!(drawn(Sampling { top_p: Some(1.0), min_p: Some(0.0), ..none }), [true; 4]);
    }

    #[test]
    fn penalties_lower_what_was_there() {
        let greedy = Sampling { temperature: Some(0.0), ..Sampling::default() };
        let with = |penalties| Sampler::new(&greedy, &Sampling::default(), penalties, &[0]);
        let mut repetition = with(Penalties { repetition: 2.0, ..Penalties::default() });
        assert_eq!(repetition.draw(&mut [3.0, 2.0, -1.0]), Some(1));
        assert_eq!(repetition.draw(&mut [-1.0, -1.0, -1.5]), Some(2));
        // Presence and frequency count the answer alone.
        let mut presence = with(Penalties { presence: 1.0, ..Penalties::default() });
        let drawn = [(); 3].map(|()| presence.draw(&mut [2.0, 1.5]).unwrap());
        assert_eq!(drawn, [0, 1, 0]);
        let mut frequency = with(Penalties { frequency: 1.0, ..Penalties::default() });
        let drawn = [(); 4].map(|()| frequency.draw(&mut [3.5, 1.0]).unwrap());
        assert_eq!(drawn, [0, 0, 0, 1]);
    }
}
