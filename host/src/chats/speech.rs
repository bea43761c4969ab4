//! Ears and a voice, as the configuration describes them.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use june_speech::{
    Espeak, OpenAi, OpenAiSettings, Piper, Speaker, Transcriber, Whisper, WhisperSettings,
};

use crate::config::{Config, SpeechServerTable, SttTable, TtsTable, WhisperTable};
use crate::{paths, pulled};

/// Speech to text, and text to speech; or why there is none.
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
            SttTable::OpenAi(table) => Some(Arc::new(server(table)?) as _),
        };
        let voice: Option<Arc<dyn Speaker>> = match &config.tables.tts {
            TtsTable::None => None,
            TtsTable::Espeak => match Espeak::find() {
                Ok(espeak) => Some(Arc::new(espeak)),
                Err(why) => {
                    lacks.push(format!("answers are not spoken: {why}"));
                    None
                }
            },
            TtsTable::Piper(table) => {
                let program = table.program.as_deref().unwrap_or(Path::new("piper"));
                Some(Arc::new(Piper::new(program, &folder.join(&table.voice))?))
            }
            TtsTable::OpenAi(table) => Some(Arc::new(server(table)?)),
        };
        Ok(Speech { ears, voice, lacks })
    }

    /// What cannot be done, and what to do about it, in words.
    pub(crate) fn lacks(&self) -> impl Iterator<Item = &str> {
        self.lacks.iter().map(String::as_str)
    }
}

fn whisper(
    table: &WhisperTable,
    folder: &Path,
    lacks: &mut Vec<String>,
) -> Result<Option<Arc<dyn Transcriber>>> {
    let model = match &table.model {
        Some(name) => pulled::find(name, folder)?,
        None => match pulled::hearing() {
            Some(path) => path,
            None => {
                let what = "voice messages are not understood: there is no model that hears";
                lacks.push(format!("{what}\nhint: june model pull {}base", pulled::HEARS));
                return Ok(None);
            }
        },
    };
    let vad = match &table.vad {
        Some(name) => Some(pulled::find(name, folder)?),
        None => pulled::find(pulled::VAD, folder).ok(),
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

fn server(table: &SpeechServerTable) -> Result<OpenAi> {
    let key = table.key.as_deref().map(|variable| {
        paths::secret(variable)
            .ok_or_else(|| anyhow::anyhow!("the speech server has no key: {variable} is not set"))
    });
    let mut settings = OpenAiSettings::new(&table.url, &table.model);
    settings.key = key.transpose()?;
    settings.voice = table.voice.clone();
    Ok(OpenAi::new(settings)?)
}
