//! Voice messages and speech engines against real files, programs and servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod audio;
mod hostile;
#[cfg(feature = "openai")]
mod openai;
mod piper;
mod process;
#[cfg(feature = "whisper")]
mod whisper;

use june_speech::{Audio, Limits, decode};
use june_tests::{fixture, has};

/// Somebody who speaks for eleven seconds.
fn speech(test: &str) -> Option<Audio> {
    let file = std::fs::read(fixture(test, "models/jfk.wav")?).unwrap();
    Some(decode(&file, &Limits::default()).unwrap())
}

/// How alike two sounds are where they overlap, between -1 and 1: the highest correlation with one
/// of them moved by up to 10 ms.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let by = |shift: usize, a: &[f32], b: &[f32]| {
        let pairs =
            a.iter().skip(shift).zip(b).take(64_000).map(|(a, b)| (f64::from(*a), f64::from(*b)));
        let (ab, aa, bb) = pairs
            .fold((0.0, 0.0, 0.0), |(ab, aa, bb), (a, b)| (ab + a * b, aa + a * a, bb + b * b));
        ab / (aa * bb).sqrt()
    };
    (0..160).step_by(2).flat_map(|shift| [by(shift, a, b), by(shift, b, a)]).fold(-1.0, f64::max)
}
