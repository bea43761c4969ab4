//! Ears and a voice, as the configuration describes them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use june_speech::openai::{Format, OpenAiSpeaker, OpenAiTranscriber, Secret, Settings, Upload};
use june_speech::{Espeak, Piper, Speaker, Transcriber, Whisper, WhisperSettings};

use crate::config::{Config, SttTable, TtsTable, WhisperTable};
use crate::{paths, pulled};

/// The program that speaks where nothing else is written.
pub(crate) const ESPEAK: &str = "espeak-ng";

/// Speech to text, and text to speech; or why there is none.
#[derive(Clone)]
pub(crate) struct Speech {
    pub(crate) ears: Option<Arc<dyn Transcriber>>,
    pub(crate) voice: Option<Arc<dyn Speaker>>,
    lacks: Vec<String>,
}

impl Speech {
    /// What the configuration describes. What it names must be there; what June would take by
    /// itself may lack.
    pub(crate) fn of(config: &Config) -> Result<Speech> {
        let mut lacks = Vec::new();
        let folder = config.folder();
        let ears = match &config.tables.stt {
            SttTable::Whisper(table) => whisper(table, &folder, &mut lacks)?,
            SttTable::OpenAi(table) => {
                let settings = server(&table.url, &table.model, table.key.as_deref())?;
                let upload = if table.wav { Upload::Wav } else { Upload::Ogg };
                Some(Arc::new(OpenAiTranscriber::new(settings, upload)?) as _)
            }
        };
        let voice: Option<Arc<dyn Speaker>> = match &config.tables.tts {
            TtsTable::None => None,
            TtsTable::Espeak => match Espeak::open(ESPEAK) {
                Ok(espeak) => Some(Arc::new(espeak)),
                Err(why) => {
                    lacks.push(format!("answers are not spoken: {why}"));
                    None
                }
            },
            TtsTable::Piper(table) => {
                let program = table.program.as_deref().unwrap_or(Path::new("piper"));
                Some(Arc::new(Piper::open(program, folder.join(&table.voice))?))
            }
            TtsTable::OpenAi(table) => {
                let settings = server(&table.url, &table.model, table.key.as_deref())?;
                Some(Arc::new(OpenAiSpeaker::new(settings, &table.voice, Format::Wav)?))
            }
        };
        Ok(Speech { ears, voice, lacks })
    }

    /// What cannot be done, and what to do about it, in words.
    pub(crate) fn lacks(&self) -> impl Iterator<Item = &str> {
        self.lacks.iter().map(String::as_str)
    }
}

/// Whisper's files: the model, and the one that finds speech.
pub(crate) fn files(table: &WhisperTable, folder: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
    let model = match &table.model {
        Some(name) => pulled::find(name, folder)?,
        None => pulled::hearing().with_context(|| {
            format!("there is no model that hears\nhint: june model pull {}base", pulled::HEARS)
        })?,
    };
    let vad = match &table.vad {
        Some(name) => Some(pulled::find(name, folder)?),
        None => pulled::find(pulled::VAD, folder).ok(),
    };
    Ok((model, vad))
}

fn whisper(
    table: &WhisperTable,
    folder: &Path,
    lacks: &mut Vec<String>,
) -> Result<Option<Arc<dyn Transcriber>>> {
    let (model, vad) = match files(table, folder) {
        Ok(files) => files,
        Err(error) if table.model.is_none() => {
            lacks.push(format!("voice messages are not understood: {error}"));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if vad.is_none() {
        let what = "silence is transcribed, too: there is no model that finds speech";
        lacks.push(format!("{what}\nhint: june model pull {}", pulled::VAD));
    }
    let own = WhisperSettings::default();
    let states = table.at_once.and_then(NonZeroUsize::new).unwrap_or(own.states);
    let settings = WhisperSettings { states, ..own };
    Ok(Some(Arc::new(Whisper::open(&model, vad.as_deref(), settings)?)))
}

fn server(url: &str, model: &str, key: Option<&str>) -> Result<Settings> {
    let mut settings = Settings::new(url, model);
    if let Some(variable) = key {
        let key = paths::secret(variable);
        let key =
            key.with_context(|| format!("the speech server has no key: {variable} is not set"))?;
        settings.key = Some(Secret::new(key));
    }
    Ok(settings)
}
