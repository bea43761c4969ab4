//! `POST /audio/speech`.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use june_models::openai::Settings;
use serde_json::json;

use super::server::Server;
use crate::audio::decode_at;
use crate::{Audio, Limits, Speaker, SpeechError};

/// The most bytes of sound that are taken: ten minutes of PCM.
const SOUND: usize = 30 << 20;

/// Samples a second of `pcm`, which does not say it itself.
const PCM: u32 = 24_000;

/// What the server is to send sound as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// WAV.
    #[default]
    Wav,
    /// 16-bit samples without a header, 24,000 a second.
    Pcm,
    /// OGG with Opus: a tenth of the bytes.
    Opus,
}

/// Text to speech by a server.
#[derive(Debug, Clone)]
pub struct OpenAiSpeaker {
    server: Arc<Server>,
    voice: String,
    format: Format,
}

impl OpenAiSpeaker {
    /// A model with these settings, and the name of one of its voices. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// The settings hold what no request could.
    pub fn new(
        settings: Settings,
        voice: impl Into<String>,
        format: Format,
    ) -> Result<OpenAiSpeaker, SpeechError> {
        let server = Arc::new(Server::new(settings, "/audio/speech")?);
        Ok(OpenAiSpeaker { server, voice: voice.into(), format })
    }

    async fn ask(&self, text: &str) -> Result<Audio, SpeechError> {
        let format = match self.format {
            Format::Wav => "wav",
            Format::Pcm => "pcm",
            Format::Opus => "opus",
        };
        let body = json!({
            "model": self.server.settings.model,
            "input": text,
            "voice": self.voice,
            "response_format": format,
        });
        let json = |request: reqwest::RequestBuilder| {
            request.header("content-type", "application/json").body(body.to_string())
        };
        let sound = self.server.ask(json, SOUND).await.map_err(|refusal| refusal.error)?;
        let format = self.format;
        let decoded = tokio::task::spawn_blocking(move || match format {
            Format::Pcm => pcm(&sound),
            Format::Wav | Format::Opus => {
                decode_at(&sound, &Limits { bytes: SOUND, ..Limits::default() }, None)
            }
        });
        let decoded =
            decoded.await.map_err(|_| SpeechError::Engine("decoding was given up".into()))?;
        decoded.map_err(|error| {
            let why = error.to_string();
            let why = why.lines().next().unwrap_or_default();
            self.server.fault(&format!("sent what is no sound: {why}")).error
        })
    }
}

impl Speaker for OpenAiSpeaker {
    /// The language is not told: a server takes it from the text.
    fn speak(
        &self,
        text: String,
        _language: Option<String>,
    ) -> BoxFuture<'static, Result<Audio, SpeechError>> {
        let this = self.clone();
        async move { this.ask(&text).await }.boxed()
    }
}

fn pcm(bytes: &[u8]) -> Result<Audio, SpeechError> {
    let (samples, rest) = bytes.as_chunks::<2>();
    if samples.is_empty() || !rest.is_empty() {
        return Err(SpeechError::Engine(format!("{} bytes are not samples", bytes.len())));
    }
    let samples = samples.iter().map(|bytes| f32::from(i16::from_le_bytes(*bytes)) / 32_768.0);
    Ok(Audio { samples: samples.collect(), rate: PCM })
}
