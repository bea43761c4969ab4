//! Where somebody speaks.

use std::ops::Range;
use std::path::Path;

use whisper_rs::{
    WhisperVadContext, WhisperVadContextParams, WhisperVadParams, install_logging_hooks,
};

use super::file;
use super::windows::LONGEST;
use crate::{FindSpeech, SPEECH_RATE, SpeechError};

/// Samples of a hundredth of a second, which is what times are told in.
const CENTISECOND: f32 = SPEECH_RATE as f32 / 100.0;

/// Silero's voice activity detection, by whisper.cpp.
pub struct Vad(WhisperVadContext);

impl std::fmt::Debug for Vad {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Vad")
    }
}

impl Vad {
    /// Loads a model of whisper.cpp's format.
    ///
    /// # Errors
    ///
    /// When the file is not there, is cut off or no such model.
    pub fn open(path: &Path) -> Result<Vad, SpeechError> {
        install_logging_hooks();
        file::check_vad(path)?;
        let name = path.to_str().ok_or_else(|| file::unusable(path, "its name is not UTF-8"))?;
        let mut parameters = WhisperVadContextParams::new();
        // The network is so small that threads spend their time waiting for each other.
        parameters.set_n_threads(1);
        let context = WhisperVadContext::new(name, parameters);
        Ok(Vad(context.map_err(|error| file::unusable(path, &error.to_string()))?))
    }
}

impl FindSpeech for Vad {
    fn speech(&mut self, samples: &[f32]) -> Result<Vec<Range<usize>>, SpeechError> {
        let mut parameters = WhisperVadParams::new();
        parameters.set_max_speech_duration(LONGEST as f32 / SPEECH_RATE as f32);
        let found = self.0.segments_from_samples(parameters, samples).map_err(|error| {
            SpeechError::Engine(format!("voice activity detection failed: {error}"))
        })?;
        let place = |time: f32| ((time * CENTISECOND) as usize).min(samples.len());
        Ok(found
            .map(|part| place(part.start)..place(part.end))
            .filter(|part| !part.is_empty())
            .collect())
    }
}
