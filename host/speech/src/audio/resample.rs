//! Sound at another rate.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler};

use crate::SpeechError;

/// Frames that are resampled at once.
const CHUNK: usize = 1024;

/// The rates that are taken. Others are not sound for people.
const RATES: std::ops::RangeInclusive<u32> = 2_000..=192_000;

/// Resamples a stream of samples, in bounded memory.
pub(crate) struct Resampling {
    fft: Fft<f32>,
    from: u64,
    to: u64,
    /// Input that does not fill a chunk yet.
    waiting: Vec<f32>,
    output: Vec<f32>,
    /// Samples of the resampler's delay that are still to be thrown away.
    delay: usize,
    /// Samples that came in, and that went out.
    taken: u64,
    given: u64,
}

impl Resampling {
    pub(crate) fn new(from: u32, to: u32) -> Result<Resampling, SpeechError> {
        if !RATES.contains(&from) || !RATES.contains(&to) {
            return Err(SpeechError::Input(format!(
                "the audio has {from} samples a second, which June cannot read\nhint: send it with \
                 {} to {}",
                RATES.start(),
                RATES.end()
            )));
        }
        let fft = Fft::new(from as usize, to as usize, CHUNK, 1, FixedSync::Input);
        let fft = fft.map_err(|error| fault(&error))?;
        Ok(Resampling {
            delay: fft.output_delay(),
            output: vec![0.0; fft.output_frames_max()],
            fft,
            from: from.into(),
            to: to.into(),
            waiting: Vec::new(),
            taken: 0,
            given: 0,
        })
    }

    /// Takes samples, and hands on those that are ready.
    pub(crate) fn push(
        &mut self,
        samples: &[f32],
        take: &mut impl FnMut(&[f32]) -> Result<(), SpeechError>,
    ) -> Result<(), SpeechError> {
        self.taken += samples.len() as u64;
        self.waiting.extend_from_slice(samples);
        let mut used = 0;
        while let Some(chunk) = self.waiting.get(used..used + self.fft.input_frames_next()) {
            let count = step(&mut self.fft, chunk, &mut self.output)?;
            used += chunk.len();
            self.hand_on(count, take)?;
        }
        self.waiting.drain(..used);
        Ok(())
    }

    /// Hands on the rest.
    pub(crate) fn finish(
        mut self,
        take: &mut impl FnMut(&[f32]) -> Result<(), SpeechError>,
    ) -> Result<(), SpeechError> {
        while self.given < self.whole() {
            let mut chunk = std::mem::take(&mut self.waiting);
            chunk.resize(self.fft.input_frames_next(), 0.0);
            let count = step(&mut self.fft, &chunk, &mut self.output)?;
            self.hand_on(count, take)?;
        }
        Ok(())
    }

    /// How many samples are to be given for those that were taken.
    fn whole(&self) -> u64 {
        (self.taken * self.to).div_ceil(self.from)
    }

    fn hand_on(
        &mut self,
        count: usize,
        take: &mut impl FnMut(&[f32]) -> Result<(), SpeechError>,
    ) -> Result<(), SpeechError> {
        let skip = self.delay.min(count);
        self.delay -= skip;
        let left = usize::try_from(self.whole() - self.given).unwrap_or(usize::MAX);
        let ready = self.output.get(skip..count).unwrap_or_default();
        let ready = ready.get(..left).unwrap_or(ready);
        self.given += ready.len() as u64;
        take(ready)
    }
}

/// One chunk; returns how many samples came out.
fn step(fft: &mut Fft<f32>, chunk: &[f32], output: &mut [f32]) -> Result<usize, SpeechError> {
    let frames = output.len();
    let input = SequentialSlice::new(chunk, 1, chunk.len()).map_err(|error| fault(&error))?;
    let mut output = SequentialSlice::new_mut(output, 1, frames).map_err(|error| fault(&error))?;
    let (_, count) = fft
        .process_into_buffer(&input, &mut output, Some(&Indexing::new()))
        .map_err(|error| fault(&error))?;
    Ok(count)
}

/// Sound that is all there.
pub(crate) fn whole(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>, SpeechError> {
    let mut whole = Vec::with_capacity(samples.len());
    let mut take = |ready: &[f32]| {
        whole.extend_from_slice(ready);
        Ok(())
    };
    let mut resampling = Resampling::new(from, to)?;
    resampling.push(samples, &mut take)?;
    resampling.finish(&mut take)?;
    Ok(whole)
}

fn fault(error: &dyn std::error::Error) -> SpeechError {
    SpeechError::Engine(format!("the audio cannot be resampled: {error}"))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    fn tone(rate: u32, samples: usize) -> Vec<f32> {
        (0..samples).map(|i| (TAU * 440.0 * i as f32 / rate as f32).sin() * 0.5).collect()
    }

    #[test]
    fn a_tone_stays_the_same_tone() {
        for (from, to) in [(44_100, 16_000), (22_050, 24_000), (8_000, 16_000), (48_000, 16_000)] {
            let resampled = whole(&tone(from, from as usize), from, to).unwrap();
            assert_eq!(resampled.len(), to as usize, "{from} to {to}");
            // Not at its ends, where there is a tone on one side alone.
            let ends = to as usize / 20;
            let difference = tone(to, to as usize)
                .iter()
                .zip(&resampled)
                .take(resampled.len() - ends)
                .skip(ends)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            // A fifth of a sample late.
            assert!(difference < 0.02, "{from} to {to}: {difference}");
        }
    }

    #[test]
    fn pieces_make_the_same_as_the_whole() {
        let tone = tone(44_100, 10_000);
        let mut pieces = Vec::new();
        let mut take = |ready: &[f32]| {
            pieces.extend_from_slice(ready);
            Ok(())
        };
        let mut resampling = Resampling::new(44_100, 16_000).unwrap();
        for piece in tone.chunks(77) {
            resampling.push(piece, &mut take).unwrap();
        }
        resampling.finish(&mut take).unwrap();
        assert_eq!(pieces, whole(&tone, 44_100, 16_000).unwrap());
    }

    #[test]
    fn short_and_strange() {
        assert_eq!(whole(&[], 44_100, 16_000).unwrap(), [0.0; 0]);
        assert_eq!(whole(&[0.5], 8_000, 16_000).unwrap().len(), 2);
        // Two primes: nothing divides both.
        assert_eq!(whole(&[0.5; 191_999], 191_999, 15_991).unwrap().len(), 15_991);
        assert!(whole(&[0.5], 0, 16_000).is_err());
        assert!(whole(&[0.5], u32::MAX, 16_000).is_err());
    }
}
