//! What Whisper hears at once.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::SPEECH_RATE;

/// Samples a millisecond.
const MS: usize = SPEECH_RATE as usize / 1000;

/// The longest window. Whisper hears 30 s at once; some of that is for pauses.
pub(crate) const LONGEST: usize = 28_000 * MS;

/// The shortest: in less than a second, Whisper hears nothing.
const SHORTEST: usize = 1_100 * MS;

/// What of a pause stays.
const PAUSE: usize = 300 * MS;

/// Speech without the silence around it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// Parts of the audio, in samples and in the order of time.
    parts: Vec<Range<usize>>,
}

/// Puts parts of the audio into windows: as many into each as it holds.
pub(crate) fn windows(parts: impl IntoIterator<Item = Range<usize>>) -> VecDeque<Window> {
    let mut windows: VecDeque<Window> = VecDeque::new();
    for part in parts {
        let mut start = part.start;
        while start < part.end {
            let piece = start..part.end.min(start + LONGEST);
            start = piece.end;
            match windows.back_mut() {
                Some(window) if window.length() + PAUSE + piece.len() <= LONGEST => {
                    window.parts.push(piece);
                }
                _ => windows.push_back(Window { parts: vec![piece] }),
            }
        }
    }
    windows
}

impl Window {
    fn length(&self) -> usize {
        let pauses: usize = self.pauses().sum();
        self.parts.iter().map(ExactSizeIterator::len).sum::<usize>() + pauses
    }

    /// How long the pause before each part is, after it was shortened.
    fn pauses(&self) -> impl Iterator<Item = usize> {
        let before = std::iter::once(None).chain(self.parts.iter().map(Some));
        before.zip(&self.parts).map(|(before, part)| {
            before.map_or(0, |before| part.start.saturating_sub(before.end).min(PAUSE))
        })
    }

    /// The sound of the window.
    pub(crate) fn samples(&self, audio: &[f32]) -> Vec<f32> {
        let mut samples = Vec::with_capacity(self.length().max(SHORTEST));
        for (part, pause) in self.parts.iter().zip(self.pauses()) {
            samples.resize(samples.len() + pause, 0.0);
            samples.extend_from_slice(audio.get(part.clone()).unwrap_or_default());
        }
        samples.resize(samples.len().max(SHORTEST), 0.0);
        samples
    }

    /// When in the audio it is what `centiseconds` is in the window.
    pub(crate) fn time(&self, centiseconds: i64) -> Duration {
        let place = usize::try_from(centiseconds).unwrap_or(0).saturating_mul(10 * MS);
        let mut begin = 0;
        let mut time = 0;
        for (part, pause) in self.parts.iter().zip(self.pauses()) {
            if place < begin + pause && time > 0 {
                break;
            }
            begin += pause;
            time = part.start + place.saturating_sub(begin).min(part.len());
            begin += part.len();
        }
        Duration::from_secs_f64(time as f64 / f64::from(SPEECH_RATE))
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    #[test]
    fn silence_is_left_out() {
        let found = windows([16_000..32_000, 160_000..176_000]);
        assert_eq!(found.len(), 1);
        let window = &found[0];
        let audio: Vec<f32> = (0..200_000).map(|i| i as f32).collect();
        let samples = window.samples(&audio);
        assert_eq!(samples.len(), 16_000 + PAUSE + 16_000);
        assert_eq!(
            (samples[0], samples[16_000], samples[16_000 + PAUSE]),
            (16_000.0, 0.0, 160_000.0)
        );
    }

    #[test]
    fn times_are_those_of_the_audio() {
        let window = &windows([16_000..32_000, 160_000..176_000])[0];
        for (there, here) in [
            (0, 1000),
            (50, 1500),
            (100, 2000),
            (115, 2000),
            (130, 10_000),
            (180, 10_500),
            (999, 11_000),
            (-1, 1000),
        ] {
            assert_eq!(window.time(there), Duration::from_millis(here), "{there}");
        }
    }

    #[test]
    fn no_window_is_too_long_or_too_short() {
        let parts = (0..100)
            .map(|i| i * 90_000..i * 90_000 + 80_000)
            .chain(iter::once(9_000_000..12_000_000));
        let found = windows(parts);
        assert!(found.iter().all(|window| window.length() <= LONGEST));
        let heard: usize =
            found.iter().flat_map(|window| &window.parts).map(|part| part.len()).sum();
        assert_eq!(heard, 100 * 80_000 + 3_000_000);
        assert_eq!(windows(iter::once(0..10))[0].samples(&[0.5; 10]).len(), SHORTEST);
        assert!(windows([]).is_empty());
    }
}
