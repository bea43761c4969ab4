//! `POST /audio/transcriptions`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use june_models::openai::Settings;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::languages::code;
use super::server::{Refusal, Server};
use crate::{Audio, Segment, Segments, SpeechError, Transcriber, encode, wav};

/// The most segments of an answer: one for each word of a long recording.
const SEGMENTS: usize = 100_000;

/// What audio is sent as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Upload {
    /// OGG with Opus: a tenth of the bytes.
    #[default]
    Ogg,
    /// WAV, which every server reads; whisper.cpp's reads nothing else unless it is told to convert.
    Wav,
}

/// Speech to text by a server.
#[derive(Debug, Clone)]
pub struct OpenAiTranscriber {
    server: Arc<Server>,
    upload: Upload,
    /// The server tells segments, as far as is known. Some models of OpenAI do not.
    verbose: Arc<AtomicBool>,
}

impl OpenAiTranscriber {
    /// A model with these settings. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// The settings hold what no request could.
    pub fn new(settings: Settings, upload: Upload) -> Result<OpenAiTranscriber, SpeechError> {
        let server = Arc::new(Server::new(settings, "/audio/transcriptions")?);
        Ok(OpenAiTranscriber { server, upload, verbose: Arc::new(AtomicBool::new(true)) })
    }

    async fn ask(
        &self,
        audio: Audio,
        language: Option<String>,
    ) -> Result<Vec<Segment>, SpeechError> {
        let duration = audio.duration();
        let upload = self.upload;
        let file = tokio::task::spawn_blocking(move || match upload {
            Upload::Ogg => encode(&audio).map(|voice| voice.ogg),
            Upload::Wav => audio.for_speech().map(|audio| wav(&audio).into()),
        });
        let file =
            file.await.map_err(|_| SpeechError::Engine("encoding was given up".into()))??;
        let send = |verbose: bool| {
            let (name, kind) = match upload {
                Upload::Ogg => ("voice.ogg", "audio/ogg"),
                Upload::Wav => ("voice.wav", "audio/wav"),
            };
            let form = Form::new().text("model", self.server.settings.model.clone());
            let format = if verbose { "verbose_json" } else { "json" };
            let mut form = form.text("response_format", format);
            if let Some(language) = &language {
                form = form.text("language", language.clone());
            }
            let length = file.len() as u64;
            let part = Part::stream_with_length(file.clone(), length);
            let part = part.file_name(name).mime_str(kind);
            // The kinds above are kinds.
            let form = part.map(|part| form.part("file", part)).unwrap_or_default();
            self.server.ask(|request| request.multipart(form), self.server.settings.limits.reply)
        };
        let verbose = self.verbose.load(Ordering::Relaxed);
        let mut answer = send(verbose).await;
        if verbose && answer.as_ref().is_err_and(wants_less) {
            answer = send(false).await;
            if answer.is_ok() {
                self.verbose.store(false, Ordering::Relaxed);
            }
        }
        let answer = answer.map_err(|refusal| refusal.error)?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let segments = segments(&answer, duration, language);
        segments.ok_or_else(|| self.server.fault("sent what is no transcription").error)
    }
}

impl Transcriber for OpenAiTranscriber {
    fn transcribe(&self, audio: Audio, language: Option<String>) -> Segments {
        let this = self.clone();
        let asked = async move { this.ask(audio, language).await };
        asked
            .map(|answer| match answer {
                Ok(segments) => stream::iter(segments.into_iter().map(Ok).collect::<Vec<_>>()),
                Err(error) => stream::iter(vec![Err(error)]),
            })
            .flatten_stream()
            .boxed()
    }
}

/// Whether the server does not know the format of the answer that was asked for.
fn wants_less(refusal: &Refusal) -> bool {
    let status = [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY];
    let text = refusal.error.to_string();
    refusal.status.is_some_and(|found| status.contains(&found))
        && (text.contains("response_format") || text.contains("verbose_json"))
}

/// The segments of an answer, or its text where there are none.
fn segments(answer: &Value, duration: Duration, language: Option<String>) -> Option<Vec<Segment>> {
    let told = answer["language"].as_str().and_then(code).or(language);
    let segment = |text: &str, start: Duration, end: Duration| {
        let text = text.trim();
        let language = told.clone();
        (!text.is_empty()).then(|| Segment { text: text.to_owned(), start, end, language })
    };
    let time = |value: &Value| {
        let seconds = value.as_f64().filter(|seconds| seconds.is_finite()).unwrap_or(0.0);
        Duration::from_secs_f64(seconds.clamp(0.0, duration.as_secs_f64()))
    };
    let whole = answer["text"].as_str();
    let Some(parts) = answer["segments"].as_array().filter(|parts| !parts.is_empty()) else {
        return Some(segment(whole?, Duration::ZERO, duration).into_iter().collect());
    };
    let mut segments = Vec::new();
    for part in parts.iter().take(SEGMENTS) {
        let (start, end) = (time(&part["start"]), time(&part["end"]));
        segments.extend(segment(part["text"].as_str()?, start, end.max(start)));
    }
    Some(segments)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers() {
        let ten = Duration::from_secs(10);
        let read = |answer: Value| segments(&answer, ten, None);
        let answer = json!({"text": " a b", "language": "english", "segments": [
            {"start": 0.5, "end": 2, "text": " a"}, {"start": 2.0, "end": 99.0, "text": " b"},
            {"start": 3, "end": 4, "text": " "}]});
        let found = read(answer).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].text.as_str(), found[0].language.as_deref()), ("a", Some("en")));
        assert_eq!(
            (found[0].start, found[0].end),
            (Duration::from_millis(500), Duration::from_secs(2))
        );
        assert_eq!(found[1].end, ten);
        let whole = read(json!({"text": "all of it"})).unwrap();
        assert_eq!(
            (whole[0].start, whole[0].end, whole[0].text.as_str()),
            (Duration::ZERO, ten, "all of it")
        );
        assert_eq!(read(json!({"text": "", "segments": []})), Some(vec![]));
        for wrong in
            [json!({}), json!([]), json!("x"), json!({"text": 1}), json!({"segments": [{}]})]
        {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }
}
