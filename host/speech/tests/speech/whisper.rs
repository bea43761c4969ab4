//! Whisper and Silero, by the real code. Silero has its trained weights. Whisper has none, and so
//! hears nothing.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use june_speech::{
    Audio, FindSpeech as _, SPEECH_RATE, Segment, SpeechError, Transcriber, Vad, Whisper,
    WhisperSettings,
};

use crate::{fixture, speech};

const SILERO: &str = "models/for-tests-silero-v6.2.0-ggml.bin";
const TINY: &str = "models/for-tests-ggml-tiny.bin";

fn settings(states: usize) -> WhisperSettings {
    let number = |number| NonZeroUsize::new(number).unwrap();
    WhisperSettings { states: number(states), threads: number(1) }
}

fn silence(seconds: usize) -> Audio {
    Audio { samples: vec![0.0; seconds * SPEECH_RATE as usize].into(), rate: SPEECH_RATE }
}

async fn heard(whisper: &Whisper, audio: Audio) -> Result<Vec<Segment>, SpeechError> {
    let segments: Vec<_> = whisper.transcribe(audio, Some("en".into())).collect().await;
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
    assert!(vad.speech(&silence(5).samples).unwrap().is_empty());
    assert!(vad.speech(&[]).unwrap().is_empty());
    assert_eq!(vad.speech(&audio.samples).unwrap(), parts, "it remembers nothing");
}

#[tokio::test]
async fn the_model_without_weights_is_loaded_and_heard() {
    let test = "the_model_without_weights_is_loaded_and_heard";
    let (Some(model), Some(vad)) = (fixture(test, TINY), fixture(test, SILERO)) else { return };
    let whisper = Whisper::open(&model, Some(&vad), settings(1)).unwrap();
    assert_eq!(heard(&whisper, silence(20)).await, Ok(vec![]), "silence is not heard at all");
}

#[tokio::test]
async fn who_stops_listening_frees_the_model_for_others() {
    let test = "who_stops_listening_frees_the_model_for_others";
    let (Some(audio), Some(model)) = (speech(test), fixture(test, TINY)) else { return };
    let Some(vad) = fixture(test, SILERO) else { return };
    let whisper = Whisper::open(&model, Some(&vad), settings(1)).unwrap();
    let samples: Vec<f32> = audio.samples.repeat(40);
    let long = Audio { samples: samples.into(), rate: SPEECH_RATE };
    for _ in 0..20 {
        drop(whisper.transcribe(long.clone(), None));
    }
    // In the midst of a window, which takes seconds.
    let mut begun = whisper.transcribe(audio, Some("en".into()));
    let waited = tokio::time::timeout(Duration::from_millis(600), begun.next());
    let _ = waited.await;
    drop(begun);
    // Seven minutes, twenty times, take longer than this.
    let waited = tokio::time::timeout(Duration::from_secs(60), heard(&whisper, silence(1)));
    assert_eq!(waited.await.unwrap(), Ok(vec![]));
}

#[test]
fn a_file_that_is_no_model() {
    let test = "a_file_that_is_no_model";
    let (Some(model), Some(silero)) = (fixture(test, TINY), fixture(test, SILERO)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bin");
    let why = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let whisper = Whisper::open(&path, None, settings(1)).unwrap_err().to_string();
        assert!(whisper.contains("\nhint: "), "{whisper}");
        whisper
    };
    let whole = fs::read(&model).unwrap();
    for length in [0, 3, 40, 50, 5_000, 100_000, whole.len() - 1] {
        assert!(why(&whole[..length]).contains("it is cut off"), "{length}");
    }
    assert!(why(b"GGUF of another kind").contains("another format"));
    assert!(why(&fs::read(&silero).unwrap()).contains("sizes that no such model has"));
    for place in (4..56).step_by(4) {
        let mut wrong = whole.clone();
        wrong[place..place + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
        assert!(why(&wrong).contains("cannot be used"), "{place}");
    }
    // A tensor that claims to be large.
    let tensor = [3_u32, 4, 0, 0xffff, 0xffff, 0xffff].map(u32::to_le_bytes).concat();
    assert!(why(&[&whole[..], &tensor].concat()).contains("tensor of an impossible size"));
    let error = Whisper::open(Path::new("/nowhere/base.bin"), None, settings(1)).unwrap_err();
    assert!(error.to_string().starts_with("the speech model /nowhere/base.bin cannot be read"));
    let silero = fs::read(silero).unwrap();
    for length in [0, 10, 60, 200, 100_000, silero.len() - 1] {
        fs::write(&path, &silero[..length]).unwrap();
        assert!(Vad::open(&path).unwrap_err().to_string().contains("it is cut off"), "{length}");
    }
}
