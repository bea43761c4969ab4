//! `/v1/audio/transcriptions`: what is said in a recording, by the ears that chats have.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::multipart::{Field, Multipart, MultipartRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use futures_util::StreamExt;
use june_chats::{Passed, Stage};
use june_speech::{Limits, Segment, SpeechError, Transcriber, decode};
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::refused::{Refusals, Refused};
use super::sound::Sound;
use crate::pulled;
use crate::serve::Server;
use crate::serve::refusal::Refusal;
use crate::serve::token::Caller;
use crate::words::one_line;

/// A recording. Members that are not named here change nothing.
#[derive(ToSchema)]
#[schema(as = openai::Recording)]
#[expect(dead_code, reason = "describes what is read by hand")]
pub(super) struct Recording {
    /// OGG, MP3, MP4, WebM, FLAC or WAV; a quarter of an hour at the most.
    #[schema(value_type = String, format = Binary)]
    file: Bytes,
    /// Any: there is one.
    model: String,
    /// What is spoken, as ISO 639-1 names it; found out, if left out.
    #[schema(example = "en", pattern = "^[a-z]{2,3}$")]
    language: Option<String>,
    response_format: Option<Form>,
}

/// The form of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ToSchema)]
#[schema(as = openai::Form)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Json,
    Text,
    VerboseJson,
}

/// What was said.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Transcription)]
#[serde(untagged)]
pub(super) enum Transcription {
    /// As `json`.
    Plain { text: String },
    /// As `verbose_json`.
    Verbose(Verbose),
}

/// What was said, and when.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Verbose)]
pub(super) struct Verbose {
    #[schema(example = "transcribe")]
    task: &'static str,
    /// As ISO 639-1 names it, where it is known.
    language: Option<String>,
    /// How long the recording plays, in seconds.
    duration: f64,
    text: String,
    segments: Vec<Piece>,
}

/// A piece of what was said.
#[derive(Serialize, ToSchema)]
#[schema(as = openai::Piece)]
struct Piece {
    id: usize,
    /// In seconds from the beginning, as the next.
    start: f64,
    end: f64,
    text: String,
}

/// What is asked.
#[derive(Default)]
struct Asked {
    file: Option<Bytes>,
    language: Option<String>,
    form: Form,
}

impl Asked {
    async fn read(mut fields: Multipart) -> Result<Self, Refusal> {
        let mut asked = Self::default();
        let broken = |error: axum::extract::multipart::MultipartError| {
            Refusal::new(error.status(), error.body_text())
        };
        while let Some(field) = fields.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                asked.file = Some(field.bytes().await.map_err(broken)?);
            } else {
                let text = text(field).await?;
                asked.take(&name, text)?;
            }
        }
        Ok(asked)
    }

    /// Takes a member that is text.
    fn take(&mut self, name: &str, text: String) -> Result<(), Refusal> {
        let quoted = one_line(&text, 100);
        match name {
            "language" if text.is_empty() => {}
            "language" => {
                let plain = text.chars().all(|c| c.is_ascii_lowercase());
                if !plain || !(2..=3).contains(&text.len()) {
                    let error = format!("`{quoted}` is no language");
                    let hint = "give two letters, such as en";
                    return Err(Refusal::bad(error).hint(hint).about("language"));
                }
                self.language = Some(text);
            }
            "response_format" => {
                self.form = match text.as_str() {
                    "json" => Form::Json,
                    "text" => Form::Text,
                    "verbose_json" => Form::VerboseJson,
                    _ => {
                        let error = format!("there is no transcription as `{quoted}`");
                        let hint = "ask for json, text or verbose_json";
                        return Err(Refusal::bad(error).hint(hint).about("response_format"));
                    }
                };
            }
            "stream" if text == "true" => {
                let error = "a transcription comes as a whole, and `stream` asks for pieces";
                return Err(Refusal::bad(error).hint("leave it out").about("stream"));
            }
            "timestamp_granularities[]" | "timestamp_granularities" if text != "segment" => {
                let error = "the times of segments are known, and no others";
                let refusal = Refusal::bad(error).hint("ask for segment");
                return Err(refusal.about("timestamp_granularities"));
            }
            _ => {}
        }
        Ok(())
    }
}

async fn text(field: Field<'_>) -> Result<String, Refusal> {
    field.text().await.map_err(|error| Refusal::new(error.status(), error.body_text()))
}

/// What was heard.
struct Heard {
    segments: Vec<Segment>,
    duration: f64,
}

impl Heard {
    fn text(&self) -> String {
        let texts = self.segments.iter().map(|segment| segment.text.trim());
        texts.collect::<Vec<_>>().join(" ")
    }
}

/// Write down what is said
///
/// A recording in which nobody speaks has the text ``.
#[utoipa::path(
    post, path = "/v1/audio/transcriptions", tag = "talk",
    operation_id = "transcribe",
    request_body(content = Recording, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "What was said", content(
            (Transcription = "application/json"),
            (String = "text/plain"),
        )),
        Refusals,
    )
)]
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Extension(sound): Extension<Arc<Sound>>,
    fields: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refused> {
    let fields = fields.map_err(|rejection| {
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, rejection.body_text())
    })?;
    let Asked { file, language, form } = Asked::read(fields).await?;
    let file = file.ok_or_else(|| Refusal::bad("there is no `file`").about("file"))?;
    let Some(ears) = server.speech.ears.clone() else {
        let refusal = Refusal::new(StatusCode::NOT_FOUND, "this server has no ears");
        let pull = format!("june model pull {}base, or describe a server in [stt]", pulled::HEARS);
        return Err(refusal.hint(pull).into());
    };
    let most = server.loaded().host.config.tables.serve.body();
    let limits = Limits { bytes: most, ..Limits::default() };
    let work = hear(ears, file, limits, language);
    let told = |heard: &Heard| Passed::Text(heard.text());
    let heard = sound.work(&caller, Stage::Hear, work, told).await?;
    let text = heard.text();
    Ok(match form {
        Form::Json => Json(Transcription::Plain { text }).into_response(),
        Form::Text => format!("{text}\n").into_response(),
        Form::VerboseJson => {
            let language = heard.segments.iter().find_map(|segment| segment.language.clone());
            let pieces = heard.segments.into_iter().enumerate().map(|(id, segment)| Piece {
                id,
                start: segment.start.as_secs_f64(),
                end: segment.end.as_secs_f64(),
                text: segment.text,
            });
            let (task, duration, segments) = ("transcribe", heard.duration, pieces.collect());
            let verbose = Verbose { task, language, duration, text, segments };
            Json(Transcription::Verbose(verbose)).into_response()
        }
    })
}

async fn hear(
    ears: Arc<dyn Transcriber>,
    file: Bytes,
    limits: Limits,
    language: Option<String>,
) -> Result<Heard, SpeechError> {
    let failed = |_| SpeechError::Engine("reading the recording failed".into());
    let audio = spawn_blocking(move || decode(&file, &limits)).await.map_err(failed)??;
    let mut heard = Heard { segments: Vec::new(), duration: audio.duration().as_secs_f64() };
    let mut segments = ears.transcribe(audio, language);
    while let Some(segment) = segments.next().await {
        heard.segments.push(segment?);
    }
    Ok(heard)
}
