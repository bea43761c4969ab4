//! What the stages of a spoken turn cost without the models, for a message of ten seconds.
//!
//!     cargo bench -p june-speech
//!
//! For each stage, the median of its rounds in milliseconds. Voice activity detection needs
//! Silero's file in the folder that `JUNE_SHARED` names, and is left out without it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "bench")]

use std::hint::black_box;
use std::time::Instant;

use june_speech::{Audio, FindSpeech as _, Limits, Sentences, decode, encode, speakable};

const ROUNDS: usize = 21;

/// Prints and returns the median.
fn stage<T>(name: &str, mut work: impl FnMut() -> T) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            black_box(work());
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (median, most) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    println!("{name:32} {median:8.2} ms   (at most {most:.2})");
    median
}

/// Ten seconds that are about as busy as speech.
fn audio(rate: u32) -> Audio {
    let sample = |i: u32| {
        let time = f64::from(i) / f64::from(rate);
        let loudness = (time * 9.0).sin().abs() * 0.4;
        let tones = [140.0, 720.0, 1_240.0, 2_600.0]
            .map(|hertz| (time * hertz * std::f64::consts::TAU).sin());
        (tones.iter().sum::<f64>() * loudness / 4.0) as f32
    };
    Audio { samples: (0..rate * 10).map(sample).collect(), rate }
}

fn main() {
    let speech = audio(16_000);
    let voice = encode(&speech).unwrap();
    let answer = "Dr. Lem wrote **Solaris**, see [his page](https://example.org/lem). \
                  It has 204 pages!\n\n- one\n- two\n\n"
        .repeat(20);
    let mut all = stage("decode OGG/Opus to 16 kHz", || decode(&voice.ogg, &Limits::default()));
    let spoken = audio(22_050);
    all += stage("encode 22.05 kHz to OGG/Opus", || encode(&spoken));
    all += stage("sentences, token by token", || {
        let mut sentences = Sentences::new();
        let tokens = answer.as_bytes().chunks(4).map(|token| std::str::from_utf8(token).unwrap());
        let mut count: usize = tokens.map(|token| sentences.push(token).len()).sum();
        count += sentences.finish().len();
        count
    });
    all += stage("speakable, all at once", || speakable(&answer));
    println!("{:32} {all:8.2} ms   (to be less than 30)", "in all");
    #[cfg(feature = "whisper")]
    detection(&speech);
}

#[cfg(feature = "whisper")]
fn detection(speech: &Audio) {
    let silero = "models/for-tests-silero-v6.2.0-ggml.bin";
    let Some(path) = june_tests::fixture("voice activity detection", silero) else { return };
    let mut vad = june_speech::Vad::open(&path).unwrap();
    stage("voice activity detection", || vad.speech(&speech.samples).unwrap());
}
