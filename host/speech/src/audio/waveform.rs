//! Loudness over time, as Discord draws it.

/// Parts that are drawn as one value at least: with parts of 20 ms, ten values a second.
const LEAST: usize = 5;

/// The most values.
const MOST: usize = 256;

/// Below this loudness, sound is silence and is drawn as such.
const SILENCE: f32 = 0.001;

/// The loudness of sound that comes in pieces, part by part.
pub(crate) struct Loudness {
    /// Samples of a part.
    size: usize,
    /// The sum of each part's squares.
    squares: Vec<f32>,
    /// How many samples the last part has so far.
    filled: usize,
}

impl Loudness {
    /// No sound yet, in parts of so many samples.
    pub(crate) fn new(size: usize) -> Loudness {
        Loudness { size: size.max(1), squares: Vec::new(), filled: 0 }
    }

    pub(crate) fn push(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            if self.squares.is_empty() || self.filled == self.size {
                self.squares.push(0.0);
                self.filled = 0;
            }
            let (now, later) = samples.split_at((self.size - self.filled).min(samples.len()));
            if let Some(sum) = self.squares.last_mut() {
                // One after the other, so that pieces make the same as the whole.
                *sum = now.iter().fold(*sum, |sum, sample| sum + sample * sample);
            }
            self.filled += now.len();
            samples = later;
        }
    }

    /// The loudness of equal stretches of the sound: the root of the mean square, of which the
    /// loudest is 255. Louder stretches of a quiet recording are seen too.
    pub(crate) fn drawn(&self) -> Vec<u8> {
        let stretch = LEAST.max(self.squares.len().div_ceil(MOST));
        let samples = (self.squares.len().saturating_sub(1)) * self.size + self.filled;
        let loudness = |(number, squares): (usize, &[f32])| {
            let count = samples.saturating_sub(number * stretch * self.size);
            let count = count.min(stretch * self.size).max(1);
            (squares.iter().sum::<f32>() / count as f32).sqrt()
        };
        let values: Vec<f32> = self.squares.chunks(stretch).enumerate().map(loudness).collect();
        let loudest = values.iter().copied().fold(SILENCE, f32::max);
        values.iter().map(|loudness| (loudness / loudest * 255.0).round() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waveform(samples: &[f32], rate: usize) -> Vec<u8> {
        let mut loudness = Loudness::new(rate / 50);
        loudness.push(samples);
        loudness.drawn()
    }

    #[test]
    fn loudness_is_seen() {
        let second = [vec![0.0; 4_000], vec![0.1; 4_000], vec![-0.2; 8_000]].concat();
        let drawn = waveform(&second, 16_000);
        assert_eq!(drawn, [0, 0, 90, 128, 128, 255, 255, 255, 255, 255]);
        assert_eq!(waveform(&[0.0; 3_200], 16_000), [0, 0]);
        assert_eq!(waveform(&[], 16_000), [0; 0]);
        // A last value of few samples is as loud as they are.
        assert_eq!(waveform(&[0.3; 1_601], 16_000), [255, 255]);
    }

    #[test]
    fn no_more_than_256_values() {
        for seconds in [1, 25, 26, 60, 601] {
            let drawn = waveform(&vec![0.5; seconds * 16_000 + 1], 16_000);
            assert!(drawn.len() <= MOST, "{seconds}: {}", drawn.len());
            assert!(drawn.len() > MOST / 2 || seconds < 25, "{seconds}: {}", drawn.len());
        }
    }
}
