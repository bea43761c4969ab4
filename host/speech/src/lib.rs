//! Speech: voice messages, speech to text and text to speech.
//!
//! [`Transcriber`] and [`Speaker`] are the two sides; [`Audio`] is what goes between them and a
//! voice message.

mod audio;
#[cfg(feature = "openai")]
pub mod openai;
mod process;
mod sentences;
mod speakable;
#[cfg(feature = "whisper")]
mod whisper;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

pub use audio::{Audio, Encoding, Limits, SPEECH_RATE, Voice, decode, encode, wav};
pub use process::{Espeak, Piper};
pub use sentences::Sentences;
pub use speakable::speakable;
#[cfg(feature = "whisper")]
pub use whisper::{Vad, Whisper, WhisperSettings};

use std::ops::Range;
use std::time::Duration;

/// Something that a speech engine could not do, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// What was given cannot be used, and why.
    #[error("{0}")]
    Input(String),
    /// The engine or its server failed, and why.
    #[error("{0}")]
    Engine(String),
}

/// A piece of what was said, as long as it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// What was said.
    pub text: String,
    /// When it began, from the audio's first sample.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
    /// The language, as ISO 639-1 names it (`en`), where the engine knows.
    pub language: Option<String>,
}

/// Segments as they are found, in the order of time; none for silence.
pub type Segments = BoxStream<'static, Result<Segment, SpeechError>>;

/// Speech to text.
pub trait Transcriber: Send + Sync {
    /// Writes down what is said. `language` is what the speaker is expected to speak (ISO 639-1);
    /// found out, if none is given. Dropping the stream cancels the rest.
    fn transcribe(&self, audio: Audio, language: Option<String>) -> Segments;
}

/// Finds speech in sound.
pub trait FindSpeech: Send {
    /// The parts in which somebody speaks, in samples and in the order of time. There are
    /// [`SPEECH_RATE`] samples a second.
    ///
    /// # Errors
    ///
    /// When the computation fails.
    fn speech(&mut self, samples: &[f32]) -> Result<Vec<Range<usize>>, SpeechError>;
}

/// Text to speech.
pub trait Speaker: Send + Sync {
    /// Says a sentence or a few, in plain words without markup. `language` is ISO 639-1. Dropping
    /// the future cancels it.
    fn speak(
        &self,
        text: String,
        language: Option<String>,
    ) -> BoxFuture<'static, Result<Audio, SpeechError>>;
}
