//! Whisper and Silero. The Whisper model has no trained weights: what it hears means nothing, but
//! it is heard by the real code.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt, future};
use june_speech::{
    Audio, Limits, SPEECH_RATE, Segment, SpeechError, Transcriber, Vad, Whisper, WhisperSettings,
    decode,
};

use crate::fixture;

const SILERO: &str = "models/for-tests-silero-v6.2.0-ggml.bin";
const TINY: &str = "models/for-tests-ggml-tiny.bin";

fn speech(test: &str) -> Option<Audio> {
    let file = fs::read(fixture(test, "models/jfk.wav")?).unwrap();
    Some(decode(&file, &Limits::default()).unwrap())
}

fn settings(states: usize) -> WhisperSettings {
    let number = |number| NonZeroUsize::new(number).unwrap();
    WhisperSettings { states: number(states), threads: number(1) }
}

fn open(test: &str, states: usize) -> Option<Whisper> {
    let (model, vad) = (fixture(test, TINY)?, fixture(test, SILERO)?);
    Some(Whisper::open(&model, Some(&vad), settings(states)).unwrap())
}

fn silence(seconds: usize) -> Audio {
    Audio { samples: vec![0.0; seconds * SPEECH_RATE as usize].into(), rate: SPEECH_RATE }
}

async fn heard(whisper: &Whisper, audio: Audio) -> Result<Vec<Segment>, SpeechError> {
    let segments: Vec<_> = whisper.transcribe(audio, None).collect().await;
    segments.into_iter().collect()
}

#[test]
fn four_parts_of_the_speech_are_found() {
    let test = "four_parts_of_the_speech_are_found";
    let (Some(audio), Some(silero)) = (speech(test), fixture(test, SILERO)) else { return };
    let mut vad = Vad::open(&silero).unwrap();
    let parts = vad.speech(&audio.samples).unwrap();
    assert_eq!(parts.len(), 4, "{parts:?}");
    assert!(parts.is_sorted_by(|a, b| a.end <= b.start), "{parts:?}");
    assert_eq!(vad.speech(&silence(5).samples).unwrap(), []);
    assert_eq!(vad.speech(&[]).unwrap(), []);
    assert_eq!(vad.speech(&audio.samples).unwrap(), parts, "it remembers nothing");
}

#[tokio::test]
async fn speech_is_transcribed_and_silence_is_not() {
    let test = "speech_is_transcribed_and_silence_is_not";
    let (Some(audio), Some(whisper)) = (speech(test), open(test, 1)) else { return };
    let began = Instant::now();
    assert_eq!(heard(&whisper, silence(20)).await, Ok(vec![]));
    eprintln!("silence {:?}", began.elapsed());
    let began = Instant::now();
    let segments = heard(&whisper, audio).await;
    eprintln!("speech {:?} {segments:?}", began.elapsed());
}
