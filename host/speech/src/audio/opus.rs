//! A stream of Opus packets (RFC 6716), begun by its identification header (RFC 7845, 5.1).

use opus2::{Channels, Decoder};

use super::limits::Collected;
use super::{damaged, unknown};
use crate::SpeechError;

/// What the identification header begins with.
pub(crate) const MAGIC: &[u8] = b"OpusHead";

/// The rate of granule positions and pre-skips, whatever rate the sound had.
pub(crate) const GRANULE_RATE: u64 = 48_000;

/// The longest packet, in milliseconds.
const LONGEST: usize = 120;

/// What a stream's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Samples to throw away at the start, at [`GRANULE_RATE`].
    pub(crate) pre_skip: u16,
    /// Decibels to add, times 256.
    pub(crate) gain: i16,
}

impl Head {
    /// Reads the header of a stream with one or two channels.
    pub(crate) fn read(packet: &[u8]) -> Result<Head, SpeechError> {
        let short = || damaged("the header of its Opus stream is cut off");
        let rest = packet.strip_prefix(MAGIC).ok_or_else(short)?;
        let &[version, channels, skip_0, skip_1, _, _, _, _, gain_0, gain_1, family, ref rest @ ..] =
            rest
        else {
            return Err(short());
        };
        if version >= 16 {
            return Err(unknown("its Opus stream has a version of the future"));
        }
        // Other families than 0 say how many streams there are. One is the same as in family 0.
        let one = family == 0 || matches!(rest, [1, ..]);
        if !matches!(channels, 1 | 2) || !one {
            return Err(unknown("it has more than two channels"));
        }
        let (skip, gain) = ([skip_0, skip_1], [gain_0, gain_1]);
        // MP4 has the same fields the other way round, and calls that version 0.
        Ok(if version == 0 {
            Head { pre_skip: u16::from_be_bytes(skip), gain: i16::from_be_bytes(gain) }
        } else {
            Head { pre_skip: u16::from_le_bytes(skip), gain: i16::from_le_bytes(gain) }
        })
    }
}

/// Decodes a stream, to one channel and at a rate that Opus has.
pub(crate) struct Stream {
    decoder: Decoder,
    rate: u64,
    /// Samples that are still to be thrown away, at `rate`.
    skip: usize,
    buffer: Vec<f32>,
}

impl Stream {
    /// A stream with this header.
    pub(crate) fn new(head: Head, rate: u32) -> Result<Stream, SpeechError> {
        let fault = |error: opus2::Error| {
            SpeechError::Engine(format!("the Opus decoder cannot be set up: {error}"))
        };
        let mut decoder = Decoder::new(rate, Channels::Mono).map_err(fault)?;
        decoder.set_gain(head.gain.into()).map_err(fault)?;
        let rate = u64::from(rate);
        let skip = (u64::from(head.pre_skip) * rate / GRANULE_RATE) as usize;
        Ok(Stream { decoder, rate, skip, buffer: vec![0.0; rate as usize * LONGEST / 1000] })
    }

    /// Decodes a packet. Returns how many samples it has, at [`GRANULE_RATE`].
    pub(crate) fn push(
        &mut self,
        packet: &[u8],
        sound: &mut Collected,
    ) -> Result<u64, SpeechError> {
        // An empty packet would mean that one was lost, and does not belong in a file.
        if packet.is_empty() {
            return Err(damaged("one of its Opus packets is empty"));
        }
        let decoded = self.decoder.decode_float(packet, &mut self.buffer, false);
        let count = decoded.map_err(|_| damaged("one of its Opus packets cannot be decoded"))?;
        let samples = self.buffer.get(..count).unwrap_or_default();
        let (skipped, samples) = samples.split_at(self.skip.min(samples.len()));
        self.skip -= skipped.len();
        sound.throw_away(skipped.len())?;
        sound.push(samples)?;
        Ok(count as u64 * GRANULE_RATE / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let head = |channels: u8, family: &[u8]| {
            let fields = [1, channels, 0x38, 1, 0x80, 0xbb, 0, 0, 0xff, 0xff];
            Head::read(&[MAGIC, &fields, family].concat()).map_err(|error| error.to_string())
        };
        assert_eq!(head(2, &[0]), Ok(Head { pre_skip: 312, gain: -1 }));
        assert_eq!(head(2, &[1, 1, 1, 0, 1]), Ok(Head { pre_skip: 312, gain: -1 }));
        assert!(head(6, &[1, 4, 2]).unwrap_err().contains("more than two channels"));
        assert!(head(2, &[1, 2, 0]).unwrap_err().contains("more than two channels"));
        assert!(head(1, &[]).unwrap_err().contains("cut off"));
        let mp4 = [MAGIC, &[0, 1, 1, 0x38, 0, 0, 0xbb, 0x80, 0xff, 0xff, 0]].concat();
        assert_eq!(Head::read(&mp4).unwrap(), Head { pre_skip: 312, gain: -1 });
        assert!(Head::read(b"OpusHead").is_err());
        assert!(Head::read(b"").is_err());
    }
}
