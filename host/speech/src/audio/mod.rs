//! Sound in memory, and what it is kept in.

mod container;
mod encode;
mod limits;
mod ogg;
mod opus;
mod resample;
mod wav;
mod waveform;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use encode::{Encoding, encode};
pub use limits::Limits;
pub use wav::wav;

use crate::SpeechError;
use limits::Collected;

/// Samples a second that Whisper and Silero take, and what [`decode`] returns.
pub const SPEECH_RATE: u32 = 16_000;

/// Samples a second of decoded Opus that is to be encoded again.
const VOICE_RATE: u32 = 24_000;

/// Mono sound. Clones share the samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// Samples between -1 and 1.
    pub samples: Arc<[f32]>,
    /// Samples a second, not zero.
    pub rate: u32,
}

impl Audio {
    /// How long it takes.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.samples.len() as f64 / f64::from(self.rate.max(1)))
    }

    /// The same sound with [`SPEECH_RATE`] samples a second.
    ///
    /// # Errors
    ///
    /// When it has a rate that cannot be.
    pub fn for_speech(&self) -> Result<Audio, SpeechError> {
        if self.rate == SPEECH_RATE {
            return Ok(self.clone());
        }
        let samples = resample::whole(&self.samples, self.rate, SPEECH_RATE)?;
        Ok(Audio { samples: samples.into(), rate: SPEECH_RATE })
    }
}

/// A voice message: OGG with Opus (RFC 7845).
#[derive(Debug, Clone, PartialEq)]
pub struct Voice {
    /// The file.
    pub ogg: Bytes,
    /// How long it plays.
    pub duration: Duration,
    /// Up to 256 loudness values, as Discord draws them.
    pub waveform: Vec<u8>,
}

/// Decodes a voice message, or another file with sound, to [`SPEECH_RATE`] samples a second: OGG
/// with Opus, Vorbis or FLAC; MP3; MP4 with AAC or Opus; WebM; FLAC; WAV. Of a video, its sound.
///
/// This computes for about a hundredth of the time that the sound plays: call it where blocking is
/// allowed.
///
/// # Errors
///
/// When there is more than the limits allow, or what is there is no sound, is damaged, or is kept
/// in a way that June does not know.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Audio, SpeechError> {
    decode_at(bytes, limits, Some(SPEECH_RATE))
}

/// The same with a rate of the caller's choice; without one, the rate that it has, which for Opus
/// is [`VOICE_RATE`].
pub(crate) fn decode_at(
    bytes: &[u8],
    limits: &Limits,
    rate: Option<u32>,
) -> Result<Audio, SpeechError> {
    limits.check_size(bytes.len())?;
    if bytes.is_empty() {
        return Err(SpeechError::Input(
            "the audio is empty\nhint: record it anew, and send it again".into(),
        ));
    }
    // The decoders check what they read. Should one of them have missed something, that message
    // alone is lost.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        if ogg::is_opus(bytes) {
            let rate = rate.unwrap_or(VOICE_RATE);
            ogg::decode(bytes, Collected::new(limits, rate), rate).map(|samples| (samples, rate))
        } else {
            container::decode(bytes, limits, rate)
        }
    }));
    let (samples, rate) =
        decoded.unwrap_or_else(|_| Err(damaged("it breaks the rules of its format")))?;
    if samples.is_empty() {
        return Err(damaged("it holds no sound"));
    }
    Ok(Audio { samples: samples.into(), rate })
}

/// The error for a file that cannot be decoded.
pub(crate) fn damaged(why: &str) -> SpeechError {
    SpeechError::Input(format!(
        "the audio is damaged: {why}\nhint: record it anew, and send it again"
    ))
}

/// The error for a file that June does not know how to decode.
fn unknown(why: &str) -> SpeechError {
    SpeechError::Input(format!(
        "the audio cannot be read: {why}\nhint: send it as a voice message, or as OGG, MP3, M4A, \
         FLAC or WAV"
    ))
}
