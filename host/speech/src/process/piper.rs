//! Piper: neural voices that are quick enough for a small machine.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{check, child};
use crate::{Audio, Speaker, SpeechError};

/// The most bytes of a voice's settings.
const SETTINGS: u64 = 1 << 20;

/// The program `piper` with one voice, started anew for each text. It speaks the voice's language,
/// whatever is asked for.
#[derive(Debug, Clone)]
pub struct Piper {
    program: PathBuf,
    model: PathBuf,
    rate: u32,
}

impl Piper {
    /// A voice: a file `NAME.onnx`, beside which is `NAME.onnx.json`, which says at what rate it
    /// speaks.
    ///
    /// # Errors
    ///
    /// When one of the two files is missing, or the second is not a voice's settings.
    pub fn open(
        program: impl Into<PathBuf>,
        model: impl Into<PathBuf>,
    ) -> Result<Piper, SpeechError> {
        let (program, model) = (program.into(), model.into());
        let rate = rate(&model).map_err(|why| {
            SpeechError::Engine(format!(
                "the voice {} cannot be used: {why}\nhint: download both NAME.onnx and \
                 NAME.onnx.json",
                model.display()
            ))
        })?;
        Ok(Piper { program, model, rate })
    }
}

/// The rate that a voice's settings tell.
fn rate(model: &Path) -> Result<u32, String> {
    if !model.is_file() {
        return Err("it is not there".into());
    }
    let mut path = model.as_os_str().to_owned();
    path.push(".json");
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    if fs::metadata(&path).map_err(told)?.len() > SETTINGS {
        return Err("its settings are too large".into());
    }
    let settings = fs::read(&path).map_err(told)?;
    let settings: serde_json::Value =
        serde_json::from_slice(&settings).map_err(|error| format!("its settings: {error}"))?;
    let rate = settings.pointer("/audio/sample_rate").and_then(serde_json::Value::as_u64);
    let rate = rate.and_then(|rate| u32::try_from(rate).ok());
    rate.filter(|rate| (8_000..=48_000).contains(rate))
        .ok_or_else(|| "its settings have no audio.sample_rate".into())
}

impl Speaker for Piper {
    fn speak(
        &self,
        text: String,
        _language: Option<String>,
    ) -> BoxFuture<'static, Result<Audio, SpeechError>> {
        let Piper { program, model, rate } = self.clone();
        async move {
            check(&text)?;
            // It speaks each line by itself.
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
            let arguments: Vec<OsString> =
                vec!["--model".into(), model.into_os_string(), "--output-raw".into()];
            let raw = child::run(&program, arguments, &line).await?;
            let samples = raw.as_chunks::<2>().0.iter();
            let samples = samples.map(|bytes| f32::from(i16::from_le_bytes(*bytes)) / 32_768.0);
            let samples: std::sync::Arc<[f32]> = samples.collect();
            if samples.is_empty() {
                let name = program.display();
                return Err(SpeechError::Engine(format!("{name} wrote no sound")));
            }
            Ok(Audio { samples, rate })
        }
        .boxed()
    }
}
