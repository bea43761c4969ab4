//! Loudness over time, as Discord draws it.

/// Values a second, and the most of them.
const A_SECOND: usize = 10;
const MOST: usize = 256;

/// Below this loudness, sound is silence and is drawn as such.
const SILENCE: f32 = 0.001;

/// The loudness of equal parts of the sound: the root of the mean square, of which the loudest is
/// 255. Louder parts of a quiet recording are seen too.
pub(crate) fn waveform(samples: &[f32], rate: u32) -> Vec<u8> {
    let part = (rate as usize / A_SECOND).max(samples.len().div_ceil(MOST)).max(1);
    let loudness = |part: &[f32]| {
        let squares: f32 = part.iter().map(|sample| sample * sample).sum();
        (squares / part.len() as f32).sqrt()
    };
    let parts: Vec<f32> = samples.chunks(part).map(loudness).collect();
    let loudest = parts.iter().copied().fold(SILENCE, f32::max);
    parts.iter().map(|loudness| (loudness / loudest * 255.0).round() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_is_seen() {
        let second = [vec![0.0; 4_000], vec![0.1; 4_000], vec![-0.2; 8_000]].concat();
        let drawn = waveform(&second, 16_000);
        assert_eq!(drawn, [0, 0, 90, 128, 128, 255, 255, 255, 255, 255]);
        assert_eq!(waveform(&[0.0; 3_200], 16_000), [0, 0]);
        assert_eq!(waveform(&[], 16_000), [0; 0]);
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
