//! Voice messages: Opus in OGG (RFC 7845).

use std::fmt;
use std::io;
use std::time::Duration;

use ogg::writing::{PacketWriteEndInfo, PacketWriter};
use opus2::{Application, Bitrate, Channels, Encoder};

use super::opus::{GRANULE_RATE, MAGIC};
use super::resample::Resampling;
use super::waveform::Loudness;
use super::{Audio, Voice};
use crate::SpeechError;

/// The rates that Opus encodes.
const RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];

/// Bits a second, on average. Enough for speech to sound as it was.
const BITRATE: i32 = 32_000;

/// How hard libopus tries, of 10.
const COMPLEXITY: i32 = 3;

/// Frames a second: each takes 20 ms.
const FRAMES: usize = 50;

/// The most bytes of a packet: what libopus recommends.
const PACKET: usize = 4_000;

/// A stream's number is there to tell it from others in its file, and there are none.
const SERIAL: u32 = 1;

/// Encodes sound as a voice message.
///
/// This computes for about a hundredth of the time that the sound plays: call it where blocking is
/// allowed.
///
/// # Errors
///
/// When there is no sound, or its rate is one that no sound has.
pub fn encode(audio: &Audio) -> Result<Voice, SpeechError> {
    let mut encoding = Encoding::new();
    encoding.push(audio)?;
    encoding.finish()
}

/// A voice message that is made while its sound comes, sentence by sentence: with the last one it
/// is nearly there. How the sound was cut into pieces does not matter.
///
/// ```
/// use june_speech::{Audio, Encoding};
///
/// let mut encoding = Encoding::new();
/// for _ in 0..3 {
///     encoding.push(&Audio { samples: [0.0; 22_050].into(), rate: 22_050 })?;
/// }
/// assert_eq!(encoding.finish()?.duration.as_secs(), 3);
/// # Ok::<(), june_speech::SpeechError>(())
/// ```
#[derive(Default)]
pub struct Encoding(Option<Begun>);

/// The rate is known.
struct Begun {
    /// The rate of what comes, and how many samples came.
    rate: u32,
    taken: u64,
    resampling: Option<Resampling>,
    stream: Stream,
}

impl fmt::Debug for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Encoding")
    }
}

impl Encoding {
    /// No sound yet.
    pub fn new() -> Encoding {
        Encoding::default()
    }

    /// Adds sound. This computes, as [`encode`] does.
    ///
    /// # Errors
    ///
    /// When the rate is one that no sound has, or is another than before.
    pub fn push(&mut self, audio: &Audio) -> Result<(), SpeechError> {
        let begun = match &mut self.0 {
            Some(begun) => begun,
            none => none.insert(Begun::new(audio.rate)?),
        };
        if begun.rate != audio.rate {
            return Err(SpeechError::Engine("the voice changed its rate".into()));
        }
        begun.taken += audio.samples.len() as u64;
        match &mut begun.resampling {
            Some(resampling) => {
                resampling.push(&audio.samples, &mut |ready| begun.stream.push(ready))
            }
            None => begun.stream.push(&audio.samples),
        }
    }

    /// The voice message, soon: nearly all of it was encoded before.
    ///
    /// # Errors
    ///
    /// When there is no sound.
    pub fn finish(self) -> Result<Voice, SpeechError> {
        let Some(Begun { rate, taken, resampling, mut stream }) =
            self.0.filter(|begun| begun.taken > 0)
        else {
            return Err(SpeechError::Input("there is no sound to make a voice message of".into()));
        };
        if let Some(resampling) = resampling {
            resampling.finish(&mut |ready| stream.push(ready))?;
        }
        let duration = Duration::from_secs_f64(taken as f64 / f64::from(rate));
        let (ogg, waveform) = stream.finish()?;
        Ok(Voice { ogg: ogg.into(), duration, waveform })
    }
}

impl Begun {
    fn new(rate: u32) -> Result<Begun, SpeechError> {
        let own = RATES.into_iter().find(|own| *own >= rate).unwrap_or(48_000);
        let resampling = (own != rate).then(|| Resampling::new(rate, own)).transpose()?;
        Ok(Begun { rate, taken: 0, resampling, stream: Stream::new(own)? })
    }
}

/// A stream of packets, at a rate that Opus has.
struct Stream {
    encoder: Encoder,
    writer: PacketWriter<'static, Vec<u8>>,
    rate: u32,
    /// What comes out is late by so much.
    ahead: usize,
    /// What is not encoded yet: a frame at most, so that there is a last one when it ends.
    waiting: Vec<f32>,
    samples: u64,
    frames: usize,
    loudness: Loudness,
}

impl Stream {
    fn new(rate: u32) -> Result<Stream, SpeechError> {
        // `Voip` would pay for a model of the voice, with four times the work. That is worth it
        // below this bit rate.
        let mut encoder = Encoder::new(rate, Channels::Mono, Application::Audio).map_err(opus)?;
        encoder.set_bitrate(Bitrate::Bits(BITRATE)).map_err(opus)?;
        encoder.set_complexity(COMPLEXITY).map_err(opus)?;
        let ahead = encoder.get_lookahead().map_err(opus)?;
        let mut stream = Stream {
            encoder,
            writer: PacketWriter::new(Vec::new()),
            rate,
            ahead: usize::try_from(ahead).unwrap_or_default(),
            waiting: Vec::new(),
            samples: 0,
            frames: 0,
            loudness: Loudness::new(rate as usize / FRAMES),
        };
        let header = header(stream.pre_skip(), rate);
        for packet in [header, comments()] {
            let page = PacketWriteEndInfo::EndPage;
            stream.writer.write_packet(packet, SERIAL, page, 0).map_err(fault)?;
        }
        Ok(stream)
    }

