//! Sound in memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

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
