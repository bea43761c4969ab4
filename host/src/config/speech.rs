//! `[stt]` and `[tts]`: speech to text, and text to speech.

use std::path::PathBuf;

use serde::Deserialize;

/// Speech to text.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "backend", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum SttTable {
    /// Whisper, in this process.
    Whisper(WhisperTable),
    /// Any server that speaks OpenAI's `/v1/audio/transcriptions`.
    OpenAi(TranscriberTable),
}

impl Default for SttTable {
    fn default() -> Self {
        SttTable::Whisper(WhisperTable::default())
    }
}

/// Whisper, in this process.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WhisperTable {
    /// A model that was pulled, by its name, or a file's path, relative to the configuration's
    /// folder; the first of June's own that is here, if left out.
    pub(crate) model: Option<String>,
    /// The file of the model that finds speech; the one that was pulled, if left out.
    pub(crate) vad: Option<String>,
    /// How many messages are listened to at once.
    pub(crate) at_once: Option<usize>,
}

/// A server that writes down what is said.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TranscriberTable {
    /// The address before `/audio/transcriptions`, such as `http://127.0.0.1:8000/v1`.
    pub(crate) url: String,
    /// The server's name for the model.
    pub(crate) model: String,
    /// The environment variable that holds the key.
    pub(crate) key: Option<String>,
    /// Whether sound is sent as WAV, which every server reads, rather than as OGG.
    #[serde(default)]
    pub(crate) wav: bool,
}

/// A server that speaks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpeakerTable {
    /// The address before `/audio/speech`, such as `http://127.0.0.1:8000/v1`.
    pub(crate) url: String,
    /// The server's name for the model.
    pub(crate) model: String,
    /// The name of one of its voices.
    pub(crate) voice: String,
    /// The environment variable that holds the key.
    pub(crate) key: Option<String>,
}

/// Text to speech.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(tag = "backend", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum TtsTable {
    /// espeak-ng, as a process of its own.
    #[default]
    Espeak,
    /// Piper, as a process of its own.
    Piper(PiperTable),
    /// Any server that speaks OpenAI's `/v1/audio/speech`.
    OpenAi(SpeakerTable),
    /// Answers are not spoken.
    None,
}

/// Piper.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PiperTable {
    /// The voice's file (`.onnx`, with its `.onnx.json` beside it), relative to the configuration's
    /// folder.
    pub(crate) voice: PathBuf,
    /// The program; `piper`, if left out.
    pub(crate) program: Option<PathBuf>,
}