    /// A number of samples as a granule position: one of the encoder's is several of those.
    fn granule(&self, samples: u64) -> u64 {
        samples * (GRANULE_RATE / u64::from(self.rate))
    }

    fn pre_skip(&self) -> u64 {
        self.granule(self.ahead as u64)
    }

    /// Samples of a frame.
    fn size(&self) -> usize {
        self.rate as usize / FRAMES
    }

    fn push(&mut self, samples: &[f32]) -> Result<(), SpeechError> {
        self.samples += samples.len() as u64;
        self.loudness.push(samples);
        self.waiting.extend_from_slice(samples);
        self.encode(self.waiting.len().saturating_sub(1) / self.size(), false)
    }

    /// Encodes so many frames of what waits; the last of them may be the last of all.
    fn encode(&mut self, frames: usize, end: bool) -> Result<(), SpeechError> {
        let size = self.size();
        let waiting = std::mem::take(&mut self.waiting);
        for (number, frame) in waiting.chunks_exact(size).take(frames).enumerate() {
            let packet = self.encoder.encode_vec_float(frame, PACKET).map_err(opus)?;
            self.frames += 1;
            let granule = self.granule((self.frames * size) as u64);
            let (page, granule) = match self.frames % FRAMES {
                // The last granule position says where within the last frame the sound ends.
                _ if end && number + 1 == frames => {
                    (PacketWriteEndInfo::EndStream, self.pre_skip() + self.granule(self.samples))
                }
                0 => (PacketWriteEndInfo::EndPage, granule),
                _ => (PacketWriteEndInfo::NormalPacket, granule),
            };
            self.writer.write_packet(packet, SERIAL, page, granule).map_err(fault)?;
        }
        self.waiting.extend_from_slice(waiting.get(frames * size..).unwrap_or_default());
        Ok(())
    }

    /// The file, and its loudness over time.
    fn finish(mut self) -> Result<(Vec<u8>, Vec<u8>), SpeechError> {
        // Since what comes out is late, that much more goes in.
        let frames = (self.waiting.len() + self.ahead).div_ceil(self.size());
        self.waiting.resize(frames * self.size(), 0.0);
        self.encode(frames, true)?;
        Ok((self.writer.into_inner(), self.loudness.drawn()))
    }
}

/// The identification header: version 1, one channel, no gain.
fn header(pre_skip: u64, rate: u32) -> Vec<u8> {
    let pre_skip = u16::try_from(pre_skip).unwrap_or(u16::MAX);
    [MAGIC, &[1, 1], &pre_skip.to_le_bytes(), &rate.to_le_bytes(), &[0, 0, 0]].concat()
}

/// The comment header: who made it, and no comments.
fn comments() -> Vec<u8> {
    const VENDOR: &str = concat!("june ", env!("CARGO_PKG_VERSION"));
    let length = VENDOR.len() as u32;
    [b"OpusTags", &length.to_le_bytes()[..], VENDOR.as_bytes(), &[0; 4]].concat()
}

fn opus(error: opus2::Error) -> SpeechError {
    SpeechError::Engine(format!("the voice message cannot be encoded: {error}"))
}

fn fault(error: io::Error) -> SpeechError {
    SpeechError::Engine(format!("the voice message cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, samples: usize) -> Audio {
        let wave = (0..samples).map(|i| (i as f32 / 9.0).sin() * 0.4);
        Audio { samples: wave.collect(), rate }
    }

    #[test]
    fn pieces_make_the_same_as_the_whole() {
        for (rate, samples) in [(16_000, 50_000), (22_050, 50_000), (24_000, 480), (48_000, 1)] {
            let audio = tone(rate, samples);
            let whole = encode(&audio).unwrap();
            for size in [1, 333, 480, 20_000] {
                let mut encoding = Encoding::new();
                for piece in audio.samples.chunks(size) {
                    encoding.push(&Audio { samples: piece.into(), rate }).unwrap();
                }
                assert_eq!(encoding.finish().unwrap(), whole, "{rate}, pieces of {size}");
            }
        }
    }

    #[test]
    fn a_voice_keeps_its_rate_and_says_something() {
        let mut encoding = Encoding::new();
        encoding.push(&tone(16_000, 0)).unwrap();
        assert!(Encoding::new().finish().is_err());
        encoding.push(&tone(16_000, 100)).unwrap();
        let error = encoding.push(&tone(22_050, 100)).unwrap_err().to_string();
        assert_eq!(error, "the voice changed its rate");
        let mut silent = Encoding::new();
        silent.push(&tone(22_050, 0)).unwrap();
        assert!(silent.finish().unwrap_err().to_string().contains("no sound"));
    }
}
