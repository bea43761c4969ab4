//! Speech by a server that has OpenAI's interface: hosted ones, speaches, vLLM, whisper.cpp's,
//! Kokoro's, and others.
//!
//! Of a server's [`Settings`], what concerns the connection is used: its address, the model, the
//! key, the proxy, and the deadlines. Nothing is asked twice.
//!
//! ```no_run
//! use june_speech::openai::{OpenAiTranscriber, Settings, Upload};
//!
//! # fn open() -> Result<(), june_speech::SpeechError> {
//! let settings = Settings::new("http://127.0.0.1:8000/v1", "whisper-1");
//! let transcriber = OpenAiTranscriber::new(settings, Upload::Ogg)?;
//! # Ok(())
//! # }
//! ```

mod languages;
mod server;
mod speech;
mod transcription;

pub use june_models::Secret;
pub use june_models::openai::{Deadlines, Proxy, Settings};
pub use speech::{Format, OpenAiSpeaker};
pub use transcription::{OpenAiTranscriber, Upload};
