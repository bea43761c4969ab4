//! `/v1/audio/speech`: a text, spoken by the voice that chats have.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use june_chats::{Passed, Stage};
use june_speech::{Audio, Sentences, Speaker, SpeechError, encode, wav};
use serde::Deserialize;
use serde_json::Value;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::refused::{Body, Refusals, Refused};
use super::sound::Sound;
use crate::serve::Server;
use crate::serve::refusal::Refusal;
use crate::serve::token::Caller;

/// The longest text, in characters.
const LONGEST: usize = 4096;

/// A text to be spoken. Members that are not named here change nothing.
#[derive(Deserialize, ToSchema)]
#[schema(as = openai::Text)]
pub(super) struct Text {
    /// What is to be said. Of Markdown, the words.
    #[schema(min_length = 1, max_length = 4096)]
    input: String,
    /// Any: there is one.
    #[expect(dead_code, reason = "clients send it")]
    model: Option<String>,
    /// Any: there is one.
    #[expect(dead_code, reason = "clients send it")]
    #[schema(value_type = Option<String>)]
    voice: Option<Value>,
    /// The language, as ISO 639-1 names it, for a voice that has several.
    language: Option<String>,
    response_format: Option<Format>,
    /// 1.
    #[schema(minimum = 1, maximum = 1)]
    speed: Option<f64>,
    /// None: a voice speaks as it does.
    #[schema(max_length = 0)]
    instructions: Option<String>,
    /// `audio`.
    stream_format: Option<String>,
}

/// What the sound is kept in.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[schema(as = openai::Format)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// WAV, 16 bits, one channel.
    #[default]
    Wav,
    /// OGG with Opus.
    Opus,
}

/// A file with sound.
#[derive(ToSchema)]
#[schema(as = openai::File, value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes the answer")]
pub(super) struct File(Vec<u8>);

impl Text {
    fn check(&self) -> Result<(), Refusal> {
        let not_had = |member: &'static str| {
            let error = format!("`{member}` cannot be had of this voice");
            Err(Refusal::bad(error).hint("leave it out").about(member))
        };
        if self.input.chars().count() > LONGEST {
            let error = format!("`input` has more than {LONGEST} characters");
            return Err(Refusal::bad(error).hint("send it in shorter pieces").about("input"));
        }
        if self.speed.is_some_and(|speed| speed != 1.0) {
            return not_had("speed");
        }
        if self.instructions.as_ref().is_some_and(|text| !text.is_empty()) {
            return not_had("instructions");
        }
        if self.stream_format.as_ref().is_some_and(|format| format != "audio") {
            return not_had("stream_format");
        }
        Ok(())
    }
}

/// Speak a text
#[utoipa::path(
    post, path = "/v1/audio/speech", tag = "talk", operation_id = "speak",
    request_body = Text,
    responses(
        (status = 200, description = "The sound", content(
            (File = "audio/wav"),
            (File = "audio/ogg"),
        )),
        Refusals,
    )
)]
pub(super) async fn create(
    State(server): State<Arc<Server>>,
    Extension(caller): Extension<Caller>,
    Extension(sound): Extension<Arc<Sound>>,
    Body(asked): Body<Text>,
) -> Result<Response, Refused> {
    asked.check()?;
    let Some(voice) = server.speech.voice.clone() else {
        let refusal = Refusal::new(StatusCode::NOT_FOUND, "this server has no voice");
        return Err(refusal.hint("install espeak-ng, or describe a voice in [tts]").into());
    };
    let mut sentences = Sentences::new();
    let mut said = sentences.push(&asked.input);
    said.extend(sentences.finish());
    if said.is_empty() {
        return Err(Refusal::bad("there is nothing to say in `input`").about("input").into());
    }
    let text = said.join(" ");
    let work = speak(voice, said, asked.language, asked.response_format.unwrap_or_default());
    let told = |_: &(&'static str, Vec<u8>)| Passed::Text(text);
    let (kind, bytes) = sound.work(&caller, Stage::Speak, work, told).await?;
    Ok(([(CONTENT_TYPE, kind)], bytes).into_response())
}

async fn speak(
    voice: Arc<dyn Speaker>,
    sentences: Vec<String>,
    language: Option<String>,
    format: Format,
) -> Result<(&'static str, Vec<u8>), SpeechError> {
    let (mut samples, mut rate) = (Vec::new(), 0);
    for sentence in sentences {
        let spoken = voice.speak(sentence, language.clone()).await?;
        if rate != 0 && rate != spoken.rate {
            return Err(SpeechError::Engine("the voice changed its rate".into()));
        }
        rate = spoken.rate;
        samples.extend_from_slice(&spoken.samples);
    }
    let audio = Audio { samples: samples.into(), rate };
    let failed = |_| SpeechError::Engine("writing the sound failed".into());
    let written = spawn_blocking(move || match format {
        Format::Wav => Ok(("audio/wav", wav(&audio))),
        Format::Opus => encode(&audio).map(|voice| ("audio/ogg", voice.ogg.to_vec())),
    });
    written.await.map_err(failed)?
}
