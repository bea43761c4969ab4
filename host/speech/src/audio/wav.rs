//! Sound as WAV: 16-bit PCM, one channel.

use super::Audio;

/// Writes sound as a WAV file: 16-bit PCM, one channel.
pub fn wav(audio: &Audio) -> Vec<u8> {
    let data = u32::try_from(audio.samples.len() * 2).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + audio.samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&data.saturating_add(36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend_from_slice(&[1, 0, 1, 0]);
    file.extend_from_slice(&audio.rate.to_le_bytes());
    file.extend_from_slice(&audio.rate.saturating_mul(2).to_le_bytes());
    // Two bytes a sample, of sixteen bits.
    file.extend_from_slice(&[2, 0, 16, 0]);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data.to_le_bytes());
    for sample in audio.samples.iter() {
        file.extend_from_slice(&((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, decode};

    #[test]
    fn what_is_written_is_read() {
        let audio =
            Audio { samples: (0..800).map(|i| (i as f32 / 9.0).sin()).collect(), rate: 16_000 };
        let read = decode(&wav(&audio), &Limits::default()).unwrap();
        assert_eq!((read.rate, read.samples.len()), (audio.rate, audio.samples.len()));
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 0.001;
        assert!(read.samples.iter().zip(&*audio.samples).all(near));
    }
}
