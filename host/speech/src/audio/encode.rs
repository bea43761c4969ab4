//! Voice messages: Opus in OGG (RFC 7845).

use std::io;

use ogg::writing::{PacketWriteEndInfo, PacketWriter};
use opus::{Application, Bitrate, Channels, Encoder};

use super::opus::{GRANULE_RATE, MAGIC};
use super::{Audio, Voice, resample, waveform};
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
    if audio.samples.is_empty() {
        return Err(SpeechError::Input("there is no sound to make a voice message of".into()));
    }
    let rate = RATES.into_iter().find(|rate| *rate >= audio.rate).unwrap_or(48_000);
    let resampled;
    let samples = if rate == audio.rate {
        &*audio.samples
    } else {
        resampled = resample::whole(&audio.samples, audio.rate, rate)?;
        &resampled
    };
    Ok(Voice {
        ogg: ogg(samples, rate)?.into(),
        duration: audio.duration(),
        waveform: waveform::waveform(samples, rate),
    })
}

fn ogg(samples: &[f32], rate: u32) -> Result<Vec<u8>, SpeechError> {
    // `Voip` would pay for a model of the voice, with four times the work. That is worth it below
    // this bit rate.
    let mut encoder = Encoder::new(rate, Channels::Mono, Application::Audio).map_err(opus)?;
    encoder.set_bitrate(Bitrate::Bits(BITRATE)).map_err(opus)?;
    encoder.set_complexity(COMPLEXITY).map_err(opus)?;
    let ahead = encoder.get_lookahead().map_err(opus)?;
    let ahead = usize::try_from(ahead).unwrap_or_default();
    // In granule positions, one of the encoder's samples is several.
    let scale = GRANULE_RATE / u64::from(rate);
    let pre_skip = ahead as u64 * scale;

    let mut writer = PacketWriter::new(Vec::new());
    let header = header(pre_skip, rate);
    writer.write_packet(header, SERIAL, PacketWriteEndInfo::EndPage, 0).map_err(fault)?;
    writer.write_packet(comments(), SERIAL, PacketWriteEndInfo::EndPage, 0).map_err(fault)?;

    // What comes out is late by `ahead`, so that much more goes in.
    let size = rate as usize / FRAMES;
    let frames = (samples.len() + ahead).div_ceil(size);
    let end = pre_skip + samples.len() as u64 * scale;
    let mut frame = vec![0.0; size];
    for number in 1..=frames {
        let rest = samples.get((number - 1) * size..).unwrap_or_default();
        let (there, silence) = frame.split_at_mut(rest.len().min(size));
        there.copy_from_slice(rest.get(..there.len()).unwrap_or_default());
        silence.fill(0.0);
        let packet = encoder.encode_vec_float(&frame, PACKET).map_err(opus)?;
        let (page, granule) = match number {
            // The last granule position says where within the last frame the sound ends.
            _ if number == frames => (PacketWriteEndInfo::EndStream, end),
            _ if number % FRAMES == 0 => {
                (PacketWriteEndInfo::EndPage, (number * size) as u64 * scale)
            }
            _ => (PacketWriteEndInfo::NormalPacket, (number * size) as u64 * scale),
        };
        writer.write_packet(packet, SERIAL, page, granule).map_err(fault)?;
    }
    Ok(writer.into_inner())
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

fn opus(error: opus::Error) -> SpeechError {
    SpeechError::Engine(format!("the voice message cannot be encoded: {error}"))
}

fn fault(error: io::Error) -> SpeechError {
    SpeechError::Engine(format!("the voice message cannot be written: {error}"))
}
