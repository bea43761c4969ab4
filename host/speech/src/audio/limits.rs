//! How much sound is taken.

use std::time::Duration;

use crate::SpeechError;

/// The longest sound that may be decoded and thrown away, such as what a stream begins with to get
/// its decoder going, in seconds.
const SLACK: u64 = 10;

/// The longest packet, in milliseconds.
const PACKET: u64 = 150;

/// How much sound is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a file. 20 MiB unless set: what Telegram lets a bot download.
    pub bytes: usize,
    /// The longest that it may play. A quarter of an hour unless set.
    pub duration: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 20 << 20, duration: Duration::from_secs(15 * 60) }
    }
}

impl Limits {
    /// Refuses a file of this many bytes if that is too many.
    pub(crate) fn check_size(&self, bytes: usize) -> Result<(), SpeechError> {
        if bytes <= self.bytes {
            return Ok(());
        }
        Err(SpeechError::Input(format!(
            "the audio has {bytes} bytes, more than the {} that are allowed\nhint: send less at \
             once",
            self.bytes
        )))
    }

    /// Refuses what claims to play for so many seconds if that is too long.
    pub(crate) fn check_claim(&self, seconds: f64) -> Result<(), SpeechError> {
        if seconds <= self.duration.as_secs_f64() + 1.0 { Ok(()) } else { Err(self.too_long()) }
    }

    fn too_long(&self) -> SpeechError {
        SpeechError::Input(format!(
            "the audio is longer than the {} that are allowed\nhint: send it in shorter pieces",
            words(self.duration)
        ))
    }
}

/// A duration in words.
fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds >= 120 && seconds.is_multiple_of(60) {
        format!("{} minutes", seconds / 60)
    } else {
        format!("{} seconds", duration.as_secs_f64())
    }
}

/// Decoded samples, no more than the limits allow.
#[derive(Debug)]
pub(crate) struct Collected {
    samples: Vec<f32>,
    limits: Limits,
    /// The most samples, and those of the longest packet.
    most: u64,
    most_of_packet: u64,
    /// What may still be decoded, in samples: those that are thrown away cost work too.
    work: u64,
}

impl Collected {
    /// No samples yet, of so many a second.
    pub(crate) fn new(limits: &Limits, rate: u32) -> Collected {
        let most = (limits.duration.as_secs_f64() * f64::from(rate)) as u64;
        let work = most.saturating_add(SLACK * u64::from(rate));
        let most_of_packet = u64::from(rate) * PACKET / 1000;
        Collected { samples: Vec::new(), limits: *limits, most, most_of_packet, work }
    }

    /// Adds samples.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<(), SpeechError> {
        self.throw_away(samples.len())?;
        self.samples.extend_from_slice(samples);
        // The last packet may be cut short yet; it is no longer than that.
        self.check(self.most + self.most_of_packet)
    }

    /// Counts samples that were decoded and are not needed.
    pub(crate) fn throw_away(&mut self, samples: usize) -> Result<(), SpeechError> {
        let left = self.work.checked_sub(samples as u64);
        self.work = left.ok_or_else(|| self.limits.too_long())?;
        Ok(())
    }

    /// Keeps so many samples at most.
    pub(crate) fn truncate(&mut self, samples: usize) {
        self.samples.truncate(samples);
    }

    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// What it is limited by.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn check(&self, most: u64) -> Result<(), SpeechError> {
        if self.samples.len() as u64 <= most { Ok(()) } else { Err(self.limits.too_long()) }
    }

    /// The samples, between -1 and 1: hostile files hold others.
    pub(crate) fn into_samples(mut self) -> Result<Vec<f32>, SpeechError> {
        self.check(self.most)?;
        for sample in &mut self.samples {
            *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        }
        Ok(self.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thrown_away_counts_too() {
        let limits = Limits { duration: Duration::from_secs(1), ..Limits::default() };
        let mut collected = Collected::new(&limits, 100);
        collected.push(&[0.5; 60]).unwrap();
        collected.truncate(0);
        collected.push(&[0.5; 60]).unwrap();
        assert!(collected.push(&[0.5; 60]).is_err(), "120 samples of 100");
        collected.throw_away(900).unwrap();
        let error = collected.throw_away(100).unwrap_err().to_string();
        assert!(error.starts_with("the audio is longer than the 1 seconds"), "{error}");
    }

    #[test]
    fn samples_are_sound() {
        let mut collected = Collected::new(&Limits::default(), 16_000);
        collected.push(&[f32::NAN, f32::INFINITY, -7.0, 0.25]).unwrap();
        assert_eq!(collected.into_samples().unwrap(), [0.0, 0.0, -1.0, 0.25]);
    }
}
