//! Other files with sound: what symphonia reads.

use std::io::{Cursor, ErrorKind};

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::limits::{Collected, Limits};
use super::opus::{Head, Stream};
use super::resample::Resampling;
use super::{VOICE_RATE, damaged, unknown};
use crate::SpeechError;

/// The most channels. More are not for two ears.
const CHANNELS: usize = 8;

/// Decodes a file to one channel, at this rate or the one it has. Returns that too.
pub(crate) fn decode(
    bytes: &[u8],
    limits: &Limits,
    rate: Option<u32>,
) -> Result<(Vec<f32>, u32), SpeechError> {
    let source = Box::new(Cursor::new(bytes));
    let source = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
        .map_err(|_| unknown("it is of no kind that June knows"))?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| unknown("it has no sound"))?;
    let id = track.id;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| unknown("it does not say what its sound is"))?;
    if let Some(seconds) = claim(track, parameters, bytes.len()) {
        limits.check_claim(seconds)?;
    }
    if parameters.codec == CODEC_ID_OPUS {
        let head = Head::read(parameters.extra_data.as_deref().unwrap_or_default())?;
        return opus(&mut *format, id, head, limits, rate.unwrap_or(VOICE_RATE));
    }
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| unknown(&error.to_string()))?;
    packets(&mut *format, id, decoder, limits, rate)
}

/// For how many seconds it says that it plays, where it does.
fn claim(track: &Track, parameters: &AudioCodecParameters, bytes: usize) -> Option<f64> {
    let rate = parameters.sample_rate?;
    let mut frames = track.num_frames?;
    if let Some(bits) = parameters.bits_per_coded_sample {
        // Who writes a WAV as it comes does not know how much it will be, and says the most.
        frames = frames.min(bytes as u64 * 8 / u64::from(bits.max(1)));
    }
    Some(frames as f64 / f64::from(rate.max(1)))
}

/// The next packet of the track; none at the end, where files are often cut off a little.
fn next(format: &mut dyn FormatReader, id: u32) -> Result<Option<Packet>, SpeechError> {
    loop {
        match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == id => return Ok(Some(packet)),
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                return Ok(None);
            }
            Err(error) => return Err(damaged(&error.to_string())),
        }
    }
}

fn opus(
    format: &mut dyn FormatReader,
    id: u32,
    head: Head,
    limits: &Limits,
    rate: u32,
) -> Result<(Vec<f32>, u32), SpeechError> {
    let mut stream = Stream::new(head, rate)?;
    let mut sound = Collected::new(limits, rate);
    while let Some(packet) = next(format, id)? {
        stream.push(&packet.data, &mut sound)?;
    }
    Ok((sound.into_samples()?, rate))
}

/// Decoded samples on their way to another rate.
struct Target {
    /// The rate that the file has.
    from: u32,
    to: u32,
    resampling: Option<Resampling>,
    sound: Collected,
}

impl Target {
    fn new(from: u32, to: u32, limits: &Limits) -> Result<Target, SpeechError> {
        // Its rate is looked at even where nothing is to be resampled.
        let resampling = Some(Resampling::new(from, to)?).filter(|_| from != to);
        Ok(Target { from, to, resampling, sound: Collected::new(limits, to) })
    }

    fn push(&mut self, mono: &[f32]) -> Result<(), SpeechError> {
        let sound = &mut self.sound;
        match &mut self.resampling {
            Some(resampling) => resampling.push(mono, &mut |ready| sound.push(ready)),
            None => sound.push(mono),
        }
    }

    fn finish(mut self) -> Result<(Vec<f32>, u32), SpeechError> {
        if let Some(resampling) = self.resampling {
            resampling.finish(&mut |ready| self.sound.push(ready))?;
        }
        Ok((self.sound.into_samples()?, self.to))
    }
}

fn packets(
    format: &mut dyn FormatReader,
    id: u32,
    mut decoder: Box<dyn AudioDecoder>,
    limits: &Limits,
    rate: Option<u32>,
) -> Result<(Vec<f32>, u32), SpeechError> {
    let mut target: Option<Target> = None;
    let mut mono = Vec::new();
    let (mut good, mut bad) = (0_u64, 0_u64);
    while let Some(packet) = next(format, id)? {
        let buffer = match decoder.decode(&packet) {
            Ok(buffer) => buffer,
            // A player would go on too: the first frame of an MP3 may need one before it.
            Err(Error::DecodeError(_)) => {
                bad += 1;
                continue;
            }
            Err(error) => return Err(damaged(&error.to_string())),
        };
        good += 1;
        let from = buffer.spec().rate();
        mix(&buffer, &mut mono)?;
        let target = match &mut target {
            Some(target) if target.from == from => target,
            Some(_) => return Err(damaged("its rate changes on the way")),
            None => target.insert(Target::new(from, rate.unwrap_or(from), limits)?),
        };
        target.push(&mono)?;
    }
    match target {
        Some(target) if good > bad => target.finish(),
        _ => Err(damaged("too little of it can be decoded")),
    }
}

/// The mean of all channels.
fn mix(buffer: &GenericAudioBufferRef<'_>, mono: &mut Vec<f32>) -> Result<(), SpeechError> {
    let channels = buffer.spec().channels().count();
    if channels == 0 || channels > CHANNELS {
        return Err(unknown(&format!("it has {channels} channels")));
    }
    buffer.copy_to_vec_interleaved(mono);
    if channels > 1 {
        let frames = mono.len() / channels;
        for frame in 0..frames {
            let sum: f32 = mono.iter().skip(frame * channels).take(channels).sum();
            if let Some(mean) = mono.get_mut(frame) {
                *mean = sum / channels as f32;
            }
        }
        mono.truncate(frames);
    }
    Ok(())
}
