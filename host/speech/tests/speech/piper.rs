//! Piper itself (`pip install piper-tts`), with a voice that nobody trained: a network of five
//! steps, which makes a tone of each sound that it is told to speak. What is real is the program:
//! how it is started, how it reads text and writes sound, and how it fails.

use std::fs;
use std::path::{Path, PathBuf};

use june_speech::{Audio, Piper, Speaker, SpeechError};

use crate::has;

/// Samples of each sound.
const LENGTH: u64 = 256;

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A field of a message in the format of protocol buffers, which ONNX is in.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn bytes(field: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

fn step(kind: &str, inputs: &[&str], output: &str, more: &[u8]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|input| bytes(1, input)).collect();
    bytes(1, [inputs, bytes(2, output), bytes(4, kind), more.to_vec()].concat())
}

fn shape(name: &str, sizes: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
    let count = number(1, sizes.len() as u64);
    bytes(5, [count, number(2, 7), bytes(8, name), bytes(9, raw)].concat())
}

/// What goes in (11) or comes out (12). Of a size that is not known, there is a name.
fn value(place: u64, name: &str, kind: u64, sizes: &[&str]) -> Vec<u8> {
    let size = |size: &&str| match size.parse() {
        Ok(size) => bytes(1, number(1, size)),
        Err(_) => bytes(1, bytes(2, size)),
    };
    let sizes: Vec<u8> = sizes.iter().flat_map(size).collect();
    let tensor = bytes(1, [number(1, kind), bytes(2, sizes)].concat());
    bytes(place, [bytes(1, name), bytes(2, tensor)].concat())
}

/// A voice with the inputs and the output that Piper's have.
fn voice(folder: &Path) -> PathBuf {
    let to_float = bytes(5, [bytes(1, "to"), number(3, 1), number(20, 2)].concat());
    let graph = [
        step("Cast", &["input"], "numbers", &to_float),
        step("Reshape", &["numbers", "column"], "rows", &[]),
        step("Expand", &["rows", "long"], "tones", &[]),
        step("Reshape", &["tones", "flat"], "line", &[]),
        step("Sin", &["line"], "output", &[]),
        bytes(2, "voice"),
        shape("column", &[1, 1, -1, 1]),
        shape("long", &[1, 1, 1, LENGTH as i64]),
        shape("flat", &[1, 1, -1]),
        value(11, "input", 7, &["1", "sounds"]),
        value(11, "input_lengths", 7, &["1"]),
        value(11, "scales", 1, &["3"]),
        value(12, "output", 1, &["1", "1", "samples"]),
    ];
    let model = [number(1, 8), bytes(7, graph.concat()), bytes(8, number(2, 13))].concat();
    let path = folder.join("voice.onnx");
    fs::write(&path, model).unwrap();
    let settings = r#"{"audio": {"sample_rate": 22050}, "espeak": {"voice": "en-us"},
        "num_symbols": 256, "num_speakers": 1,
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_id_map": {"_": [0], "^": [1], "$": [2], "h": [3], "l": [4], "o": [5], "w": [6]}}"#;
    fs::write(folder.join("voice.onnx.json"), settings).unwrap();
    path
}

async fn say(voice: &Path, text: &str) -> Result<Audio, SpeechError> {
    Piper::open("piper", voice).unwrap().speak(text.into(), None).await
}

#[tokio::test]
async fn piper_speaks_what_it_is_given() {
    if !has("piper_speaks_what_it_is_given", "piper") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let voice = voice(folder.path());
    let said = say(&voice, "hello").await.unwrap();
    assert_eq!(said.rate, 22_050);
    assert!(said.samples.iter().any(|sample| sample.abs() > 0.5));
    let whole = said.samples.len() as u64;
    assert!(whole >= 4 * LENGTH && whole.is_multiple_of(LENGTH), "{whole}");
    let more = say(&voice, "hello\nhello hello").await.unwrap();
    assert!(more.samples.len() > 2 * said.samples.len(), "all lines are spoken");
    // Nothing that looks like an option is one.
    let options = say(&voice, "--help -f /nowhere/hello.wav").await.unwrap();
    assert!(options.samples.len() > said.samples.len());
}

#[tokio::test]
async fn a_voice_that_piper_cannot_use_is_told() {
    if !has("a_voice_that_piper_cannot_use_is_told", "piper") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let voice = voice(folder.path());
    fs::write(&voice, "no network").unwrap();
    let error = say(&voice, "hello").await.unwrap_err().to_string();
    assert!(error.starts_with("piper failed (exit status: 1): "), "{error}");
}
